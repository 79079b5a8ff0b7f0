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
    for axis in (0, 1, 0, 1):
        image = _smoothed(image, side, axis)
    return image


def _smoothed(image: np.ndarray, side: np.uint16, axis: int) -> np.ndarray:
    """A mean of each pixel and its two neighbours; beyond the border is the border's pixel."""
    if axis == 1:
        image = image.swapaxes(0, 1)
    wide = image.astype(np.uint16)
    total = wide * np.uint16(256 - 2 * side)
    wide *= side
    total[1:] += wide[:-1]
    total[:-1] += wide[1:]
    total[0] += wide[0]
    total[-1] += wide[-1]
    total += 128
    total >>= 8
    found = total.astype(np.uint8)
    return found.swapaxes(0, 1) if axis == 1 else found


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
    repeats = -(-(start + image.size) // len(field))
    taken = (np.tile(field, repeats) if repeats > 1 else field)[start : start + image.size]
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
