"""Which part of a background a scene shows, and the same part of what was prepared for it."""

import numpy as np
from PIL import Image

from transforms.models.depth.passes import middle
from transforms.pixels.size import Area, Size
from transforms.scenes.draws import Draws, PictureUse
from transforms.scenes.ground import LEAST_AREA, Ground
from transforms.scenes.scene import Crop

_MOST_ZOOM = 2


def random_crop(draws: Draws, size: Size, width: int, height: int) -> Crop:
    """Draws a part of the composites' aspect, at least as large as they are, where possible.

    Its sides are uniform from half of those of the largest such part on, and every place is equally
    likely; of a long panorama only the middle is shown.

    Args:
        draws: the sample's numbers.
        size: size of the composites.
        width: width of the background in pixels.
        height: its height.
    """
    left, top, right, bottom = (int(edge) for edge in middle(width, height, size))
    most = _longest(right - left, bottom - top, size)
    least = max(min(size.short, most), -(-most // _MOST_ZOOM))
    own = least + int(draws.picture(PictureUse.CROP_SIZE) * (most - least + 1))
    across, down = _sides(own, right - left, bottom - top, size)
    return Crop(
        left + int(draws.picture(PictureUse.CROP_COLUMN) * (right - left - across + 1)),
        top + int(draws.picture(PictureUse.CROP_ROW) * (bottom - top - down + 1)),
        across,
        down,
    )


def centred(width: int, height: int, size: Size) -> Crop:
    """The largest part of an aspect in the middle of a background."""
    across, down = _sides(_longest(width, height, size), width, height, size)
    return Crop((width - across) // 2, (height - down) // 2, across, down)


def _longest(width: int, height: int, size: Size) -> int:
    """The shorter side of the largest part of an aspect that fits into a width and a height."""
    if size.width >= size.height:
        return max(1, min(height, width * size.height // size.width))
    return max(1, min(width, height * size.width // size.height))


def _sides(short: int, width: int, height: int, size: Size) -> tuple[int, int]:
    """Width and height of the part of an aspect whose shorter side is given, within bounds."""
    long = max(1, round(short * size.long / size.short))
    return (min(long, width), short) if size.width >= size.height else (short, min(long, height))


def shown_part(picture: Image.Image, size: Size) -> Image.Image:
    """What of a background crops are cut from, no larger than they need it.

    Args:
        picture: the background, RGB.
        size: size of the composites.
    """
    left, top, right, bottom = middle(*picture.size, size)
    own, of = size.scale_on(*picture.size)
    factor = min(1.0, _MOST_ZOOM * own / of)
    kept = (
        max(1, round((right - left) * factor)),
        max(1, round((bottom - top) * factor)),
    )
    if kept == picture.size:
        return picture
    return picture.resize(kept, Image.Resampling.LANCZOS, box=(left, top, right, bottom))


def box_in(crop: Crop, source: tuple[int, int], shown: tuple[int, int], size: Size) -> Area:
    """A crop's left, top, right and bottom in a picture of `middle` of the background.

    Args:
        crop: the crop.
        source: width and height of the background.
        shown: width and height of the picture.
        size: size of the composites.
    """
    left, top, right, bottom = middle(*source, size)
    across, down = shown[0] / (right - left), shown[1] / (bottom - top)
    return (
        max(0.0, (crop.left - left) * across),
        max(0.0, (crop.top - top) * down),
        min(float(shown[0]), (crop.left + crop.width - left) * across),
        min(float(shown[1]), (crop.top + crop.height - top) * down),
    )


def cut_picture(shown: Image.Image, box: Area, size: Size) -> Image.Image:
    """The part of a picture in a box, RGB, at a size."""
    return shown.resize(size.pair, Image.Resampling.LANCZOS, box=box)


def cut_map(values: np.ndarray, box: Area, size: Size) -> np.ndarray:
    """The part of a map in a box, at a size: [height, width] of its dtype.

    It has no value beyond those of the map.
    """
    cut = Image.fromarray(values).resize(size.pair, Image.Resampling.BILINEAR, box=box)
    return np.asarray(cut)


def cut_ground(ground: Ground, box: Area, size: Size) -> Ground:
    """The ground in a part of a background.

    Nearness keeps the scale of the whole background. The horizon may lie above or below the part.

    Args:
        ground: of the whole background.
        box: the part, in pixels of the ground.
        size: size of the composites.
    """
    nearness = cut_map(ground.nearness, box, size)
    if not ground.found:
        floor = np.zeros(size.height, np.uint8)
        return Ground(0, np.zeros(size.shape, bool), nearness, floor, False)
    mask = cut_map(ground.mask.view(np.uint8) * np.uint8(255), box, size) >= 128
    scale = size.height / (box[3] - box[1])
    rows = np.arange(size.height) / scale + box[1]
    floor = ground.floor[np.minimum(rows.astype(np.int64), len(ground.floor) - 1)]
    found = bool(np.count_nonzero(mask) >= LEAST_AREA * mask.size)
    return Ground(
        round((ground.horizon - box[1]) * scale),
        mask,
        nearness,
        floor,
        found,
    )
