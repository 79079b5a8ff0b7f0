"""How the border of a cut-out is treated, so that a model cannot learn the paste from it."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from transforms.pixels.cutout import SOLID
from transforms.scenes.scene import Edge

_REACH = 4  # Pixels around a mask that its blur needs.


def edged(mask: Image.Image, edge: Edge) -> Image.Image:
    """The alpha of a paste with its border treated.

    Args:
        mask: the alpha, L.
        edge: how; `ALPHA` and `POISSON` leave it as it is.

    Returns:
        L, of the same size; no pixel becomes opaque that was transparent.
    """
    if edge is Edge.HARD:
        return mask.convert("1", dither=Image.Dither.NONE).convert("L")
    if edge is Edge.SOFT:
        return ImageChops.darker(mask, _softened(mask))
    if edge is Edge.ERODED:
        alpha = np.asarray(mask)
        shrunk = _eroded(alpha)
        # A thin object would vanish.
        return mask if _solid_pixels(shrunk) * 2 < _solid_pixels(alpha) else Image.fromarray(shrunk)
    return mask


def _softened(mask: Image.Image) -> Image.Image:
    """Blurs a mask where nothing is around it: a crop beyond it is transparent."""
    width, height = mask.size
    wide = mask.crop((-_REACH, -_REACH, width + _REACH, height + _REACH))
    wide = wide.filter(ImageFilter.GaussianBlur(1.0))
    return wide.crop((_REACH, _REACH, width + _REACH, height + _REACH))


def _eroded(alpha: np.ndarray) -> np.ndarray:
    """The least of each pixel and its eight neighbours, beyond the border 0: uint8 [h, w].

    Rows first and columns after them, which takes a quarter of the time of Pillow's `MinFilter`.
    """
    height, width = alpha.shape
    wide = np.zeros((height + 2, width + 2), np.uint8)
    wide[1:-1, 1:-1] = alpha
    rows = np.minimum(np.minimum(wide[:-2], wide[1:-1]), wide[2:])
    return np.minimum(np.minimum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])


def _solid_pixels(alpha: np.ndarray) -> int:
    return int(np.count_nonzero(alpha >= SOLID))


def poisson(background: np.ndarray, foreground: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours of a foreground whose gradients are kept while its border takes the background's.

    The Poisson equation with the background as boundary (Perez, Gangnet and Blake, "Poisson image
    editing", SIGGRAPH 2003) is solved over the rectangle by the discrete sine transform; gradients
    are the foreground's where its alpha is solid, else the background's.

    Args:
        background: uint8 [height, width, 3], what lies under the rectangle; at least 3 pixels high
            and wide.
        foreground: uint8 [height, width, 3].
        alpha: uint8 [height, width].

    Returns:
        uint8 [height, width, 3]; the outermost pixels are the background's.
    """
    # Channel by channel, and in integers as long as there are no fractions: it is all faster so.
    below, above = _planes(background), _planes(foreground)
    solid = alpha >= SOLID
    inside_x = solid[:, 1:] & solid[:, :-1]
    inside_y = solid[1:] & solid[:-1]
    step_x = np.where(inside_x, np.diff(above, axis=2), np.diff(below, axis=2))
    step_y = np.where(inside_y, np.diff(above, axis=1), np.diff(below, axis=1))
    laplacian = np.diff(step_x, axis=2)[:, 1:-1] + np.diff(step_y, axis=1)[:, :, 1:-1]
    laplacian[:, 0] -= below[:, 0, 1:-1]
    laplacian[:, -1] -= below[:, -1, 1:-1]
    laplacian[:, :, 0] -= below[:, 1:-1, 0]
    laplacian[:, :, -1] -= below[:, 1:-1, -1]
    rows, columns = laplacian.shape[1:]
    solved = _sines(_sines(laplacian, 1), 2)
    solved /= _eigenvalues(rows)[:, None] + _eigenvalues(columns)
    solved = _sines(_sines(solved, 1), 2) * (4.0 / ((rows + 1) * (columns + 1)))
    result = background.copy()
    result[1:-1, 1:-1] = np.clip(np.rint(solved), 0, 255).transpose(1, 2, 0)
    return result


def _planes(pixels: np.ndarray) -> np.ndarray:
    """Pixels [height, width, 3] as int16 [3, height, width]; four of their steps fit as well."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), np.int16)


@lru_cache(maxsize=512)
def _eigenvalues(size: int) -> np.ndarray:
    return 2 * np.cos(np.pi * np.arange(1, size + 1) / (size + 1)) - 2


def _sines(values: np.ndarray, axis: int) -> np.ndarray:
    """Discrete sine transform of type I along an axis."""
    size = values.shape[axis]
    shape = list(values.shape)
    shape[axis] = 2 * (size + 1)
    odd = np.zeros(shape)
    along, given = odd.swapaxes(0, axis), values.swapaxes(0, axis)
    along[1 : size + 1] = given
    along[size + 2 :] = given[::-1]
    along[size + 2 :] *= -1
    found = np.fft.rfft(odd, axis=axis).imag.swapaxes(0, axis)
    return found[1 : size + 1].swapaxes(0, axis) / -2
