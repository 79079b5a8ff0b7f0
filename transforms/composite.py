"""Composite step: foregrounds are blended over backgrounds in their own soft alpha."""

import numpy as np

from transforms.cutout import Cutout


def paste(image: np.ndarray, cutout: Cutout, x: int, y: int) -> None:
    """Blends a cutout over an image in place: out = fg * alpha + bg * (1 - alpha), rounded.

    Args:
        image: uint8 [height, width, 3], changed inside the pasted rectangle only.
        cutout: the foreground.
        x: column of the cutout's left edge in the image.
        y: row of its top edge; the whole cutout lies inside the image.
    """
    height, width = cutout.alpha.shape
    region = image[y : y + height, x : x + width]
    blended = region * (255 - cutout.alpha)[..., None].astype(np.uint16)
    blended += cutout.premultiplied
    # round(v / 255) for v in 0..65025, without a division and without leaving 16 bits.
    blended += 128
    blended += blended >> 8
    region[...] = blended >> 8
