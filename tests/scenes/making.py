"""Small scenes for tests, made without Beam."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from tests.drawing import draw_background, draw_foreground
from transforms.elements import Placement
from transforms.pixels.images import crop_background, fitted_size
from transforms.pixels.size import Size
from transforms.scenes.arrange import Candidate, MainPlace, arrange
from transforms.scenes.compose import Composed, changes_of, compose
from transforms.scenes.crops import box_in, cut_ground, cut_picture, random_crop, shown_part
from transforms.scenes.draws import Draws, draws_of
from transforms.scenes.ground import Ground, find_ground
from transforms.scenes.look import LabField, Sprite, colour_tables
from transforms.scenes.scene import Paste, Scene, SceneOptions
from transforms.scenes.sprites import Pyramid

SIDE = 72
SQUARE = Size(SIDE, SIDE)
FOREGROUNDS = {number: draw_foreground(number, (100, 80)) for number in range(1, 7)}
DISTRACTORS = {number: draw_foreground(number + 20, (60, 120)) for number in range(1, 4)}
WIDE = {number: draw_background(number, (190, 120)) for number in range(1, 4)}

OFF = SceneOptions(SIDE, SIDE, 36)
ALL = SceneOptions(
    SIDE,
    SIDE,
    36,
    scale_jitter=(0.5, 1.0),
    objects=(1, 4),
    grounded=True,
    truncation=0.5,
    rotation=(-20.0, 20.0),
    colour_jitter=0.8,
    harmonise=0.8,
    mixed_edges=True,
    shadow=0.7,
    photo_effects=0.6,
    negatives=0.2,
    distractor_share=0.5,
    occlude=True,
    random_crops=True,
)


@dataclass(frozen=True)
class Made:
    """A scene with all that it was made from."""

    scene: Scene
    composed: Composed
    bg_id: int
    background: Image.Image
    colours: LabField
    ground: Ground
    draws: Draws


def size_of(options: SceneOptions) -> Size:
    """Size of the composites."""
    return Size(options.width, options.height)


@lru_cache(maxsize=16)
def background(number: int, size: Size) -> Image.Image:
    """The middle of a drawn background."""
    return Image.fromarray(crop_background(draw_background(number), size))


def floor_and_wall(width: int = SIDE, height: int = SIDE) -> np.ndarray:
    """Nearness of a floor that begins at a third of the height, with a pillar on it."""
    rows = np.arange(height, dtype=np.float32)
    nearness = np.clip((rows - height / 3) / (height * 2 / 3), 0, 1)
    depth = np.repeat(nearness[:, None], width, axis=1)
    depth[: height // 2 + 8, 30:44] = 0.75
    return depth


@lru_cache(maxsize=32)
def pyramid(number: int, labelled: bool = True) -> Pyramid:
    """The pyramid of a drawn foreground or distractor."""
    return Pyramid((FOREGROUNDS if labelled else DISTRACTORS)[number], 2 * SIDE)


def sprite(paste: Paste) -> Sprite:
    """The cut-out of a paste."""
    return pyramid(paste.fg_id, paste.labelled).sprite(
        paste.flip, paste.width, paste.height, paste.angle, paste.look.edge
    )


def alpha(paste: Paste) -> np.ndarray:
    """Its alpha."""
    return sprite(paste).alpha


def placement(number: int, size: Size = SQUARE) -> Placement:
    """One of many placements, upright and whole."""
    fg_id, bg_id = 1 + number % 6, 1 + number % 3
    width, height = fitted_size(100, 80, 36)
    x, y = number * 7 % (size.width - width), number * 11 % (size.height - height)
    return Placement(fg_id, bg_id, number % 2, 1 + number, x, y, width, height)


def make(options: SceneOptions, number: int, ground: Ground | None = None) -> Made:
    """Makes one of many scenes."""
    size = size_of(options)
    sample = placement(number, size)
    [draws] = draws_of(5, [sample])
    behind, crop, field = background(sample.bg_id, size), None, None
    if options.random_crops:
        whole = WIDE[sample.bg_id]
        crop = random_crop(draws, size, *whole.size)
        shown = shown_part(whole, size)
        box = box_in(crop, whole.size, shown.size, size)
        behind, field = cut_picture(shown, box, size), LabField(shown).part(box, size)
        own, of = size.scale_on(*whole.size)
        wide = ground or find_ground(
            floor_and_wall(whole.width * own // of, whole.height * own // of)
        )
        ground = cut_ground(wide, box_in(crop, whole.size, wide.mask.shape[::-1], size), size)
    ground = ground or find_ground(floor_and_wall(*size.pair))
    main = Candidate(sample.fg_id, 100, 80)
    scene = arrange(
        draws,
        options,
        main,
        MainPlace(sample.flip, sample.x, sample.y, sample.width, sample.height),
        [Candidate(n, 100, 80) for n in FOREGROUNDS if n != sample.fg_id],
        [Candidate(n, 60, 120, labelled=False) for n in DISTRACTORS],
        ground,
        sprite,
        crop,
    )
    colours = field or LabField(behind)
    hiding = ground.nearness if options.occlude else None
    sprites = [sprite(paste) for paste in scene.pastes]
    tables = colour_tables(changes_of(scene, sprites, colours))
    least = options.min_visible
    composed = compose(scene, behind, sprites, tables, hiding, draws.noise, least)
    return Made(scene, composed, sample.bg_id, behind, colours, ground, draws)
