"""Plots of the statistics as PNG files: histograms, coverage, and where foregrounds landed."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from transforms.finish.summaries import TITLES, summarise_coverage, summarise_heat
from transforms.statistics import Statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE = (4.6, 2.8)  # inches
_DPI = 180
_LEFT, _BOTTOM, _WIDTH, _HEIGHT = 0.135, 0.185, 0.835, 0.68  # of the axes within a figure
_TITLE_Y = 0.915
_CHANNELS = ("red", "green", "blue")
_SPIKE = 12.0
"""A histogram whose highest bin is so many times the mean of the others is drawn on a log scale."""


@dataclass(frozen=True)
class Theme:
    """Colours of a plot.

    Attributes:
        paper: behind everything.
        ink: text and axes.
        grid: grid lines.
        channels: red, green and blue channel.
        accent: whatever has a single colour.
        mark: a line that marks a number.
    """

    paper: str
    ink: str
    grid: str
    channels: tuple[str, str, str]
    accent: str
    mark: str


LIGHT = Theme(
    "#ffffff", "#363c46", "#e4e7ec", ("#d1382f", "#248a3d", "#2f6fdb"), "#5566d6", "#c2410c"
)
DARK = Theme(
    "#191d24", "#c6ccd6", "#2f3640", ("#ff7b72", "#56d364", "#79b8ff"), "#8b9bff", "#ffa657"
)


@dataclass(frozen=True, eq=False)
class Plot:
    """A plot as a PNG file.

    Attributes:
        name: file name without extension.
        text: what it shows.
        png: the file.
    """

    name: str
    text: str
    png: bytes


def make_plots(statistics: Statistics, theme: Theme = LIGHT) -> list[Plot]:
    """Draws all plots that a data set has something for, in the order of a page.

    Args:
        statistics: exact counts.
        theme: the colours.
    """
    plots: list[Plot] = []
    if statistics.heat is not None and statistics.fg_bg.count:
        plots.append(_heat_plot(statistics.heat, statistics.fg_bg.count, theme))
        plots.append(_coverage_plot(statistics, theme))
    for name, histogram in _histograms(statistics):
        plots.append(_histogram_plot(name, histogram, theme))
    return plots


def _histograms(statistics: Statistics) -> Iterator[tuple[str, np.ndarray]]:
    """Names and int64 [channels, 256] counts of the kinds that there are pictures of."""
    for name in TITLES:
        counts = getattr(statistics, name)
        if counts is not None and counts.count:
            yield name, np.atleast_2d(counts.histogram)


def _histogram_plot(name: str, histogram: np.ndarray, theme: Theme) -> Plot:
    shares = 100 * histogram / histogram.sum(axis=1, keepdims=True)
    figure, axes = _figure(f"Pixel values of {TITLES[name]}", theme)
    edges = np.linspace(0, 1, 257)
    colours = theme.channels if len(shares) == 3 else (theme.accent,)
    peak = float(shares.max())
    logarithmic = peak > _SPIKE * (shares.sum() / len(shares) - peak) / 255
    floor = max(float(shares[shares > 0].min()) / 2, peak * 1e-6) if logarithmic else 0.0
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    for share, colour in zip(shares, colours, strict=True):
        drawn = np.maximum(share, floor)
        axes.stairs(drawn, edges, baseline=floor, fill=True, color=colour, alpha=0.16, linewidth=0)
        axes.stairs(drawn, edges, baseline=floor, color=colour, linewidth=1.0)
    axes.set_xlim(0, 1)
    axes.set_ylim(floor, peak * (2.0 if logarithmic else 1.08))
    axes.set_xlabel("value in each map's own range" if name == "depth" else "value, 0 to 1")
    axes.set_ylabel("% of pixels, log scale" if logarithmic else "% of pixels")
    if len(colours) == 3:
        for x, channel, colour in zip((0.775, 0.88, 0.97), _CHANNELS, colours, strict=True):
            figure.text(x, _TITLE_Y, channel, color=colour, fontsize=9, ha="right")
    return Plot(
        f"histogram_{name}", f"Histogram of the pixel values of {TITLES[name]}", _png(figure)
    )


def _coverage_plot(statistics: Statistics, theme: Theme) -> Plot:
    coverage = summarise_coverage(statistics)
    counts = np.array(coverage.histogram)
    figure, axes = _figure("Coverage of composites by their foreground", theme)
    axes.stairs(100 * counts / counts.sum(), np.arange(102), fill=True, color=theme.accent)
    mean = 100 * (coverage.mean or 0.0)
    axes.axvline(mean, color=theme.mark, linewidth=1.4)
    seen = np.flatnonzero(counts)
    low, high = max(0, int(seen[0]) - 2), min(101, int(seen[-1]) + 3)
    axes.set_xlim(low, high)
    right = mean > (low + high) / 2
    axes.annotate(
        f"mean {mean:.1f} %",
        (mean, 1.0),
        xycoords=axes.get_xaxis_transform(),
        xytext=(-5 if right else 5, -4),
        textcoords="offset points",
        ha="right" if right else "left",
        va="top",
        color=theme.mark,
        fontsize=9,
    )
    axes.set_xlabel("% of the composite's pixels")
    axes.set_ylabel("% of samples")
    return Plot(
        "coverage", "Histogram of the share of a composite that its mask covers", _png(figure)
    )


def _heat_plot(heat: np.ndarray, samples: int, theme: Theme) -> Plot:
    summary = summarise_heat(heat)
    counts = np.array(summary.counts, float)
    rows, columns = heat.shape
    # Blocks at the edges may hold fewer pixels.
    ones = summarise_heat(np.ones_like(heat)).counts
    share = 100 * counts / (np.array(ones) * samples)
    figure, axes = _figure("Where foregrounds landed", theme)
    width = _HEIGHT * _SIZE[1] / _SIZE[0]
    left = (1 - width) / 2
    axes.set_position((left, _BOTTOM, width, _HEIGHT))
    axes.grid(False)
    picture = axes.imshow(
        share, cmap="magma", vmin=0, extent=(0, columns, rows, 0), interpolation="nearest"
    )
    axes.set_xlabel("column in pixels")
    axes.set_ylabel("row in pixels")
    axes.spines[["top", "right"]].set_visible(True)
    axes.set_yticks(axes.get_xticks())
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    bar = figure.colorbar(
        picture, cax=figure.add_axes((left + width + 0.03, _BOTTOM, 0.025, _HEIGHT))
    )
    bar.set_label("% of samples", color=theme.ink, fontsize=9)
    bar.outline.set_edgecolor(theme.grid)
    bar.ax.tick_params(colors=theme.ink, labelsize=8.5, length=0)
    return Plot("heat", "Heat map: the share of samples whose mask covers each pixel", _png(figure))


def _figure(title: str, theme: Theme) -> tuple["Figure", "Axes"]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, dpi=_DPI, facecolor=theme.paper)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((_LEFT, _BOTTOM, _WIDTH, _HEIGHT), facecolor=theme.paper)
    figure.text(_LEFT, _TITLE_Y, title, color=theme.ink, fontsize=10.5, fontweight="bold")
    axes.grid(True, color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=theme.ink, labelsize=8.5, length=0)
    axes.tick_params(which="minor", length=0)
    axes.xaxis.label.set(color=theme.ink, fontsize=9)
    axes.yaxis.label.set(color=theme.ink, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(theme.grid)
    return figure, axes


def _png(figure: "Figure") -> bytes:
    file = io.BytesIO()
    # Without the writer's version, equal data give equal files.
    figure.savefig(
        file, format="png", metadata={"Software": None}, facecolor=figure.get_facecolor()
    )
    return file.getvalue()
