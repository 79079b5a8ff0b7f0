"""Mask step: the alpha of each paste on black, with its bounding box and area."""

import numpy as np


def paste_mask(mask: np.ndarray, alpha: np.ndarray, x: int, y: int) -> None:
    """Writes a cutout's alpha into an all-zero mask in place.

    Args:
        mask: uint8 [height, width], zero everywhere.
        alpha: uint8 [h, w], the cutout's alpha.
        x: column of the cutout's left edge in the mask.
        y: row of its top edge; the whole cutout lies inside the mask.
    """
    height, width = alpha.shape
    mask[y : y + height, x : x + width] = alpha
