"""Depth of a picture in several passes: sizes, mirror images, cut out and whole, averaged.

A network's map has errors that change with the picture's size, its side and its surroundings; the
mean of several maps has fewer of them than each alone.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from transforms.models.depth.base import DepthMeaning, DepthModel
from transforms.pixels.size import Area, Size

SIZES = (1.0, 0.8, 1.2)
"""Factors on the short side at which pictures are predicted, the most useful first."""

MOST_PASSES = 4 * len(SIZES)

TRAINED_SIDE = 160
"""Short side that suits the built-in model, for composites of any size."""

LONGEST = 4
"""A whole picture is shown up to this multiple of its short side."""

_NEAREST = 1e-6


@dataclass(frozen=True)
class Pass:
    """One prediction.

    Attributes:
        size: factor on the short side.
        whole: whether the whole picture is predicted, and what is wanted cut out of its map.
        mirror: whether the mirror image is predicted, and its map mirrored back.
    """

    size: float
    whole: bool
    mirror: bool


def passes(count: int, all_shown: bool) -> tuple[Pass, ...]:
    """The passes of a picture.

    Args:
        count: how many, 1 to `MOST_PASSES`.
        all_shown: whether all of the picture is wanted: cut out and whole are then one and the
            same, and passes of the whole picture are left out.
    """
    every = [
        Pass(size, whole, mirror)
        for size in SIZES
        for whole in (False, True)
        for mirror in (False, True)
    ]
    return tuple(way for way in every[:count] if not (all_shown and way.whole))


def predict_in_passes(
    picture: Image.Image, size: Size, model: DepthModel, count: int
) -> np.ndarray:
    """Predicts the depth of the middle of a picture, the largest part of an aspect.

    Args:
        picture: an RGB picture of any size.
        size: size of the map, which has the aspect.
        model: the depth model.
        count: number of passes, 1 to `MOST_PASSES`.

    Returns:
        float32 [height, width], in the numbers of the model; a relative map has the scale and shift
        of the first pass.

    Raises:
        ValueError: the model's map has another size than its picture.
    """
    area = size.centred_in(*picture.size)
    # The ends of a panorama say nothing about its middle.
    whole = middle(*picture.size, size)
    return _averaged(picture, area, whole, size, model, passes(count, area == whole))


def predict_whole(picture: Image.Image, size: Size, model: DepthModel, count: int) -> np.ndarray:
    """Predicts the depth of a whole picture; of a panorama, of its middle.

    Args:
        picture: an RGB picture of any size.
        size: of the composites; in the map, the largest part of their aspect is as large.
        model: the depth model.
        count: number of passes, 1 to `MOST_PASSES`; those of the whole picture are left out.

    Returns:
        float32 [height, width] of the part that `middle` names, as `predict_in_passes`.

    Raises:
        ValueError: the model's map has another size than its picture.
    """
    area = middle(*picture.size, size)
    own, of = size.scale_on(*picture.size)
    wanted = Size(
        max(1, round(own * (area[2] - area[0]) / of)),
        max(1, round(own * (area[3] - area[1]) / of)),
    )
    return _averaged(picture, area, area, wanted, model, passes(count, all_shown=True))


def middle(width: int, height: int, size: Size) -> Area:
    """What is shown of a picture: all, but for long panoramas.

    Args:
        width: width of the picture in pixels.
        height: its height.
        size: size of the composites, whose aspect has room in it.
    """
    half = max(LONGEST, size.long / size.short) * min(width, height) / 2
    return (
        max(0.0, width / 2 - half),
        max(0.0, height / 2 - half),
        min(float(width), width / 2 + half),
        min(float(height), height / 2 + half),
    )


def bring_together(maps: list[np.ndarray], meaning: DepthMeaning) -> np.ndarray:
    """The mean of several maps of one picture.

    Relative maps are brought to the scale and shift of the first by least squares. Metric ones
    agree on both; the mean is that of their inverse depth, in which errors are alike near and far.

    Args:
        maps: float32 [height, width] each.
        meaning: what their numbers say.

    Returns:
        float32 [height, width].
    """
    if len(maps) == 1:
        return maps[0].astype(np.float32)
    several = np.stack(maps).astype(np.float64)
    if not meaning.near_is_large:
        return (1 / np.mean(1 / np.maximum(several, _NEAREST), axis=0)).astype(np.float32)
    centred = several - several.mean(axis=(1, 2), keepdims=True)
    spread = (centred**2).sum(axis=(1, 2))
    scale = (centred * centred[0]).sum(axis=(1, 2)) / np.maximum(spread, 1e-30)
    fitted = (centred * scale[:, None, None]).mean(axis=0) + several[0].mean()
    return fitted.astype(np.float32)


def _averaged(
    picture: Image.Image,
    area: Area,
    whole: Area,
    wanted: Size,
    model: DepthModel,
    ways: tuple[Pass, ...],
) -> np.ndarray:
    """The map of an area of a picture, at the wanted size; passes see it, or `whole`."""
    base = TRAINED_SIDE if model.name == "builtin" else wanted.short
    maps = [
        _predict(picture, area, whole if way.whole else area, wanted, base, model, way)
        for way in ways
    ]
    return bring_together(maps, model.meaning)


def _predict(
    picture: Image.Image,
    area: Area,
    box: Area,
    wanted: Size,
    base: int,
    model: DepthModel,
    way: Pass,
) -> np.ndarray:
    """One pass: the map of an area of the picture, cut out of that of the box around it."""
    short = min(area[2] - area[0], area[3] - area[1])
    target = max(1, round(base * way.size))
    shown_width, shown_height = box[2] - box[0], box[3] - box[1]
    size = (
        max(1, round(target * shown_width / short)),
        max(1, round(target * shown_height / short)),
    )
    pixels = np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box=box))
    shown = np.ascontiguousarray(pixels[:, ::-1]) if way.mirror else pixels
    depth = np.asarray(model.predict(shown[None])[0], np.float32)
    if depth.shape != shown.shape[:2]:
        raise ValueError(f"the model's depth has shape {depth.shape}, not {shown.shape[:2]}")
    if way.mirror:
        depth = np.ascontiguousarray(depth[:, ::-1])
    scale_x, scale_y = size[0] / shown_width, size[1] / shown_height
    cut = (
        max(0.0, (area[0] - box[0]) * scale_x),
        max(0.0, (area[1] - box[1]) * scale_y),
        min(float(size[0]), (area[2] - box[0]) * scale_x),
        min(float(size[1]), (area[3] - box[1]) * scale_y),
    )
    # Bilinear: no value beyond those of the map.
    found = Image.fromarray(depth).resize(wanted.pair, Image.Resampling.BILINEAR, box=cut)
    return np.asarray(found)
