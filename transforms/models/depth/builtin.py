"""The built-in depth model: ONNX Runtime on the CPU, PyTorch on CUDA, the same weights."""

import logging
from pathlib import Path

import numpy as np
from PIL import Image

from transforms.extras import needs
from transforms.models.base import ModelError, Running
from transforms.models.depth.base import RELATIVE_INVERSE_DEPTH
from transforms.models.devices import require_torch
from transforms.models.packaged import open_packaged

_LOG = logging.getLogger(__name__)

WEIGHTS = Path(__file__).with_name("builtin.safetensors")
GRAPH = Path(__file__).with_name("builtin.onnx")
MULTIPLE = 32
SHORT_SIDE, LONG_SIDE = 192, 640
"""At most so many pixels pass the network in a picture's short and long side. It is trained at 160:
it must see a scene as a whole, and its depth is worse from 256 pixels on."""

CACHED_PIXELS = 4 * 160 * 160
"""Pixels in one forward pass on the CPU. The features of more exceed the processor's
cache: 40 pictures of 160x160 at once take 1.6 times as long as four at a time."""


class BuiltinModel:
    """Relative inverse depth in (0, 1).

    Args:
        running: CPU threads of one prediction, torch device, precision on CUDA.

    Raises:
        ModelError: the weights are damaged, the device is not there, or PyTorch is not, which
            serves every device but the CPU.
    """

    name = "builtin"
    meaning = RELATIVE_INVERSE_DEPTH

    def __init__(self, running: Running) -> None:
        network: _Network
        device = running.device
        if device is None and not _cuda_available():
            device = "cpu"
        if device == "cpu":
            network = _OnnxNetwork(running.threads)
        else:
            network = _TorchNetwork(device or "cuda", running.half_precision)
        self._network = network
        self.device = network.device

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Predicts relative inverse depth; large pictures, and odd sizes, pass the network resized.

        Args:
            images: uint8 [n, height, width, 3], RGB.

        Returns:
            float32 [n, height, width] in (0, 1), near is large.
        """
        _, height, width, _ = images.shape
        size = network_size(width, height)
        if size == (width, height):
            return self._network.run(images)
        fitted = np.stack(
            [
                np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
                for image in images
            ]
        )
        return np.stack(
            [
                np.asarray(
                    Image.fromarray(depth).resize((width, height), Image.Resampling.BILINEAR)
                )
                for depth in self._network.run(fitted)
            ]
        )


def network_size(width: int, height: int) -> tuple[int, int]:
    """The (width, height) at which a picture passes the network: multiples of 32, within bounds."""
    scale = min(1.0, SHORT_SIDE / min(width, height), LONG_SIDE / max(width, height))
    return (
        max(MULTIPLE, round(width * scale / MULTIPLE) * MULTIPLE),
        max(MULTIPLE, round(height * scale / MULTIPLE) * MULTIPLE),
    )


class _Network:
    device = ""

    def run(self, images: np.ndarray) -> np.ndarray:
        """uint8 [n, height, width, 3] to float32 [n, height, width]."""
        raise AssertionError("a network has its own run")


class _OnnxNetwork(_Network):
    device = "cpu"

    def __init__(self, threads: int) -> None:
        self._session = open_packaged(GRAPH, threads)

    def run(self, images: np.ndarray) -> np.ndarray:
        count, height, width, _ = images.shape
        depth = np.empty((count, height, width), np.float32)
        step = max(1, CACHED_PIXELS // (height * width))
        for start in range(0, count, step):
            part = np.ascontiguousarray(images[start : start + step])
            [depth[start : start + step]] = self._session.run(None, {"pictures": part})
        return depth


class _TorchNetwork(_Network):
    def __init__(self, device: str, half_precision: bool) -> None:
        require_torch(f"builtin on {device}", "torch")
        import torch
        from safetensors.torch import load_file

        from transforms.models.depth.network import DepthNetwork

        try:
            self._torch_device = torch.device(device)
            network = DepthNetwork()
            network.load_state_dict(load_file(str(WEIGHTS)))
            network.eval().to(self._torch_device).to(memory_format=torch.channels_last)
        except Exception as error:
            raise ModelError(f"builtin on {device}: {error}") from None
        self._torch = torch
        self._network = network.half() if half_precision else network
        name = torch.cuda.get_device_name(self._torch_device) if device.startswith("cuda") else ""
        self.device = f"{device} ({name})" if name else device

    def run(self, images: np.ndarray) -> np.ndarray:
        torch = self._torch
        with torch.inference_mode():
            pictures = torch.from_numpy(np.ascontiguousarray(images))
            if self._torch_device.type == "cuda":
                pictures = pictures.pin_memory()
            depth = self._network(pictures.to(self._torch_device, non_blocking=True))
            return depth.float().cpu().numpy()


def _cuda_available() -> bool:
    # Importing torch takes seconds; without a driver there is nothing to ask it for.
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        return False
    try:
        import torch
    except ImportError:
        _LOG.warning("the GPU is not used: builtin %s", needs("PyTorch", "torch"))
        return False
    return torch.cuda.is_available()
