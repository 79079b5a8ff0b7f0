"""Whether a cut-out leaves something to be seen at every size at which it may be pasted."""

import numpy as np

from transforms.pixels.cutout import SOLID
from transforms.pixels.images import fitted_size
from transforms.pixels.resize import resize_alpha
from transforms.plan.placement import Canvas


def first_empty_box(alpha: np.ndarray, size: tuple[int, int], canvas: Canvas) -> int | None:
    """The smallest square at which no pixel of a cut-out belongs to the foreground.

    Thin objects come and go from one size to the next, so every size within the scale jitter is
    tried, as it is pasted, until the object is thick enough for all larger ones.

    Args:
        alpha: uint8 [height, width], fitted to `canvas.largest_box`.
        size: original width and height of the cut-out.
        canvas: the geometry.

    Returns:
        Side of the square in pixels, or None when there is always something to be seen.
    """
    opaque = np.zeros((alpha.shape[0] + 1, alpha.shape[1] + 1), np.int64)
    np.cumsum(np.cumsum(alpha == 255, axis=0), axis=1, out=opaque[1:, 1:])
    for box in range(canvas.smallest_box, canvas.largest_box + 1):
        width, height = fitted_size(*size, box)
        if _has_block(opaque, _reach(alpha.shape[1], width), _reach(alpha.shape[0], height)):
            return None
        pasted = (
            alpha
            if (height, width) == alpha.shape
            else resize_alpha(np.ascontiguousarray(alpha), (width, height))
        )
        if pasted.max() < SOLID:
            return box
    return None


def _reach(source: int, target: int) -> int:
    """Pixels of the source within which some target pixel sees nothing else.

    A target pixel sees less than one target pixel to each side of its centre, and there is a centre
    in every stretch of one target pixel.
    """
    return -(-3 * source // target) + 1


def _has_block(sums: np.ndarray, width: int, height: int) -> bool:
    """Whether there is a rectangle of opaque pixels, given their sums from the upper left."""
    if height >= sums.shape[0] or width >= sums.shape[1]:
        return False
    counts = (
        sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width]
        + sums[:-height, :-width]
    )  # fmt: skip
    return bool(counts.max() == width * height)
