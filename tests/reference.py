"""A plain, slow reference for composites and masks: NumPy and Pillow, no product code."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image


def reference_foreground(path: Path, box: int, cropped: bool = False) -> np.ndarray:
    """float64 [h, w, 4] in 0..1, resized to fit a square of side `box`, weighted by alpha."""
    rgba = np.asarray(Image.open(path).convert("RGBA")) / 255.0
    if cropped:
        rows, columns = (np.flatnonzero((rgba[..., 3] > 3 / 255).any(axis=i)) for i in (1, 0))
        rgba = rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = rgba.shape[:2]
    scale = box / max(width, height)
    new_width, new_height = (max(1, int(side * scale + 0.5)) for side in (width, height))

    def resized(plane: np.ndarray, kernel: Callable[[float], float], reach: int) -> np.ndarray:
        down = reference_weights(height, new_height, kernel, reach)
        across = reference_weights(width, new_width, kernel, reach)
        return down @ plane @ across.T

    if (new_width, new_height) == (width, height):
        return rgba
    alpha = resized(rgba[..., 3], lanczos, 3)
    near = np.rint(255 * resized(rgba[..., 3], lambda x: 1 - abs(x), 1))
    found = np.zeros((new_height, new_width, 4))
    for channel in range(3):
        weighted = resized(rgba[..., channel] * rgba[..., 3], lanczos, 3)
        found[..., channel] = np.clip(weighted / np.maximum(alpha, 0.5 / 255), 0, 1)
    found[..., 3] = np.where(near == 0, 0, np.where(near == 255, 1, np.clip(alpha, 0, 1)))
    return np.rint(found * 255) / 255


def lanczos(x: float) -> float:
    """The windowed sinc of three lobes."""
    return float(np.sinc(x) * np.sinc(x / 3))


def reference_weights(
    size: int, target: int, kernel: Callable[[float], float], reach: int
) -> np.ndarray:
    """float64 [target, size]: what each old pixel adds to each new one along one axis."""
    scale = size / target
    spread = max(scale, 1.0)
    weights = np.zeros((target, size))
    for new in range(target):
        centre = (new + 0.5) * scale
        for old in range(size):
            x = (old + 0.5 - centre) / spread
            weights[new, old] = kernel(x) if abs(x) < reach else 0
    return weights / weights.sum(axis=1, keepdims=True)


def reference_background(path: Path, width: int, height: int) -> np.ndarray:
    """float64 [height, width, 3] in 0..1, the largest centred part of that aspect resized."""
    image = Image.open(path).convert("RGB")
    scale = max(width / image.width, height / image.height)
    across, down = width / scale, height / scale
    left, top = (image.width - across) / 2, (image.height - down) / 2
    box = (left, top, left + across, top + down)
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box=box)) / 255.0


def reference_sample(
    foreground: np.ndarray, background: np.ndarray, flip: int, x: int, y: int
) -> tuple[np.ndarray, np.ndarray]:
    """The composite and the mask as uint8, computed in floating point pixel by pixel."""
    if flip:
        foreground = foreground[:, ::-1]
    image = background.copy()
    mask = np.zeros(background.shape[:2])
    for row in range(foreground.shape[0]):
        for column in range(foreground.shape[1]):
            *colour, alpha = foreground[row, column]
            under = image[y + row, x + column]
            image[y + row, x + column] = np.array(colour) * alpha + under * (1 - alpha)
            mask[y + row, x + column] = alpha
    return np.floor(image * 255 + 0.5).astype(np.uint8), np.rint(mask * 255).astype(np.uint8)
