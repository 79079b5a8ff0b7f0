"""Fixtures: small inputs that look like something, and data sets made from them once a session."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import DatasetSpec, GenerateResult, generate
from tests.drawing import draw_background, draw_foreground
from transforms.plan.inputs import SplitShare

# TensorFlow from 2.20 on loads its symbols for all, and a Triton that is loaded after it ends the
# process (github.com/tensorflow/tensorflow/issues/124205). PyTorch does without Triton here.
sys.modules["triton"] = None  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Takes back the handler of a command that ran in a test: its stream ends with the test."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `fg` (12 foregrounds of several shapes) and `bg` (6 backgrounds)."""
    root = tmp_path_factory.mktemp("inputs")
    (root / "fg").mkdir()
    (root / "bg").mkdir()
    for number in range(1, 13):
        size = (100, 80) if number % 2 else (60, 120)
        draw_foreground(number, size).save(root / "fg" / f"fg_img_{number}.png")
    for number in range(1, 7):
        draw_background(number).save(root / "bg" / f"bg_img_{number}.png")
    return root


def make_spec(inputs: Path, output: Path, **changes: object) -> DatasetSpec:
    """A small spec without depth, with some fields changed."""
    values: dict[str, object] = {
        "foregrounds": str(inputs / "fg"),
        "backgrounds": str(inputs / "bg"),
        "output": str(output),
        "image_size": 64,
        "foreground_size": 32,
        "placements": 3,
        "depth_model": "none",
        "num_shards": 3,
    }
    return DatasetSpec(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def plain(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> GenerateResult:
    """A finished data set without depth: 12 x 6 x 2 x 3 = 432 samples, 3 shards, PNG."""
    output = tmp_path_factory.mktemp("plain") / "set"
    spec = make_spec(inputs, output, image_encoding="png")
    return generate(spec, ["--direct_num_workers=1"], progress=False)


@pytest.fixture(scope="session")
def full(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> GenerateResult:
    """A finished data set with everything: depth, all formats, two splits, 160 x 128 pixels."""
    output = tmp_path_factory.mktemp("full") / "set"
    spec = make_spec(
        inputs,
        output,
        image_size="160x128",
        foreground_size=80,
        placements=2,
        depth_model="builtin",
        formats=("tfrecord", "parquet", "webdataset", "coco", "yolo", "zip"),
        splits=(SplitShare("train", 0.75), SplitShare("test", 0.25)),
        num_shards=4,
    )
    return generate(spec, ["--direct_num_workers=1"], progress=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds an option for a Prism that is built already."""
    parser.addoption("--prism_location", metavar="FILE", help="program of the Prism runner")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the slow tests last, so that a simple mistake shows early."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)
