"""Plots of the statistics as PNG files: histograms, coverage, and where foregrounds landed."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from transforms.report.statistics import Statistics
from transforms.report.summaries import TITLES, summarise_coverage, summarise_heat

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE = (4.6, 2.8)  # inches
_DPI = 180
_LEFT, _BOTTOM, _WIDTH, _HEIGHT = 0.135, 0.185, 0.835, 0.68  # of the axes within a figure
_MOST_WIDTH = 0.66  # Of the heat map.
_TITLE_Y = 0.915
_CHANNELS = ("red", "green", "blue")
_CHANNEL_ENDS = (0.775, 0.88, 0.97)  # of their names, across the figure
_SPIKE = 12.0
"""A histogram has a log scale if its highest bin exceeds this multiple of the others' mean."""


@dataclass(frozen=True)
class Theme:
    """Colours of a plot.

    Attributes:
        paper: behind everything.
        ink: text and axes.
        grid: grid lines.
        red: the red channel.
        green: the green channel.
        blue: the blue channel.
        accent: anything that has a single colour.
        mark: a line that marks a number.
    """

    paper: str
    ink: str
    grid: str
    red: str
    green: str
    blue: str
    accent: str
    mark: str


LIGHT = Theme(
    "#ffffff", "#363c46", "#e4e7ec", "#d1382f", "#248a3d", "#2f6fdb", "#5566d6", "#c2410c"
)
DARK = Theme("#191d24", "#c6ccd6", "#2f3640", "#ff7b72", "#56d364", "#79b8ff", "#8b9bff", "#ffa657")


@dataclass(frozen=True, eq=False)
class Plot:
    """A plot as PNG files.

    Attributes:
        name: file name without extension.
        text: what it shows.
        png: the file in light colours.
        dark_png: the file in dark colours.
    """

    name: str
    text: str
    png: bytes
    dark_png: bytes


def make_plots(statistics: Statistics) -> list[Plot]:
    """Draws all plots that a data set has something for, in the order of a page.

    Args:
        statistics: exact counts.
    """
    plots: list[Plot] = []
    if statistics.heat is not None and statistics.fg_bg.count:
        plots.append(_heat_plot(statistics.heat, statistics.fg_bg.count))
        plots.append(_coverage_plot(statistics))
    for name, histogram in _histograms(statistics):
        plots.append(_histogram_plot(name, histogram))
    return plots


def _histograms(statistics: Statistics) -> Iterator[tuple[str, np.ndarray]]:
    """Names and int64 [channels, 256] counts of the kinds that have pictures."""
    for name in TITLES:
        counts = getattr(statistics, name)
        if counts is not None and counts.count:
            yield name, np.atleast_2d(counts.histogram)


def _histogram_plot(name: str, histogram: np.ndarray) -> Plot:
    from matplotlib.patches import StepPatch

    shares = 100 * histogram / histogram.sum(axis=1, keepdims=True)
    figure, axes = _figure(f"Pixel values of {TITLES[name]}")
    edges = np.linspace(0, 1, 257)
    roles = _CHANNELS if len(shares) == 3 else ("accent",)
    peak = float(shares.max())
    logarithmic = peak > _SPIKE * (shares.sum() / len(shares) - peak) / 255
    floor = max(float(shares[shares > 0].min()) / 2, peak * 1e-6) if logarithmic else 0.0
    if logarithmic:
        axes.set_yscale("log")
        axes.minorticks_off()  # They show nothing here, and there are many.
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    for share, role in zip(shares, roles, strict=True):
        drawn = np.maximum(share, floor)
        area = StepPatch(drawn, edges, baseline=floor, fill=True, alpha=0.16, linewidth=0, gid=role)
        line = StepPatch(drawn, edges, baseline=floor, fill=False, linewidth=1.0, gid=role)
        axes.add_artist(area)  # Axes.stairs would look at every corner for limits, given below.
        axes.add_artist(line)
    axes.set_xlim(0, 1)
    axes.set_ylim(floor, peak * (2.0 if logarithmic else 1.08))
    axes.set_xlabel("value in each map's own range" if name == "depth" else "value, 0 to 1")
    axes.set_ylabel("% of pixels, log scale" if logarithmic else "% of pixels")
    if len(roles) == 3:
        for x, channel in zip(_CHANNEL_ENDS, _CHANNELS, strict=True):
            figure.text(x, _TITLE_Y, channel, fontsize=9, ha="right", gid=channel)
    return _plot(f"histogram_{name}", f"Histogram of the pixel values of {TITLES[name]}", figure)


def _coverage_plot(statistics: Statistics) -> Plot:
    coverage = summarise_coverage(statistics)
    counts = np.array(coverage.histogram)
    figure, axes = _figure("Coverage of composites by their foreground")
    axes.stairs(100 * counts / counts.sum(), np.arange(102), fill=True, gid="accent")
    mean = 100 * (coverage.mean or 0.0)
    axes.axvline(mean, linewidth=1.4, gid="mark")
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
        fontsize=9,
        gid="mark",
    )
    axes.set_xlabel("% of the composite's pixels")
    axes.set_ylabel("% of samples")
    return _plot("coverage", "Histogram of the share of a composite that its mask covers", figure)


def _heat_plot(heat: np.ndarray, samples: int) -> Plot:
    summary = summarise_heat(heat)
    counts = np.array(summary.counts, float)
    rows, columns = heat.shape
    # Blocks at the edges may hold fewer pixels.
    ones = summarise_heat(np.ones_like(heat)).counts
    share = 100 * counts / (np.array(ones) * samples)
    figure, axes = _figure("Where foregrounds landed")
    width, height = _HEIGHT * _SIZE[1] / _SIZE[0] * columns / rows, _HEIGHT
    if width > _MOST_WIDTH:
        width, height = _MOST_WIDTH, height * _MOST_WIDTH / width
    left, bottom = (1 - width) / 2, _BOTTOM + (_HEIGHT - height) / 2
    axes.set_position((left, bottom, width, height))
    axes.grid(False)
    picture = axes.imshow(
        share, cmap="magma", vmin=0, extent=(0, columns, rows, 0), interpolation="nearest"
    )
    axes.set_xlabel("column in pixels")
    axes.set_ylabel("row in pixels")
    axes.spines[["top", "right"]].set_visible(True)
    ticks = axes.get_xticks() if columns >= rows else axes.get_yticks()
    axes.set(xticks=ticks, yticks=ticks)
    axes.set(xlim=(0, columns), ylim=(rows, 0))
    bar = figure.colorbar(
        picture, cax=figure.add_axes((left + width + 0.03, bottom, 0.025, height))
    )
    bar.set_label("% of samples", fontsize=9, gid="ink")
    bar.outline.set_gid("grid")
    bar.ax.tick_params(labelsize=8.5, length=0)
    return _plot("heat", "Heat map: the share of samples whose mask covers each pixel", figure)


def _figure(title: str) -> tuple["Figure", "Axes"]:
    """An empty plot; each artist's `gid` is to be the name of its colour in a theme."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, dpi=_DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((_LEFT, _BOTTOM, _WIDTH, _HEIGHT))
    figure.text(_LEFT, _TITLE_Y, title, fontsize=10.5, fontweight="bold", gid="ink")
    axes.grid(True, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8.5, length=0)
    axes.xaxis.label.set(fontsize=9, gid="ink")
    axes.yaxis.label.set(fontsize=9, gid="ink")
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_gid("grid")
    return figure, axes


def _plot(name: str, text: str, figure: "Figure") -> Plot:
    """Saves a figure in the colours of both themes; most of the work of drawing it is shared."""
    return Plot(name, text, _png(figure, LIGHT), _png(figure, DARK))


def _png(figure: "Figure", theme: Theme) -> bytes:
    for axes in figure.axes:
        axes.set_facecolor(theme.paper)
        axes.tick_params(colors=theme.ink, grid_color=theme.grid)
    for artist in figure.findobj(lambda artist: artist.get_gid() is not None):
        artist.set(color=getattr(theme, artist.get_gid() or ""))
    file = io.BytesIO()
    # Without the writer's version, equal data give equal files.
    figure.savefig(file, format="png", metadata={"Software": None}, facecolor=theme.paper)
    return file.getvalue()
