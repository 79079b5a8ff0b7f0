"""How well the objects of pictures are found, pixel by pixel, and how well their depth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from training.metrics import DepthScore, scale_and_shift, score_depth

SMALL = 0.01
"""An object is small below this share of its picture."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision and recall over falling thresholds, one for each different chance.

    Attributes:
        thresholds: float [n], falling; everything from it on counts as found.
        right: int [n], pixels of objects among what is found.
        found: int [n], pixels that are found.
        objects: pixels of objects.
    """

    thresholds: np.ndarray
    right: np.ndarray
    found: np.ndarray
    objects: int

    @property
    def precision(self) -> float:
        """Average precision: the mean of precision over recall, 0 where there is no object."""
        if not self.objects:
            return 0.0
        steps = np.diff(self.right, prepend=0) / self.objects
        return float((steps * self.right / self.found).sum())

    @property
    def ious(self) -> np.ndarray:
        """Intersection over union at each threshold."""
        return self.right / np.maximum(self.found + self.objects - self.right, 1)

    def best(self) -> tuple[float, float]:
        """The best intersection over union, and its threshold."""
        ious = self.ious
        at = int(ious.argmax())
        return float(ious[at]), float(self.thresholds[at])

    def iou(self, threshold: float) -> float:
        """Intersection over union of what is at or above a threshold."""
        count = int(np.searchsorted(-self.thresholds, -threshold, side="right"))
        return float(self.ious[count - 1]) if count else 0.0


def curve(chance: np.ndarray, objects: np.ndarray) -> Curve:
    """The curve of some pixels.

    Args:
        chance: float [n], predicted chance of an object.
        objects: bool [n], where there is one.
    """
    order = np.argsort(-chance, kind="stable")
    chance, right = chance[order], np.cumsum(objects[order])
    last = np.append(np.flatnonzero(np.diff(chance)), len(chance) - 1)
    return Curve(chance[last], right[last], last + 1, int(right[-1]))


@dataclass(frozen=True)
class Scores:
    """Scores over all judged pixels of some pictures.

    Attributes:
        precision: average precision.
        small: the same for small objects alone; the pixels of large ones are not judged.
        large: the same for large objects alone.
        best_iou: intersection over union at the best threshold for these very pictures.
        iou: at a threshold chosen on other pictures; None without such.
    """

    precision: float
    small: float
    large: float
    best_iou: float
    iou: float | None


def sizes(target: np.ndarray) -> np.ndarray:
    """Which pixels are of small and which of large objects.

    An object is what hangs together, not what one would count: a car behind another belongs to it.

    Args:
        target: float [height, width], share of the objects, NaN where it is unknown.

    Returns:
        int8 [height, width]: 0 no object, 1 small, 2 large, -1 unknown.
    """
    numbers, _ = ndimage.label(target >= 0.5)
    areas = np.bincount(numbers.ravel())
    kinds = np.where(areas < SMALL * target.size, 1, 2)
    kinds[0] = 0
    return np.where(np.isnan(target), -1, kinds[numbers]).astype(np.int8)


def score(
    chances: Sequence[np.ndarray], targets: Sequence[np.ndarray], threshold: float | None
) -> Scores:
    """Scores of predictions.

    Args:
        chances: float [height, width] of each picture, predicted chance of an object.
        targets: float [height, width] of each picture, NaN where it is unknown.
        threshold: chosen on other pictures.
    """
    chance = np.concatenate([one.ravel() for one in chances])
    kinds = np.concatenate([sizes(target).ravel() for target in targets])

    def of(*judged: int) -> Curve:
        chosen = np.isin(kinds, judged)
        return curve(chance[chosen], kinds[chosen] > 0)

    whole = of(0, 1, 2)
    return Scores(
        whole.precision,
        of(0, 1).precision,
        of(0, 2).precision,
        whole.best()[0],
        None if threshold is None else whole.iou(threshold),
    )


def best_threshold(chances: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> float:
    """The threshold with the best intersection over union; arguments as for `score`."""
    target = np.concatenate([one.ravel() for one in targets])
    judged = ~np.isnan(target)
    chance = np.concatenate([one.ravel() for one in chances])
    return curve(chance[judged], target[judged] >= 0.5).best()[1]


STEP = 0.1
"""An edge of depth is a difference of this share of a picture's range of inverse depth."""

_EDGE = 3


@dataclass(frozen=True)
class DepthScores:
    """Scores of predicted depth; each picture counts the same within its source, each source too.

    Attributes:
        within_rows: mean rank correlation within rows, where a slope from top to bottom has 0.
        spearman: rank correlation over all pixels of a picture.
        abs_rel: mean of |predicted - true| / true in depth, after scale and shift in inverse depth.
        edge_order: share of the pixel pairs across edges whose nearer pixel is predicted nearer.
        edge_step: predicted difference of such pairs, after scale and shift, over the true one.
    """

    within_rows: float
    spearman: float
    abs_rel: float
    edge_order: float
    edge_step: float


def depth_scores(
    predicted: Sequence[np.ndarray], targets: Sequence[np.ndarray], sources: Sequence[str]
) -> DepthScores:
    """Scores of depth.

    Args:
        predicted: float [height, width] of each picture, relative inverse depth.
        targets: float [height, width] of each picture, inverse depth up to scale, NaN where it is
            unknown.
        sources: of each picture.
    """
    by_source: dict[str, list[tuple[float, ...]]] = {}
    for depth, target, source in zip(predicted, targets, sources, strict=True):
        one: DepthScore = score_depth(depth, target)
        row = (one.row_spearman, one.spearman, one.abs_rel, *edges(depth, target))
        by_source.setdefault(source, []).append(row)
    means = [_mean(np.array(rows)) for rows in by_source.values()]
    return DepthScores(*_mean(np.array(means)).tolist())


def _mean(rows: np.ndarray) -> np.ndarray:
    """Means of columns over what is not NaN; NaN where all is."""
    known = ~np.isnan(rows)
    total = np.where(known, rows, 0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def edges(depth: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """Order and step of pixel pairs three pixels apart across the edges of measured depth.

    Args:
        depth: float [height, width], relative inverse depth.
        target: float [height, width], inverse depth up to scale, NaN where it is unknown.

    Returns:
        `edge_order` and `edge_step` of one picture; NaN where it has no edges.
    """
    known = np.isfinite(target)
    low, high = np.percentile(target[known], [1, 99])
    scale = max(0.0, float(scale_and_shift(depth[known], target[known])[0]))
    found, true = [], []
    for here, there in ((np.s_[_EDGE:], np.s_[:-_EDGE]), (np.s_[:, _EDGE:], np.s_[:, :-_EDGE])):
        step = target[here] - target[there]
        with np.errstate(invalid="ignore"):
            edge = np.abs(step) > STEP * (high - low)
        sign = np.sign(step[edge])
        found.append((depth[here] - depth[there])[edge] * sign)
        true.append(step[edge] * sign)
    predicted, steps = np.concatenate(found), np.concatenate(true)
    if not len(steps):
        return float("nan"), float("nan")
    return float(np.mean(predicted > 0)), float(scale * predicted.sum() / steps.sum())
