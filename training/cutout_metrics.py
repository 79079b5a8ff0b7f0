"""Measures of an alpha against the true one, and of the colours at its edge."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_BETA = 0.3
_LEVELS = 51
_TOLERANCE = 0.0075
_EDGE_REACH = 5
_SOFT = (0.05, 0.95)


@dataclass(frozen=True)
class CutoutScore:
    """Agreement of an alpha with the true one.

    Attributes:
        iou: intersection over union of what is above 0.5.
        mae: mean absolute difference.
        edge_mae: the same within 5 pixels of the true edge.
        boundary_f: F measure of the edges' pixels, within 0.75 % of the diagonal.
        precision: by level, from 0 to 1.
        recall: by level.
    """

    iou: float
    mae: float
    edge_mae: float
    boundary_f: float
    precision: np.ndarray
    recall: np.ndarray


def score_cutout(alpha: np.ndarray, true: np.ndarray) -> CutoutScore:
    """Scores one alpha.

    Args:
        alpha: float [height, width] in 0..1.
        true: float [height, width] in 0..1.
    """
    found, object_ = alpha > 0.5, true > 0.5
    either = (found | object_).sum()
    near = _edge_distance(object_) <= _EDGE_REACH
    difference = np.abs(alpha - true)
    bins = np.clip(np.floor(alpha * (_LEVELS - 1) + 0.5).astype(int), 0, _LEVELS - 1)
    every = np.cumsum(np.bincount(bins.ravel(), minlength=_LEVELS)[::-1])[::-1]
    right = np.cumsum(np.bincount(bins[object_], minlength=_LEVELS)[::-1])[::-1]
    return CutoutScore(
        float((found & object_).sum() / either) if either else 1.0,
        float(difference.mean()),
        float(difference[near].mean()) if near.any() else 0.0,
        _boundary_f(found, object_),
        right / np.maximum(every, 1),
        right / max(int(object_.sum()), 1),
    )


def maximum_f(scores: list[CutoutScore]) -> float:
    """The largest F measure (beta squared 0.3) of mean precision and mean recall over levels."""
    precision = np.mean([score.precision for score in scores], axis=0)[1:]
    recall = np.mean([score.recall for score in scores], axis=0)[1:]
    return float(((1 + _BETA) * precision * recall / (_BETA * precision + recall + 1e-9)).max())


def edge_colour_error(colours: np.ndarray, true: np.ndarray, alpha: np.ndarray) -> float:
    """Mean absolute difference of colours, 0..255, where the true alpha is soft; NaN without any.

    Args:
        colours: uint8 [height, width, 3].
        true: uint8 [height, width, 3].
        alpha: float [height, width], the true alpha.
    """
    soft = (alpha > _SOFT[0]) & (alpha < _SOFT[1])
    if not soft.any():
        return float("nan")
    return float(np.abs(colours[soft].astype(int) - true[soft]).mean())


def _edge_distance(inside: np.ndarray) -> np.ndarray:
    if not inside.any() or inside.all():
        return np.full(inside.shape, np.inf)
    within = ndimage.distance_transform_edt(inside)
    without = ndimage.distance_transform_edt(~inside)
    return np.asarray(np.where(inside, within, without))


def _boundary_f(found: np.ndarray, true: np.ndarray) -> float:
    edges = [mask & ~ndimage.binary_erosion(mask, border_value=1) for mask in (found, true)]
    if not edges[1].any() or not edges[0].any():
        return float(edges[0].any() == edges[1].any())
    reach = max(1.0, _TOLERANCE * float(np.linalg.norm(found.shape)))
    close = [ndimage.distance_transform_edt(~edge) <= reach for edge in edges]
    precision = (edges[0] & close[1]).sum() / edges[0].sum()
    recall = (edges[1] & close[0]).sum() / edges[1].sum()
    return float(2 * precision * recall / max(precision + recall, 1e-9))
