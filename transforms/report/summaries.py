"""The numbers of a data set for its reports, derived from exact counts."""

from dataclasses import dataclass

import numpy as np

from transforms.models.depth.base import DepthMeaning
from transforms.report.statistics import (
    DepthCounts,
    PictureCounts,
    Statistics,
    fixed,
    mean_and_deviation,
)

HEAT_SIDE = 160
"""Longest side of the heat map in `statistics.json`; larger ones are summed in square blocks."""

TITLES = {
    "bg": "backgrounds",
    "fg": "foregrounds",
    "mask": "foreground masks",
    "fg_bg": "composites",
    "fg_bg_mask": "composite masks",
    "depth": "depth maps",
}
"""The kinds of picture in the order of reports, with their names for people."""


@dataclass(frozen=True)
class KindSummary:
    """Numbers of one kind of picture. Values are in 0..1, 1 being the largest pixel value.

    Attributes:
        count: number of pictures.
        bytes: their encoded size together.
        width: smallest and largest width in pixels.
        height: smallest and largest height in pixels.
        mean: mean of each channel; None over no pictures, as all that follow.
        std: population standard deviation of each channel.
        min: smallest value of each channel.
        max: largest value of each channel.
        overall_mean: mean over all channels.
        overall_std: population standard deviation over all channels.
        overall_min: smallest value.
        overall_max: largest value.
        histogram: pixels of each 8-bit value, channel by channel; of 16-bit pixels, the upper byte.
    """

    count: int
    bytes: int
    width: tuple[int, int]
    height: tuple[int, int]
    mean: tuple[float | None, ...]
    std: tuple[float | None, ...]
    min: tuple[float | None, ...]
    max: tuple[float | None, ...]
    overall_mean: float | None
    overall_std: float | None
    overall_min: float | None
    overall_max: float | None
    histogram: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ValueSummary:
    """A depth model's own values over all pixels.

    Attributes:
        kind: what they are, as in `DepthMeaning`; None when not known, as the next two.
        unit: their unit, empty for relative values.
        near_is_large: whether a larger value means nearer.
        mean: their mean.
        std: their population standard deviation.
        min: the smallest.
        max: the largest.
    """

    kind: str | None
    unit: str | None
    near_is_large: bool | None
    mean: float | None
    std: float | None
    min: float | None
    max: float | None


@dataclass(frozen=True)
class DepthSummary(KindSummary):
    """Numbers of the depth maps: of their 16-bit pixels, and of the depth values that they encode.

    Attributes:
        values: the model's own values, pixel * depth_scale + depth_offset.
    """

    values: ValueSummary


@dataclass(frozen=True)
class CoverageSummary:
    """How much of a composite its foreground covers, counting pixels with mask >= 128.

    Attributes:
        mean: mean share of the pixels, 0..1; None over no samples.
        histogram: 101 counts of samples by the share in percent, rounded down.
    """

    mean: float | None
    histogram: tuple[int, ...]


@dataclass(frozen=True)
class HeatSummary:
    """Where foregrounds landed.

    Attributes:
        block: side of the square of pixels that one count sums over.
        counts: rows of counts: samples times pixels with mask >= 128.
    """

    block: int
    counts: tuple[tuple[int, ...], ...]


def summarise_pictures(counts: PictureCounts) -> KindSummary:
    """Numbers of 8-bit pictures from their counts."""
    channels = [_of_histogram(channel) for channel in counts.histogram]
    overall = _of_histogram(counts.histogram.sum(axis=0))
    mean, std, low, high = zip(*channels, strict=True)
    narrow, short, wide, tall = counts.sizes
    return KindSummary(
        counts.count,
        counts.bytes,
        (narrow, wide),
        (short, tall),
        mean,
        std,
        low,
        high,
        *overall,
        _rows(counts.histogram),
    )


def summarise_depth(
    counts: DepthCounts, size: PictureCounts, meaning: DepthMeaning | None
) -> DepthSummary:
    """Numbers of depth maps.

    Args:
        counts: of the maps.
        size: of the composites, which have the same size.
        meaning: what the values say.
    """
    moments = mean_and_deviation(counts.sum, counts.sum_squares, counts.pixels)
    mean, std, low, high = (
        _share(number, 65535, counts.count) for number in (*moments, counts.low, counts.high)
    )
    narrow, short, wide, tall = size.sizes
    return DepthSummary(
        counts.count,
        counts.bytes,
        (narrow, wide),
        (short, tall),
        (mean,),
        (std,),
        (low,),
        (high,),
        mean,
        std,
        low,
        high,
        _rows(counts.histogram[None]),
        _summarise_values(counts, meaning),
    )


def _summarise_values(counts: DepthCounts, meaning: DepthMeaning | None) -> ValueSummary:
    moments = mean_and_deviation(counts.value_sum, counts.value_sum_squares, counts.pixels)
    mean, std, low, high = (
        _share(number, fixed(1.0), counts.count)
        for number in (*moments, counts.value_low, counts.value_high)
    )
    if meaning is None:
        return ValueSummary(None, None, None, mean, std, low, high)
    return ValueSummary(meaning.kind, meaning.unit, meaning.near_is_large, mean, std, low, high)


def summarise_kinds(statistics: Statistics, meaning: DepthMeaning | None) -> dict[str, KindSummary]:
    """Numbers of each kind that the data set has, in the order of `TITLES`."""
    kinds = {
        name: summarise_pictures(getattr(statistics, name)) for name in TITLES if name != "depth"
    }
    if statistics.depth is not None:
        kinds["depth"] = summarise_depth(statistics.depth, statistics.fg_bg, meaning)
    return kinds


def summarise_coverage(statistics: Statistics) -> CoverageSummary:
    """The share of the composites that foregrounds cover."""
    heat, samples = statistics.heat, statistics.fg_bg.count
    covered = int(heat.sum()) / (heat.size * samples) if heat is not None and samples else None
    return CoverageSummary(covered, tuple(statistics.coverage.tolist()))


def summarise_heat(heat: np.ndarray, side: int = HEAT_SIDE) -> HeatSummary:
    """Sums a heat map in square blocks until its longest side is at most `side`.

    Args:
        heat: int64 [height, width].
        side: longest side of the result.
    """
    block = -(-max(heat.shape) // side)
    for axis in (0, 1):
        heat = np.add.reduceat(heat, np.arange(0, heat.shape[axis], block), axis=axis)
    return HeatSummary(block, _rows(heat))


def _of_histogram(
    histogram: np.ndarray,
) -> tuple[float | None, float | None, float | None, float | None]:
    """Mean, standard deviation, minimum and maximum in 0..1 of int64 [256] counts."""
    counts = histogram.tolist()
    if not any(counts):
        return None, None, None, None
    total = sum(value * count for value, count in enumerate(counts))
    squares = sum(value * value * count for value, count in enumerate(counts))
    mean, deviation = mean_and_deviation(total, squares, sum(counts))
    seen = [value for value, count in enumerate(counts) if count]
    return mean / 255, deviation / 255, seen[0] / 255, seen[-1] / 255


def _share(number: float, whole: int, count: int) -> float | None:
    return number / whole if count else None


def _rows(table: np.ndarray) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in table.tolist())
