"""Cut-outs and backgrounds from photographs that scikit-image and scikit-learn carry.

Each cut-out is outlined roughly by hand; a random walk over the picture's colours finds the edge
between the outlines (Grady 2006, "Random walks for image segmentation").
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import ndimage
from skimage import data, draw, segmentation
from sklearn.datasets import load_sample_image

Outline = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Photo:
    """A photograph inside a dependency: its name, how it is read, and its credit."""

    name: str
    read: Callable[[], np.ndarray]
    credit: str


@dataclass(frozen=True)
class Cutout:
    """What is cut out of a photograph.

    inside, outside: outlines (x, y in pixels): all within the first belongs to the thing, nothing
        beyond the second does.
    crop: left, top, right, bottom in pixels.
    strictness: how much a step in colour holds the random walk back.
    """

    photo: Photo
    inside: tuple[Outline, ...]
    outside: tuple[Outline, ...]
    crop: tuple[int, int, int, int]
    strictness: float = 300.0


def _ellipse(x: float, y: float, rx: float, ry: float, tilt: float = 0.0) -> Outline:
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    dx, dy = rx * np.cos(turn), ry * np.sin(turn)
    lean = np.radians(tilt)
    across, down = dx * np.cos(lean) - dy * np.sin(lean), dx * np.sin(lean) + dy * np.cos(lean)
    return tuple(zip((x + across).tolist(), (y + down).tolist(), strict=True))


PAGODA = Photo(
    "china.jpg",
    partial(load_sample_image, "china.jpg"),
    "photograph by danielbuechele, CC BY 2.0, from scikit-learn",
)
DAHLIA = Photo(
    "flower.jpg",
    partial(load_sample_image, "flower.jpg"),
    "photograph by vultilion, CC BY 2.0, from scikit-learn",
)
COFFEE = Photo("coffee.png", data.coffee, "photograph by Rachel Michetti, CC0, from scikit-image")
ASTRONAUT = Photo(
    "astronaut.png",
    data.astronaut,
    "photograph of Eileen Collins by NASA, public domain, from scikit-image",
)
LAUNCH_PAD = Photo(
    "rocket.jpg", data.rocket, "photograph by SpaceX, public domain, from scikit-image"
)

FLOWER_HEAD = Cutout(
    DAHLIA,
    inside=(_ellipse(308, 222, 118, 118),),
    outside=(_ellipse(307, 222, 148, 146),),
    crop=(150, 66, 466, 372),
)
CUP = Cutout(
    COFFEE,
    inside=(
        _ellipse(276.6, 220.8, 195, 162.5, 7.3),
        _ellipse(290, 110, 112, 88),
        ((401, 76), (412, 69), (419, 74), (410, 112), (396, 110)),
    ),
    outside=(
        _ellipse(277, 221, 204, 170.5, 7.3),
        _ellipse(290, 112, 119.5, 96.5),
        ((395, 72), (404, 65), (418, 65), (426, 74), (418, 120), (400, 120)),
    ),
    crop=(68, 10, 488, 396),
)
PERSON = Cutout(
    ASTRONAUT,
    inside=(
        (
            (158, 62),
            (176, 46),
            (188, 38),
            (205, 24),
            (240, 20),
            (270, 28),
            (288, 48),
            (296, 75),
            (295, 95),
            (285, 115),
            (273, 128),
            (263, 142),
            (256, 160),
            (254, 174),
            (262, 180),
            (285, 202),
            (298, 235),
            (322, 245),
            (338, 270),
            (350, 315),
            (356, 346),
            (366, 351),
            (380, 348),
            (397, 346),
            (420, 347),
            (440, 354),
            (458, 366),
            (473, 380),
            (483, 398),
            (490, 418),
            (494, 440),
            (495, 470),
            (506, 490),
            (509, 511),
            (26, 511),
            (24, 430),
            (28, 370),
            (47, 290),
            (70, 240),
            (105, 215),
            (118, 198),
            (124, 182),
            (133, 168),
            (148, 156),
            (163, 150),
            (187, 151),
            (184, 138),
            (181, 128),
            (175, 118),
            (160, 100),
        ),
    ),
    outside=(
        (
            (150, 62),
            (165, 43),
            (185, 34),
            (200, 14),
            (240, 12),
            (275, 22),
            (296, 46),
            (303, 80),
            (302, 98),
            (290, 120),
            (279, 136),
            (269, 139),
            (263, 152),
            (259, 162),
            (259, 171),
            (272, 178),
            (295, 203),
            (308, 232),
            (328, 236),
            (346, 262),
            (358, 305),
            (363, 330),
            (364, 345),
            (380, 343),
            (397, 341),
            (422, 342),
            (443, 348),
            (463, 361),
            (478, 376),
            (488, 394),
            (495, 414),
            (499, 438),
            (500, 452),
            (509, 458),
            (511, 484),
            (512, 512),
            (14, 512),
            (15, 420),
            (20, 350),
            (40, 275),
            (62, 228),
            (100, 206),
            (109, 184),
            (118, 176),
            (128, 162),
            (146, 150),
            (164, 145),
            (181, 145),
            (179, 135),
            (171, 131),
            (167, 122),
            (150, 106),
        ),
    ),
    crop=(8, 8, 512, 512),
)


def cut_out(what: Cutout) -> np.ndarray:
    """The thing with a soft edge: uint8 [height, width, 4], sRGB with straight alpha."""
    colours = what.photo.read()[..., :3].astype(np.float64) / 255
    inside, outside = _fill(what.inside, colours.shape), _fill(what.outside, colours.shape)
    labels = np.where(inside, 1, np.where(outside, 0, 2))
    walk = segmentation.random_walker(
        colours, labels, beta=what.strictness, mode="bf", channel_axis=-1, return_full_prob=True
    )[0]
    solid = _largest(walk > 0.5)
    # A step in the walk's probability is turned into an edge about two pixels wide.
    edge = ndimage.distance_transform_edt(solid) - ndimage.distance_transform_edt(~solid)
    alpha = np.clip(ndimage.gaussian_filter(edge, 0.8) / 2.4 + 0.25, 0, 1)
    # Edge pixels carry the colour of what stood behind; take that of the thing just inside.
    sure = edge > 2.5
    nearest = ndimage.distance_transform_edt(~sure, return_distances=False, return_indices=True)
    spread = colours[nearest[0], nearest[1]]
    soft = np.stack([ndimage.gaussian_filter(c, 0.8) for c in np.moveaxis(spread, -1, 0)], axis=-1)
    clean = np.where(sure[..., None], colours, soft)
    left, top, right, bottom = what.crop
    pixels = np.concatenate([clean, alpha[..., None]], axis=-1)[top:bottom, left:right]
    return np.rint(pixels * 255).astype(np.uint8)


def _fill(outlines: tuple[Outline, ...], shape: tuple[int, ...]) -> np.ndarray:
    filled = np.zeros(shape[:2], bool)
    for outline in outlines:
        filled |= draw.polygon2mask(shape[:2], np.array(outline)[:, ::-1])
    return filled


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected part, its holes filled."""
    parts, _ = ndimage.label(mask)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return ndimage.binary_fill_holes(parts == sizes.argmax())
