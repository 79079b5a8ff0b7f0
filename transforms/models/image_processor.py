"""What happens to a picture before a network: size, range and normalisation, as settings say.

The settings are those of `preprocessor_config.json`, which image processors of `transformers`
write (https://huggingface.co/docs/transformers/main_classes/image_processor).
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from transforms.models.base import ModelError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class ImageProcessor:
    """How pictures are made ready for a network.

    Attributes:
        width: at which pictures pass the network, or None for their own size.
        height: the same; both or none are given.
        keep_aspect_ratio: whether both sides are scaled by the factor that changes less.
        multiple: both sides become multiples of this.
        resample: Pillow's filter of the resize.
        scale: factor on the values 0..255.
        mean: subtracted for each channel, after scaling.
        std: what each channel is divided by after that.
        bgr: whether the network takes blue first.
    """

    width: int | None = None
    height: int | None = None
    keep_aspect_ratio: bool = False
    multiple: int = 1
    resample: Image.Resampling = Image.Resampling.BILINEAR
    scale: float = 1 / 255
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    bgr: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The (width, height) at which a picture of such a size passes the network."""
        across = (self.width or width) / width
        down = (self.height or height) / height
        if self.keep_aspect_ratio:
            across = down = across if abs(1 - across) < abs(1 - down) else down
        return self._multiple(width * across), self._multiple(height * down)

    def resize(self, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Resizes uint8 [height, width, 3] to a (width, height)."""
        return np.asarray(Image.fromarray(image).resize(size, self.resample))

    def values(self, images: np.ndarray) -> np.ndarray:
        """The network's values of uint8 [n, height, width, 3]: float32 of the same shape."""
        if self.bgr:
            images = images[..., ::-1]
        values = images * np.float32(self.scale)
        return (values - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)

    def _multiple(self, side: float) -> int:
        return max(self.multiple, round(side / self.multiple) * self.multiple)


def read_processor(path: Path | None) -> ImageProcessor:
    """Reads `preprocessor_config.json`.

    Args:
        path: the file; None for pictures of their own size, in 0..1, normalised by mean and
            standard deviation of ImageNet, which most published networks take.

    Raises:
        ModelError: it is not such a file, or asks for padding or cropping.
    """
    if path is None:
        return ImageProcessor()
    try:
        says = json.loads(path.read_text("utf-8"))
        if not isinstance(says, dict):
            raise ValueError("not an object")
        for step in ("do_pad", "do_center_crop"):
            if says.get(step):
                raise ValueError(f"{step} is not supported; export the network without it")
        width, height, keep = _size(says) if says.get("do_resize", True) else (None, None, False)
        normalise = says.get("do_normalize", True)
        processor = ImageProcessor(
            width,
            height,
            keep,
            int(says.get("ensure_multiple_of") or says.get("size_divisor") or 1),
            Image.Resampling(says.get("resample", Image.Resampling.BILINEAR)),
            float(says.get("rescale_factor", 1 / 255)) if says.get("do_rescale", True) else 1.0,
            _three(says, "image_mean", IMAGENET_MEAN) if normalise else (0.0,) * 3,
            _three(says, "image_std", IMAGENET_STD) if normalise else (1.0,) * 3,
            bool(says.get("do_flip_channel_order", False)),
        )
        if processor.multiple < 1 or 0 in processor.std:
            raise ValueError("ensure_multiple_of and image_std must not be 0")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path}: no usable settings of an image processor: {error}") from None
    return processor


def _size(says: dict) -> tuple[int | None, int | None, bool]:
    """Width, height, and whether the aspect ratio is kept."""
    size = says.get("size")
    keep = bool(says.get("keep_aspect_ratio", False))
    if size is None:
        return None, None, False
    if isinstance(size, int):
        return _side(size), _side(size), keep
    if "shortest_edge" in size:
        raise ValueError("size with shortest_edge is not supported; give height and width")
    return _side(size["width"]), _side(size["height"]), keep


def _side(value: object) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"size {value!r} is not a number of pixels")
    return value


def _three(says: dict, name: str, usual: tuple[float, ...]) -> tuple[float, ...]:
    given = says.get(name, usual)
    values = tuple(
        float(value) for value in (given if isinstance(given, (list, tuple)) else [given] * 3)
    )
    if len(values) != 3 or not all(map(math.isfinite, values)):
        raise ValueError(f"{name} must be three numbers")
    return values
