"""Depth by layers: the map of a clean background, and flat objects over it from far to near.

Where an object stands is a rule, not a prediction: it stands on what is just below it, and it is
nearer than all that it covers and touches, by a small step. Nearness is compared in inverse depth,
whatever the numbers of the map mean.

A pixel belongs to the nearest layer whose alpha is 128 or more there, as it does in the mask's box
and area, and takes that layer's value whole. A mean of both values, weighted by alpha, would be the
depth of nothing in the scene: a point that hangs between the object and what is behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from transforms.pixels.shape import REACH, Shape

STEP = 0.03
"""How much nearer an object is than all that it hides, as a share of the background's range of
inverse depth."""

_ROWS_BELOW = 3
_NEAREST = 1e-6  # Metric models may say 0, which has no inverse.


@dataclass(frozen=True, eq=False)
class Background:
    """The depth of a clean background.

    Attributes:
        depth: float32 [height, width], finite.
        near_is_large: whether a larger number means nearer to the camera.
        ends: least and largest value of the map that `depth` is a part of; None for its own.
    """

    depth: np.ndarray
    near_is_large: bool
    ends: tuple[float, float] | None = None

    @cached_property
    def _ends(self) -> tuple[float, float]:
        return self.ends or (float(self.depth.min()), float(self.depth.max()))

    @cached_property
    def range(self) -> tuple[float, float]:
        """Least and largest inverse depth of the whole map."""
        low, high = sorted(self.inverse(value) for value in self._ends)
        return low, high

    def part(self, depth: np.ndarray) -> "Background":
        """A part of the map, on the scale of the whole."""
        return Background(depth, self.near_is_large, self._ends)

    @cached_property
    def step(self) -> float:
        """How much nearer an object is than what it hides, in inverse depth; above 0."""
        low, high = self.range
        return STEP * ((high - low) or max(abs(low), 1.0))

    def inverse(self, value: float) -> float:
        """A value as inverse depth; relative inverse depth is that already."""
        return value if self.near_is_large else 1 / max(value, _NEAREST)

    def value(self, inverse: float) -> float:
        """The value of an inverse depth, as a float32 number."""
        return float(np.float32(inverse if self.near_is_large else 1 / inverse))


@dataclass(frozen=True, eq=False)
class Layer:
    """An object in a picture.

    Attributes:
        shape: its outline.
        x: column of its left edge; it may hang out of the picture.
        y: row of its top edge.
        depth: its value, in the numbers of the background's map.
    """

    shape: Shape
    x: int
    y: int
    depth: float


def object_depth(background: Background, behind: np.ndarray, shape: Shape, x: int, y: int) -> float:
    """The value of an object that is put in front of what is there.

    It is the nearer one of two: the median of the background in the three rows below the object's
    feet (where there are none, in the row of the feet), and the nearest of all that the object
    covers and touches; and from there a step towards the camera.

    Args:
        background: depth of the clean background.
        behind: float32 [height, width], the background with all farther objects.
        shape: the object's outline.
        x: column of its left edge.
        y: row of its top edge.

    Returns:
        Depth in the numbers of the background's map.

    Raises:
        ValueError: no pixel of the object is in the picture.
    """
    height, width = behind.shape
    rows, inner_rows = _overlap(y - REACH, shape.reach.shape[0], height)
    columns, inner_columns = _overlap(x - REACH, shape.reach.shape[1], width)
    near = behind[rows, columns][shape.reach[inner_rows, inner_columns]]
    if not near.size:
        raise ValueError("no pixel of the object is in the picture")
    hidden = float(near.max() if background.near_is_large else near.min())
    feet = np.clip(shape.feet + x, 0, width - 1)
    below = min(max(y + shape.bottom + 1, 0), height - 1)
    ground = background.depth[below : below + _ROWS_BELOW, feet]
    contact = _median(ground)
    nearest = max(background.inverse(hidden), background.inverse(contact))
    return background.value(nearest + background.step)


def compose_depth(background: Background, layers: Sequence[Layer]) -> np.ndarray:
    """The depth map of a picture.

    Args:
        background: depth of the clean background.
        layers: the objects, from far to near.

    Returns:
        float32 [height, width].
    """
    depth = background.depth.copy()
    for layer in layers:
        cover(depth, layer)
    return depth


def cover(depth: np.ndarray, layer: Layer) -> None:
    """Puts an object in front of a map, in place. `depth` is float32 [height, width]."""
    height, width = layer.shape.alpha.shape
    rows, inner_rows = _overlap(layer.y, height, depth.shape[0])
    columns, inner_columns = _overlap(layer.x, width, depth.shape[1])
    depth[rows, columns][layer.shape.solid[inner_rows, inner_columns]] = layer.depth


def stack(
    background: Background, shapes: Sequence[tuple[Shape, int, int]]
) -> tuple[np.ndarray, tuple[float, ...]]:
    """Puts objects in front of a background, each nearer than all before it that it touches.

    Args:
        background: depth of the clean background.
        shapes: outline, left column and top row of each object, from far to near.

    Returns:
        float32 [height, width], the map, and the value of each object.
    """
    depth, values = background.depth.copy(), []
    for shape, x, y in shapes:
        value = object_depth(background, depth, shape, x, y)
        cover(depth, Layer(shape, x, y, value))
        values.append(value)
    return depth, tuple(values)


def _median(values: np.ndarray) -> float:
    """The median; NumPy's own takes ten times as long on so few."""
    ordered = np.sort(values, axis=None)
    middle = ordered.size // 2
    return (float(ordered[(ordered.size - 1) // 2]) + float(ordered[middle])) / 2


def _overlap(start: int, length: int, of: int) -> tuple[slice, slice]:
    """The part of an interval that is in 0..of, as it is there and within the interval."""
    first, last = max(start, 0), min(start + length, of)
    last = max(first, last)
    return slice(first, last), slice(first - start, last - start)
