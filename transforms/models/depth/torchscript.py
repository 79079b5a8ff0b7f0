"""Depth models that a user brings as a TorchScript file."""

import numpy as np
import torch

from transforms.models.base import ModelError, Running
from transforms.models.depth.base import RELATIVE_INVERSE_DEPTH
from transforms.models.devices import choose_device, describe
from transforms.models.registry import local_file


class TorchScriptModel:
    """A file written by `torch.jit.save`.

    The module takes float32 [n, 3, height, width], RGB in 0..1, and returns [n, height, width] or
    [n, 1, height, width] of the same height and width: relative inverse depth, near is large.

    Args:
        path: the file.
        running: threads of torch in this process, torch device, precision.

    Raises:
        ModelError: there is no such file, it is not TorchScript, or the device does not exist.
    """

    meaning = RELATIVE_INVERSE_DEPTH

    def __init__(self, path: str, running: Running) -> None:
        self.name = f"torchscript:{path}"
        file = local_file(path, "torch.jit.save")
        self._device = choose_device(running.device)
        self.device = describe(self._device)
        if self._device.type == "cpu":
            torch.set_num_threads(running.threads)
        try:
            module = torch.jit.load(str(file), map_location=self._device).eval()
        except RuntimeError:
            raise ModelError(
                f"{path}: not a whole TorchScript file; write it with torch.jit.save"
            ) from None
        self._half = running.half_precision and self._device.type == "cuda"
        self._module = module.half() if self._half else module

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Predicts the file's own values.

        Args:
            images: uint8 [n, height, width, 3], RGB.

        Returns:
            float32 [n, height, width].

        Raises:
            ModelError: the module cannot take such pictures, or returns another shape.
        """
        count, height, width, _ = images.shape
        planes = torch.from_numpy(np.ascontiguousarray(images)).to(self._device)
        planes = planes.permute(0, 3, 1, 2).contiguous()
        pictures = (planes.half() if self._half else planes.float()) / 255
        try:
            with torch.inference_mode():
                depth = self._module(pictures)
        except RuntimeError as error:
            lines = str(error).strip().splitlines()
            raise ModelError(
                f"{self.name} cannot take pictures of {width}x{height}: {lines[-1]}"
            ) from None
        right = ((count, height, width), (count, 1, height, width))
        if not isinstance(depth, torch.Tensor) or tuple(depth.shape) not in right:
            given = list(depth.shape) if isinstance(depth, torch.Tensor) else type(depth).__name__
            raise ModelError(
                f"{self.name} returns {given}; it must return {list(right[0])} or {list(right[1])}"
            )
        return depth.reshape(count, height, width).float().cpu().numpy()
