"""Cut-outs for training composites: files, near parts of photographs, and random shapes."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from training.data import Labelled, number

_AGREEMENT = 0.7
_NEAR_PERCENTILE = 72
_SMALLEST, _LARGEST = 0.05, 0.35


def stored_cutouts(folder: Path, last: int | None = None) -> list[np.ndarray]:
    """RGBA files of a folder: uint8 [height, width, 4] each.

    Args:
        folder: where the PNG files are.
        last: files with a larger number in their name are left out.
    """
    return [
        np.asarray(Image.open(path).convert("RGBA"))
        for path in sorted(folder.glob("*.png"))
        if last is None or number(path) <= last
    ]


def near_parts(photographs: list[Labelled]) -> list[np.ndarray]:
    """The largest near part of each photograph whose teachers agree, with a soft edge."""
    parts = (near_part(found) for found in photographs if found.agreement >= _AGREEMENT)
    return [part for part in parts if part is not None and min(part.shape[:2]) > 30]


def near_part(labelled: Labelled) -> np.ndarray | None:
    """The largest connected near region: uint8 [height, width, 4], or None if none is fit."""
    inverse = labelled.inverse.astype(np.float32)
    near = inverse > np.percentile(inverse, _NEAR_PERCENTILE)
    regions, count = ndimage.label(ndimage.binary_opening(near, iterations=3))
    if not count:
        return None
    sizes = ndimage.sum(near, regions, range(1, count + 1))
    region = regions == int(np.argmax(sizes)) + 1
    if not _SMALLEST < region.mean() < _LARGEST:
        return None
    rows, columns = np.nonzero(region)
    filled = Image.fromarray((ndimage.binary_fill_holes(region) * 255).astype(np.uint8))
    alpha = np.asarray(filled.filter(ImageFilter.GaussianBlur(1)))
    rgba = np.dstack([labelled.picture, alpha])
    return rgba[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def random_shape(pictures: list[np.ndarray], draw: np.random.Generator) -> np.ndarray:
    """An ellipse or polygon filled with a piece of a picture: uint8 [side, side, 4]."""
    side = int(draw.integers(40, 120))
    mask = Image.new("L", (side, side))
    pen = ImageDraw.Draw(mask)
    if draw.random() < 0.4:
        pen.ellipse((2, 2 + side // 5 * draw.random(), side - 3, side - 3), fill=255)
    else:
        corners = int(draw.integers(3, 9))
        angles = np.sort(draw.random(corners)) * 2 * np.pi
        radii = side / 2 * draw.uniform(0.5, 1, corners)
        xs, ys = side / 2 + radii * np.cos(angles), side / 2 + radii * np.sin(angles)
        pen.polygon(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill=255)
    alpha = np.asarray(mask.filter(ImageFilter.GaussianBlur(draw.uniform(0.3, 1.2))))
    picture = pictures[draw.integers(len(pictures))]
    y = draw.integers(0, picture.shape[0] - side + 1)
    x = draw.integers(0, picture.shape[1] - side + 1)
    return np.dstack([picture[y : y + side, x : x + side], alpha])
