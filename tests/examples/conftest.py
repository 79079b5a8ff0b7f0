"""A small data set with depth and two splits, and what the tests expect of a training on it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline import generate
from tests.conftest import make_spec
from transforms.plan.inputs import SplitShare


@pytest.fixture(scope="package")
def trainable(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data set of 324 samples of 9 foregrounds and 108 of 3 others, 64 pixels, with depth."""
    output = tmp_path_factory.mktemp("trainable") / "set"
    spec = make_spec(
        inputs,
        output,
        depth_model="builtin",
        splits=(SplitShare("train", 0.75), SplitShare("test", 0.25)),
    )
    return generate(spec, ["--direct_num_workers=1"], progress=False).output


def assert_it_learned(results: Path) -> dict:
    """Checks by report and picture that the network knows unseen foregrounds; gives the report."""
    report = json.loads((results / "report.json").read_text())
    untrained, trained = report["untrained"], report["trained"]
    assert untrained["samples"] == trained["samples"] == 108
    assert untrained["mask_iou"] < 0.3 and trained["mask_iou"] > 0.7
    for name in ("depth_error", "depth_error_inside"):
        assert trained[name] < 0.7 * untrained[name], name
    with Image.open(results / "predictions.png") as picture:
        assert picture.size == (6 * 68, 6 * 68)
        pixels = np.asarray(picture.convert("L")).astype(float)
    tiles = pixels.reshape(6, 68, 6, 68)[:, 2:-2, :, 2:-2].transpose(0, 2, 1, 3)
    for row in tiles:
        inside = row[2] > 127
        assert row[3][inside].mean() > row[3][~inside].mean() + 100
    return report
