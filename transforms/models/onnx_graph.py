"""Networks that a user brings as an ONNX file: RGB pictures in, one map a picture out.

What the graph takes is read from its input: channels first or last, floats or bytes, sizes that are
fixed or free. What must happen to the pixels before is read from a `preprocessor_config.json` as
image processors of `transformers` write it, beside the file or, where the file is in a folder
named `onnx`, in the folder above.
"""

import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from transforms.models.base import ModelError, Running
from transforms.models.image_processor import read_processor
from transforms.models.registry import local_file

BATCH_PIXELS = 4 * 160 * 160
"""Pixels in one forward pass of a graph with a free batch size. The features of more exceed
the processor's cache."""

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}

# A StringStringEntryProto {key: "location", value: ...}, up to the length of the value.
_LOCATION = re.compile(rb"\x0a\x08location\x12([\x00-\x7f]|[\x80-\xff][\x00-\x7f])", re.DOTALL)


@dataclass(frozen=True)
class _Input:
    """What a graph takes.

    Attributes:
        name: of the input.
        dtype: of its values.
        channels_first: whether it is [n, 3, height, width] and not [n, height, width, 3].
        batch: fixed batch size, or None if it is free.
        height: in pixels, or None for any.
        width: in pixels, or None for any.
    """

    name: str
    dtype: Any
    channels_first: bool
    batch: int | None
    height: int | None
    width: int | None


class OnnxGraph:
    """A loaded graph.

    Args:
        path: the ONNX file; `~` is the home folder.
        running: threads and device. CUDA needs the package onnxruntime-gpu.

    Attributes:
        device: where it really runs, `cpu` or `cuda:N`.

    Raises:
        ModelError: there is no such file, it is no ONNX graph from pictures to maps, its
            preprocessor_config.json asks for something else than `ImageProcessor` does, or the
            device is not there.
    """

    def __init__(self, path: str, running: Running) -> None:
        file = local_file(path, "an ONNX exporter")
        self._path = path
        self._processor = read_processor(settings_file(file, "preprocessor_config.json"))
        self._session, self.device = _open(file, running)
        self._input = _input(path, self._session.get_inputs())
        # Networks for salient objects give maps of several stages; the first is the result.
        self._output = self._session.get_outputs()[0].name

    def run(self, images: np.ndarray) -> np.ndarray:
        """The graph's own values, brought back to the size of the pictures (bilinear).

        Args:
            images: uint8 [n, height, width, 3], RGB.

        Returns:
            float32 [n, height, width].

        Raises:
            ModelError: the graph cannot take such pictures, or gives something else than maps.
        """
        count, height, width, _ = images.shape
        wanted = self._input
        size = self._processor.size(width, height)
        size = (wanted.width or size[0], wanted.height or size[1])
        step = wanted.batch or max(1, BATCH_PIXELS // (size[0] * size[1]))
        maps = np.empty((count, height, width), np.float32)
        for start in range(0, count, step):
            part = images[start : start + step]
            for i, found in enumerate(self._pass(self._fed(part, size), len(part), size)):
                maps[start + i] = _resized(found, width, height)
        return maps

    def _fed(self, images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        wanted = self._input
        if images.shape[2:0:-1] != size:
            images = np.stack([self._processor.resize(image, size) for image in images])
        if wanted.batch and len(images) < wanted.batch:
            images = np.concatenate([images, images[[0] * (wanted.batch - len(images))]])
        if wanted.dtype != np.uint8:
            images = self._processor.values(images).astype(wanted.dtype, copy=False)
        if wanted.channels_first:
            images = images.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(images)

    def _pass(self, fed: np.ndarray, count: int, size: tuple[int, int]) -> np.ndarray:
        """float32 [count, height, width] of what is fed, at the size of the graph's output."""
        try:
            [found] = self._session.run([self._output], {self._input.name: fed})
        except Exception as error:  # ONNX Runtime raises types of its own.
            raise ModelError(
                f"onnx:{self._path} cannot take pictures of {size[0]}x{size[1]}:"
                f" {first_line(error)}; a preprocessor_config.json beside it can give the size"
            ) from None
        shape = tuple(np.shape(found))
        channels = [axis for axis in (1, 3) if len(shape) == 4 and shape[axis] == 1]
        if channels:
            found = np.squeeze(found, channels[0])
        if np.ndim(found) != 3 or len(found) != len(fed):
            raise ModelError(
                f"onnx:{self._path} gives {list(shape)}; its first output must be maps:"
                f" [n, height, width] or [n, 1, height, width] with n = {len(fed)}"
            )
        return np.asarray(found[:count], np.float32)


def graph_files(path: str) -> list[Path]:
    """The files that decide what a graph gives: itself, its weights and its processor's settings.

    Raises:
        ModelError: there is no such file.
    """
    file = local_file(path, "an ONNX exporter")
    settings = settings_file(file, "preprocessor_config.json")
    return [file, *_external(file), *([settings] if settings else [])]


def settings_file(file: Path, name: str) -> Path | None:
    """A settings file that belongs to a graph: beside it, or above a folder named `onnx`."""
    folders = [file.parent, file.parent.parent] if file.parent.name == "onnx" else [file.parent]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def first_line(error: Exception) -> str:
    """The first line of an error's text, or the name of its type."""
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".:") if text else type(error).__name__


def _external(file: Path) -> list[Path]:
    """Files of weights that the tensors of a graph name, relative to the graph."""
    if not file.stat().st_size:
        return []
    names = set()
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for match in _LOCATION.finditer(data):
            low, *high = match[1]
            length = low & 0x7F | (high[0] << 7 if high else 0)
            names.add(data[match.end() : match.end() + length])
    paths = (file.parent / name.decode("utf-8", "replace") for name in names)
    return sorted(path for path in paths if path.is_file())


def _open(file: Path, running: Running) -> tuple[Any, str]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = running.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    kind, _, number = (running.device or "").partition(":")
    there = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if kind not in ("", "cpu", "cuda") or (number and not number.isdecimal()):
        raise ModelError(f"device {running.device!r} is unknown; give cpu, cuda or cuda:N")
    if kind == "cuda" and not there:
        raise ModelError(
            f"device {running.device!r} cannot be used by ONNX Runtime; give cpu, or install"
            " onnxruntime-gpu instead of onnxruntime"
        )
    providers: list[Any] = ["CPUExecutionProvider"]
    if kind != "cpu" and there:
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": int(number or 0)}))
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=providers)
    except Exception as error:  # ONNX Runtime raises types of its own.
        raise ModelError(f"{file}: not a complete ONNX file ({first_line(error)})") from None
    on_cuda = session.get_providers()[0] == "CUDAExecutionProvider"
    if kind == "cuda" and not on_cuda:
        raise ModelError(f"device {running.device!r} cannot be used by ONNX Runtime; give cpu")
    return session, f"cuda:{number or 0}" if on_cuda else "cpu"


def _input(path: str, inputs: list[Any]) -> _Input:
    says = ", ".join(f"{given.name} {given.type} {given.shape}" for given in inputs)
    wrong = ModelError(
        f"onnx:{path} takes {says or 'nothing'}; it must take one input of floats or bytes,"
        " [n, 3, height, width] or [n, height, width, 3]"
    )
    if len(inputs) != 1 or inputs[0].type not in _TYPES or len(inputs[0].shape) != 4:
        raise wrong
    # Sizes that are free are names, or None.
    sizes = [size if isinstance(size, int) else None for size in inputs[0].shape]
    if sizes[1] == 3 or (sizes[1] is None and sizes[3] != 3):
        channels_first, (height, width) = True, sizes[2:]
    elif sizes[3] == 3:
        channels_first, (height, width) = False, sizes[1:3]
    else:
        raise wrong
    return _Input(inputs[0].name, _TYPES[inputs[0].type], channels_first, sizes[0], height, width)


def _resized(found: np.ndarray, width: int, height: int) -> np.ndarray:
    if found.shape == (height, width):
        return found
    return np.asarray(Image.fromarray(found).resize((width, height), Image.Resampling.BILINEAR))
