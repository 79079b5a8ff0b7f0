"""How well the objects of pictures are found, pixel by pixel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

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
