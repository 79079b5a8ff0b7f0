"""The viewer's page in a headless Chromium, with real clicks and typing."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import generate
from tests.conftest import make_spec
from tests.viewer.chromium import Page
from tests.viewer.conftest import served
from transforms.report.sample_index import INDEX, INDEX_SCHEMA

LOADED = (
    "document.querySelectorAll('.tile img').length > {least}"
    " && [...document.querySelectorAll('.tile img')].every(i => i.complete && i.naturalWidth)"
)
KEYS = (
    "[...document.querySelectorAll('.tile')].sort((a, b) => a.index - b.index).map(t => t.row[1])"
)
COUNT = "document.querySelector('#count').textContent"
AT = "document.querySelector('.tile.at .name span').textContent"


def opened(page: Page, address: str, least: int = 8) -> None:
    page.open(address)
    page.wait(LOADED.format(least=least))


def count(page: Page, text: str) -> None:
    page.wait(f"{COUNT} === {json.dumps(text)}")


def test_filters_are_typed_and_clicked(viewer, page):
    opened(page, viewer.address)
    count(page, "288 samples")
    page.click("#text")
    page.type("fg_img_7")
    count(page, "24 of 288 samples")
    page.wait(f"{KEYS}.every(key => key.startsWith('fg_bg_7_'))")
    page.click("[name=bg]")
    page.type("2")
    count(page, "4 of 288 samples")
    page.wait(f"{KEYS}.every(key => key.startsWith('fg_bg_7_2_'))")
    page.click("#clear")
    count(page, "288 samples")
    page.click("[name=least]")
    page.type("99")
    count(page, "0 of 288 samples")
    page.wait("!document.querySelector('#empty').hidden")


def test_a_background_is_found_by_its_name(viewer, page):
    opened(page, viewer.address)
    page.click("[name=bg]")
    page.type("bg_img_5.png")
    count(page, "48 of 288 samples")
    page.wait(f"{KEYS}.every(key => key.split('_')[3] === '5')")


def test_views_and_sizes(viewer, page):
    opened(page, viewer.address)
    page.click("#views button[value=mask]")
    page.wait("[...document.querySelectorAll('.tile img')].every(i => i.src.includes('/mask?'))")
    page.wait(LOADED.format(least=8))
    page.click("#views button[value=side]")
    page.wait("document.querySelector('.tile').querySelectorAll('img').length === 3")
    before = page.value("document.querySelector('.tile').offsetWidth")
    page.click("#size")
    page.press("End")
    page.wait(f"document.querySelector('.tile').offsetWidth > {before}")
    page.wait(LOADED.format(least=2))
    page.wait(
        "[...document.querySelectorAll('.tile img')].every(i => Math.abs("
        "i.clientWidth * i.naturalHeight / i.naturalWidth - i.clientHeight) < 1)"
    )
    page.click(".tile")
    page.wait(
        "[...document.querySelectorAll('#large svg')].length === 4"
        " && [...document.querySelectorAll('#large svg')].every(s =>"
        " s.viewBox.baseVal.width === 160 && s.viewBox.baseVal.height === 128)"
    )


def test_the_keyboard_goes_through_samples(viewer, page):
    opened(page, viewer.address)
    keys = page.value(KEYS)
    page.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert page.wait(AT) == keys[1]
    columns = page.value("grid.columns")
    page.press("ArrowDown")
    assert page.wait(AT) == keys[1 + columns]
    page.press("Enter")
    page.wait("document.querySelector('#detail').open")
    page.press("ArrowRight")
    wanted = json.dumps(keys[2 + columns])
    page.wait(f"document.querySelector('#detail-key').textContent === {wanted}")
    page.press("Escape")
    page.wait("!document.querySelector('#detail').open")
    assert page.wait(AT) == keys[2 + columns]
    page.press("End")
    page.wait("at === 287 && document.querySelector('#tile-287 img')")
    page.press("/")
    page.wait("document.activeElement === document.querySelector('#text')")
    page.type("p1")  # Letters in a field are text.
    assert page.value("document.querySelector('#text').value") == "p1"
    assert page.value("document.querySelector('#picks b').textContent") == "0"


def test_one_sample_large_with_its_record_and_its_likes(viewer, page):
    opened(page, f"{viewer.address}#fg=4&view=side")
    page.click(".tile")
    page.wait("document.querySelectorAll('#large image').length === 4")
    key = page.value("document.querySelector('#detail-key').textContent")
    text = page.value("document.querySelector('#record').textContent")
    assert "fg_img_4.png" in text and "bbox" in text and "depth_scale" in text
    page.press("b")
    page.wait("document.querySelectorAll('#large rect').length === 4")
    row = next(
        r for r in pq.read_table(viewer.opened.folder.path(INDEX)).to_pylist() if r["key"] == key
    )
    rect = page.value(
        "['x','width'].map(n => +document.querySelector('#large rect').getAttribute(n))"
    )
    assert rect == [row["x"], row["width"]]
    page.wait("document.querySelectorAll('#strip-bg img').length === 10")
    page.click("#same-bg")
    count(page, "48 of 288 samples")
    page.wait(f"{KEYS}.every(key => key.split('_')[3] === '{key.split('_')[3]}')")


def test_a_link_leads_to_the_same_state(viewer, page):
    opened(page, viewer.address)
    page.click("[name=fg]")
    page.type("9")
    count(page, "24 of 288 samples")
    page.click("#views button[value=depth]")
    page.press("Escape")
    page.click(".tile:nth-child(3)")
    page.wait("document.querySelector('#detail').open")
    key = page.value("document.querySelector('#detail-key').textContent")
    link = page.value("location.href")
    page.open("about:blank")
    page.open(link)
    page.wait("document.querySelector('#detail') && document.querySelector('#detail').open")
    assert page.value("document.querySelector('#detail-key').textContent") == key
    assert page.value(COUNT) == "24 of 288 samples"
    assert (
        page.value("document.querySelector('#large image').getAttribute('href')").find("/depth") > 0
    )


def test_picks_are_kept_and_saved_as_a_list_of_keys(viewer, page, tmp_path):
    page.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    opened(page, viewer.address)
    keys = page.value(KEYS)
    page.press("ArrowRight", "p")
    page.click(".tile:nth-child(4)", modifiers=2)
    page.wait("document.querySelector('#picks b').textContent === '2'")
    page.press("p", "p")  # Taken back and picked again.
    opened(page, f"{viewer.address}#flip=1")  # Kept by the browser.
    page.wait("document.querySelector('#picks b').textContent === '2'")
    page.click("#picks")
    page.click("#save")
    wanted = f"{keys[1]}\n{keys[3]}\n"
    for _ in range(200):
        files = list(tmp_path.glob("*-picks.txt"))
        if files and files[0].read_text() == wanted:
            break
        page.value("new Promise(done => setTimeout(done, 50))")
    assert [file.read_text() for file in files] == [wanted]
    page.click("#forget")
    page.wait("document.querySelector('#picks b').textContent === '0'")
    page.press("Escape")
    page.click("#pick-all")
    page.wait("document.querySelector('#picks b').textContent === '144'")
    page.click("#picks")
    page.click("#forget")


@pytest.mark.slow
def test_a_scene_shows_its_objects_and_the_credits_of_its_inputs(inputs, page, tmp_path):
    (tmp_path / "credits.csv").write_text("file,author,licence\nfg_img_3.png,<b>Ann,CC0\n")
    spec = make_spec(
        inputs,
        tmp_path / "set",
        preset="natural",
        depth_model="builtin",
        depth_passes=1,
        image_size="96x72",
        formats=("parquet",),
        foregrounds=str(inputs / "fg" / "fg_img_[3-6].png"),
        backgrounds=str(inputs / "bg" / "bg_img_[12].png"),
        num_shards=1,
        credits=str(tmp_path / "credits.csv"),
    )
    generate(spec, ["--direct_num_workers=1"], progress=False)
    index = pq.read_table(Path(spec.output, INDEX)).to_pylist()
    several = [row["key"] for row in index if row["objects"] >= 3]
    assert 0 < len(several) < len(index) == 48
    with served(spec.output, tmp_path) as server:
        opened(page, server.address)
        page.click("[name=objects_from]")
        page.type("3")
        count(page, f"{len(several)} of 48 samples")
        page.click("#views button[value=instances]")
        page.wait("document.querySelector('.tile img').src.includes('/instances?')")
        page.wait("document.querySelector('.tile img').naturalWidth === 96")
        page.click("#clear")
        page.click("[name=fg]")
        page.type("3")
        count(page, "12 of 48 samples")
        page.wait(f"{KEYS}.every(key => key.startsWith('fg_bg_3_'))")
        page.click(".tile")
        page.wait("document.querySelector('#detail').open")
        text = page.value("document.querySelector('#record').textContent")
        assert "<b>Ann, CC0" in text and "object_categories" not in text
        assert "object_fg_ids" in text and "object_visible" in text
        page.press("Escape")
        page.click("#views button[value=side]")
        # Composite, mask, instances, depth.
        page.wait("document.querySelector('.tile').querySelectorAll('img').length === 4")
        page.wait(LOADED.format(least=4))


def test_names_are_shown_as_they_are(inputs, page, tmp_path):
    """A file name that is HTML, and a category, are text and nothing else."""
    (tmp_path / "fg" / "<b>bold").mkdir(parents=True)
    (tmp_path / "fg" / "plain").mkdir()
    name = "<img src=x onerror=window.bad=1> 3.png"
    shutil.copy(inputs / "fg" / "fg_img_3.png", tmp_path / "fg" / "<b>bold" / name)
    shutil.copy(inputs / "fg" / "fg_img_4.png", tmp_path / "fg" / "plain" / "4.png")
    spec = make_spec(inputs, tmp_path / "<i>set", foregrounds=str(tmp_path / "fg"), num_shards=1)
    generate(spec, ["--direct_num_workers=1"], progress=False)
    (tmp_path / "cache").mkdir()
    with served(spec.output, tmp_path / "cache") as server:
        opened(page, server.address, least=4)
        page.click("[name=fg]")
        page.type("<img")
        page.wait("document.querySelectorAll('#fg-names option').length === 1")
        page.press("Escape")
        page.click("#clear")
        page.value("document.querySelector('[name=category]').value = '<b>bold'")
        page.value("formChanged()")
        count(page, "36 of 72 samples")
        page.click(".tile")
        page.wait("document.querySelector('#detail').open")
        assert name in page.value("document.querySelector('#record').textContent")
        assert page.value("document.querySelector('#name').textContent") == "<i>set"
        assert page.value("document.querySelectorAll('b b, i, #record img').length") == 0
        assert page.value("window.bad") is None


@pytest.fixture
def large(copied: Path) -> Path:
    """A set whose index has 400,000 rows: those of the set, under other keys, over and over."""
    small = pq.read_table(copied / INDEX)
    rows = 400_000
    numbers = np.arange(rows)
    table = small.take(pa.array(numbers % small.num_rows))
    seq = pa.array(numbers // small.num_rows + 1, pa.int32())
    parts = [table[name].to_pylist() for name in ("fg_id", "bg_id", "flip")]
    keys = [f"fg_bg_{f}_{b}_{m}_{s}" for f, b, m, s in zip(*parts, seq.to_pylist(), strict=True)]
    names = INDEX_SCHEMA.names
    table = table.set_column(names.index("seq"), "seq", seq)
    table = table.set_column(names.index("key"), "key", pa.array(keys))
    table = table.cast(INDEX_SCHEMA)
    (copied / INDEX).unlink()
    pq.write_table(table, copied / INDEX)
    return copied


@pytest.mark.slow
def test_four_hundred_thousand_samples(large, page, tmp_path):
    (tmp_path / "cache").mkdir()
    with served(str(large), tmp_path / "cache") as server:
        opened(page, server.address)
        count(page, "400,000 samples")
        page.press("End")
        page.wait("at === 399999 && document.querySelector('#tile-399999 img')")
        page.wait(LOADED.format(least=4))
        last = pq.read_table(large / INDEX)["key"][399_999].as_py()
        assert page.value(AT) == last
        assert page.value("document.querySelectorAll('.tile').length") < 200
        page.wheel("#scroll", -3000)
        page.wait("!document.querySelector('#tile-399999')")
        page.wait(LOADED.format(least=4))
        page.press("Home")
        page.wait("document.querySelector('#tile-0 img')")
        # Narrow tiles one below the other are higher than a browser can scroll.
        page.resize(420, 800)
        page.click("#views button[value=side]")
        page.wait("grid.scale > 2 && grid.columns === 1")
        page.press("Enter", "Escape")  # Nothing opens once it is no longer wanted.
        page.press("End")
        page.wait("document.querySelector('#tile-399999 img')")
        bottom = page.value("document.querySelector('#tile-399999').getBoundingClientRect().bottom")
        assert 700 < bottom <= 800
        page.press("ArrowUp")
        page.wait("at === 399998 && document.querySelector('#tile-399998 img')")
        assert not page.value("document.querySelector('#detail').open")
        page.resize(1280, 800)
        page.click("#text")
        page.type("5_3_1_77")
        page.wait(f"{COUNT}.endsWith('of 400,000 samples') && !{COUNT}.startsWith('400')")
        assert all(key.startswith("fg_bg_5_3_1_77") for key in page.value(KEYS))
