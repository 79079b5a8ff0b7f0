"""Small scenes for tests, made without Beam."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from tests.drawing import draw_background, draw_foreground
from transforms.elements import Placement
from transforms.pixels.images import crop_background, fitted_size
from transforms.scenes.arrange import Candidate, MainPlace, arrange
from transforms.scenes.compose import Composed, changes_of, compose
from transforms.scenes.crops import box_in, cut_ground, cut_picture, random_crop, shown_part
from transforms.scenes.draws import Draws, draws_of
from transforms.scenes.ground import Ground, find_ground
from transforms.scenes.look import LabField, Sprite, colour_tables
from transforms.scenes.scene import Paste, Scene, SceneOptions
from transforms.scenes.sprites import Pyramid

SIDE = 72
FOREGROUNDS = {number: draw_foreground(number, (100, 80)) for number in range(1, 7)}
DISTRACTORS = {number: draw_foreground(number + 20, (60, 120)) for number in range(1, 4)}
BACKGROUNDS = {n: Image.fromarray(crop_background(draw_background(n), SIDE)) for n in range(1, 4)}
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


def floor_and_wall(width: int = SIDE) -> np.ndarray:
    """Nearness of a floor that begins at a third of the height, with a pillar on it."""
    rows = np.arange(SIDE, dtype=np.float32)
    nearness = np.clip((rows - SIDE / 3) / (SIDE * 2 / 3), 0, 1)
    depth = np.repeat(nearness[:, None], width, axis=1)
    depth[: SIDE // 2 + 8, 30:44] = 0.75
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


def placement(number: int) -> Placement:
    """One of many placements, upright and whole."""
    fg_id, bg_id = 1 + number % 6, 1 + number % 3
    width, height = fitted_size(100, 80, 36)
    x, y = number * 7 % (SIDE - width), number * 11 % (SIDE - height)
    return Placement(fg_id, bg_id, number % 2, 1 + number, x, y, width, height)


def make(options: SceneOptions, number: int, ground: Ground | None = None) -> Made:
    """Makes one of many scenes."""
    sample = placement(number)
    [draws] = draws_of(5, [sample])
    background, crop, field = BACKGROUNDS[sample.bg_id], None, None
    if options.random_crops:
        whole = WIDE[sample.bg_id]
        crop = random_crop(draws, SIDE, *whole.size)
        shown = shown_part(whole, SIDE)
        box = box_in(crop, whole.size, shown.size)
        background, field = cut_picture(shown, box, SIDE), LabField(shown).part(box, SIDE)
        wide = ground or find_ground(floor_and_wall(SIDE * 190 // 120))
        ground = cut_ground(wide, box_in(crop, whole.size, wide.mask.shape[::-1]), SIDE)
    ground = ground or find_ground(floor_and_wall())
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
    colours = field or LabField(background)
    hiding = ground.nearness if options.occlude else None
    sprites = [sprite(paste) for paste in scene.pastes]
    tables = colour_tables(changes_of(scene, sprites, colours))
    least = options.min_visible
    composed = compose(scene, background, sprites, tables, hiding, draws.noise, least)
    return Made(scene, composed, sample.bg_id, background, colours, ground, draws)
