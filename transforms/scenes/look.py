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
_GREY = (0.299, 0.587, 0.114)
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
        rgba: straight colour, RGBA; sized, turned, and its border treated.
        alpha: uint8 [height, width], the same alpha.
        colours: of its foreground.
    """

    rgba: Image.Image
    alpha: np.ndarray
    colours: LabStatistics


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
        lab = lab_of(np.asarray(small)).astype(np.int64)
        height, width = lab.shape[:2]
        self._sums = np.zeros((height + 1, width + 1, 6), np.int64)
        both = np.concatenate([lab, lab * lab], axis=2)
        self._sums[1:, 1:] = both.cumsum(axis=0).cumsum(axis=1)

    @property
    def nbytes(self) -> int:
        """Bytes that its sums take."""
        return self._sums.nbytes

    def around(self, x: int, y: int, width: int, height: int) -> LabStatistics:
        """Colours of the picture in and around an object, a quarter of its size to each side.

        Args:
            x: column of the object's left edge; may be negative.
            y: row of its top edge.
            width: its width.
            height: its height.
        """
        rows, columns = (size - 1 for size in self._sums.shape[:2])
        left, right = _cells(x - width // 4, x + width + width // 4, self._size[0], columns)
        top, bottom = _cells(y - height // 4, y + height + height // 4, self._size[1], rows)
        sums = self._sums
        total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return _statistics(total.tolist(), (right - left) * (bottom - top))


def _cells(start: int, stop: int, size: int, cells: int) -> tuple[int, int]:
    """The cells that an interval of a picture touches, at least one."""
    first = max(0, min(start * cells // size, cells - 1))
    return first, max(first + 1, min(-(-stop * cells // size), cells))


def coloured(
    rgb: Image.Image, look: Look, own: LabStatistics, theirs: LabStatistics | None
) -> Image.Image:
    """Changes the colours of a cut-out as its look says.

    First the Lab statistics move towards the surroundings' (Reinhard et al., "Color transfer
    between images", IEEE CG&A 2001), a deviation by a factor of 0.5 to 2 at most; then brightness,
    contrast around the middle grey, and saturation change.

    Args:
        rgb: an RGB or RGBA picture; alpha is left as it is.
        look: factors and shares.
        own: colours of the foreground.
        theirs: colours around it; None where they do not matter.

    Returns:
        A picture of the same size and mode; the picture itself where nothing changes.
    """
    harmonise = look.harmonise if theirs is not None else 0.0
    if not harmonise and (look.brightness, look.contrast, look.saturation) == (1, 1, 1):
        return rgb
    nodes = _grid()[0]
    if harmonise and theirs is not None:
        nodes = _harmonised_nodes(harmonise, own, theirs)
    table = _jittered(nodes.reshape(-1, 3).astype(np.float32) / 255, look)
    lut = ImageFilter.Color3DLUT(_NODES, table.reshape(-1).tolist(), _copy_table=False)
    return rgb.filter(lut)


def _jittered(colours: np.ndarray, look: Look) -> np.ndarray:
    """Brightness, contrast and saturation of colours, float32 [n, 3] in 0..1."""
    values = (colours * np.float32(look.brightness) - np.float32(0.5)) * np.float32(
        look.contrast
    ) + np.float32(0.5)
    # Term by term: a library's product of matrices may add in another order elsewhere.
    red, green, blue = (
        values[:, number] * np.float32(weight) for number, weight in enumerate(_GREY)
    )
    grey = red + green + blue
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
