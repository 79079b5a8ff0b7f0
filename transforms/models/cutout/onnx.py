"""Cut-out models that are ONNX files."""

import numpy as np

from transforms.models.base import Running
from transforms.models.onnx_graph import OnnxGraph

_ROUNDING = 0.01


class OnnxCutoutModel:
    """An ONNX graph whose first output is a map of the object; `OnnxGraph` says what it may take.

    Maps with values outside 0..1 are taken as log odds.

    Args:
        name: the model as the user spelt it.
        path: the file.
        running: threads and device.

    Raises:
        ModelError: it cannot be loaded; the message says why.
    """

    def __init__(self, name: str, path: str, running: Running) -> None:
        self.name = name
        self._graph = OnnxGraph(path, running)
        self.device = self._graph.device

    def alpha(self, picture: np.ndarray) -> np.ndarray:
        """See `CutoutModel.alpha`."""
        [found] = self._graph.run(picture[None])
        if found.min() < -_ROUNDING or found.max() > 1 + _ROUNDING:
            found = 1 / (1 + np.exp(-np.clip(found, -60, 60)))
        return np.clip(found, 0, 1).astype(np.float32)
