"""How far flat marks on walls and roads rise in a predicted map: drawn scenes with and without.

A poster on a wall or a line on a road has the depth of what it lies on. Each case is one drawn
scene twice, bare and with marks; what a map shows of the marks is what differs between the two.
"""

from dataclasses import dataclass, replace

import numpy as np

from training.materials import Painter
from training.rendering import Camera, Scene, render
from training.scenes import drawn, marks_in_room, marks_on_road
from training.solids import Box, Ellipsoid

SIDE = 160
CASES = 40
_SEED = 190
_VISIBLE = 12
_FEWEST = 100


@dataclass(frozen=True, eq=False)
class MarkCase:
    """A drawn wall or road, bare and with flat marks.

    Attributes:
        bare: uint8 [160, 160, 3].
        marked: uint8 [160, 160, 3], the same with marks.
        mask: bool [160, 160], where the two differ visibly.
    """

    bare: np.ndarray
    marked: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class MarkScore:
    """How flat marks stand out in maps.

    Attributes:
        rise: mean change of the map inside marks against outside, as a share of the bare map's
            range; above 0 the marks come nearer.
        moved: mean absolute change of that kind, so that rises and dips do not cancel out.
    """

    rise: float
    moved: float


def mark_cases(count: int = CASES) -> list[MarkCase]:
    """Rooms and roads by turns, none of which is trained on; posters show drawn landscapes."""
    draw = np.random.default_rng(_SEED)
    posters = [drawn("landscapes", [], np.random.default_rng([_SEED, i])).picture for i in range(2)]
    found: list[MarkCase] = []
    while len(found) < count:
        make = _room if len(found) % 2 == 0 else _road
        scene, marks = make(Painter(posters, draw))
        bare = render(scene, SIDE, SIDE)
        marked = render(replace(scene, solids=[*scene.solids, *marks]), SIDE, SIDE)
        difference = np.abs(marked.picture.astype(np.int16) - bare.picture).max(axis=-1)
        mask = difference > _VISIBLE
        if _FEWEST < mask.sum() < mask.size / 2:
            found.append(MarkCase(bare.picture, marked.picture, mask))
    return found


def _room(paint: Painter) -> tuple[Scene, list[Box | Ellipsoid]]:
    u = paint.draw.uniform
    half = np.array([u(1.5, 3.5), u(1.2, 1.6), u(2, 5)])
    wall = paint.plain(paint.colour(0.3, 0.9, 0.7), u(0, 0.2))
    floor = paint.tiled(u(0.5, 2)) if paint.draw.random() < 0.5 else paint.plain()
    room = Box(np.array([0, half[1], 0]), half, 0.0, wall, hollow=True)
    ground = Box(np.array([0, 0.005, 0]), np.array([half[0], 0.005, half[2]]), 0.0, floor)
    place = np.array([u(-0.4, 0.4) * half[0], u(1.1, 1.7), -u(0.3, 0.8) * half[2]])
    camera = Camera(place, u(-0.7, 0.7), u(-0.2, 0.1), 0.0, u(0.7, 1.1), 1.0)
    return Scene([room, ground], [], np.full(3, u(0.4, 0.8)), camera), marks_in_room(paint, half, 6)


def _road(paint: Painter) -> tuple[Scene, list[Box | Ellipsoid]]:
    u = paint.draw.uniform
    look = paint.mottled(paint.colour(0.1, 0.3, 0.9), paint.colour(0.1, 0.3, 0.9), u(1, 5))
    ground = Box(np.array([0, -0.5, 0]), np.array([2000, 0.5, 2000]), 0.0, look)
    houses = [
        Box(np.array([s * u(9, 14), u(3, 6), u(15, 40)]), np.array([3, 6, 10]), 0.0, paint.facade())
        for s in (-1, 1)
    ]
    sky = np.array([[0.8, 0.85, 0.9], [0.4, 0.55, 0.85]])
    camera = Camera(np.array([0, u(1.2, 2), 0]), u(-0.2, 0.2), u(-0.2, 0), 0.0, u(0.7, 1.2), 1.0)
    scene = Scene([ground, *houses], [], np.full(3, 0.8), camera, sky=sky)
    return scene, marks_on_road(paint, u(3, 6))


def score_marks(bare: np.ndarray, marked: np.ndarray, masks: np.ndarray) -> MarkScore:
    """Scores the maps of the two pictures of each case.

    Args:
        bare: float [n, side, side], maps of the bare scenes.
        marked: float [n, side, side], maps of the scenes with marks.
        masks: bool [n, side, side], where the marks are.
    """
    rises: list[float] = []
    moved: list[float] = []
    for without, with_, mask in zip(bare, marked, masks, strict=True):
        change = (with_.astype(np.float64) - without) / np.ptp(without)
        inside = change[mask] - change[~mask].mean()
        rises.append(float(inside.mean()))
        moved.append(float(np.abs(inside).mean()))
    return MarkScore(float(np.mean(rises)), float(np.mean(moved)))
