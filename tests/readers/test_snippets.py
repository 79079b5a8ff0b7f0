"""The lines of code that stand in the data set card do what they say."""

import re
from pathlib import Path

import numpy as np
import pytest

from transforms.finish.snippets import snippets

_NEEDS = {
    "TensorFlow": "tensorflow_datasets",
    "Hugging Face": "datasets",
    "PyTorch": "torch",
    "WebDataset": "webdataset",
    "COCO": "pycocotools",
    "Croissant": "mlcroissant",
}


def card(output: str) -> dict[str, str]:
    """The blocks of code by their heading."""
    text = Path(output, "README.md").read_text()
    return dict(re.findall(r"### (.+?)\n\n```python\n(.*?)```", text, flags=re.DOTALL))


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
    background = as_bytes(found["background"])
    assert image.shape == background.shape == (160, 160, 3) and mask.shape == (160, 160, 1)
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
