"""How the pixels of a cut-out are changed before it is pasted: size, turn, colours.

All changes of colour are one table over a grid of 5 x 5 x 5 colours, between which Pillow
interpolates in integers.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil, floor

import numpy as np
from PIL import Image, ImageCms, ImageFilter

from transforms.pixels.cutout import SOLID
from transforms.pixels.size import Area, Size
from transforms.scenes.scene import Look

_NODES = 5
_GREY = (0.299, 0.587, 0.114)
_WHITE = np.array([0.96422, 1.0, 0.82521])  # D50.
_TO_RGB = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)  # Linear sRGB from XYZ under D50, adapted after Bradford (brucelindbloom.com).
_GAMMA_STEPS = 4096
_COUNTED_SIDE = 48  # Side, in pixels, of the picture that colour statistics are taken from.


@dataclass(frozen=True)
class LabStatistics:
    """Mean and standard deviation of L, a and b, each in 0..255 as in 8-bit CIE Lab."""

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Sprite:
    """A cut-out as it is pasted, but for its colours.

    Attributes:
        rgb: its straight colours, RGB; sized and turned.
        mask: its alpha, L, with its border treated.
        colours: of its foreground.
    """

    rgb: Image.Image
    mask: Image.Image
    colours: LabStatistics

    @property
    def nbytes(self) -> int:
        """About the bytes that it takes."""
        return 8 * self.mask.width * self.mask.height

    @cached_property
    def alpha(self) -> np.ndarray:
        """Its alpha: uint8 [height, width]."""
        return np.asarray(self.mask)

    @cached_property
    def solid(self) -> np.ndarray:
        """Where it is solid: bool [height, width]."""
        return self.alpha >= SOLID

    @cached_property
    def full(self) -> int:
        """Number of its solid pixels."""
        return int(np.count_nonzero(self.solid))

    @cached_property
    def bottom(self) -> int:
        """One below its lowest row with a solid pixel; its height where there is none."""
        if not self.full:
            return len(self.solid)
        behind = int(self.solid.ravel()[::-1].argmax())  # Pixels after the last solid one.
        return len(self.solid) - behind // self.solid.shape[1]


def lab_of(rgb: np.ndarray) -> np.ndarray:
    """Converts sRGB to 8-bit CIE Lab.

    Args:
        rgb: uint8 [height, width, 3].

    Returns:
        uint8 [height, width, 3]: L from 0 to 255, a and b with 128 for grey.
    """
    image = ImageCms.applyTransform(Image.fromarray(np.ascontiguousarray(rgb)), _to_lab())
    assert image is not None
    lab = np.asarray(image).copy()
    lab[..., 1:] ^= 128  # Pillow shows a and b as signed bytes.
    return lab


def foreground_statistics(rgba: Image.Image) -> LabStatistics:
    """Colours of the solid pixels of a foreground; of all pixels where none is solid."""
    small = rgba.copy()
    small.thumbnail((_COUNTED_SIDE, _COUNTED_SIDE), Image.Resampling.BOX)
    pixels = np.asarray(small)
    solid = pixels[..., 3] >= SOLID
    return statistics_of(lab_of(pixels[..., :3])[solid if solid.any() else slice(None)])


def statistics_of(lab: np.ndarray) -> LabStatistics:
    """Statistics of Lab pixels, uint8 [..., 3]."""
    wide = lab.reshape(-1, 3).astype(np.int64)
    sums = [*wide.sum(axis=0).tolist(), *(wide * wide).sum(axis=0).tolist()]
    return _statistics(sums, len(wide))


def _statistics(sums: list[int], count: int) -> LabStatistics:
    """From sums and sums of squares of the three channels; integers, hence equal everywhere."""
    means = [value / count for value in sums[:3]]
    variances = [
        max(0.0, square / count - mean * mean) for square, mean in zip(sums[3:], means, strict=True)
    ]
    light, a, b = (variance**0.5 for variance in variances)
    return LabStatistics((means[0], means[1], means[2]), (light, a, b))


class LabField:
    """Statistics of any rectangle of a picture, from sums over a small copy of it.

    Args:
        rgb: the picture.
    """

    def __init__(self, rgb: Image.Image) -> None:
        small = rgb.copy()
        small.thumbnail((_COUNTED_SIDE, _COUNTED_SIDE), Image.Resampling.BOX)
        self._size = rgb.size
        self._corner: tuple[float, float] = (0, 0)
        self._scale: tuple[float, float] = (1, 1)
        lab = lab_of(np.asarray(small)).astype(np.int64)
        height, width = lab.shape[:2]
        self._sums = np.zeros((height + 1, width + 1, 6), np.int64)
        both = np.concatenate([lab, lab * lab], axis=2)
        self._sums[1:, 1:] = both.cumsum(axis=0).cumsum(axis=1)

    @property
    def nbytes(self) -> int:
        """Bytes that its sums take."""
        return self._sums.nbytes

    def part(self, box: Area, size: Size) -> "LabField":
        """The field of a part of the picture that is shown at another size.

        Args:
            box: left, top, right and bottom of the part in the picture.
            size: size at which it is shown.
        """
        made = copy(self)
        made._corner = (box[0], box[1])
        made._scale = ((box[2] - box[0]) / size.width, (box[3] - box[1]) / size.height)
        return made

    def around(self, x: int, y: int, width: int, height: int) -> LabStatistics:
        """Colours of the picture in and around an object, a quarter of its size to each side.

        Args:
            x: column of the object's left edge; may be negative.
            y: row of its top edge.
            width: its width.
            height: its height.
        """
        left, right = self._cells(0, x - width // 4, x + width + width // 4)
        top, bottom = self._cells(1, y - height // 4, y + height + height // 4)
        sums = self._sums
        total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return _statistics(total.tolist(), (right - left) * (bottom - top))

    def _cells(self, axis: int, start: int, stop: int) -> tuple[int, int]:
        """The cells that an interval of what is shown touches, at least one."""
        cells = self._sums.shape[1 - axis] - 1
        first, last = (
            (self._corner[axis] + end * self._scale[axis]) * cells / self._size[axis]
            for end in (start, stop)
        )
        begin = max(0, min(floor(first), cells - 1))
        return begin, max(begin + 1, min(ceil(last), cells))


@dataclass(frozen=True)
class Change:
    """How the colours of one cut-out change.

    Attributes:
        look: factors and shares.
        own: colours of the foreground.
        theirs: colours around it; None where they do not matter.
    """

    look: Look
    own: LabStatistics
    theirs: LabStatistics | None

    @property
    def harmonises(self) -> bool:
        """Whether colours move towards the surroundings'."""
        return self.theirs is not None and self.look.harmonise > 0

    @property
    def changes(self) -> bool:
        """Whether any colour changes."""
        look = self.look
        return self.harmonises or (look.brightness, look.contrast, look.saturation) != (1, 1, 1)


def colour_tables(changes: Sequence[Change]) -> list[ImageFilter.Color3DLUT | None]:
    """The tables that change the colours of cut-outs.

    First the Lab statistics move towards the surroundings' (Reinhard et al., "Color transfer
    between images", IEEE CG&A 2001), a deviation by a factor of 0.5 to 2 at most; then brightness,
    contrast around the middle grey, and saturation change.

    Args:
        changes: one for each cut-out.

    Returns:
        A filter for RGB and RGBA pictures, which leaves alpha as it is, for each; None where
        nothing changes.
    """
    found: list[ImageFilter.Color3DLUT | None] = [None] * len(changes)
    changing = [number for number, change in enumerate(changes) if change.changes]
    if not changing:
        return found
    grid, lab = _grid()
    nodes = np.repeat(grid[None], len(changing), axis=0)
    moving = [k for k, number in enumerate(changing) if changes[number].harmonises]
    if moving:
        moved = _harmonised(lab, [changes[changing[k]] for k in moving])
        nodes[moving] = _rgb_of(moved.reshape(-1, 3)).reshape(moved.shape)
    tables = _jittered(nodes, [changes[number].look for number in changing])
    for number, table in zip(changing, tables.reshape(len(changing), -1), strict=True):
        found[number] = ImageFilter.Color3DLUT(_NODES, table, _copy_table=False)
    return found


def _jittered(colours: np.ndarray, looks: Sequence[Look]) -> np.ndarray:
    """Brightness, contrast and saturation of colours, float64 [looks, n, 3] in 0..1."""
    factors = [(look.brightness * look.contrast, look.contrast, look.saturation) for look in looks]
    gain, contrast, saturation = np.array(factors).T[..., None]
    values = colours * gain[..., None] + (0.5 - 0.5 * contrast)[..., None]
    # Term by term: a library's product of matrices may add in another order elsewhere.
    grey = values[..., 0] * _GREY[0] + values[..., 1] * _GREY[1] + values[..., 2] * _GREY[2]
    values = values * saturation[..., None] + (grey * (1 - saturation))[..., None]
    # Rounded, so that the last bit of a float cannot show.
    return np.rint(np.minimum(np.maximum(values, 0), 1) * 4096) / 4096


def _harmonised(lab: np.ndarray, changes: Sequence[Change]) -> np.ndarray:
    """Lab colours, float64 [changes, n, 3] in 0..255, a share of the way to other statistics."""
    factors, offsets = [], []
    for change in changes:
        assert change.theirs is not None
        share, own, theirs = change.look.harmonise, change.own, change.theirs
        for channel in range(3):
            mean, target = own.mean[channel], theirs.mean[channel]
            ratio = theirs.deviation[channel] / max(1.0, own.deviation[channel])
            factor = 1 + share * (min(2.0, max(0.5, ratio)) - 1)
            factors.append(factor)
            offsets.append(mean - mean * factor + share * (target - mean))
    shape = (len(changes), 1, 3)
    return lab * np.array(factors).reshape(shape) + np.array(offsets).reshape(shape)


def _rgb_of(lab: np.ndarray) -> np.ndarray:
    """sRGB in 0..1 of CIE Lab colours under D50, float64 [n, 3] with L in 0..255, a and b + 128."""
    light = (lab[:, 0] * (100 / 255) + 16) / 116
    roots = np.stack(
        [light + (lab[:, 1] - 128) / 500, light, light - (lab[:, 2] - 128) / 200], axis=1
    )
    low = (roots - 4 / 29) * (108 / 841)
    xyz = np.where(roots > 6 / 29, roots * roots * roots, low) * _WHITE
    linear = np.stack([xyz[:, 0] * r + xyz[:, 1] * g + xyz[:, 2] * b for r, g, b in _TO_RGB], 1)
    index = np.rint(np.minimum(np.maximum(linear, 0), 1) * _GAMMA_STEPS).astype(np.int64)
    return _gamma()[index]


def _lab_of_colours(rgb: np.ndarray) -> np.ndarray:
    """CIE Lab under D50 of sRGB colours in 0..1, as `_rgb_of` takes it."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.linalg.inv(np.array(_TO_RGB)).T / _WHITE
    roots = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (841 / 108) + 4 / 29)
    light = (116 * roots[:, 1] - 16) * 2.55
    a, b = 500 * (roots[:, 0] - roots[:, 1]), 200 * (roots[:, 1] - roots[:, 2])
    # Rounded, so that the last bit of a root cannot show.
    return np.round(np.stack([light, a + 128, b + 128], axis=1), 6)


@lru_cache(maxsize=1)
def _gamma() -> np.ndarray:
    """sRGB values in 0..1 of linear ones in steps of 1/4096."""
    linear = np.arange(_GAMMA_STEPS + 1) / _GAMMA_STEPS
    curve = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(curve, 6)


@lru_cache(maxsize=1)
def _grid() -> tuple[np.ndarray, np.ndarray]:
    """The nodes of the table, red fastest, in sRGB in 0..1 and in Lab: float64 [125, 3]."""
    levels = np.arange(_NODES) / (_NODES - 1)
    blue, green, red = np.meshgrid(levels, levels, levels, indexing="ij")
    rgb = np.stack([red, green, blue], axis=-1).reshape(-1, 3)
    return rgb, _lab_of_colours(rgb)


@lru_cache(maxsize=1)
def _to_lab() -> ImageCms.ImageCmsTransform:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return ImageCms.buildTransformFromOpenProfiles(srgb, lab, "RGB", "LAB")
