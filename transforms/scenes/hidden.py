"""What is seen of an object behind nearer things of the background."""

from functools import lru_cache

import numpy as np

STEP = 15
"""How much nearer than an object's ground (of 255) something may be without hiding it."""

_RAMP = 8


def seen(alpha: np.ndarray, nearness: np.ndarray, ground: int) -> np.ndarray:
    """The alpha that is left of an object, soft where the background's nearness rises softly.

    Args:
        alpha: uint8 [h, w], the object's alpha.
        nearness: uint8 [h, w], of the background there, 255 nearest.
        ground: nearness of the ground on which the object stands; -1 where nothing hides it.

    Returns:
        uint8 [h, w]; the array itself where nothing hides the object.
    """
    # Most objects have nothing before them, and the nearest value is found in a fifth of the time.
    if ground < 0 or not nearness.size or int(nearness.max()) <= ground + STEP:
        return alpha
    kept = _kept(ground).take(nearness)
    return ((alpha * kept + 127) // 255).astype(np.uint8)


@lru_cache(maxsize=256)
def _kept(ground: int) -> np.ndarray:
    """Share of the alpha that is left at each nearness: uint16 [256], 0 to 255."""
    over = np.arange(256) - (ground + STEP)
    return np.clip(255 - over * 255 // _RAMP, 0, 255).astype(np.uint16)
