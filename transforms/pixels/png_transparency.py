"""The transparent colour of PNG files (chunk tRNS, https://www.w3.org/TR/png-3/#11tRNS).

Pillow compares it with 8-bit pixels. Where samples have another depth than that, the comparison is
made here, with the samples as they are stored.
"""

import io

import numpy as np
from PIL import Image

from transforms.pixels.values import to_8_bit

_DEPTH_AT = 24  # After signature, length and name of IHDR, width and height.
_LOW_BYTES = "RGB;16L"


def with_transparency(image: Image.Image, data: bytes) -> Image.Image:
    """Gives a PNG its alpha where its transparent colour is not of 8 bits.

    Args:
        image: the decoded file.
        data: the file.

    Returns:
        LA or RGBA of 8 bits for such a file, else the image itself.

    Raises:
        BadImage: the values of a grey image are in another range than 16 bits.
    """
    key = image.info.get("transparency")
    if image.format != "PNG" or key is None or image.mode not in ("1", "L", "I;16", "RGB"):
        return image
    depth = data[_DEPTH_AT]
    if image.mode == "RGB":
        return image if depth == 8 else _with_alpha(image, _sixteen_bits(image, data) != key)
    if image.mode == "I;16":
        return _with_alpha(to_8_bit(image), np.asarray(image) != key, image.info)
    # Samples of 1, 2 and 4 bits have been spread over 0..255, their key has not.
    spread = key * 255 // (2**depth - 1)
    grey = image.convert("L")
    return _with_alpha(grey, np.asarray(grey) != spread, image.info)


def _sixteen_bits(image: Image.Image, data: bytes) -> np.ndarray:
    """The samples of an RGB file of 16 bits, of which Pillow keeps the upper bytes."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as lower:
        lower.tile = [tile._replace(args=_LOW_BYTES) for tile in lower.tile]
        samples = np.asarray(image).astype(np.uint16) << 8
        return samples | np.asarray(lower)


def _with_alpha(image: Image.Image, opaque: np.ndarray, info: dict | None = None) -> Image.Image:
    if opaque.ndim == 3:
        opaque = np.any(opaque, axis=-1)
    found = image.copy()
    found.info = {k: v for k, v in (info or image.info).items() if k != "transparency"}
    found.putalpha(Image.fromarray(opaque.astype(np.uint8) * 255))
    return found
