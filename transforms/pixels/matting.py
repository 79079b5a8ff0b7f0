"""From a rough mask and its picture to a fine edge and clean colours, with NumPy and Pillow."""

import numpy as np
from PIL import Image

MEANS_SIDE = 384
"""Colours are averaged in a picture whose longer side is at most so long."""

_LEAST = 1e-5


def box_mean(values: np.ndarray, radius: int) -> np.ndarray:
    """The mean over a square window, cut off at the border.

    Args:
        values: float [height, width] or [height, width, channels].
        radius: the window has 2 * radius + 1 pixels a side.

    Returns:
        float32 of the same shape.
    """
    result = values.astype(np.float32)
    for axis in (0, 1):
        length = result.shape[axis]
        sums = np.zeros((length + 1, *np.delete(result.shape, axis)), np.float64)
        np.cumsum(np.moveaxis(result, axis, 0), axis=0, out=sums[1:])
        places = np.arange(length)
        first, last = np.maximum(places - radius, 0), np.minimum(places + radius + 1, length)
        counts = (last - first).reshape(-1, *[1] * (result.ndim - 1))
        means = (sums[last] - sums[first]) / counts
        result = np.moveaxis(means.astype(np.float32), 0, axis)
    return result


def guided_filter(
    picture: np.ndarray, values: np.ndarray, radius: int, smoothness: float
) -> tuple[np.ndarray, np.ndarray]:
    """The linear models of a guided filter with a colour guide.

    He, Sun and Tang, "Guided image filtering", TPAMI 2013. The models can be enlarged before they
    are applied to a larger picture, as He and Sun, "Fast guided filter", 2015, do.

    Args:
        picture: float [height, width, 3] in 0..1.
        values: float [height, width], what is filtered.
        radius: of the window.
        smoothness: variance of the guide below which a window counts as flat.

    Returns:
        Slopes, float32 [height, width, 3], and offsets, float32 [height, width]; the filtered
        values are the sum of slopes times colours, plus the offset.
    """
    mean_colour = box_mean(picture, radius).astype(np.float64)
    mean_value = box_mean(values, radius)
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    products = np.stack([picture[..., i] * picture[..., j] for i, j in pairs], axis=-1)
    second = box_mean(products, radius)
    rr, rg, rb, gg, gb, bb = (
        second[..., n] - mean_colour[..., i] * mean_colour[..., j] + smoothness * (i == j)
        for n, (i, j) in enumerate(pairs)
    )
    shared = box_mean(picture * values[..., None], radius) - mean_colour * mean_value[..., None]
    # The inverse of a symmetric 3x3 matrix, by cofactors.
    a, b, c = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    d, e, f = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = rr * a + rg * b + rb * c
    red, green, blue = (shared[..., i] for i in range(3))
    slopes = np.stack(
        [
            a * red + b * green + c * blue,
            b * red + d * green + e * blue,
            c * red + e * green + f * blue,
        ],
        axis=-1,
    )
    slopes = (slopes / determinant[..., None]).astype(np.float32)
    offsets = mean_value - (slopes * mean_colour).sum(axis=-1)
    return box_mean(slopes, radius), box_mean(offsets, radius)


def enlarged(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map at another size, by linear interpolation.

    Args:
        values: float [height, width] or [height, width, channels].
        size: width and height of the result.

    Returns:
        float32 [height, width] or [height, width, channels] of that size.
    """
    if size == (values.shape[1], values.shape[0]):
        return values.astype(np.float32)
    if values.ndim == 3:
        planes = [enlarged(values[..., i], size) for i in range(values.shape[2])]
        return np.stack(planes, axis=-1)
    plane = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(plane.resize(size, Image.Resampling.BILINEAR))


def stretched(alpha: np.ndarray, low: float, high: float) -> np.ndarray:
    """Alpha with `low` and all below at 0, `high` and all above at 1: float32 of the same shape."""
    return np.clip((alpha - low) / (high - low), 0, 1).astype(np.float32)


def foreground_colours(
    picture: np.ndarray, alpha: np.ndarray, radii: tuple[int, ...] = (30, 8, 2)
) -> np.ndarray:
    """The colours that the object has where the background shows through its edge.

    Forte, "Approximate fast foreground colour estimation" (blur fusion), ICIP 2021: colours of
    object and background are means of what is near, weighted by alpha, and then moved so that
    they mix to the picture. Large radii fill in, small ones follow details. The means are
    taken of a picture whose longer side is at most 384 pixels, the mix of every pixel.

    Args:
        picture: uint8 [height, width, 3].
        alpha: float [height, width] in 0..1.
        radii: of the windows, from the first pass to the last, at the reduced size.

    Returns:
        uint8 [height, width, 3].
    """
    height, width = alpha.shape
    share = alpha.astype(np.float32)
    scale = min(1.0, MEANS_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    mixed, near_share = small.astype(np.float32), enlarged(share, size)[..., None]
    front: np.ndarray = mixed
    back: np.ndarray = mixed
    for radius in radii:
        near = box_mean(near_share, radius)
        front_mean = box_mean(front * near_share, radius) / (near + _LEAST)
        back_mean = box_mean(back * (1 - near_share), radius) / (1 - near + _LEAST)
        missing = mixed - near_share * front_mean - (1 - near_share) * back_mean
        front = np.clip(front_mean + near_share * missing, 0, 255)
        back = back_mean
    result = picture.copy()
    soft = (share > 0) & (share < 1)
    part = share[soft][:, None]
    front_mean = enlarged(front_mean, (width, height))[soft]
    back_mean = enlarged(back_mean, (width, height))[soft]
    missing = picture[soft] - part * front_mean - (1 - part) * back_mean
    result[soft] = np.rint(np.clip(front_mean + part * missing, 0, 255)).astype(np.uint8)
    return result
