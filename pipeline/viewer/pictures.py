"""The pictures of a sample as a browser shows them."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image

from transforms.pixels.codecs import encode_jpeg

_TINT = (255, 64, 129)
_QUALITY = 92
_PNG = "image/png"
_JPEG = "image/jpeg"


def rendered(view: str, files: list[bytes], near_is_large: bool) -> tuple[bytes, str]:
    """A picture as a browser shows it.

    Args:
        view: `composite`, `mask`, `instances`, `depth` or `overlay`.
        files: the picture as it is stored; for an overlay the composite and the mask.
        near_is_large: whether a larger value of a depth map means nearer.

    Returns:
        A picture file and its media type. Composites and masks are as they are stored; depth is
        stretched to its own range and coloured, near bright; instances are coloured.
    """
    if view in ("composite", "mask"):
        return files[0], _PNG if files[0].startswith(b"\x89PNG") else _JPEG
    if view == "depth":
        return _png(_coloured_depth(_pixels(files[0]), near_is_large)), _PNG
    if view == "instances":
        return _png(_palette()[_pixels(files[0])]), _PNG
    return encode_jpeg(_tinted(_pixels(files[0]), _pixels(files[1])), _QUALITY), _JPEG


def _pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _tinted(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The composite with the object tinted and the rest darkened."""
    alpha = mask.astype(np.float32)[..., None] / 255
    tint = np.array(_TINT, np.float32)
    inside, outside = image * 0.55 + tint * 0.45, image * 0.55
    return np.round(inside * alpha + outside * (1 - alpha)).astype(np.uint8)


def _coloured_depth(depth: np.ndarray, near_is_large: bool) -> np.ndarray:
    low, high = int(depth.min()), int(depth.max())
    level = (depth.astype(np.int64) - low) * 255 // max(1, high - low)
    return _depth_colours()[level if near_is_large else 255 - level]


@lru_cache(maxsize=1)
def _depth_colours() -> np.ndarray:
    """uint8 [256, 3], matplotlib's map `inferno`."""
    from matplotlib import colormaps  # Takes a while to import.

    return colormaps["inferno"](np.arange(256), bytes=True)[:, :3].copy()


@lru_cache(maxsize=1)
def _palette() -> np.ndarray:
    """uint8 [256, 3]: black, then colours that differ from their neighbours."""
    from matplotlib import colormaps

    colours = colormaps["tab20"](np.arange(255) * 7 % 20, bytes=True)[:, :3]
    return np.concatenate([np.zeros((1, 3), np.uint8), colours])
