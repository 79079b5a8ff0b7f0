import numpy as np
import pytest

from transforms.pixels.layers import STEP, Background, Layer, compose_depth, object_depth, stack
from transforms.pixels.shape import REACH, Shape


def ramp(side=40):
    """Nearer from row to row, 0 to 1, as a floor is."""
    rows = np.linspace(0, 1, side, dtype=np.float32)
    return np.repeat(rows[:, None], side, axis=1)


def opaque(height, width):
    return Shape(np.full((height, width), 255, np.uint8))


def reference_depth(depth, near_is_large, alpha, x, y):
    """The rule once more, pixel by pixel."""
    side = len(depth)
    inverse = [[v if near_is_large else 1 / v for v in row] for row in depth.tolist()]
    solid = {(y + r, x + c) for r, c in np.argwhere(alpha >= 128).tolist()}
    top, bottom = min(r for r, _ in solid), max(r for r, _ in solid)
    lowest = max(1, round(0.1 * (bottom - top + 1)))
    feet = {c for r, c in solid if r > bottom - lowest and 0 <= c < side}
    first = min(bottom + 1, side - 1)
    contact = [inverse[r][c] for r in range(first, min(first + 3, side)) for c in feet]
    reached = {
        (r + i, c + j)
        for r, c in solid
        for i in range(-REACH, REACH + 1)
        for j in range(-REACH, REACH + 1)
        if 0 <= r + i < side and 0 <= c + j < side
    }
    flat = [v for row in inverse for v in row]
    step = STEP * (max(flat) - min(flat))
    found = max(np.median(contact), max(inverse[r][c] for r, c in reached)) + step
    return found if near_is_large else 1 / found


@pytest.mark.parametrize("near_is_large", [True, False])
@pytest.mark.parametrize("place", [(5, 3), (20, 28), (0, 0), (25, 12)])
def test_equals_the_reference(near_is_large, place):
    draw = np.random.default_rng(3)
    depth = (ramp() + draw.uniform(0.5, 0.8, (40, 40))).astype(np.float32)
    depth = depth if near_is_large else 1 / depth
    alpha = draw.integers(0, 256, (12, 10)).astype(np.uint8)
    found = object_depth(Background(depth, near_is_large), depth, Shape(alpha), *place)
    assert found == pytest.approx(reference_depth(depth, near_is_large, alpha, *place), rel=1e-5)


def test_an_object_on_the_floor_stands_where_its_feet_are():
    background = Background(ramp(), True)
    # Rows 10 to 19; it touches row 20, and rows 20 to 22 are what it stands on.
    value = object_depth(background, background.depth, opaque(10, 8), 5, 10)
    assert value == pytest.approx(21 / 39 + STEP, abs=1e-6)


def test_feet_are_the_lowest_tenth_of_the_object():
    depth = ramp()
    depth[21:23, 9:11] = 5.0
    # A table: its one leg ends in row 19, over what is nearer; its top is wide.
    alpha = np.zeros((10, 20), np.uint8)
    alpha[:3], alpha[3:, 9:11] = 255, 255
    value = object_depth(Background(depth, True), depth, Shape(alpha), 0, 10)
    assert value == pytest.approx(5 + STEP * 5)


def test_an_object_before_a_near_thing_is_nearer_than_it():
    depth = ramp()
    depth[2:6, 10:14] = 3.0
    value = object_depth(Background(depth, True), depth, opaque(10, 8), 8, 1)
    assert value == pytest.approx(3 + STEP * 3)


@pytest.mark.parametrize("away, counts", [(1, True), (2, False)])
def test_what_it_touches_is_one_pixel_away(away, counts):
    depth = np.zeros((40, 40), np.float32)
    depth[14, 18 + away - 1] = 1.0
    value = object_depth(Background(depth, True), depth, opaque(10, 8), 10, 10)
    assert value == pytest.approx(1.03 if counts else 0.03)


def test_metres_are_compared_by_their_inverse():
    metres = np.full((40, 40), 10, np.float32)
    metres[30:] = 2.0
    value = object_depth(Background(metres, False), metres, opaque(10, 8), 8, 21)
    assert value == pytest.approx(1 / (1 / 2 + STEP * (1 / 2 - 1 / 10)))


@pytest.mark.parametrize("near_is_large", [True, False])
def test_a_map_that_is_flat_still_has_the_object_nearer(near_is_large):
    flat = np.full((40, 40), 0.5, np.float32)
    value = object_depth(Background(flat, near_is_large), flat, opaque(5, 5), 3, 3)
    assert value > 0.5 if near_is_large else 0 < value < 0.5


def test_half_of_the_alpha_decides_and_nothing_is_blended():
    alpha = np.array([[255, 128, 127, 0]], np.uint8)
    background = Background(ramp(), True)
    depth = compose_depth(background, [Layer(Shape(alpha), 4, 9, 7.0)])
    expected = ramp()
    expected[9, 4:6] = 7.0
    np.testing.assert_array_equal(depth, expected)
    np.testing.assert_array_equal(background.depth, ramp())  # It is not touched.


def test_later_objects_are_nearer_than_those_that_they_cover():
    background = Background(ramp(), True)
    shapes = [(opaque(10, 10), 5, 25), (opaque(10, 10), 12, 5), (opaque(8, 8), 10, 17)]
    depth, values = stack(background, shapes)
    assert values[2] == pytest.approx(max(values[:2]) + background.step)
    assert (depth[17:25, 10:18] == np.float32(values[2])).all()
    assert (depth[5:15, 12:22] == np.float32(values[1])).all()
    layers = [Layer(*shape, value) for shape, value in zip(shapes, values, strict=True)]
    np.testing.assert_array_equal(compose_depth(background, layers), depth)


@pytest.mark.parametrize("place", [(-4, 10), (34, 10), (10, -6), (10, 33), (-4, 35)])
def test_an_object_may_hang_out_of_the_picture(place):
    depth, values = stack(Background(ramp(), True), [(opaque(10, 10), *place)])
    x, y = place
    rows, columns = slice(max(0, y), max(0, y + 10)), slice(max(0, x), max(0, x + 10))
    expected = ramp()
    expected[rows, columns] = values[0]
    np.testing.assert_array_equal(depth, expected)
    assert values[0] > ramp()[rows, columns].max()


def test_an_object_outside_the_picture_has_no_depth():
    background = Background(ramp(), True)
    with pytest.raises(ValueError, match="no pixel of the object"):
        object_depth(background, background.depth, opaque(5, 5), 60, 60)
