"""What every cut-out model offers: a picture in, the probability of its object out."""

from typing import Protocol

import numpy as np


class CutoutModel(Protocol):
    """A loaded cut-out model.

    Attributes:
        name: the model as the user spelt it, such as `builtin` or `onnx:PATH`.
        device: where it really runs, such as `cpu` or `cuda:0`.
    """

    name: str
    device: str

    def alpha(self, picture: np.ndarray) -> np.ndarray:
        """The probability that a pixel belongs to the object that stands out.

        Args:
            picture: uint8 [height, width, 3], RGB, of any size.

        Returns:
            float32 [height, width] in 0..1.

        Raises:
            ModelError: the model cannot take such pictures, or gives something else than maps.
        """
        ...
