"""How the border of a cut-out is treated, so that a model cannot learn the paste from it."""

import numpy as np
from PIL import Image, ImageFilter

from transforms.scenes.scene import Edge

_SOLID = 128


def edged(alpha: np.ndarray, edge: Edge) -> np.ndarray:
    """The alpha of a paste with its border treated.

    Args:
        alpha: uint8 [height, width].
        edge: how; `ALPHA` and `POISSON` leave it as it is.

    Returns:
        uint8 [height, width]; no pixel becomes opaque that was transparent.
    """
    if edge is Edge.HARD:
        return np.where(alpha >= _SOLID, np.uint8(255), np.uint8(0))
    if edge is Edge.SOFT:
        return np.minimum(alpha, _blurred(alpha, 1.0))
    if edge is Edge.ERODED:
        shrunk = np.asarray(_padded(alpha).filter(ImageFilter.MinFilter(3)))[1:-1, 1:-1]
        # A thin object would vanish.
        if np.count_nonzero(shrunk >= _SOLID) * 2 < np.count_nonzero(alpha >= _SOLID):
            return alpha
        return np.ascontiguousarray(shrunk)
    return alpha


def _padded(alpha: np.ndarray) -> Image.Image:
    return Image.fromarray(np.pad(alpha, 1))


def _blurred(alpha: np.ndarray, radius: float) -> np.ndarray:
    margin = 4
    image = Image.fromarray(np.pad(alpha, margin)).filter(ImageFilter.GaussianBlur(radius))
    # Twice the middle: what was half transparent at the border becomes the ramp's end.
    return np.asarray(image)[margin:-margin, margin:-margin]


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
    solid = (alpha >= _SOLID)[..., None]
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
