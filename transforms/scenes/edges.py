"""How the border of a cut-out is treated, so that a model cannot learn the paste from it."""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from transforms.pixels.cutout import SOLID
from transforms.scenes.scene import Edge


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
        return ImageChops.darker(mask, _around(mask, ImageFilter.GaussianBlur(1.0), 4))
    if edge is Edge.ERODED:
        shrunk = _around(mask, ImageFilter.MinFilter(3), 1)
        # A thin object would vanish.
        return mask if _solid_pixels(shrunk) * 2 < _solid_pixels(mask) else shrunk
    return mask


def _around(mask: Image.Image, way: ImageFilter.Filter, margin: int) -> Image.Image:
    """A filter's result where nothing is around the picture: a crop beyond it is transparent."""
    width, height = mask.size
    wide = mask.crop((-margin, -margin, width + margin, height + margin)).filter(way)
    return wide.crop((margin, margin, width + margin, height + margin))


def _solid_pixels(mask: Image.Image) -> int:
    return int(np.count_nonzero(np.asarray(mask) >= SOLID))


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
    below, above = background.astype(np.float64), foreground.astype(np.float64)
    solid = (alpha >= SOLID)[..., None]
    inside_x = solid[:, 1:] & solid[:, :-1]
    inside_y = solid[1:] & solid[:-1]
    step_x = np.where(inside_x, np.diff(above, axis=1), np.diff(below, axis=1))
    step_y = np.where(inside_y, np.diff(above, axis=0), np.diff(below, axis=0))
    laplacian = step_x[1:-1, 1:] - step_x[1:-1, :-1] + step_y[1:, 1:-1] - step_y[:-1, 1:-1]
    laplacian[0] -= below[0, 1:-1]
    laplacian[-1] -= below[-1, 1:-1]
    laplacian[:, 0] -= below[1:-1, 0]
    laplacian[:, -1] -= below[1:-1, -1]
    rows, columns = laplacian.shape[:2]
    eigen = _eigenvalues(rows)[:, None] + _eigenvalues(columns)[None, :]
    solved = _sines(_sines(laplacian, 0), 1) / eigen[..., None]
    solved = _sines(_sines(solved, 0), 1) * (4.0 / ((rows + 1) * (columns + 1)))
    result = background.copy()
    result[1:-1, 1:-1] = np.clip(np.rint(solved), 0, 255).astype(np.uint8)
    return result


def _eigenvalues(size: int) -> np.ndarray:
    return 2 * np.cos(np.pi * np.arange(1, size + 1) / (size + 1)) - 2


def _sines(values: np.ndarray, axis: int) -> np.ndarray:
    """Discrete sine transform of type I along an axis."""
    size = values.shape[axis]
    shape = list(values.shape)
    shape[axis] = 2 * (size + 1)
    odd = np.zeros(shape)
    forward = [slice(None)] * values.ndim
    backward = [slice(None)] * values.ndim
    forward[axis], backward[axis] = slice(1, size + 1), slice(size + 2, None)
    odd[tuple(forward)] = values
    odd[tuple(backward)] = -np.flip(values, axis)
    return -np.fft.rfft(odd, axis=axis).imag[tuple(forward)] / 2
