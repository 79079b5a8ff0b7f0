"""The gallery of small data sets: whole, safe whatever inputs are named, and seen in a browser."""

import hashlib
import io
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.drawing import draw_background, draw_foreground
from tests.report.making import Made, make_set
from transforms import storage
from transforms.models.depth.base import METRIC_DEPTH, RELATIVE_INVERSE_DEPTH, DepthMeaning
from transforms.report.gallery import build_gallery
from transforms.report.snippets import snippets
from transforms.report.statistics import Statistics

TITLE = 'Cars & roads <b>"1"</b> $x'
SHEETS = ("composites", "composite_masks", "depth", "foregrounds", "masks", "backgrounds")


@dataclass
class Page(HTMLParser):
    """What a page refers to and says."""

    links: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    anchors: set[str] = field(default_factory=set)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} has a handler {name}={value}"
            if name == "id" and value:
                self.anchors.add(value)
            if name in ("src", "srcset") and value:
                self.pictures.append(value)
            if name == "href" and value:
                self.links.append(value)

    def handle_data(self, data: str) -> None:
        self.text += data


def build(made: Made) -> tuple[str, ...]:
    reading = snippets(["tfrecord"], "train", "png")
    files = build_gallery(made.folder, made.plan, made.statistics, made.meaning, TITLE, reading)
    for file in files:
        data = storage.read_bytes(made.folder.path(file.path))
        assert (file.bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    return tuple(file.path for file in files)


def read_page(made: Made) -> Page:
    page = Page()
    page.feed(Path(made.folder.path("gallery/index.html")).read_text("utf-8"))
    return page


def check_page(made: Made, written: Sequence[str]) -> Page:
    """Checks that a gallery is whole: every reference leads to a file of its own that decodes."""
    gallery = Path(made.folder.root) / "gallery"
    found = {path.relative_to(gallery.parent).as_posix() for path in gallery.rglob("*.*")}
    assert found == set(written) and len(written) == len(set(written))
    page = read_page(made)
    for path in page.pictures:
        assert re.fullmatch(r"(images|plots)/[a-z0-9_]+\.(png|jpg)", path), path
        Image.open(gallery / path).load()
    beside = {"../statistics.json", "../statistics.md", "../manifest.json", "data:,"}
    for link in set(page.links) - beside:
        if link.startswith("#"):
            assert link[1:] in page.anchors
        else:
            assert f"gallery/{link}" in written
    assert not list((gallery.parent / "state" / "tmp").glob("*"))
    return page


@pytest.fixture(scope="module", params=[RELATIVE_INVERSE_DEPTH, METRIC_DEPTH, None])
def meaning(request: pytest.FixtureRequest) -> DepthMeaning | None:
    return request.param


@pytest.fixture(scope="module")
def made(inputs: Path, tmp_path_factory: pytest.TempPathFactory, meaning) -> Made:
    return make_set(inputs, tmp_path_factory.mktemp("gallery") / "set", meaning)


@pytest.fixture(scope="module")
def written(made: Made) -> tuple[str, ...]:
    return build(made)


def mask_name(key: str) -> str:
    """What the mask of a sample is called."""
    return key.replace("fg_bg", "bg_mask")


def test_the_page_is_whole(made, written):
    page = check_page(made, written)
    assert written[-1] == "gallery/index.html"
    assert TITLE in page.text and "b" not in page.tags
    for key in made.plan.gallery_keys:
        names = [key, mask_name(key)]
        names += [f"depth_{key}"] if made.meaning else []
        for name in names:
            assert name in page.text
            assert any(Path(path).stem == name for path in page.pictures)
    for number in range(1, 13):
        assert f"fg_img_{number}.png" in page.text
    for text in ("composite masks", "samples were made", "432", "DIR/tfrecord/mask_depth"):
        assert text in page.text


def test_each_kind_has_a_sheet(made, written):
    expected = {f"gallery/{name}.png" for name in (*SHEETS, "triples")}
    if made.meaning is None:
        expected.remove("gallery/depth.png")
    assert expected == {path for path in written if re.fullmatch(r"gallery/\w+\.png", path)}
    for path in expected:
        width, height = Image.open(made.folder.path(path)).size
        assert width > 650 and height > 200


def test_pictures_are_those_of_the_data_set(made, written):
    key = made.plan.gallery_keys[0]
    folder = Path(made.folder.root)
    for name, kind in ((f"{key}.jpg", "image"), (f"{mask_name(key)}.png", "mask")):
        shown = (folder / "gallery" / "images" / name).read_bytes()
        assert shown == (folder / "state" / "gallery" / f"{key}.{kind}").read_bytes()


def test_near_is_bright_whatever_the_model_says(made, written):
    if made.meaning is None:
        assert not [path for path in written if "depth" in path]
        return
    key = made.plan.gallery_keys[0]
    path = made.folder.path(f"gallery/images/depth_{key}.png")
    brightness = np.asarray(Image.open(path).convert("RGB")).astype(int).sum(axis=2)
    # The model's values grow downwards.
    top, bottom = brightness[:8].mean(), brightness[-8:].mean()
    assert (bottom > top) == made.meaning.near_is_large
    assert abs(bottom - top) > 200


def test_nothing_comes_from_elsewhere(made, written):
    text = Path(made.folder.path("gallery/index.html")).read_text("utf-8")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert made.folder.root not in text


def test_equal_data_sets_have_equal_galleries(inputs, tmp_path):
    made = make_set(inputs, tmp_path / "few", RELATIVE_INVERSE_DEPTH, max_samples=8)
    written = build(made)
    before = {path: storage.read_bytes(made.folder.path(path)) for path in written}
    assert build(made) == written
    assert {path: storage.read_bytes(made.folder.path(path)) for path in written} == before


@pytest.mark.parametrize(
    "size, words, aspect",
    [
        (64, "64 × 64", "64 / 64"),
        ("80x48", "80 × 48", "80 / 48"),
        ("400x32", "400 × 32", "192 / 32"),
    ],
)
def test_a_single_sample(inputs, tmp_path, size, words, aspect):
    made = make_set(
        inputs,
        tmp_path / "one",
        RELATIVE_INVERSE_DEPTH,
        max_samples=1,
        num_shards=None,
        image_size=size,
    )
    page = check_page(made, build(made))
    assert f"1 composite of {words} pixels" in page.text
    html = Path(made.folder.path("gallery/index.html")).read_text("utf-8")
    assert f'style="--aspect: {aspect}"' in html


def test_failed_samples_are_missing(inputs, tmp_path):
    made = make_set(inputs, tmp_path / "some", RELATIVE_INVERSE_DEPTH, max_samples=30)
    gone, *rest = made.plan.gallery_keys
    for kind in ("image", "mask", "depth"):
        storage.delete(made.folder.path(f"state/gallery/{gone}.{kind}"))
    statistics = made.statistics + Statistics(failed=1)
    page = check_page(made, build(replace(made, statistics=statistics)))
    assert gone not in page.text
    assert all(key in page.text for key in rest)
    assert "1 failed" in page.text


def test_no_kept_sample_at_all(inputs, tmp_path):
    made = make_set(inputs, tmp_path / "none", METRIC_DEPTH, max_samples=5)
    shutil.rmtree(tmp_path / "none" / "state" / "gallery")
    made = replace(made, statistics=Statistics(failed=5))
    page = check_page(made, build(made))
    assert "There is no sample to show." in page.text and "5 failed" in page.text


def test_an_input_that_has_gone_leaves_its_place_empty(inputs, tmp_path, caplog):
    copy = tmp_path / "inputs"
    shutil.copytree(inputs, copy)
    made = make_set(copy, tmp_path / "set", None)
    for path in (copy / "bg").iterdir():
        path.unlink()
    (copy / "fg" / "fg_img_1.png").write_bytes(b"no longer a picture")
    page = check_page(made, build(made))
    assert "bg_img_1.png" not in page.text and "fg_img_1.png" not in page.text
    assert "fg_img_2.png" in page.text
    assert "fg_img_1.png" in caplog.text


def test_hostile_names_stay_text(tmp_path):
    names = [
        "<img src=x onerror=alert(1)> 1.png",
        "\"><script>alert('2')<\u2044script> 2.png",
        "${title} $style %s {0} 3.png",
        "🚗👨‍👩‍👧 \u202egnp.4.png",
        "line\nbreak 5.png",
        "a" * 200 + "6.png",
    ]
    for kind in ("fg", "bg"):
        (tmp_path / "inputs" / kind).mkdir(parents=True)
    for number, name in enumerate(names):
        draw_foreground(number).save(tmp_path / "inputs" / "fg" / name)
        draw_background(number).save(tmp_path / "inputs" / "bg" / name)
    made = make_set(tmp_path / "inputs", tmp_path / "set", None, placements=1)
    page = check_page(made, build(made))
    for name in names[:3]:
        assert name in page.text
    assert "\u202e" not in page.text and "line\ufffdbreak 5.png" in page.text


CHECK = """
<script>
window.addEventListener("load", function () {
  var images = Array.from(document.querySelectorAll("main img"));
  var found = {
    images: images.length,
    broken: images.filter(function (i) { return !(i.complete && i.naturalWidth > 0); }).length,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    columns: getComputedStyle(document.querySelector(".triple")).gridTemplateColumns.split(" ")
      .length
  };
  document.querySelector(".triple figure:nth-child(3) a").click();
  var dialog = document.querySelector("dialog");
  found.opened = dialog.open;
  found.caption = dialog.querySelector("p").textContent;
  dialog.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
  found.next = dialog.querySelector("p").textContent;
  dialog.click();
  found.closed = !dialog.open;
  var result = document.createElement("pre");
  result.id = "found";
  result.textContent = JSON.stringify(found);
  document.body.appendChild(result);
});
</script>
"""


def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(names)} is installed")
    return found


def browse(page: Path, profile: Path, *arguments: str) -> str:
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update"]
    command = [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync", *quiet]
    command += [f"--user-data-dir={profile}", "--virtual-time-budget=10000", *arguments]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("width", [400, 1400])
def test_a_browser_shows_every_picture(made, written, width, tmp_path):
    gallery = Path(made.folder.root) / "gallery"
    page = tmp_path / "gallery" / "index.html"
    shutil.copytree(gallery, page.parent)
    page.write_text(
        (gallery / "index.html").read_text("utf-8").replace("</body>", CHECK + "</body>")
    )
    dom = browse(page, tmp_path / "profile", f"--window-size={width},1000", "--dump-dom")
    match = re.search(r'<pre id="found">(.*?)</pre>', dom)
    assert match, dom[-2000:]
    found = json.loads(match[1])
    key = made.plan.gallery_keys[0]
    assert found["images"] > 100 and found["broken"] == 0
    assert found["wide"] <= 0, "the page scrolls sideways"
    assert found["opened"] and found["caption"] == key
    assert found["next"] == mask_name(key) and found["closed"]
    parts = 4 if made.meaning is None else 5
    assert found["columns"] == (parts if width == 1400 else (parts + 1) // 2)


def test_a_browser_paints_the_page(made, written, tmp_path):
    picture = tmp_path / "page.png"
    browse(
        Path(made.folder.path("gallery/index.html")),
        tmp_path / "profile",
        "--window-size=1400,1400",
        "--hide-scrollbars",
        f"--screenshot={picture}",
    )
    image = Image.open(io.BytesIO(picture.read_bytes())).convert("RGB")
    assert image.size == (1400, 1400)
    colours = image.getcolors(2**24)
    assert colours is not None and len(colours) > 5000
