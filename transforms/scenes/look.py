"""How the pixels of a cut-out are changed before it is pasted: size, turn, colours.

All changes of colour are one table over a grid of 5 x 5 x 5 colours, between which Pillow
interpolates in integers.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms, ImageFilter

from transforms.scenes.scene import Look

_SOLID = 128
_NODES = 5
_COUNTED_SIDE = 48  # Statistics of colours are taken from so many pixels a side.


@dataclass(frozen=True)
class LabStatistics:
    """Mean and standard deviation of L, a and b, each in 0..255 as in 8-bit CIE Lab."""

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Sprite:
    """A cut-out as it is pasted, but for its colours.

    Attributes:
        rgba: uint8 [height, width, 4], straight colour, sized and turned.
        colours: of its foreground.
    """

    rgba: np.ndarray
    colours: LabStatistics


def turned(rgba: Image.Image, flip: int, angle: float) -> np.ndarray:
    """Mirrors and turns a cut-out.

    Args:
        rgba: straight colour, RGBA.
        flip: 1 for the mirror image.
        angle: degrees, anticlockwise; the canvas grows so that nothing is cut off.

    Returns:
        uint8 [height, width, 4], straight colour.
    """
    if flip:
        rgba = rgba.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if angle:
        # Bilinear does not overshoot; Pillow turns premultiplied colours.
        rgba = rgba.rotate(angle, Image.Resampling.BILINEAR, expand=True)
    return np.asarray(rgba)


def lab_of(rgb: np.ndarray) -> np.ndarray:
    """Converts sRGB to 8-bit CIE Lab.

    Args:
        rgb: uint8 [height, width, 3].

    Returns:
        uint8 [height, width, 3]: L from 0 to 255, a and b with 128 for grey.
    """
    image = ImageCms.applyTransform(Image.fromarray(np.ascontiguousarray(rgb)), _transforms()[0])
    assert image is not None
    lab = np.asarray(image).copy()
    lab[..., 1:] ^= 128  # Pillow shows a and b as signed bytes.
    return lab


def foreground_statistics(rgba: Image.Image) -> LabStatistics:
    """Colours of the solid pixels of a foreground; of all pixels where none is solid."""
    small = rgba.copy()
    small.thumbnail((_COUNTED_SIDE, _COUNTED_SIDE), Image.Resampling.BOX)
    pixels = np.asarray(small)
    solid = pixels[..., 3] >= _SOLID
    return statistics_of(lab_of(pixels[..., :3])[solid if solid.any() else slice(None)])


def statistics_of(lab: np.ndarray) -> LabStatistics:
    """Statistics of Lab pixels, uint8 [..., 3]; sums are integers, hence equal everywhere."""
    wide = lab.reshape(-1, 3).astype(np.int64)
    count = len(wide)
    sums, squares = wide.sum(axis=0).tolist(), (wide * wide).sum(axis=0).tolist()
    means = [value / count for value in sums]
    variances = [max(0.0, s / count - m * m) for s, m in zip(squares, means, strict=True)]
    deviations = [variance**0.5 for variance in variances]
    return LabStatistics((means[0], means[1], means[2]), tuple(deviations))  # type: ignore[arg-type]


def around(lab: np.ndarray, x: int, y: int, width: int, height: int) -> LabStatistics:
    """Colours of the picture around an object.

    Args:
        lab: uint8 [h, w, 3], the background.
        x: column of the object's left edge; may be negative.
        y: row of its top edge.
        width: its width.
        height: its height; at least one pixel of it lies inside the picture.
    """
    top, left = max(0, y - height // 4), max(0, x - width // 4)
    region = lab[top : y + height + height // 4 + 1, left : x + width + width // 4 + 1]
    step = max(1, max(region.shape[:2]) // _COUNTED_SIDE)
    return statistics_of(region[::step, ::step])


def coloured(
    rgb: np.ndarray, look: Look, own: LabStatistics, theirs: LabStatistics | None
) -> np.ndarray:
    """Changes the colours of a cut-out as its look says.

    First the Lab statistics move towards the surroundings' (Reinhard et al., "Color transfer
    between images", IEEE CG&A 2001), a deviation by a factor of 0.5 to 2 at most; then brightness,
    contrast around the middle grey, and saturation change.

    Args:
        rgb: uint8 [height, width, 3].
        look: factors and shares.
        own: colours of the foreground.
        theirs: colours around it; None where they do not matter.

    Returns:
        uint8 of the same shape; the array itself where nothing changes.
    """
    harmonise = look.harmonise if theirs is not None else 0.0
    if not harmonise and (look.brightness, look.contrast, look.saturation) == (1, 1, 1):
        return rgb
    nodes = _grid()[0]
    if harmonise and theirs is not None:
        nodes = _harmonised_nodes(harmonise, own, theirs)
    table = _jittered(nodes.reshape(-1, 3).astype(np.float32) / 255, look)
    lut = ImageFilter.Color3DLUT(_NODES, table.reshape(-1).tolist(), _copy_table=False)
    return np.asarray(Image.fromarray(np.ascontiguousarray(rgb)).filter(lut))


def _jittered(colours: np.ndarray, look: Look) -> np.ndarray:
    """Brightness, contrast and saturation of colours, float32 [n, 3] in 0..1."""
    values = (colours * np.float32(look.brightness) - np.float32(0.5)) * np.float32(
        look.contrast
    ) + np.float32(0.5)
    grey = values @ np.array([0.299, 0.587, 0.114], np.float32)
    values = grey[:, None] + (values - grey[:, None]) * np.float32(look.saturation)
    # Rounded, so that the last bit of a float cannot show.
    return np.clip(np.rint(values * 4096) / 4096, 0, 1)


def _harmonised_nodes(share: float, own: LabStatistics, theirs: LabStatistics) -> np.ndarray:
    lab = _grid()[1]
    moved = np.empty_like(lab)
    for channel in range(3):
        mean, target = own.mean[channel], theirs.mean[channel]
        ratio = theirs.deviation[channel] / max(1.0, own.deviation[channel])
        factor = 1 + share * (min(2.0, max(0.5, ratio)) - 1)
        table = np.rint((np.arange(256) - mean) * factor + mean + share * (target - mean))
        moved[..., channel] = np.clip(table, 0, 255).astype(np.uint8)[lab[..., channel]]
    moved[..., 1:] ^= 128
    image = Image.frombytes("LAB", (moved.shape[1], moved.shape[0]), moved.tobytes())
    back = ImageCms.applyTransform(image, _transforms()[1])
    assert back is not None
    return np.asarray(back)


@lru_cache(maxsize=1)
def _grid() -> tuple[np.ndarray, np.ndarray]:
    """The nodes of the table in RGB, red fastest, and in Lab: uint8 [25, 5, 3]."""
    levels = np.rint(np.linspace(0, 255, _NODES)).astype(np.uint8)
    blue, green, red = np.meshgrid(levels, levels, levels, indexing="ij")
    rgb = np.stack([red, green, blue], axis=-1).reshape(-1, _NODES, 3)
    return rgb, lab_of(rgb)


@lru_cache(maxsize=1)
def _transforms() -> tuple[ImageCms.ImageCmsTransform, ImageCms.ImageCmsTransform]:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return (
        ImageCms.buildTransformFromOpenProfiles(srgb, lab, "RGB", "LAB"),
        ImageCms.buildTransformFromOpenProfiles(lab, srgb, "LAB", "RGB"),
    )
