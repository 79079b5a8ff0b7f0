"""The built-in cut-out model, with ONNX Runtime on the CPU."""

from pathlib import Path

import numpy as np
from PIL import Image

from transforms.models.base import Running
from transforms.models.packaged import open_packaged

WEIGHTS = Path(__file__).with_name("builtin.safetensors")
GRAPH = Path(__file__).with_name("builtin.onnx")

SIDE = 288
"""Side at which every picture passes the network, squeezed to a square. It is trained at 224; its
outlines are finer at 288, and it finds as much."""


class BuiltinCutoutModel:
    """The probability of the object that stands out.

    Args:
        running: CPU threads of one prediction; it always runs on the CPU.

    Raises:
        ModelError: the weights are damaged.
    """

    name = "builtin"
    device = "cpu"

    def __init__(self, running: Running) -> None:
        self._session = open_packaged(GRAPH, running.threads)

    def alpha(self, picture: np.ndarray) -> np.ndarray:
        """See `CutoutModel.alpha`."""
        image = Image.fromarray(picture)
        fitted = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
        [maps] = self._session.run(None, {"pictures": fitted[None]})
        chance = Image.fromarray(np.asarray(maps[0], np.float32))
        return np.asarray(chance.resize(image.size, Image.Resampling.BILINEAR))
