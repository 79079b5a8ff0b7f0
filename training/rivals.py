"""What the built-in model is held against: FastDepth and a plain vertical gradient."""

from pathlib import Path

import numpy as np
from PIL import Image

_SIDE = 224
_NEAREST_METRES = 0.05


class VerticalGradient:
    """Nearer from top to bottom, for every picture: the floor of every measure."""

    name = "gradient"

    def predict(self, images: np.ndarray) -> np.ndarray:
        """uint8 [n, height, width, 3] to float32 [n, height, width]."""
        ramp = np.linspace(0.2, 1.0, images.shape[1], dtype=np.float32)[None, :, None]
        return np.broadcast_to(ramp, images.shape[:3]).copy()


class FastDepth:
    """FastDepth (Wofk et al., ICRA 2019) in ONNX Runtime, turned into inverse depth.

    Pictures are scaled to 224x224, which it is trained at, and its maps back.

    Args:
        path: its ONNX file; input RGB / 255 [1, 3, 224, 224], output metres.
        threads: CPU threads.
    """

    name = "FastDepth"

    def __init__(self, path: Path, threads: int = 1) -> None:
        import onnx
        import onnxruntime

        graph = onnx.load(str(path))
        # The network is fully convolutional; only its declared shapes are fixed.
        for value in (*graph.graph.input, *graph.graph.output):
            for index, side in enumerate(value.type.tensor_type.shape.dim):
                if index != 1:
                    side.ClearField("dim_value")
                    side.dim_param = f"side{index}"
        del graph.graph.value_info[:]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
        self._input = self._session.get_inputs()[0].name

    def predict(self, images: np.ndarray) -> np.ndarray:
        """uint8 [n, height, width, 3] to float32 [n, height, width]."""
        height, width = images.shape[1:3]
        scaled = np.stack([_resized(image, _SIDE, _SIDE) for image in images])
        planes = (scaled.transpose(0, 3, 1, 2) / 255).astype(np.float32)
        metres = self._session.run(None, {self._input: planes})[0][:, 0]
        inverse = 1 / np.maximum(metres, _NEAREST_METRES)
        return np.stack([_resized(depth, width, height) for depth in inverse])


def _resized(values: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR))
