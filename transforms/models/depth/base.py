"""What every depth model offers: images in, depth and its meaning out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class DepthMeaning:
    """What the numbers of a depth map say.

    Attributes:
        kind: `relative_inverse_depth` (up to scale and shift, per image) or `metric_depth`.
        unit: `m` for metric depth, empty for relative values.
        near_is_large: whether a larger number means nearer to the camera.
    """

    kind: str
    unit: str
    near_is_large: bool


RELATIVE_INVERSE_DEPTH = DepthMeaning("relative_inverse_depth", "", True)
METRIC_DEPTH = DepthMeaning("metric_depth", "m", False)


class DepthModel(Protocol):
    """A loaded depth model.

    Attributes:
        name: the model as the user spelt it, such as `builtin` or `hf:DIR`.
        meaning: what its numbers say.
        device: where it really runs, such as `cpu` or `cuda:0 (NVIDIA L4)`.
    """

    name: str
    meaning: DepthMeaning
    device: str

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Predicts depth for a batch.

        Args:
            images: uint8 [n, height, width, 3], RGB; any height and width of at least 1.

        Returns:
            float32 [n, height, width], the model's own values, one map an image; the map of an
            image does not depend on the other images of the batch beyond rounding.
        """
        ...
