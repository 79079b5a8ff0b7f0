"""A plain, slow reference for composites and masks: NumPy and Pillow, no product code."""

from pathlib import Path

import numpy as np
from PIL import Image


def reference_foreground(path: Path, box: int) -> np.ndarray:
    """float64 [h, w, 4] in 0..1, resized premultiplied to fit a square of side `box`."""
    image = Image.open(path).convert("RGBA")
    scale = box / max(image.size)
    width, height = (max(1, int(side * scale + 0.5)) for side in image.size)
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS)) / 255.0


def reference_background(path: Path, side: int) -> np.ndarray:
    """float64 [side, side, 3] in 0..1, the centred square resized."""
    image = Image.open(path).convert("RGB")
    short = min(image.size)
    left, top = (image.width - short) / 2, (image.height - short) / 2
    box = (left, top, left + short, top + short)
    return np.asarray(image.resize((side, side), Image.Resampling.LANCZOS, box=box)) / 255.0


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
