"""What lies flat on surfaces: light and paint let through what is below, posters lie on planes."""

import numpy as np
import pytest

from training.surfaces import marked, postered

SIDE = 160
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]
WALL = (0.2 + 0.6 * COLUMNS / SIDE).astype(np.float32)
GREY = np.full((SIDE, SIDE, 3), 120, np.uint8)
BLUE = [np.full((SIDE, SIDE, 3), (10, 20, 230), np.uint8)]


def test_light_and_paint_let_through_what_lies_below():
    draw = np.random.default_rng(5)
    picture = np.random.default_rng(1).integers(60, 190, (160, 160, 3)).astype(np.uint8)
    changed = [(marked(picture, draw) != picture).any(axis=-1).mean() for _ in range(6)]
    np.testing.assert_allclose(changed, [0.027, 0.086, 0.03, 0.0, 0.026, 0.018], atol=0.002)
    result = marked(picture, np.random.default_rng(6))
    inside = (result != picture).any(axis=-1)
    below, seen = picture[inside].astype(float), result[inside].astype(float)
    assert np.corrcoef(below.ravel(), seen.ravel())[0, 1] > 0.5


def changed(label: np.ndarray, indoors: bool = False) -> np.ndarray:
    """Where any of 30 posters lies."""
    where = np.zeros((SIDE, SIDE), bool)
    for seed in range(30):
        draw = np.random.default_rng(seed)
        where |= (postered(GREY, label, BLUE, draw, indoors) != GREY).any(axis=-1)
    return where


def test_a_wall_has_posters_and_a_poster_is_opaque():
    assert changed(WALL).mean() > 0.8
    blue = 0
    for seed in range(30):
        poster = postered(GREY, WALL, BLUE, np.random.default_rng(seed))
        ratio = poster.astype(float) @ (-1, 0, 1)
        blue += int((ratio > 60).any())
    assert 8 <= blue <= 24  # Half of the posters show a photograph.


def test_what_is_no_plane_has_none():
    bumps = 0.5 + 0.3 * np.sin(ROWS / 3) * np.sin(COLUMNS / 3)
    assert not changed(bumps.astype(np.float32)).any()
    half = np.where(COLUMNS < 80, WALL, bumps).astype(np.float32)
    where = changed(half)
    assert where[:, :80].any() and not where[:, 110:].any()
    missing = np.random.default_rng(0).random((SIDE, SIDE)) < 0.2
    holes = np.where(missing, np.nan, WALL).astype(np.float32)
    assert not changed(holes).any()


@pytest.mark.parametrize(("indoors", "covered"), [(False, False), (True, True)])
def test_the_farthest_plane_is_the_sky_but_in_rooms(indoors, covered):
    far = np.zeros((SIDE, SIDE), np.float32)
    assert changed(far, indoors).any() == covered


def test_the_nearer_side_of_a_poster_is_taller():
    heights = []
    for seed in range(60):
        found = postered(GREY, WALL, BLUE, np.random.default_rng(seed))
        columns = np.flatnonzero((found != GREY).any(axis=(0, 2)))
        inside = len(columns) > 30 and columns[0] > 4 and columns[-1] < SIDE - 5
        tall = (found != GREY).any(axis=-1).sum(axis=0)
        if inside and 0 < tall.max() < SIDE:
            heights.append(tall[columns[-8:-4]].mean() / tall[columns[4:8]].mean())
    assert len(heights) > 5
    assert np.median(heights) > 1.05
