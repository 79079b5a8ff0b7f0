"""What a camera does to a whole picture: blur, noise, JPEG."""

from functools import lru_cache

import numpy as np
from PIL import Image

from transforms.pixels.codecs import decode_jpeg, encode_jpeg
from transforms.plan.seeding import random_key
from transforms.scenes.scene import Effects

_NOISE = 22
_FIELD = 2**20


def photographed(image: Image.Image, effects: Effects, noise: int) -> np.ndarray:
    """Blurs a picture, adds noise and compresses it, in this order.

    Args:
        image: the picture, RGB.
        effects: how much.
        noise: random bits from which the noise is drawn, 0 to 2**63 - 1.

    Returns:
        uint8 [height, width, 3].
    """
    pixels = np.asarray(image)
    if effects.blur > 0.05:
        pixels = blurred(pixels, effects.blur)
    if effects.noise > 0.5:
        pixels = noisy(pixels, effects.noise, noise)
    if effects.quality:
        pixels = decode_jpeg(encode_jpeg(pixels, effects.quality))
    return pixels


def blurred(image: np.ndarray, deviation: float) -> np.ndarray:
    """Blurs a picture: three weights along each axis, twice, exact in integers.

    Args:
        image: uint8 [height, width, 3].
        deviation: standard deviation in pixels, at most 1.
    """
    side = np.uint16(round(deviation**2 * 64))  # Of 256; the variance of a pass is half the whole.
    middle = np.uint16(256 - 2 * side)
    height, width, channels = image.shape
    # Rows have a column more at each end: then all pixels but those are one long run, in which
    # neighbours are neighbours. Row by row a pass along them takes four times as long.
    values = np.empty((height, width + 2, channels), np.uint16)
    values[:, 1:-1] = image
    total = np.empty_like(values)
    for axis in (0, 1, 0, 1):
        if axis == 1:
            values[:, 0], values[:, -1] = values[:, 1], values[:, -2]
        np.multiply(values, middle, out=total)
        values *= side
        if axis == 0:
            _add_neighbours(total, values)
            total[0] += values[0]  # Beyond the border is the border's pixel.
            total[-1] += values[-1]
        else:
            _add_neighbours(total.reshape(-1, channels), values.reshape(-1, channels))
        total += np.uint16(128)
        total >>= np.uint16(8)
        values, total = total, values
    return values[:, 1:-1].astype(np.uint8)


def _add_neighbours(total: np.ndarray, values: np.ndarray) -> None:
    """Adds what is before and what is after each place of the first axis, in place."""
    total[1:] += values[:-1]
    total[:-1] += values[1:]


def noisy(image: np.ndarray, deviation: float, seed: int) -> np.ndarray:
    """Adds noise, independent for each pixel and channel.

    The sum of two uniform bytes is close enough to a Gaussian, and exact in integers. A picture
    takes its part of one long field, from a place that the seed decides.

    Args:
        image: uint8 [height, width, 3].
        deviation: standard deviation in grey levels.
        seed: 0 to 2**63 - 1.
    """
    field = _field()
    start = seed % len(field)
    taken = field[start : start + image.size]
    if taken.size < image.size:  # The field begins again; a copy of all of it would cost more.
        taken = field.take(np.arange(start, start + image.size), mode="wrap")
    # The sum of two bytes has a deviation of 104.5. 16 bits hold 255 times a factor of 128.
    changed = taken * np.int16(min(round(deviation * 256 / 104.5), 127))
    changed += 128
    changed >>= 8
    changed += image.reshape(-1)
    np.clip(changed, 0, 255, out=changed)
    return changed.astype(np.uint8).reshape(image.shape)


@lru_cache(maxsize=1)
def _field() -> np.ndarray:
    """Sums of two uniform bytes around 0: int16 [_FIELD]."""
    words = random_key(0, _NOISE, np.arange(_FIELD // 4))
    pairs = words.astype("<u8").view(np.uint8).reshape(-1, 2).astype(np.int16)
    return pairs[:, 0] + pairs[:, 1] - np.int16(255)
