"""The outline of an object: which pixels belong to it, what it touches, and where it stands."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

SOLID = 128
"""A pixel belongs to the foreground from this alpha on."""

REACH = 1
"""Pixels around an object that it touches."""

_FEET = 0.1


@dataclass(frozen=True, eq=False)
class Shape:
    """The outline of an object, from its alpha.

    Attributes:
        alpha: uint8 [height, width], with at least one value of 128 or more.
    """

    alpha: np.ndarray

    @cached_property
    def solid(self) -> np.ndarray:
        """bool [height, width]: the pixels that belong to the object."""
        return self.alpha >= SOLID

    @cached_property
    def reach(self) -> np.ndarray:
        """bool [height + 2, width + 2]: what the object covers or touches, a pixel around."""
        height, width = self.alpha.shape
        wide = np.zeros((height, width + 2 * REACH), bool)
        for shift in range(2 * REACH + 1):
            wide[:, shift : shift + width] |= self.solid
        tall = np.zeros((height + 2 * REACH, width + 2 * REACH), bool)
        for shift in range(2 * REACH + 1):
            tall[shift : shift + height] |= wide
        return tall

    @cached_property
    def bottom(self) -> int:
        """The lowest row of the object."""
        return int(np.flatnonzero(self.solid.any(axis=1))[-1])

    @cached_property
    def feet(self) -> np.ndarray:
        """int [n]: the columns in which the lowest tenth of the object's rows belongs to it."""
        rows = np.flatnonzero(self.solid.any(axis=1))
        lowest = max(1, round(_FEET * (rows[-1] - rows[0] + 1)))
        return np.flatnonzero(self.solid[self.bottom - lowest + 1 : self.bottom + 1].any(axis=0))
