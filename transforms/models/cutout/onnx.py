"""Cut-out models that are ONNX files."""

import numpy as np

from transforms.models.base import Running
from transforms.models.onnx_graph import OnnxGraph

_ROUNDING = 0.01


class OnnxCutoutModel:
    """An ONNX graph whose first output is a map of the object; `OnnxGraph` says what it may take.

    A graph gives log odds when its map of a black and white picture has values outside 0..1.

    Args:
        name: the model as the user spelt it.
        path: the file.
        running: threads and device.

    Raises:
        ModelError: it cannot be loaded, or cannot take pictures; the message says why.
    """

    def __init__(self, name: str, path: str, running: Running) -> None:
        self.name = name
        self._graph = OnnxGraph(path, running)
        self.device = self._graph.device
        tried = self._graph.run(_black_and_white()[None])
        self._log_odds = bool(tried.min() < -_ROUNDING or tried.max() > 1 + _ROUNDING)

    def alpha(self, picture: np.ndarray) -> np.ndarray:
        """See `CutoutModel.alpha`."""
        [found] = self._graph.run(picture[None])
        if self._log_odds:
            found = 1 / (1 + np.exp(-np.clip(found, -60, 60)))
        return np.clip(found, 0, 1).astype(np.float32)


def _black_and_white() -> np.ndarray:
    """A white disc on black: uint8 [64, 64, 3]."""
    rows, columns = np.mgrid[:64, :64] - 31.5
    disc = np.where(rows**2 + columns**2 < 400, 255, 0)
    return np.repeat(disc[..., None], 3, axis=2).astype(np.uint8)
