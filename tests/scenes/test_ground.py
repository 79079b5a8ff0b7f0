"""Where the ground of a background is seen."""

import numpy as np
import pytest

from tests.scenes.making import SIDE, floor_and_wall
from transforms.scenes.ground import Ground, find_ground
from transforms.scenes.hidden import seen


def test_a_floor_is_found_and_what_stands_on_it_is_not() -> None:
    ground = find_ground(floor_and_wall())
    assert ground.found
    assert not ground.mask[: SIDE // 3].any()
    rows = SIDE - SIDE // 3
    assert SIDE // 3 <= ground.horizon <= SIDE // 3 + 0.2 * rows
    assert ground.mask[SIDE - 12 : SIDE - 2, 5:25].all()
    assert not ground.mask[: SIDE // 2 + 5, 32:42].any()
    below = ground.floor[ground.horizon + 1 :].astype(int)
    assert (np.diff(below) >= 0).all()
    assert abs(int(ground.floor[-2]) - int(ground.nearness[-2, 0])) <= 8


@pytest.mark.parametrize("opening", [0, 16])
def test_ground_beyond_a_hedge_counts_only_where_it_reaches_the_camera(opening: int) -> None:
    depth = floor_and_wall()
    depth[: SIDE // 2 + 8, 30:44] = depth[: SIDE // 2 + 8, :1]  # No pillar.
    hedge = slice(48, 54)
    depth[hedge, opening:] = depth[hedge.stop, 0]
    ground = find_ground(depth)
    mask = ground.mask
    assert mask[SIDE - 14 : SIDE - 2].all()
    assert not mask[hedge.start + 2 : hedge.stop - 2, 24:].any()
    beyond = mask[ground.horizon + 4 : hedge.start - 3]
    assert beyond.mean() > 0.8 if opening else not beyond.any()


def test_what_stands_out_of_far_ground_is_no_ground() -> None:
    depth = floor_and_wall()
    depth[: SIDE // 2 + 8, 30:44] = depth[: SIDE // 2 + 8, :1]
    far, near = slice(38, 44), slice(SIDE - 14, SIDE - 8)
    depth[far, 40:60] += 0.085
    depth[near, 40:60] += 0.085
    mask = find_ground(depth).mask
    assert not mask[far.start + 2 : far.stop - 2, 46:54].any()
    assert mask[near.start + 2 : near.stop - 2, 46:54].all()


def test_inverse_depth_at_any_scale_and_depth_in_metres_have_the_same_ground() -> None:
    nearness = floor_and_wall()
    ground = find_ground(nearness)
    scaled = find_ground(nearness * 40 - 7)
    metric = find_ground(1 / (nearness + np.float32(0.5)), near_is_large=False)
    for other in (scaled, metric):
        assert abs(other.horizon - ground.horizon) <= 1  # A row may lie on the threshold.
        assert (other.mask == ground.mask).mean() > 0.98
        assert np.abs(other.nearness.astype(int) - ground.nearness).max() <= 1


@pytest.mark.parametrize("depth", [np.ones((60, 60)), np.tile(np.linspace(0, 1, 60), (60, 1))])
def test_walls_have_no_ground(depth: np.ndarray) -> None:
    assert not find_ground(depth.astype(np.float32)).found


def test_a_ground_survives_its_file() -> None:
    ground = find_ground(floor_and_wall())
    data = ground.to_bytes()
    again = Ground.from_bytes(data)
    assert again.to_bytes() == data
    assert (again.horizon, again.found) == (ground.horizon, ground.found)
    np.testing.assert_array_equal(again.mask, ground.mask)
    np.testing.assert_array_equal(again.floor, ground.floor)


def test_what_is_clearly_nearer_hides_and_the_border_is_soft() -> None:
    nearness = np.array([[100, 115, 119, 123, 200]], np.uint8)
    alpha = np.full((1, 5), 200, np.uint8)
    assert seen(alpha, nearness, 100).tolist() == [[200, 200, 100, 0, 0]]
    assert seen(alpha, nearness, -1) is alpha
    one = np.full((1, 1), 200, np.uint8)
    assert seen(one, np.array([[115]], np.uint8), 100) is one
    assert seen(one, np.array([[116]], np.uint8), 100).tolist() == [[176]]
