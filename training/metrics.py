"""Measures of relative inverse depth against measured depth, and of borders on composites."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

_ROW_STEP = 8
_FEWEST_IN_ROW = 40
_BORDER_STEP = 3
_INSIDE, _OUTSIDE = 250, 5


@dataclass(frozen=True)
class DepthScore:
    """Agreement of one predicted map with measured depth.

    Attributes:
        abs_rel: mean of |predicted - true| / true in depth, after scale and shift in inverse depth.
        delta: share of pixels with max(predicted / true, true / predicted) < 1.25.
        spearman: rank correlation over all pixels.
        row_spearman: mean rank correlation within rows; NaN where rows have too few values.
    """

    abs_rel: float
    delta: float
    spearman: float
    row_spearman: float

    def values(self) -> tuple[float, float, float, float]:
        """The four numbers in order."""
        return self.abs_rel, self.delta, self.spearman, self.row_spearman


@dataclass(frozen=True)
class BorderScore:
    """How well pasted objects stand out, over pixel pairs three pixels apart across their borders.

    Attributes:
        ordinal: share of pairs in which the object is nearer.
        sharpness: mean difference of a pair, as a share of the map's range.
    """

    ordinal: float
    sharpness: float


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's coefficient; 0 where one side is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)


def scale_and_shift(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """What brings predicted values closest to true ones, by least squares.

    Args:
        predicted: float [n].
        true: float [n].

    Returns:
        float64 [2], scale and shift.
    """
    columns = np.stack([predicted, np.ones_like(predicted)], axis=1).astype(np.float64)
    fit: np.ndarray = np.linalg.lstsq(columns, true, rcond=None)[0]
    return fit


def score_depth(predicted: np.ndarray, inverse: np.ndarray) -> DepthScore:
    """Scores a map.

    Args:
        predicted: float [height, width], relative inverse depth.
        inverse: float [height, width], true inverse depth, NaN where there is no value.
    """
    known = np.isfinite(inverse)
    p, t = predicted[known].astype(np.float64), inverse[known].astype(np.float64)
    scale, shift = scale_and_shift(p, t)
    # A fit may fall below zero where things are far; there it is twice as far as the farthest.
    fitted = np.maximum(p * scale + shift, t.min() / 2 + 1e-9)
    ratio = fitted / np.maximum(t, 1e-9)
    rows = [
        rank_correlation(predicted[row][known[row]], inverse[row][known[row]])
        for row in range(0, len(predicted), _ROW_STEP)
        if known[row].sum() > _FEWEST_IN_ROW and np.ptp(inverse[row][known[row]]) > 0
    ]
    return DepthScore(
        abs_rel=float(np.mean(np.abs(1 / ratio - 1))),
        delta=float(np.mean(np.maximum(ratio, 1 / ratio) < 1.25)),
        spearman=rank_correlation(p, t),
        row_spearman=float(np.mean(rows)) if rows else float("nan"),
    )


def mean_score(scores: list[DepthScore]) -> DepthScore:
    """The mean of each number over those maps that have it."""
    return DepthScore(*np.nanmean([score.values() for score in scores], axis=0).tolist())


def score_borders(predicted: np.ndarray, masks: np.ndarray) -> BorderScore:
    """Scores maps of composites.

    Args:
        predicted: float [n, side, side], relative inverse depth.
        masks: uint8 [n, side, side], alpha of the paste.
    """
    differences: list[np.ndarray] = []
    for depth, mask in zip(predicted, masks, strict=True):
        for axis in (0, 1):
            here, there = _pairs(mask, axis)
            a, b = _pairs(depth / np.ptp(depth), axis)
            differences.append((a - b)[(here > _INSIDE) & (there < _OUTSIDE)])
            differences.append((b - a)[(there > _INSIDE) & (here < _OUTSIDE)])
    together = np.concatenate(differences)
    return BorderScore(float(np.mean(together > 0)), float(np.mean(together)))


def _pairs(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    count = values.shape[axis] - _BORDER_STEP
    first = np.take(values, range(count), axis)
    return first, np.take(values, range(_BORDER_STEP, count + _BORDER_STEP), axis)
