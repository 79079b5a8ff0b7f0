"""The form in which a foreground is pasted: premultiplied colour beside its alpha."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from transforms.pixels.shape import SOLID as SOLID
from transforms.pixels.shape import Shape


@dataclass(frozen=True, eq=False)
class Cutout:
    """A foreground at the size at which it is pasted.

    Attributes:
        premultiplied: uint16 [height, width, 3], colour times alpha, 0..65025.
        rest: uint8 [height, width, 3], 255 - alpha once for each channel: NumPy is slow where an
            array is to be repeated along its last axis.
        alpha: uint8 [height, width], 0 is transparent, 255 opaque.
    """

    premultiplied: np.ndarray
    rest: np.ndarray
    alpha: np.ndarray

    @property
    def nbytes(self) -> int:
        """Bytes that its arrays take."""
        return self.premultiplied.nbytes + self.rest.nbytes + self.alpha.nbytes

    @classmethod
    def from_rgba(cls, rgba: np.ndarray) -> "Cutout":
        """Builds a cutout from straight colour, uint8 [height, width, 4]."""
        alpha = np.ascontiguousarray(rgba[..., 3])
        rest = np.repeat(255 - alpha[..., None], 3, axis=2)
        return cls(rgba[..., :3].astype(np.uint16) * alpha[..., None], rest, alpha)

    @cached_property
    def shape(self) -> Shape:
        """Its outline."""
        return Shape(self.alpha)

    def mirrored(self) -> "Cutout":
        """The mirror image, left and right exchanged."""
        return Cutout(
            np.ascontiguousarray(self.premultiplied[:, ::-1]),
            np.ascontiguousarray(self.rest[:, ::-1]),
            np.ascontiguousarray(self.alpha[:, ::-1]),
        )
