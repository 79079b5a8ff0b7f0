"""The plots decode, are large enough to read, and show what the counts say."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from transforms.report.plots import DARK, LIGHT, make_plots
from transforms.report.statistics import DepthCounts, Statistics


def samples(masks: np.ndarray, depth: bool = False) -> Statistics:
    images = np.random.default_rng(1).integers(0, 256, (*masks.shape, 3)).astype(np.uint8)
    counts = None
    if depth:
        pixels = np.arange(masks.size, dtype=np.uint16).reshape(masks.shape)
        ones = np.ones(len(masks), np.float32)
        counts = DepthCounts.of(pixels, ones, ones, 1)
    return Statistics.of_samples(images, masks, 1, 1, counts)


def corner_masks(side: int = 60) -> np.ndarray:
    masks = np.zeros((3, side, side), np.uint8)
    masks[:, : side // 4, -side // 4 :] = 255
    return masks


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_each_kind_with_pictures_has_a_plot():
    plots = make_plots(samples(corner_masks(), depth=True))
    names = ["heat", "coverage", "histogram_fg_bg", "histogram_fg_bg_mask", "histogram_depth"]
    assert [plot.name for plot in plots] == names
    for plot in plots:
        light, dark = pixels(plot.png), pixels(plot.dark_png)
        assert light.shape == dark.shape
        assert light.shape[1] >= 800 and light.shape[0] >= 480
        for shown, theme in ((light, LIGHT), (dark, DARK)):
            assert tuple(shown[2, 2]) == rgb(theme.paper)
            assert (shown != rgb(theme.paper)).any(axis=2).mean() > 0.02


def test_both_themes_have_all_their_colours_and_none_of_the_other():
    [plot] = [p for p in make_plots(samples(corner_masks())) if p.name == "histogram_fg_bg"]
    for png, theme, other in ((plot.png, LIGHT, DARK), (plot.dark_png, DARK, LIGHT)):
        shown = {tuple(pixel) for row in pixels(png) for pixel in row}
        for name in ("paper", "ink", "grid", "red", "green", "blue"):
            assert rgb(getattr(theme, name)) in shown, name
            assert rgb(getattr(other, name)) not in shown, name


def test_without_samples_there_is_nothing_to_plot():
    assert make_plots(Statistics()) == []


def test_equal_counts_give_equal_files():
    first, second = (make_plots(samples(corner_masks())) for _ in range(2))
    for name in ("png", "dark_png"):
        assert [getattr(plot, name) for plot in first] == [getattr(plot, name) for plot in second]


def test_the_heat_map_is_hot_where_the_masks_are():
    [heat] = [plot for plot in make_plots(samples(corner_masks())) if plot.name == "heat"]
    shown = pixels(heat.png)
    black = (shown.sum(axis=2) < 12).nonzero()
    # The map is black but for its upper right corner, so black gives three of its edges.
    left, top, bottom = black[1].min(), black[0].min(), black[0].max()
    side = bottom - top
    hot = shown[bottom - side * 15 // 16, left + side * 15 // 16]
    assert hot.sum() > 500
    assert shown[bottom - side * 15 // 16, left + side // 16].sum() < 30
    assert shown[bottom - side // 16, left + side * 15 // 16].sum() < 30


@pytest.mark.parametrize("shape", [(36, 64), (64, 24)])
def test_the_heat_map_has_the_aspect_of_the_pictures(shape):
    masks = np.zeros((3, *shape), np.uint8)
    masks[:, 0, 0] = 255
    [heat] = [plot for plot in make_plots(samples(masks)) if plot.name == "heat"]
    black = pixels(heat.png).sum(axis=2) < 12
    rows = np.flatnonzero(black.any(axis=1))
    across = black[(rows[0] + rows[-1]) // 2].sum()  # There the bar beside the map is bright.
    assert across / len(rows) == pytest.approx(shape[1] / shape[0], rel=0.03)


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


@pytest.mark.parametrize(
    "masks", [np.zeros((1, 1, 1), np.uint8), np.full((2, 9, 9), 255, np.uint8)]
)
def test_extreme_coverage_can_be_plotted(masks):
    assert {"heat", "coverage"} <= {plot.name for plot in make_plots(samples(masks))}


def test_importing_the_module_costs_no_matplotlib_and_plotting_no_global_figures():
    program = (
        "import sys, numpy as np\n"
        "from transforms.report import gallery, plots\n"
        "from transforms.report.statistics import Statistics\n"
        "assert 'matplotlib' not in sys.modules\n"
        "masks = np.zeros((1, 8, 8), np.uint8)\n"
        "images = np.zeros((1, 8, 8, 3), np.uint8)\n"
        "assert plots.make_plots(Statistics.of_samples(images, masks, 1, 1, None))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
