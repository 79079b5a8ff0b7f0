"""Resizing of cut-outs: colour and alpha, without ringing at the outline.

Lanczos filters overshoot at steps. Pillow resizes premultiplied colour in 8 bits, where alpha is
clipped at 255 and the colour that overshoots with it is not: outlines become brighter than anything
in the picture. Here both are resized unclipped, and their quotient is the mean colour under the
filter, whatever alpha does.
"""

import numpy as np
from PIL import Image

_SHARP = Image.Resampling.LANCZOS


_BAND = 2**20
"""Pixels that are held in floating point at a time, however large the picture is."""


def resize_cutout(rgba: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes a cut-out; a flat colour stays what it is wherever there is alpha.

    Args:
        rgba: uint8 [height, width, 4], straight colour.
        size: wanted width and height.

    Returns:
        uint8 [height, width, 4], straight colour, black where alpha is 0.
    """
    sums = _weighted_sums(rgba, size)
    alpha = _without_ripples(sums[:, 3], rgba[..., 3], size)
    # Less than half is alpha 0. Conversion to integers cuts off, hence the other half.
    colour = sums[:, :3] / np.maximum(sums[:, 3:], 0.5) + np.float32(0.5)
    np.clip(colour, 0, 255, out=colour)
    colour *= alpha[:, None] > 0
    found = np.empty((size[1], size[0], 4), np.uint8)
    found[..., :3] = colour.transpose(0, 2, 1)
    found[..., 3] = alpha
    return found


def resize_alpha(alpha: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes alpha as `resize_cutout` does.

    Args:
        alpha: uint8 [height, width].
        size: wanted width and height.

    Returns:
        uint8 [height, width].
    """
    return _without_ripples(_resized(alpha.astype(np.float32), size, _SHARP), alpha, size)


def _without_ripples(sharp: np.ndarray, alpha: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Alpha in 8 bits without the filter's ripples beside steps.

    A pixel that sees nothing of the object within its own reach is transparent, and one that sees
    nothing but the object is opaque; the bilinear filter, which never overshoots, tells.
    """
    near = _resized(np.ascontiguousarray(alpha), size, Image.Resampling.BILINEAR)
    found = (np.clip(sharp, 0, 255) + np.float32(0.5)).astype(np.uint8)
    found[near == 0] = 0
    found[near == 255] = 255
    return found


def _weighted_sums(rgba: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Red, green and blue times alpha, and alpha, resized: float32 [height, 4, width].

    Rows first and then columns, as Pillow does it, but all planes in one call each.
    """
    height, width = rgba.shape[:2]
    narrow = np.empty((height, 4, size[0]), np.float32)
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        planes = np.ascontiguousarray(rgba[top : top + rows].transpose(0, 2, 1)).astype(np.float32)
        planes[:, :3] *= planes[:, 3:]
        band = planes.reshape(-1, width)
        narrow[top : top + rows] = _resized(band, (size[0], len(band)), _SHARP).reshape(
            -1, 4, size[0]
        )
    columns = narrow.reshape(height, -1)
    return _resized(columns, (columns.shape[1], size[1]), _SHARP).reshape(size[1], 4, size[0])


def _resized(plane: np.ndarray, size: tuple[int, int], way: Image.Resampling) -> np.ndarray:
    return np.asarray(Image.fromarray(plane).resize(size, way))
