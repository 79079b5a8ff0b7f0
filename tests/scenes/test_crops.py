"""Parts of backgrounds, and the same parts of their depth and ground."""

import numpy as np
import pytest
from PIL import Image

from tests.scenes.making import SIDE, floor_and_wall, placement
from transforms.models.depth.passes import LONGEST
from transforms.scenes.crops import box_in, centred, cut_ground, cut_map, random_crop, shown_part
from transforms.scenes.draws import draws_of
from transforms.scenes.ground import find_ground
from transforms.scenes.scene import Crop

DRAWS = draws_of(3, [placement(number) for number in range(300)])


def test_crops_of_a_seed() -> None:
    found = [random_crop(draws, 160, 640, 480) for draws in DRAWS[:3]]
    assert found == [Crop(299, 127, 315), Crop(113, 2, 424), Crop(56, 103, 277)]


@pytest.mark.parametrize(
    ("width", "height", "least", "most"),
    [(640, 480, 240, 480), (200, 400, 160, 200), (120, 90, 90, 90), (5000, 100, 100, 100)],
)
def test_crops_reach_all_of_a_background(width: int, height: int, least: int, most: int) -> None:
    crops = [random_crop(draws, 160, width, height) for draws in DRAWS]
    sides = [crop.side for crop in crops]
    assert least <= min(sides) <= least + (most - least) / 20
    assert most - (most - least) / 20 <= max(sides) <= most
    shown = min(width, LONGEST * height)
    lefts = [crop.left - (width - shown) // 2 for crop in crops]
    rights = [left + crop.side for left, crop in zip(lefts, crops, strict=True)]
    assert 0 <= min(lefts) <= shown / 20 and shown * 0.95 <= max(rights) <= shown
    tops, bottoms = [crop.top for crop in crops], [crop.top + crop.side for crop in crops]
    assert 0 <= min(tops) <= height / 20 and height * 0.95 <= max(bottoms) <= height


def test_what_is_kept_of_a_background_is_large_enough_for_its_smallest_crop() -> None:
    photo = Image.new("RGB", (3000, 2000))
    shown = shown_part(photo, 160)
    assert shown.size == (480, 320)
    left, top, right, bottom = box_in(Crop(500, 100, 1000), photo.size, shown.size)
    assert (left, top, right, bottom) == (80, 16, 240, 176)
    small = Image.new("RGB", (300, 200))
    assert shown_part(small, 160) is small


def test_a_map_is_cut_where_the_picture_is() -> None:
    rows, columns = np.mgrid[0:120, 0:200].astype(np.float32)
    plane = rows * 2 + columns
    box = box_in(Crop(200, 100, 300), (1000, 600), (200, 120))
    found = cut_map(plane, box, 120)
    offsets = (np.arange(120) + 0.5) / 2 - 0.5
    wanted = (20 + offsets)[:, None] * 2 + 40 + offsets
    np.testing.assert_allclose(found[2:-2, 2:-2], wanted[2:-2, 2:-2], atol=1e-3)
    whole = cut_map(plane, box_in(centred(600, 600), (600, 600), (120, 120)), 120)
    assert whole.shape == (120, 120)


def test_ground_is_cut_where_the_picture_is() -> None:
    wide = find_ground(floor_and_wall(2 * SIDE))
    size = (2 * SIDE * 4, SIDE * 4)
    upper = cut_ground(wide, box_in(Crop(0, 0, SIDE), size, (2 * SIDE, SIDE)), SIDE)
    assert not upper.found and not upper.mask.any()
    crop = Crop(SIDE * 2, SIDE * 2, SIDE * 2)  # The lower half of the height, twice as large.
    lower = cut_ground(wide, box_in(crop, size, (2 * SIDE, SIDE)), SIDE)
    half = SIDE // 2
    assert lower.found and lower.horizon == 2 * (wide.horizon - half) < 0
    enlarged = wide.mask[half:, half:SIDE].repeat(2, axis=0).repeat(2, axis=1)
    assert (lower.mask == enlarged).mean() > 0.97
    near = wide.nearness[half:, half:SIDE].repeat(2, axis=0).repeat(2, axis=1)
    inner = np.abs(lower.nearness.astype(int) - near)[2:-2, 40:]
    assert inner.max() <= 4
    np.testing.assert_array_equal(lower.floor, wide.floor[half:].repeat(2))
