"""The outline of a mask, held against the mask itself."""

import numpy as np
import pytest
from matplotlib.path import Path

from transforms.pixels.outline import UNITS, outline


def disc(height: int, width: int, x: float, y: float, radius: float) -> np.ndarray:
    """A disc with a soft rim of about two pixels, 0..255."""
    ys, xs = np.mgrid[:height, :width] + 0.5
    share = (radius - np.hypot(xs - x, ys - y)) / 2 + 0.5
    return (np.clip(share, 0, 1) * 255).round().astype(np.uint8)


def inside(vertices: np.ndarray, height: int, width: int) -> np.ndarray:
    """Which pixels have their centre inside a polygon."""
    ys, xs = np.mgrid[:height, :width] + 0.5
    polygon = Path(vertices / UNITS, closed=False)
    return polygon.contains_points(np.stack([xs.ravel(), ys.ravel()], 1)).reshape(height, width)


def ring(height: int, width: int) -> np.ndarray:
    return disc(height, width, 30, 25, 18) - disc(height, width, 33, 25, 7)


def several(height: int, width: int) -> np.ndarray:
    """A ring with two holes and two more parts, one of them at the border."""
    mask = disc(height, width, 30, 25, 20)
    for x in (22, 38):
        mask -= disc(height, width, x, 25, 5)
    for x, y in ((64, 12), (70, 48)):
        mask = np.maximum(mask, disc(height, width, x, y, 7))
    return mask


MASKS = {
    "disc": disc(50, 80, 30, 25, 18),
    "cut by the border": disc(50, 80, 78, 2, 18),
    "ring": ring(50, 80),
    "several": several(50, 80),
    "full": np.full((7, 9), 255, np.uint8),
    "a column": np.pad(np.full((7, 1), 200, np.uint8), 3),
}


@pytest.mark.parametrize("name", MASKS)
def test_the_centres_of_solid_pixels_are_inside(name):
    mask = MASKS[name]
    vertices = outline(mask)
    assert vertices.dtype == np.int64
    wrong = np.count_nonzero(inside(vertices, *mask.shape) != (mask >= 128))
    # Thinning takes a sixteenth of a pixel at a time: few centres are that near to the outline.
    assert wrong <= 0.004 * np.count_nonzero(mask >= 128), wrong


def test_a_picture_that_is_all_solid_has_its_corners():
    vertices = outline(np.full((7, 9), 255, np.uint8)) / UNITS
    assert vertices.min() == 0 and vertices.max(axis=0).tolist() == [9, 7]


def test_a_crossing_lies_between_pixels_by_their_values():
    mask = np.zeros((6, 6), np.uint8)
    mask[1:5, 2] = 255
    mask[1:5, 3] = 64  # Half-way to 127.5 from 255: the right side is nearer to the left centre.
    x = outline(mask)[:, 0] / UNITS
    assert x.min() == 2.0
    assert x.max() == pytest.approx(2.5 + (255 - 127.5) / (255 - 64), abs=1 / UNITS)


def test_straight_sides_need_few_vertices():
    mask = np.zeros((100, 100), np.uint8)
    mask[10:90, 20:80] = 255
    assert len(outline(mask)) <= 40
    assert len(outline(disc(200, 200, 100, 100, 80))) <= 130


def test_specks_are_left_out_but_not_the_only_one():
    mask = disc(50, 80, 30, 25, 18)
    clean = outline(mask)
    mask[2, 70] = 255
    np.testing.assert_array_equal(outline(mask), clean)
    mask[25, 30] = 0
    np.testing.assert_array_equal(outline(mask), clean)
    alone = np.zeros((5, 5), np.uint8)
    alone[2, 3] = 255
    corners = np.array([[3, 2], [3.5, 2.5], [3.5, 2.5], [4, 3]])
    np.testing.assert_array_equal(np.sort(outline(alone), axis=0) / UNITS, corners)


def test_nothing_has_no_outline():
    assert outline(np.full((5, 5), 127, np.uint8)).shape == (0, 2)


def test_a_hole_behind_another_is_joined_to_that():
    mask = disc(80, 80, 40, 40, 30)
    for x in (18, 29):  # Both nearest to the left; the line of the second stops at the first.
        mask -= disc(80, 80, x, 40, 4)
    vertices = outline(mask) / UNITS
    steps = np.linspace(vertices, np.roll(vertices, -1, axis=0), 50).reshape(-1, 2)
    assert np.hypot(*(steps - [18, 40]).T).min() > 3
    assert np.hypot(*(steps - [23.5, 40]).T).min() < 1  # Between the two.
