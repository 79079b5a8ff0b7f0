"""The code in the data set card, README.md and the pages on reading and formats does its work."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.readers.rows import clean_rows, pixels, rows_by_key
from transforms.report.snippets import snippets

ROOT = Path(__file__).parents[2]

_NEEDS = {
    "TensorFlow": "tensorflow_datasets",
    "Hugging Face": "datasets",
    "PyTorch": "torch",
    "WebDataset": "webdataset",
    "COCO": "pycocotools",
    "YOLO": "PIL",
    "Croissant": "mlcroissant",
}

_JOINS_NEED = {
    "TensorFlow": "tensorflow_datasets",
    "PyTorch": "torch",
    "Hugging Face": "datasets",
    "WebDataset": "webdataset",
    "pyarrow": "pyarrow",
}

_FAST = ("tfds", "tf.data", "tensorflow-io")

_FORMATS_NEED = {
    "tfds": "tensorflow_datasets",
    "tf.data": "tensorflow",
    "tensorflow-io": "tensorflow_io",
    "pipeline.readers.tensorflow": "tensorflow",
    "pipeline.readers.torch": "torch",
    "datasets": "datasets",
    "datasets, streaming": "datasets",
    "webdataset": "webdataset",
    "pyarrow": "pyarrow",
    "pandas": "pandas",
    "pycocotools": "pycocotools",
    "zipfile": "zipfile",
    "mlcroissant": "mlcroissant",
}


def blocks(path: Path) -> dict[str, str]:
    """The blocks of code by their heading."""
    return dict(
        re.findall(r"### ([^\n]+)\n\n```python\n(.*?)```", path.read_text(), flags=re.DOTALL)
    )


def card(output: str) -> dict[str, str]:
    """The blocks of a data set's card."""
    return blocks(Path(output, "README.md"))


def as_bytes(picture) -> np.ndarray:
    """Pixels [height, width, channels] from 0 to 255, whatever a reader gives."""
    pixels = np.array(picture, np.float64)
    if pixels.shape[0] in (1, 3):  # Channels first, and in 0..1.
        pixels = np.moveaxis(pixels, 0, -1) * 255
    return np.atleast_3d(pixels)


@pytest.mark.parametrize("title", _NEEDS)
def test_each_opens_the_set_and_joins_the_background(full, title, tmp_path, monkeypatch, capsys):
    pytest.importorskip(_NEEDS[title], reason=f"{_NEEDS[title]} is not installed")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    found: dict = {}
    exec(card(full.output)[title].replace("DIR", full.output), found)
    image, mask = as_bytes(found["image"]), as_bytes(found["mask"])
    if title == "YOLO":  # It has no clean pictures.
        bg_id = int(found["path"].rpartition("fg_bg_")[2].split("_")[1])
        found["background"] = pixels(
            clean_rows(full.output, "backgrounds")[bg_id]["image"]["bytes"]
        )
    background = as_bytes(found["background"])
    assert image.shape == background.shape == (128, 160, 3) and mask.shape == (128, 160, 1)
    # Background and composite are one picture where nothing is pasted.
    apart, inside = np.abs(image - background).mean(axis=2), mask[..., 0] > 0
    assert 0.01 < inside.mean() < 0.5
    assert apart[~inside].mean() < 3 < 20 < apart[mask[..., 0] == mask.max()].mean()


def test_a_card_has_those_of_its_formats(full, plain):
    assert set(card(full.output)) == set(_NEEDS)
    assert set(card(plain.output)) == {"TensorFlow", "Hugging Face", "PyTorch", "Croissant"}
    assert {s.title for s in snippets(["coco", "zip"], "train", "png")} == {"COCO"}


def test_the_gallery_has_them_too(full):
    page = Path(full.output, "gallery", "index.html").read_text()
    for title in _NEEDS:
        assert title in page
    assert "samples = MaskDepthDataset(" in page


def clean_pixels(picture) -> np.ndarray:
    """Pixels of a clean picture, whatever a reader gives."""
    return np.rint(as_bytes(picture)).astype(np.uint8)


def ids(sample: dict) -> dict[str, int]:
    """`bg_id` and `fg_id` of a sample, whatever a reader gives."""
    facts = sample.get("json", sample)
    return {name: int(facts[name]) for name in ("bg_id", "fg_id")}


@pytest.mark.parametrize("title", _JOINS_NEED)
def test_the_page_on_reading_joins_both_clean_pictures(full, title, tmp_path, monkeypatch):
    pytest.importorskip(_JOINS_NEED[title], reason=f"{_JOINS_NEED[title]} is not installed")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    found: dict = {}
    code = blocks(ROOT / "docs" / "reading.md")[title]
    # Besides imports and definitions: three lines to read, and three more to join.
    lines = [part.splitlines() for part in code.rpartition("\n\n")[::2]]
    assert len(lines[0]) <= 12 and len(lines[1]) <= 3
    exec(code.replace('"out', f'"{full.output}'), found)
    number = ids(found["sample"])
    for kind, name in (("backgrounds", "bg_id"), ("foregrounds", "fg_id")):
        row = clean_rows(full.output, kind)[number[name]]
        expected = as_bytes(pixels(row["image"]["bytes"]))
        np.testing.assert_array_equal(clean_pixels(found[kind.removesuffix("s")]), expected)
    rows = [row for row in rows_by_key(full.output, "train").values() if ids(row) == number]
    masks = [as_bytes(pixels(row["mask"]["bytes"])) for row in rows]
    assert any(np.array_equal(clean_pixels(found["mask"]), mask) for mask in masks)
    assert np.squeeze(np.array(found["depth"])).shape == (128, 160)


def test_the_page_on_reading_has_those_five():
    assert set(blocks(ROOT / "docs" / "reading.md")) == set(_JOINS_NEED)


@pytest.mark.parametrize("title", ["TensorFlow", "PyTorch", "Hugging Face"])
def test_three_lines_of_the_readme_read_a_sample(full, title, tmp_path, monkeypatch):
    pytest.importorskip(_JOINS_NEED[title], reason=f"{_JOINS_NEED[title]} is not installed")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    found: dict = {}
    code = blocks(ROOT / "README.md")[title]
    assert len(code.rpartition("\n\n")[2].splitlines()) == 3
    exec(code.replace('"out', f'"{full.output}'), found)
    number = ids(found["sample"])
    rows = [row for row in rows_by_key(full.output, "train").values() if ids(row) == number]
    masks = [as_bytes(pixels(row["mask"]["bytes"])) for row in rows]
    assert any(np.array_equal(clean_pixels(found["mask"]), mask) for mask in masks)
    assert np.squeeze(np.array(found["image"])).size == 160 * 128 * 3
    assert np.squeeze(np.array(found["depth"])).shape == (128, 160)


def test_the_readme_has_those_three():
    assert set(blocks(ROOT / "README.md")) == {"TensorFlow", "PyTorch", "Hugging Face"}


@pytest.mark.parametrize("title", _FORMATS_NEED)
def test_the_lines_of_the_formats_read_a_sample(full, title, tmp_path, monkeypatch, capsys):
    pytest.importorskip(_FORMATS_NEED[title], reason=f"{_FORMATS_NEED[title]} is not installed")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    found: dict = {}
    code = blocks(ROOT / "docs" / "formats.md")[title]
    assert len(code.rpartition("\n\n")[2].splitlines()) == 3
    exec(code.replace("DIR", full.output), found)
    image, mask = (whole(found[name]) for name in ("image", "mask"))
    every_split = title in ("zipfile", "mlcroissant")
    rows = rows_by_key(full.output, "*" if every_split else "train").values()
    composites = {row["key"]: pixels(row["image"]["bytes"]).astype(np.int16) for row in rows}
    apart = {key: np.abs(pixel - image).mean() for key, pixel in composites.items()}
    [row] = [row for row in rows if row["key"] == min(apart, key=apart.__getitem__)]
    # TensorFlow's decoders take the fast transform where nothing else is said.
    assert apart[row["key"]] < (1.5 if title in _FAST else 0.3)
    expected = as_bytes(pixels(row["mask"]["bytes"]))
    if title == "pycocotools":  # COCO's masks have no soft edges.
        expected = (expected >= 128) * 255
    assert np.abs(mask - expected).mean() < (3 if title == "zipfile" else 1e-3)


def whole(picture) -> np.ndarray:
    """Pixels [height, width, channels] from 0 to 255."""
    values = np.array(picture, np.float64)
    return np.atleast_3d(np.moveaxis(values, 0, -1) if values.shape[0] in (1, 3) else values)


def test_the_formats_have_lines_for_every_reader():
    assert set(blocks(ROOT / "docs" / "formats.md")) == set(_FORMATS_NEED)
