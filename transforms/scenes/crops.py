"""Which part of a background a scene shows, and the same part of what was prepared for it."""

import numpy as np
from PIL import Image

from transforms.models.depth.passes import middle
from transforms.scenes.draws import Draws, PictureUse
from transforms.scenes.ground import LEAST_AREA, Ground
from transforms.scenes.scene import Crop

Box = tuple[float, float, float, float]

_MOST_ZOOM = 2


def random_crop(draws: Draws, side: int, width: int, height: int) -> Crop:
    """Draws a square that is at least as large as the picture, where the background is.

    Its side is uniform from half of the background's short side to all of it, and every place is
    equally likely; of a long panorama only the middle is shown.

    Args:
        draws: the sample's numbers.
        side: of the picture in pixels.
        width: width of the background in pixels.
        height: its height.
    """
    short = min(width, height)
    least = max(min(side, short), -(-short // _MOST_ZOOM))
    own = least + int(draws.picture(PictureUse.CROP_SIZE) * (short - least + 1))
    left, top, right, bottom = (int(edge) for edge in middle(width, height))
    return Crop(
        left + int(draws.picture(PictureUse.CROP_COLUMN) * (right - left - own + 1)),
        top + int(draws.picture(PictureUse.CROP_ROW) * (bottom - top - own + 1)),
        own,
    )


def centred(width: int, height: int) -> Crop:
    """The largest square in the middle of a background."""
    short = min(width, height)
    return Crop((width - short) // 2, (height - short) // 2, short)


def shown_part(picture: Image.Image, side: int) -> Image.Image:
    """What of a background crops are cut from, no larger than they need it.

    Args:
        picture: the background, RGB.
        side: of the composites in pixels.
    """
    left, top, right, bottom = middle(*picture.size)
    factor = min(1.0, _MOST_ZOOM * side / min(picture.size))
    size = (round((right - left) * factor), round((bottom - top) * factor))
    if size == picture.size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, box=(left, top, right, bottom))


def box_in(crop: Crop, source: tuple[int, int], shown: tuple[int, int]) -> Box:
    """A crop's left, top, right and bottom in a picture of `middle` of the background.

    Args:
        crop: the crop.
        source: width and height of the background.
        shown: width and height of the picture.
    """
    left, top, right, bottom = middle(*source)
    across, down = shown[0] / (right - left), shown[1] / (bottom - top)
    return (
        max(0.0, (crop.left - left) * across),
        max(0.0, (crop.top - top) * down),
        min(float(shown[0]), (crop.left + crop.side - left) * across),
        min(float(shown[1]), (crop.top + crop.side - top) * down),
    )


def cut_picture(shown: Image.Image, box: Box, side: int) -> Image.Image:
    """The square of a picture in a box, RGB, side x side."""
    return shown.resize((side, side), Image.Resampling.LANCZOS, box=box)


def cut_map(values: np.ndarray, box: Box, side: int) -> np.ndarray:
    """The square of a map in a box: [side, side] of its dtype, no value beyond those of the map."""
    cut = Image.fromarray(values).resize((side, side), Image.Resampling.BILINEAR, box=box)
    return np.asarray(cut)


def cut_ground(ground: Ground, box: Box, side: int) -> Ground:
    """The ground in a square of a background.

    Nearness keeps the scale of the whole background. The horizon may lie above or below the square.

    Args:
        ground: of the whole background.
        box: the square, in pixels of the ground.
        side: of the composites in pixels.
    """
    if not ground.found:
        none = np.zeros((side, side), bool)
        return Ground(0, none, cut_map(ground.nearness, box, side), none[0].view(np.uint8), False)
    mask = cut_map(ground.mask.view(np.uint8) * np.uint8(255), box, side) >= 128
    scale = side / (box[3] - box[1])
    rows = np.arange(side) / scale + box[1]
    floor = ground.floor[np.minimum(rows.astype(np.int64), len(ground.floor) - 1)]
    found = bool(np.count_nonzero(mask) >= LEAST_AREA * mask.size)
    return Ground(
        round((ground.horizon - box[1]) * scale),
        mask,
        cut_map(ground.nearness, box, side),
        floor,
        found,
    )
