"""Drawn scenes: their depth is exact, light comes from where it should, and seeds repeat."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.drawing import draw_background
from training.data import labelled_pairs
from training.materials import Painter
from training.rendering import Camera, Light, Scene, render
from training.scenes import KINDS, THINGS, branches, drawn
from training.solids import Box, Ellipsoid, Hills, Material
from training.sources import DRAWN

ROOT = Path(__file__).parents[2]
WHITE = Material(np.full((4, 4, 3), 0.8, np.float32))
LEVEL = Camera(np.array([0.0, 1.0, 0.0]), 0.0, 0.0, 0.0, 1.0, 1.0)
DIM = np.full(3, 0.2)


def pictures() -> list[np.ndarray]:
    return [np.asarray(draw_background(i)) for i in range(2)]


def test_ground_and_wall_have_the_depth_that_geometry_gives():
    ground = Box(np.array([0, -1.0, 0]), np.array([500.0, 1.0, 500.0]), 0.0, WHITE)
    wall = Box(np.array([0, 0.0, 9.0]), np.array([500.0, 500.0, 1.0]), 0.0, WHITE)
    drawing = render(Scene([ground, wall], [], DIM, LEVEL), 64, 64)
    np.testing.assert_allclose(drawing.inverse[:32], 1 / 8, rtol=1e-5)
    # A pixel v below the middle of 64 looks down by v / 64, from a height of 1 m.
    rows = np.arange(32) + 0.5
    expected = np.maximum(rows / 64, 1 / 8)
    np.testing.assert_allclose(drawing.inverse[32:, 20], expected, rtol=0.02)


def test_a_room_is_seen_from_within():
    centre, half = np.array([0, 1.5, 1.0]), np.array([2.0, 1.5, 3.0])
    room = Box(centre, half, 0.0, WHITE, hollow=True)
    drawing = render(Scene([room], [], DIM, LEVEL), 64, 64)
    # The end wall is 4 m ahead; to the side, a pixel u from the middle meets the wall at 2 / u.
    np.testing.assert_allclose(drawing.inverse[28:34, 28:36], 1 / 4, rtol=1e-5)
    wide = render(Scene([room], [], DIM, replace(LEVEL, focal=0.5)), 64, 64)
    columns = (np.arange(52, 64) + 0.5 - 32) / 32
    np.testing.assert_allclose(wide.inverse[30, 52:], columns / 2, rtol=0.02)
    assert (drawing.alpha == 255).all() and (wide.alpha == 255).all()


def test_a_turned_box_and_an_ellipsoid_stand_where_they_are_put():
    turned = Box(np.array([0, 1.0, 5.0]), np.array([1.0, 1.0, 1.0]), np.pi / 4, WHITE)
    drawing = render(Scene([turned], [], DIM, LEVEL), 65, 65)
    assert abs(1 / drawing.inverse[32, 32] - (5 - 2**0.5)) < 0.05
    round_ = Ellipsoid(np.array([0, 1.0, 5.0]), np.array([1.0, 0.5, 2.0]), WHITE)
    drawing = render(Scene([round_], [], DIM, LEVEL), 65, 65)
    assert abs(1 / drawing.inverse[32, 32] - 3) < 0.05
    assert drawing.inverse[0].max() == 0 and drawing.alpha[0].max() == 0
    assert drawing.alpha[32, 32] == 255
    # Seen from 1 m up at the same height as its middle, it is twice as wide as high.
    assert 1.7 < np.ptp(np.nonzero(drawing.alpha)[1]) / np.ptp(np.nonzero(drawing.alpha)[0]) < 2.3


def test_hills_without_height_are_a_plain():
    flat = Hills(np.zeros((8, 8), np.float32), 50.0, WHITE)
    sky = np.full((2, 3), 0.5)
    drawing = render(Scene([], [], DIM, LEVEL, flat, sky), 64, 64)
    assert drawing.inverse[:32].max() == 0
    rows = np.arange(4, 32) + 0.5
    np.testing.assert_allclose(drawing.inverse[36:, 10], rows / 64, rtol=0.03)


def test_a_lamp_throws_shadows():
    ground = Box(np.array([0, -1.0, 0]), np.array([500.0, 1.0, 500.0]), 0.0, WHITE)
    lid = Box(np.array([0, 1.5, 4.0]), np.array([0.5, 0.02, 0.5]), 0.0, WHITE)
    above = Light(np.array([0.0, 1.0, 0.0]), np.ones(3), 0.0)
    open_ = render(Scene([ground], [above], DIM, LEVEL), 64, 64).picture
    under = render(Scene([ground, lid], [above], DIM, LEVEL), 64, 64).picture
    foot = 32 + 64 // 4  # The ground 4 m ahead, seen from 1 m.
    assert under[foot, 32].max() < 0.7 * open_[foot, 32].min()
    assert (under[60] == open_[60]).all()


@pytest.mark.parametrize(
    ("kind", "seed", "count", "places"),
    [
        ("rooms", 11, 9, 32.02),
        ("rooms", 12, 35, 113.23),
        ("rooms", 13, 88, 436.04),
        ("streets", 11, 94, 3618.99),
        ("landscapes", 12, 35, 1299.43),
        ("landscapes", 16, 46, 1497.52),
        (THINGS, 12, 4, 7.64),
    ],
)
def test_the_solids_of_a_seed(kind, seed, count, places):
    solids = KINDS[kind](Painter(pictures(), np.random.default_rng(seed))).solids
    assert len(solids) == count
    assert abs(sum(np.abs(solid.centre).sum() for solid in solids) - places) < 0.02


def test_branches_hang_above_the_middle_and_close_by():
    camera = replace(LEVEL, yaw=0.8, pitch=0.1)
    painter = Painter(pictures(), np.random.default_rng(2))
    leaves = [leaf for _ in range(5) for leaf in branches(painter, camera)]
    offsets = np.array([leaf.centre - camera.place for leaf in leaves])
    away = np.hypot(offsets[:, 0], offsets[:, 2])
    assert away.min() >= 1.05 and away.max() <= 7
    slopes = np.arctan2(offsets[:, 1], away)
    assert slopes.min() >= 0.2 and slopes.max() <= 0.7
    # Mostly within what the camera sees, to the left and right of where it looks.
    ahead = np.cos(np.arctan2(offsets[:, 0], offsets[:, 2]) - camera.yaw)
    assert np.median(ahead) > 0.7


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_scene_again(kind):
    first = drawn(kind, pictures(), np.random.default_rng(3))
    again = drawn(kind, pictures(), np.random.default_rng(3))
    other = drawn(kind, pictures(), np.random.default_rng(4))
    assert (first.picture == again.picture).all() and (first.inverse == again.inverse).all()
    assert first.picture.shape != other.picture.shape or (first.picture != other.picture).any()
    assert np.isfinite(first.inverse).all() and first.inverse.min() >= 0
    assert first.picture.std() > 6


def test_a_picture_stands_upright_on_a_face():
    half_dark = np.zeros((8, 8, 3), np.uint8)
    half_dark[:4] = 255
    look = Painter([half_dark], np.random.default_rng(0)).picture()
    board = Box(np.array([0, 1.0, 5.0]), np.array([2.0, 2.0, 0.1]), 0.0, look)
    picture = render(Scene([board], [], DIM, LEVEL), 64, 64).picture
    assert picture[20, 32].min() > 50 and picture[44, 32].max() < 10


@pytest.mark.slow
def test_the_program_draws_what_training_reads(tmp_path):
    surfaces = tmp_path / "surfaces"
    surfaces.mkdir()
    for i in range(2):
        draw_background(i).save(surfaces / f"{i}.png")

    def draw(count: int) -> None:
        command = [
            sys.executable, "-m", "training.draw_scenes", "--pictures", str(surfaces),
            f"--output={tmp_path / 'scenes'}", f"--count={count}", "--workers=1",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stderr

    draw(1)
    first = (tmp_path / "scenes/rooms/rgb/0000.jpg").stat().st_mtime_ns
    draw(2)
    assert (tmp_path / "scenes/rooms/rgb/0000.jpg").stat().st_mtime_ns == first
    for source in DRAWN:
        found = labelled_pairs(tmp_path / "scenes" / source.name, source)
        assert len(found) == 2 and np.isfinite(found[0].inverse).all()
    cutout = Image.open(tmp_path / "scenes" / THINGS / "0001.png")
    assert cutout.mode == "RGBA" and cutout.getchannel("A").getextrema()[1] == 255
