"""Pixel values of every depth as 8 bits."""

import numpy as np
from PIL import Image

from transforms.pixels.bad_image import BadImage

_INTEGER_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")

_TWELVE_BITS = 4095


def to_8_bit(image: Image.Image) -> Image.Image:
    """Scales 16-bit, 32-bit integer and float grey images to 8 bits; others pass unchanged.

    16-bit values v become round(v / 257); 32-bit integers count as 16-bit ones (Pillow reads some
    16-bit files as mode I). Values of at most 255 in such a container are 8-bit ones already and
    stay as they are. Floats are 0 to 1; NaN becomes 0.

    Raises:
        BadImage: the values are in another range: negative, above 16 bits, of 12 bits or fewer in
            16, or floats outside 0..1.
    """
    if image.mode in _INTEGER_MODES:
        return _from_integers(np.asarray(image).astype(np.int64))
    if image.mode == "F":
        return _from_floats(np.nan_to_num(np.asarray(image), posinf=np.inf, neginf=-np.inf))
    return image


def _from_integers(values: np.ndarray) -> Image.Image:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise BadImage(f"its values go from {low} to {high}; scale them to 0..65535")
    if 255 < high <= _TWELVE_BITS:
        raise BadImage(
            f"its 16-bit values go from {low} to {high}, so it would be nearly black; scale"
            " 10-bit and 12-bit data to 0..65535"
        )
    if high > 255:
        values = (values + 128) // 257
    return Image.fromarray(values.astype(np.uint8))


def _from_floats(values: np.ndarray) -> Image.Image:
    low, high = float(values.min()), float(values.max())
    half_a_step = 0.5 / 255  # What rounds to 0 or 255 is no other range.
    if low < -half_a_step or high > 1 + half_a_step:
        raise BadImage(f"its values are floats from {low:g} to {high:g}; scale them to 0..1")
    return Image.fromarray(np.rint(np.clip(values * 255.0, 0, 255)).astype(np.uint8))
