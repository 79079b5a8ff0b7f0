"""Flat marks: they change the picture and not its depth, and what a map makes of them is scored."""

from dataclasses import replace

import numpy as np
import pytest

from tests.drawing import draw_background
from training.marks import mark_cases, score_marks
from training.materials import Painter
from training.rendering import Camera, Scene, render
from training.scenes import marks_in_room, marks_on_road
from training.solids import Box, Material

GREY = Material(np.full((4, 4, 3), 0.4, np.float32))
HALF = np.array([2.0, 1.4, 3.0])
EYE = Camera(np.array([0.3, 1.5, -2.0]), 0.2, -0.3, 0.0, 0.8, 1.0)


def painter() -> Painter:
    return Painter([np.asarray(draw_background(0))], np.random.default_rng(4))


@pytest.mark.parametrize("where", ["room", "road"])
def test_marks_change_the_picture_and_not_its_depth(where):
    if where == "room":
        solid = Box(np.array([0, HALF[1], 0]), HALF, 0.0, GREY, hollow=True)
        marks = marks_in_room(painter(), HALF, 12)
        assert len(marks) == 12
    else:
        solid = Box(np.array([0, -0.5, 0]), np.array([500, 0.5, 500]), 0.0, GREY)
        marks = marks_on_road(painter(), 4.0)
    bare = Scene([solid], [], np.full(3, 0.8), EYE)
    plain = render(bare, 64, 64)
    marked = render(replace(bare, solids=[solid, *marks]), 64, 64)
    changed = (np.abs(marked.picture.astype(int) - plain.picture).max(axis=-1) > 12).mean()
    assert 0.03 < changed < 0.9
    # A rug lies a centimetre up, where a room's floor is; all else is thinner than that.
    np.testing.assert_allclose(marked.inverse, plain.inverse, rtol=0.02)


def test_a_rise_is_a_share_of_the_range_and_against_what_lies_around():
    ramp = np.broadcast_to(np.linspace(2.0, 6.0, 40), (30, 40))
    mask = np.zeros((30, 40), bool)
    mask[5:15, 10:20] = True
    nearer = ramp + 0.2 * mask
    score = score_marks(ramp[None], nearer[None], mask[None])
    assert abs(score.rise - 0.05) < 1e-9 and abs(score.moved - 0.05) < 1e-9
    shifted = score_marks(ramp[None], nearer[None] + 1.0, mask[None])
    assert abs(shifted.rise - 0.05) < 1e-9
    both = score_marks(
        np.stack([ramp, ramp]), np.stack([nearer, ramp - 0.2 * mask]), np.stack([mask, mask])
    )
    assert abs(both.rise) < 1e-9 and abs(both.moved - 0.05) < 1e-9


def test_the_drawn_cases_are_the_same_every_time():
    room, road = mark_cases(2)
    again = mark_cases(2)
    assert all((a.marked == b.marked).all() for a, b in zip((room, road), again, strict=True))
    assert (room.bare != room.marked).any(axis=-1)[room.mask].all()
    np.testing.assert_allclose([room.mask.mean(), road.mask.mean()], [0.0389, 0.1483], atol=0.003)
