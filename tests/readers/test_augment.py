"""Transforms of torchvision and albumentations keep the pictures of a sample aligned."""

import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pipeline.readers.augment import Albumentations, Torchvision
from pipeline.readers.torch import MaskDepthDataset

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # It asks the network for its newest version.

PICTURES = {"bg": 3, "fg_bg": 3, "mask": 1, "depth": 1}

Made = Callable[[Any], Any]


def torchvision_of(kind: str) -> Any:
    v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")
    steps = {
        "flip": [v2.RandomHorizontalFlip(p=1.0)],
        "geometry": [v2.RandomCrop(120), v2.RandomRotation((30, 30)), v2.CenterCrop(64)],
        "colours": [v2.ColorJitter(brightness=(0.5, 0.5))],
        "random": [v2.RandomHorizontalFlip(p=0.5), v2.RandomCrop(96)],
    }
    return Torchvision(v2.Compose(steps[kind]))


def albumentations_of(kind: str) -> Any:
    a = pytest.importorskip("albumentations", reason="albumentations is not installed")
    steps = {
        "flip": [a.HorizontalFlip(p=1.0)],
        "geometry": [a.RandomCrop(120, 120), a.Rotate((30, 30), p=1.0), a.CenterCrop(64, 64)],
        "colours": [a.ColorJitter((0.5, 0.5), (1, 1), (1, 1), (0, 0), p=1.0)],
        "random": [a.HorizontalFlip(p=0.5), a.RandomCrop(96, 96)],
    }
    return Albumentations(a.Compose(steps[kind]))


both = pytest.mark.parametrize("made", [torchvision_of, albumentations_of])


@both
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_all_pictures_are_mirrored(full, made: Made, dtype):
    before = MaskDepthDataset(full.output, dtype=dtype)[3]
    after = MaskDepthDataset(full.output, dtype=dtype, transform=made("flip"))[3]
    assert after.keys() == before.keys() and after["key"] == before["key"]
    for name in PICTURES:
        assert type(after[name]) is torch.Tensor and after[name].dtype == before[name].dtype
        torch.testing.assert_close(after[name], before[name].flip(2), rtol=0, atol=0)


@both
def test_cuts_and_turns_keep_pictures_aligned(made: Made):
    """Every pixel holds its own place, so that places can be compared afterwards."""
    columns = torch.arange(160.0).expand(160, 160) / 160
    rows = columns.T
    sample: dict[str, Any] = {
        "bg": torch.stack([columns, rows, columns]),
        "fg_bg": torch.stack([columns, rows, columns]),
        "mask": columns[None].clone(),
        "depth": rows[None].clone(),
        "key": "1_2_0_1",
    }
    for _ in range(5):
        found = made("geometry")(sample)
        assert {name: tuple(found[name].shape) for name in PICTURES} == {
            name: (channels, 64, 64) for name, channels in PICTURES.items()
        }
        torch.testing.assert_close(found["bg"], found["fg_bg"], rtol=0, atol=0)
        # The nearest pixel is at most one to the side, and the centre has nothing from outside.
        for name, channel in (("mask", 0), ("depth", 1)):
            apart = (found[name][0] - found["fg_bg"][channel]).abs()
            assert apart.max() < 1.1 / 160
        # Turned by 30 degrees: a step to the right is half a step up or down.
        step = np.diff(found["fg_bg"][1].numpy(), axis=1).mean() * 160
        assert abs(step) == pytest.approx(0.5, abs=0.02)
        assert sorted(set(found["mask"].ravel().tolist()) - set(columns[0].tolist())) == []


@both
def test_colours_change_in_both_composites_and_nowhere_else(full, made: Made):
    before = MaskDepthDataset(full.output)[3]
    after = MaskDepthDataset(full.output, transform=made("colours"))[3]
    for name in ("bg", "fg_bg"):
        torch.testing.assert_close(after[name], before[name] / 2, rtol=0, atol=0.01)
    for name in ("mask", "depth"):
        torch.testing.assert_close(after[name], before[name], rtol=0, atol=0)


@both
def test_without_depth_and_in_worker_processes(plain, made: Made):
    samples = MaskDepthDataset(plain.output, dtype=torch.uint8, transform=made("flip"))[:20]
    loader = DataLoader(samples, 10, num_workers=1, multiprocessing_context="spawn")
    first, second = loader
    expected = MaskDepthDataset(plain.output, dtype=torch.uint8)[0]
    assert "depth" not in first and len(second["key"]) == 10
    torch.testing.assert_close(first["fg_bg"][0], expected["fg_bg"].flip(2), rtol=0, atol=0)


@both
def test_each_reading_draws_anew(full, made: Made):
    samples = MaskDepthDataset(full.output, transform=made("random"))
    pickle.dumps(samples)
    drawn = {sample["fg_bg"].numpy().tobytes() for sample in samples.__getitems__([7] * 8)}
    assert len(drawn) > 4


@pytest.mark.parametrize(
    ("library", "shape"),
    [("torchvision", (3, 128, 128)), ("albumentations", (3, 128, 128)), ("torch", (3, 128, 160))],
)
def test_the_page_on_reading_has_lines_that_work(full, library, shape):
    pytest.importorskip(library, reason=f"{library} is not installed")
    page = (Path(__file__).parents[2] / "docs/reading.md").read_text()
    [text] = re.findall(rf"```python\n((?:from|import) {library}\b.*?)```", page, re.DOTALL)
    found: dict[str, Any] = {}
    exec(text.replace('"out"', repr(full.output)).replace("num_workers=2", "num_workers=0"), found)
    assert found["samples"][5]["fg_bg"].shape == shape
    assert library != "torch" or found["image"].max() <= 1
