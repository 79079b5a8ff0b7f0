"use strict";

// What is on the page is set as text or by properties, never as HTML: names come from files.

const PAGE = 200; // Rows of an answer.
const TALLEST = 8000000; // Pixels that every browser can scroll.
const GAP = 8, CAPTION = 20, PADDING = 4;
const SHOWN_KEYS = 500;
const LEAST = 24; // Sides of a picture in a tile.
const VIEW_NAMES = { side: "side by side" };
const FILTERS = ["text", "sort", "split", "category", "fg", "bg", "flip", "least", "most",
  "objects_from", "objects_to", "failed"];

const $ = (id) => document.getElementById(id);
const scroller = $("scroll"), space = $("space"), tiles = $("tiles"), form = $("filters");
const detail = $("detail");

let set = null; // What the data set is.
let state = {}; // Filters, `view`, `size` and `sample`: all that a link holds.
let total = 0, at = 0; // Samples found, and the place of the current one among them.
let pages = new Map(), asked = new Set(), generation = 0;
let shown = new Map(); // Tiles on the page, by place.
let picks = new Set();
let grid = { columns: 1, width: 0, height: 0, rows: 0, scale: 1 };
let open = null; // The sample that is enlarged.
let settle = 0;
let opening = 0; // Counts what was asked for, so that what comes too late is not shown.

async function get(path, values) {
  const query = new URLSearchParams(values || {}).toString();
  const answer = await fetch(query ? `${path}?${query}` : path);
  if (!answer.ok) throw new Error(await answer.text());
  return path === "/api/keys" ? answer.text() : answer.json();
}

function filters() {
  const values = {};
  for (const name of FILTERS) if (state[name]) values[name] = state[name];
  return values;
}

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const picture = (row, view) => `/picture/${row}/${view}?v=${set.digest}`;
const views = () => (state.view === "side" ? set.views.filter((view) => view !== "overlay") : [state.view]);

// The link

function readLink() {
  const given = new URLSearchParams(location.hash.slice(1));
  state = { view: "composite", size: "160" };
  for (const name of [...FILTERS, "view", "size", "sample"]) if (given.get(name)) state[name] = given.get(name);
  if (![...set.views, "side"].includes(state.view)) state.view = "composite";
  if (!(Number(state.size) >= 64 && Number(state.size) <= 320)) state.size = "160";
}

function writeLink() {
  const values = {};
  for (const [name, value] of Object.entries(state)) {
    const usual = (name === "view" && value === "composite") || (name === "size" && value === "160");
    if (value && !usual) values[name] = value;
  }
  const hash = new URLSearchParams(values).toString();
  history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
}

// The grid

// Width and height of a picture in a tile; its longer side has the size that is chosen.
function tileSize() {
  const scale = Number(state.size) / Math.max(set.width, set.height);
  return [set.width, set.height].map((side) => Math.max(LEAST, Math.round(side * scale)));
}

function measure() {
  const [across, down] = tileSize(), count = views().length;
  const width = across * count + 3 * (count - 1) + 2 * PADDING;
  const height = down + CAPTION + 2 * PADDING + GAP;
  const columns = Math.max(1, Math.floor((scroller.clientWidth - GAP) / (width + GAP)));
  const rows = Math.ceil(total / columns), content = rows * height + GAP;
  const tall = Math.min(content, TALLEST), view = scroller.clientHeight;
  grid = { columns, width, height, rows, scale: tall < content ? (content - view) / (tall - view) : 1 };
  space.style.height = `${tall}px`;
}

const top_ = () => scroller.scrollTop * grid.scale;

function scrollTo_(index) {
  const row = Math.floor(index / grid.columns), y = row * grid.height, view = scroller.clientHeight;
  if (y < top_()) scroller.scrollTop = y / grid.scale;
  else if (y + grid.height + GAP > top_() + view) scroller.scrollTop = (y + grid.height + GAP - view) / grid.scale;
}

function render() {
  const top = top_(), view = scroller.clientHeight;
  const first = Math.max(0, Math.floor(top / grid.height) - 1) * grid.columns;
  const last = Math.min(total, (Math.ceil((top + view) / grid.height) + 1) * grid.columns);
  for (const [index, tile] of shown) {
    if (index < first || index >= last) {
      for (const image of tile.querySelectorAll("img")) image.removeAttribute("src"); // Stops loading.
      tile.remove();
      shown.delete(index);
    }
  }
  let missing = false;
  for (let index = first; index < last; index++) {
    let tile = shown.get(index);
    if (!tile) {
      tile = make("div", { className: "tile", id: `tile-${index}`, role: "option" });
      tile.setAttribute("role", "option");
      tile.index = index;
      shown.set(index, tile);
      tiles.append(tile);
    }
    const row = rowAt(index);
    if (!row) missing = true;
    if (row && !tile.row) fill(tile, row);
    tile.style.width = `${grid.width}px`;
    tile.style.transform = `translate(${GAP + (index % grid.columns) * (grid.width + GAP)}px,` +
      `${Math.floor(index / grid.columns) * grid.height + GAP - top + scroller.scrollTop}px)`;
    tile.classList.toggle("at", index === at);
  }
  scroller.setAttribute("aria-activedescendant", shown.has(at) ? `tile-${at}` : "");
  clearTimeout(settle);
  // Rows that fly by are not asked for.
  if (missing) settle = setTimeout(() => ask(first, last), pages.size ? 60 : 0);
}

function rowAt(index) {
  const page = pages.get(Math.floor(index / PAGE));
  return page && page[index % PAGE];
}

function fill(tile, row) {
  const [number, key, category, coverage, failure] = row;
  tile.row = row;
  const pictures = make("div", { className: "pictures" });
  for (const view of views()) {
    const frame = make("div", { className: "frame" });
    [frame.style.width, frame.style.height] = tileSize().map((side) => `${side}px`);
    if (failure) frame.append(make("p", { className: "failure", textContent: failure }));
    else frame.append(make("img", { src: picture(number, view), alt: `${view} of ${key}`, draggable: false }));
    pictures.append(frame);
  }
  const text = [category, coverage === null ? "failed" : `${coverage.toFixed(1)} %`].filter(Boolean).join(" · ");
  tile.title = failure ? `${key}: ${failure}` : `${key} · ${text}`;
  tile.replaceChildren(pictures,
    make("div", { className: "name" }, make("span", { textContent: key }), make("small", { textContent: text })));
  tile.setAttribute("aria-selected", picks.has(key));
  tile.setAttribute("aria-label", tile.title);
}

async function ask(first, last) {
  const asker = generation;
  for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, last - 1) / PAGE); page++) {
    if (pages.has(page) || asked.has(page)) continue;
    asked.add(page);
    try {
      const answer = await get("/api/find", { ...filters(), offset: page * PAGE, limit: PAGE });
      if (asker !== generation) return;
      pages.set(page, answer.rows);
      render();
    } catch (error) {
      if (asker === generation) say(error.message);
    } finally {
      if (asker === generation) asked.delete(page);
    }
  }
}

function clearTiles() {
  shown.clear();
  tiles.replaceChildren();
}

// Asks anew; `keep` is the key of the sample that stays the current one where it is found.
async function search(keep) {
  const asker = ++generation;
  writeLink();
  try {
    const answer = await get("/api/find", { ...filters(), offset: 0, limit: PAGE });
    const place = keep ? (await get("/api/place", { ...filters(), key: keep })).place : 0;
    if (asker !== generation) return;
    total = answer.total;
    at = place || 0;
    pages = new Map([[0, answer.rows]]);
    asked = new Set();
    clearTiles();
    measure();
    scroller.scrollTop = 0;
    scrollTo_(at);
    render();
    const all = set.samples + set.failed, number = total.toLocaleString("en");
    $("count").textContent = total === all ? `${number} samples` : `${number} of ${all.toLocaleString("en")} samples`;
    $("empty").hidden = total > 0;
    $("pick-all").disabled = total === 0;
    say("");
  } catch (error) {
    if (asker === generation) say(error.message);
  }
}

function say(text) {
  $("note").textContent = text;
}

function move(index) {
  if (!total) return;
  at = Math.max(0, Math.min(total - 1, index));
  scrollTo_(at);
  render();
}

// Views and filters

function showView(view) {
  if (![...set.views, "side"].includes(view)) return;
  state.view = view;
  for (const button of $("views").children) {
    button.setAttribute("aria-checked", button.value === view);
    button.tabIndex = button.value === view ? 0 : -1;
  }
  writeLink();
  relayout();
  if (open) enlarge();
}

function relayout() {
  clearTiles();
  measure();
  scrollTo_(at);
  render();
}

function fillForm() {
  for (const name of FILTERS) {
    const field = form.elements[name];
    field.value = state[name] || "";
    field.classList.toggle("set", Boolean(state[name]));
  }
  $("size").value = state.size;
}

function readForm() {
  for (const name of FILTERS) {
    const field = form.elements[name];
    const value = field.value.trim();
    // A name of an input may still be on the way to be its number.
    const usable = field.checkValidity() && !((name === "fg" || name === "bg") && value && !/^\d+$/.test(value));
    field.classList.toggle("wrong", !usable && field !== document.activeElement);
    if (usable && value) state[name] = value;
    else delete state[name];
    field.classList.toggle("set", Boolean(state[name]));
  }
}

async function offerNames(field) {
  const found = await get("/api/inputs", { kind: field.name, name: field.value.trim() });
  const exact = found.filter((each) => each.name === field.value.trim());
  if (exact.length === 1) {
    field.value = exact[0].id;
    formChanged();
  }
  $(`${field.name}-names`).replaceChildren(
    ...found.map((each) => make("option", { value: each.name, label: `${each.id}` })));
}

let typing = 0;
function formChanged() {
  clearTimeout(typing);
  typing = setTimeout(() => {
    readForm();
    const row = rowAt(at);
    search(row && row[1]);
  }, 120);
}

function only(changes) {
  for (const name of FILTERS) if (name !== "sort") delete state[name];
  Object.assign(state, changes);
  fillForm();
  closeDetail();
  const keep = open && open.key;
  search(keep);
  scroller.focus();
}

// Picks

const store = () => `picks ${set.digest}`;

function keepPicks() {
  try {
    localStorage.setItem(store(), JSON.stringify([...picks]));
  } catch (error) {
    say("the browser does not keep so many picks; save them as a file");
  }
  $("picks").querySelector("b").textContent = picks.size.toLocaleString("en");
  for (const tile of shown.values()) if (tile.row) tile.setAttribute("aria-selected", picks.has(tile.row[1]));
  if (open) {
    $("detail-pick").setAttribute("aria-pressed", picks.has(open.key));
    $("detail-pick").textContent = picks.has(open.key) ? "Picked" : "Pick";
  }
}

function pick(key) {
  if (!picks.delete(key)) picks.add(key);
  keepPicks();
}

function showPicks() {
  const some = [...picks].slice(0, SHOWN_KEYS);
  const buttons = some.map((key) => make("button", {
    type: "button", textContent: key,
    onclick: async () => { $("picked").close(); showSample(key); },
  }));
  const more = picks.size - some.length;
  $("picked-keys").replaceChildren(...buttons, more ? `and ${more.toLocaleString("en")} more` : "",
    picks.size ? "" : "Nothing is picked yet.");
  if (!$("picked").open) $("picked").showModal();
}

const pickedText = () => [...picks].map((key) => `${key}\n`).join("");

function save() {
  const url = URL.createObjectURL(new Blob([pickedText()], { type: "text/plain" }));
  make("a", { href: url, download: `${set.name}-picks.txt` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch (error) {
    button.textContent = "Not allowed";
  }
  setTimeout(() => { button.textContent = before; }, 1200);
}

// One sample

async function showSample(key) {
  const found = await get("/api/place", { ...filters(), key });
  if (found.row === null) {
    say(`there is no sample ${key}`);
    delete state.sample;
    writeLink();
    return;
  }
  if (found.place !== null) move(found.place);
  await load(found.row, found.place);
}

async function showPlace(place) {
  if (place < 0 || place >= total) return;
  if (!rowAt(place)) await ask(place, place + 1);
  const row = rowAt(place);
  if (!row) return;
  move(place);
  await load(row[0], place);
}

async function load(row, place) {
  const asked = ++opening;
  const found = await get(`/api/sample/${row}`);
  if (asked !== opening) return;
  open = { ...found, place };
  state.sample = found.key;
  writeLink();
  enlarge();
  if (detail.open) return;
  detail.showModal();
  detail.focus(); // Not a button: Space picks.
}

function enlarge() {
  const { key, row, place, failure, record } = open;
  $("detail-key").textContent = key;
  $("detail-place").textContent = place === null
    ? "not among the samples found" : `${(place + 1).toLocaleString("en")} of ${total.toLocaleString("en")}`;
  $("before").disabled = place === null || place === 0;
  $("after").disabled = place === null || place === total - 1;
  $("detail-failure").hidden = !failure;
  $("detail-failure").textContent = failure || "";
  const several = state.view === "side" ? set.views : views();
  $("large").className = several.length > 1 ? "several" : "";
  $("large").replaceChildren(...(failure ? [] : several.map((view) => figure(row, view, key, record.bbox))));
  const lines = [["split", open.split],
    ["foreground", inputText(open.foreground)],
    ["background", inputText(open.background)],
    ...Object.entries(record).filter(([name]) => !["key", "fg_id", "bg_id"].includes(name)),
    ["file", open.file === null ? "" : `${open.file}, row ${open.number}`]];
  $("record").replaceChildren(...lines.map(([name, value]) => make("tr", {},
    make("th", { textContent: name }), make("td", { textContent: spelt(value) }))));
  for (const kind of ["fg", "bg"]) strip(kind);
  keepPicks();
}

function inputText(input) {
  const { author, license, source } = input.credit || {};
  const credit = [author, license, source].filter(Boolean).join(", ");
  return [`${input.id}  ${input.name || ""}`, credit].filter(Boolean).join("\n");
}

function spelt(value) {
  if (Array.isArray(value)) return value.map(spelt).join(value.some(Array.isArray) ? "\n" : ", ");
  return typeof value === "number" && !Number.isInteger(value) ? value.toPrecision(6) : `${value}`;
}

const SVG = "http://www.w3.org/2000/svg";
function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function figure(row, view, key, box) {
  const svg = shape("svg", { viewBox: `0 0 ${set.width} ${set.height}`, role: "img", "aria-label": `${view} of ${key}` });
  svg.append(shape("image", { href: picture(row, view), width: set.width, height: set.height }));
  if ($("detail-box").getAttribute("aria-pressed") === "true" && box) {
    svg.append(shape("rect", { x: box[0], y: box[1], width: box[2], height: box[3] }));
  }
  return make("figure", {}, svg, make("figcaption", { textContent: view }));
}

async function strip(kind) {
  const of = open, input = kind === "fg" ? of.foreground : of.background;
  const what = kind === "fg" ? "foreground" : "background";
  $(`same-${kind}`).textContent = `${of.same[kind].toLocaleString("en")} samples of this ${what}`;
  const found = await get("/api/find", { [kind]: input.id, sort: "shuffled", offset: 0, limit: 10 });
  if (open !== of) return;
  $(`strip-${kind}`).replaceChildren(...found.rows.filter((row) => !row[4]).map((row) => {
    const button = make("button", { type: "button", title: row[1], onclick: () => showSample(row[1]) },
      make("img", { src: picture(row[0], "composite"), alt: row[1] }));
    button.setAttribute("aria-current", row[1] === of.key);
    return button;
  }));
}

function closeDetail() {
  if (detail.open) detail.close();
}

function toggleBox() {
  const button = $("detail-box");
  button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
  if (open) enlarge();
}

// Keys

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (!detail.open) opening++;
  const typing = event.target.closest("input:not([type=range]), select, textarea");
  if (typing) {
    if (event.key === "Escape") scroller.focus();
    return;
  }
  const button = event.target.closest("button"), other = $("picked").open || $("keys").open;
  if (other || (button && (event.key === "Enter" || event.key === " "))) return;
  const page = Math.max(1, Math.floor(scroller.clientHeight / grid.height)) * grid.columns;
  const key = detail.open && open ? open.key : rowAt(at) && rowAt(at)[1];
  const list = [...set.views, "side"];
  const go = (step) => (detail.open ? open.place !== null && showPlace(open.place + step) : move(at + step));
  const actions = {
    ArrowLeft: () => go(-1), ArrowRight: () => go(1),
    ArrowUp: () => go(-grid.columns), ArrowDown: () => go(grid.columns),
    PageUp: () => go(-page), PageDown: () => go(page),
    Home: () => go(-total), End: () => go(total),
    Enter: () => !detail.open && showPlace(at),
    p: () => key && pick(key), " ": () => key && pick(key),
    b: () => detail.open && toggleBox(),
    f: () => key && only({ fg: key.split("_").at(-4) }), g: () => key && only({ bg: key.split("_").at(-3) }),
    "/": () => { closeDetail(); $("text").focus(); $("text").select(); },
    "?": () => $("keys").showModal(),
  };
  if (/^[1-9]$/.test(event.key)) showView(list[Number(event.key) - 1]);
  else if (actions[event.key]) actions[event.key]();
  else return;
  event.preventDefault();
}

// Start

async function start() {
  set = await get("/api/set");
  document.documentElement.style.setProperty("--aspect", `${set.width} / ${set.height}`);
  document.title = `${set.name} · ${set.samples.toLocaleString("en")} samples`;
  $("name").textContent = set.name;
  $("name").title = [set.place, set.license].filter(Boolean).join("\n");
  try {
    picks = new Set(JSON.parse(localStorage.getItem(store()) || "[]"));
  } catch (error) {
    picks = new Set();
  }
  const option = ([name, count]) => make("option", { value: name, textContent: `${name} (${count.toLocaleString("en")})` });
  form.elements.split.append(...set.splits.map(option));
  form.elements.category.append(...set.categories.map(option));
  form.elements.category.parentElement.hidden = set.categories.length === 0;
  $("objects").hidden = set.mostObjects < 2;
  $("failed").hidden = set.failed === 0;
  for (const name of set.sorts) {
    if (name === "objects" && set.mostObjects < 2) continue;
    form.elements.sort.append(make("option", { value: name, textContent: name || "order of the set" }));
    if (name && name !== "shuffled") form.elements.sort.append(make("option", { value: `-${name}`, textContent: `${name}, reversed` }));
  }
  for (const view of [...set.views, "side"]) {
    const button = make("button", { type: "button", value: view, textContent: VIEW_NAMES[view] || view, onclick: () => showView(view) });
    button.setAttribute("role", "radio");
    $("views").append(button);
  }

  form.addEventListener("input", formChanged);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["fg", "bg"]) {
    form.elements[name].addEventListener("focus", (event) => offerNames(event.target));
    form.elements[name].addEventListener("input", (event) => offerNames(event.target));
  }
  $("clear").addEventListener("click", () => only({}));
  $("pick-all").addEventListener("click", async () => {
    const keys = (await get("/api/keys", filters())).split("\n");
    for (const key of keys) if (key) picks.add(key);
    keepPicks();
  });
  $("size").addEventListener("input", (event) => { state.size = event.target.value; writeLink(); relayout(); });
  $("picks").addEventListener("click", showPicks);
  $("help").addEventListener("click", () => $("keys").showModal());
  $("save").addEventListener("click", save);
  $("copy").addEventListener("click", (event) => copy(pickedText(), event.target));
  $("forget").addEventListener("click", () => { picks.clear(); keepPicks(); showPicks(); });
  $("before").addEventListener("click", () => showPlace(open.place - 1));
  $("after").addEventListener("click", () => showPlace(open.place + 1));
  $("detail-pick").addEventListener("click", () => pick(open.key));
  $("detail-box").addEventListener("click", toggleBox);
  $("link").addEventListener("click", (event) => copy(location.href, event.target));
  $("close").addEventListener("click", closeDetail);
  $("same-fg").addEventListener("click", () => only({ fg: `${open.foreground.id}` }));
  $("same-bg").addEventListener("click", () => only({ bg: `${open.background.id}` }));
  for (const button of document.querySelectorAll(".shut")) button.addEventListener("click", () => button.closest("dialog").close());
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  }
  detail.addEventListener("close", () => { open = null; delete state.sample; writeLink(); scroller.focus(); });
  tiles.addEventListener("click", (event) => {
    const tile = event.target.closest(".tile");
    if (!tile || !tile.row) return;
    at = tile.index;
    render();
    scroller.focus();
    if (event.ctrlKey || event.metaKey || event.shiftKey) pick(tile.row[1]);
    else showPlace(tile.index);
  });
  scroller.addEventListener("scroll", () => requestAnimationFrame(render), { passive: true });
  new ResizeObserver(() => { measure(); render(); }).observe(scroller);
  document.addEventListener("keydown", pressed);
  window.addEventListener("hashchange", begin);
  await begin();
  scroller.focus();
}

async function begin() {
  readLink();
  fillForm();
  keepPicks();
  const sample = state.sample;
  showView(state.view);
  await search(sample);
  if (sample) await showSample(sample);
  else closeDetail();
}

start().catch((error) => { $("count").textContent = error.message; });
