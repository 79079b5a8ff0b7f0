"""The reports against plain NumPy over the same pixels."""

import json
from typing import Any

import numpy as np
import pytest

from transforms.models.depth.base import METRIC_DEPTH, RELATIVE_INVERSE_DEPTH
from transforms.report.report import statistics_json, statistics_markdown
from transforms.report.statistics import DepthCounts, PictureCounts, Statistics
from transforms.report.summaries import TITLES, summarise_heat

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(3, 250, (4, 40, 40, 3)).astype(np.uint8)
MASKS = np.where(RNG.random((4, 40, 40)) > 0.7, 255, 0).astype(np.uint8)
PIXELS = RNG.integers(10, 65000, (4, 40, 40)).astype(np.uint16)
SCALE = np.array([1e-5, 2e-5, 3e-5, 0.5], np.float32)
OFFSET = np.array([0.25, -1.5, 0.0, 100.0], np.float32)
FOREGROUNDS = (
    RNG.integers(0, 256, (1, 8, 20, 3)).astype(np.uint8),
    RNG.integers(0, 256, (1, 16, 10, 3)).astype(np.uint8),
)


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    depth = DepthCounts.of(PIXELS, SCALE, OFFSET, 4321)
    total = Statistics.of_samples(IMAGES, MASKS, 1000, 250, depth) + Statistics(failed=2)
    for foreground in FOREGROUNDS:
        total += Statistics(fg=PictureCounts.of(foreground, 100))
    return total


@pytest.fixture(scope="module")
def report(statistics: Statistics) -> dict[str, Any]:
    return json.loads(statistics_json(statistics, RELATIVE_INVERSE_DEPTH))


def test_pictures_are_summarised_as_numpy_does(report):
    kind = report["fg_bg"]
    values = IMAGES / 255
    assert (kind["count"], kind["bytes"]) == (4, 1000)
    assert (kind["width"], kind["height"]) == ([40, 40], [40, 40])
    np.testing.assert_allclose(kind["mean"], values.mean(axis=(0, 1, 2)), rtol=1e-13)
    np.testing.assert_allclose(kind["std"], values.std(axis=(0, 1, 2)), rtol=1e-13)
    np.testing.assert_array_equal(kind["min"], values.min(axis=(0, 1, 2)))
    np.testing.assert_array_equal(kind["max"], values.max(axis=(0, 1, 2)))
    assert kind["overall_mean"] == pytest.approx(values.mean(), rel=1e-13)
    assert kind["overall_std"] == pytest.approx(values.std(), rel=1e-13)
    assert (kind["overall_min"], kind["overall_max"]) == (values.min(), values.max())
    for channel in range(3):
        counts = np.bincount(IMAGES[..., channel].ravel(), minlength=256)
        assert kind["histogram"][channel] == counts.tolist()


def test_sizes_that_differ_are_ranges(report):
    assert (report["fg"]["width"], report["fg"]["height"]) == ([10, 20], [8, 16])


def test_depth_is_summarised_in_pixels_and_in_values(report):
    kind = report["depth"]
    share = PIXELS / 65535
    assert kind["mean"] == [kind["overall_mean"]] == [pytest.approx(share.mean(), rel=1e-13)]
    assert kind["std"] == [kind["overall_std"]] == [pytest.approx(share.std(), rel=1e-13)]
    assert kind["min"] == [kind["overall_min"]] == [share.min()]
    assert kind["max"] == [kind["overall_max"]] == [share.max()]
    assert kind["histogram"] == [np.bincount(PIXELS.ravel() >> 8, minlength=256).tolist()]
    assert (kind["width"], kind["height"]) == ([40, 40], [40, 40])
    values = PIXELS * SCALE[:, None, None].astype(float) + OFFSET[:, None, None].astype(float)
    said = kind["values"]
    assert (said["kind"], said["unit"], said["near_is_large"]) == (
        "relative_inverse_depth",
        "",
        True,
    )
    for name in ("mean", "std", "min", "max"):
        assert said[name] == pytest.approx(getattr(values, name)(), rel=1e-12)


def test_coverage_and_heat_count_solid_pixels(report):
    solid = MASKS >= 128
    assert report["coverage"]["mean"] == pytest.approx(solid.mean(), rel=1e-13)
    percent = [int(100 * mask.sum()) // mask.size for mask in solid]
    assert report["coverage"]["histogram"] == np.bincount(percent, minlength=101).tolist()
    assert report["heat"] == {"block": 1, "counts": solid.sum(axis=0).tolist()}
    assert (report["samples"], report["failed"]) == (4, 2)


@pytest.mark.parametrize("side", [160, 161, 333, 700])
def test_large_heat_maps_are_summed_in_blocks(side):
    heat = RNG.integers(0, 1000, (side, side))
    summary = summarise_heat(heat)
    block, counts = summary.block, np.array(summary.counts)
    assert max(counts.shape) <= 160
    assert counts.sum() == heat.sum()
    for row, column in ((0, 0), (1, 3), (len(counts) - 1, len(counts) - 1)):
        part = heat[row * block :, column * block :][:block, :block]
        assert counts[row, column] == part.sum()


def test_nothing_is_null_not_nan():
    text = statistics_json(Statistics(), None)
    report = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert report["depth"] is None and report["heat"] is None
    assert report["fg_bg"]["mean"] == [None, None, None]
    assert report["coverage"]["mean"] is None
    assert report["mask"]["histogram"] == [[0] * 256]


def test_rows_of_numbers_stand_on_one_line(statistics):
    text = statistics_json(statistics, RELATIVE_INVERSE_DEPTH)
    assert len(text.splitlines()) < 250
    assert text.endswith("}\n")


def test_the_table_has_a_row_for_each_kind(statistics):
    lines = statistics_markdown(statistics, METRIC_DEPTH).splitlines()
    table = [line for line in lines if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert {len(row) for row in cells} == {11}
    assert [row[0] for row in cells[2:]] == list(TITLES.values())
    composites = next(row for row in cells if row[0] == "composites")
    assert composites[1:5] == ["4", "40 × 40", "1,000", "250"]
    assert composites[5] == f"{IMAGES.mean() / 255:.3f}"
    foregrounds = next(row for row in cells if row[0] == "foregrounds")
    assert foregrounds[2] == "10–20 × 8–16"
    notes = "\n".join(line for line in lines if line.startswith("- "))
    assert "4 samples were made, 2 failed" in notes
    assert "metric depth" in notes and "near is small" in notes


def test_without_depth_the_table_has_no_depth():
    text = statistics_markdown(Statistics(), None)
    assert "depth" not in text.lower()
    assert "0 samples were made, 0 failed" in text
