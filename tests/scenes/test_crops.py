"""Parts of backgrounds, and the same parts of their depth and ground."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from tests.scenes.making import SIDE, SQUARE, floor_and_wall, placement
from transforms.models.depth.passes import LONGEST
from transforms.pixels.size import Size
from transforms.scenes.crops import (
    box_in,
    centred,
    cut_ground,
    cut_map,
    cut_picture,
    random_crop,
    shown_part,
)
from transforms.scenes.draws import draws_of
from transforms.scenes.ground import Ground, find_ground
from transforms.scenes.scene import Crop

DRAWS = draws_of(3, [placement(number) for number in range(300)])


def test_crops_of_a_seed() -> None:
    odd = [random_crop(draws, Size(4, 4), 41, 31).width for draws in DRAWS]
    assert (min(odd), max(odd)) == (16, 31)
    found = [random_crop(draws, Size(160, 160), 640, 480) for draws in DRAWS[:3]]
    assert found == [Crop(299, 127, 315, 315), Crop(113, 2, 424, 424), Crop(56, 103, 277, 277)]


@pytest.mark.parametrize(
    ("width", "height", "least", "most"),
    [(640, 480, 240, 480), (200, 400, 160, 200), (120, 90, 90, 90), (5000, 100, 100, 100)],
)
def test_crops_reach_all_of_a_background(width: int, height: int, least: int, most: int) -> None:
    crops = [random_crop(draws, Size(160, 160), width, height) for draws in DRAWS]
    assert all(crop.width == crop.height for crop in crops)
    sides = [crop.width for crop in crops]
    assert least <= min(sides) <= least + (most - least) / 20
    assert most - (most - least) / 20 <= max(sides) <= most
    shown = min(width, LONGEST * height)
    lefts = [crop.left - (width - shown) // 2 for crop in crops]
    rights = [left + crop.width for left, crop in zip(lefts, crops, strict=True)]
    assert 0 <= min(lefts) <= shown / 20 and shown * 0.95 <= max(rights) <= shown
    tops, bottoms = [crop.top for crop in crops], [crop.top + crop.height for crop in crops]
    assert 0 <= min(tops) <= height / 20 and height * 0.95 <= max(bottoms) <= height


@pytest.mark.parametrize(
    ("size", "width", "height", "most"),
    [
        (Size(160, 90), 640, 480, (640, 360)),
        (Size(90, 160), 640, 480, (270, 480)),
        (Size(160, 90), 300, 900, (300, 168)),
        (Size(160, 90), 5000, 90, (160, 90)),
        (Size(300, 30), 5000, 100, (1000, 100)),
        (Size(1000, 10), 50, 40, (50, 1)),
    ],
)
def test_crops_have_the_aspect_of_the_pictures(
    size: Size, width: int, height: int, most: tuple[int, int]
) -> None:
    crops = [random_crop(draws, size, width, height) for draws in DRAWS]
    for crop in crops:
        assert abs(crop.width - crop.height * size.width / size.height) <= max(
            0.5, 0.5 * size.width / size.height
        ) or (crop.width == width and crop.height == 1)
        assert crop.left >= 0 and crop.left + crop.width <= width
        assert crop.top >= 0 and crop.top + crop.height <= height
        assert crop.width <= most[0] and crop.height <= most[1]
    largest = max(crops, key=lambda crop: crop.width * crop.height)
    assert largest.width >= 0.97 * most[0] and largest.height >= 0.97 * most[1]
    middle = centred(width, height, size)
    assert abs(middle.width - most[0]) <= 1 and abs(middle.height - most[1]) <= 1


def test_crops_of_wide_pictures_of_a_seed() -> None:
    found = [random_crop(draws, Size(160, 90), 640, 480) for draws in DRAWS[:3]]
    assert found == [Crop(203, 188, 420, 236), Crop(39, 8, 565, 318), Crop(42, 139, 368, 207)]


def test_what_is_kept_of_a_background_is_large_enough_for_its_smallest_crop() -> None:
    photo = Image.new("RGB", (3000, 2000))
    shown = shown_part(photo, Size(160, 160))
    assert shown.size == (480, 320)
    left, top, right, bottom = box_in(
        Crop(500, 100, 1000, 1000), photo.size, shown.size, Size(160, 160)
    )
    assert (left, top, right, bottom) == (80, 16, 240, 176)
    for size in (Size(160, 90), Size(90, 160)):
        shown = shown_part(photo, size)
        crop = centred(*photo.size, size)
        left, top, right, bottom = box_in(crop, photo.size, shown.size, size)
        assert abs(right - left - 2 * size.width) < 1 and abs(bottom - top - 2 * size.height) < 1
    small = Image.new("RGB", (300, 200))
    assert shown_part(small, Size(160, 160)) is small


def test_of_a_panorama_the_middle_is_kept_and_cut() -> None:
    size, aside = Size(20, 20), (1000 - LONGEST * 100) // 2
    columns = np.arange(1000) // 4
    photo = Image.fromarray(np.stack([np.tile(columns, (100, 1))] * 3, axis=2).astype(np.uint8))
    shown = shown_part(photo, size)
    assert shown.size == (LONGEST * 40, 40)
    for left in (aside, aside + 60, 1000 - aside - 50):
        box = box_in(Crop(left, 20, 50, 50), photo.size, shown.size, size)
        assert box == ((left - aside) * 0.4, 8, (left - aside + 50) * 0.4, 28)
        cut = np.asarray(cut_picture(shown, box, size))
        wanted = (left + 2.5 * (np.arange(20) + 0.5)) / 4
        assert np.abs(cut[..., 0] - wanted)[:, 3:-3].max() < 1.5


def test_a_part_of_a_picture_keeps_its_detail() -> None:
    noise = np.random.default_rng(1).integers(96, 160, (90, 120, 3), np.uint8)
    box = (10.0, 20.0, 70.0, 80.0)
    found = np.asarray(cut_picture(Image.fromarray(noise), box, Size(40, 40)))
    rows, columns = (lanczos(n, start, 60, 40) for n, start in ((90, 20), (120, 10)))
    wanted = np.einsum("yr,xc,rcd->yxd", rows, columns, noise.astype(float))
    assert np.abs(found - wanted).max() <= 1.5


def lanczos(count: int, start: float, length: float, to: int) -> np.ndarray:
    """The weights with which pixels of a line become those of a part of it: [to, count]."""
    scale = length / to
    middles = start + (np.arange(to) + 0.5) * scale
    at = (np.arange(count) + 0.5 - middles[:, None]) / max(scale, 1.0)
    weights = np.where(np.abs(at) < 3, np.sinc(at) * np.sinc(at / 3), 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def test_a_map_is_cut_where_the_picture_is() -> None:
    rows, columns = np.mgrid[0:120, 0:200].astype(np.float32)
    plane = rows * 2 + columns
    box = box_in(Crop(200, 100, 300, 300), (1000, 600), (200, 120), Size(120, 120))
    found = cut_map(plane, box, Size(120, 120))
    offsets = (np.arange(120) + 0.5) / 2 - 0.5
    wanted = (20 + offsets)[:, None] * 2 + 40 + offsets
    np.testing.assert_allclose(found[2:-2, 2:-2], wanted[2:-2, 2:-2], atol=1e-3)
    wide = Size(90, 60)
    crop = centred(600, 600, wide)
    assert crop == Crop(0, 100, 600, 400)
    box = box_in(crop, (600, 600), (120, 120), wide)
    assert box == (0, 20, 120, 100) and cut_map(plane[:, :120], box, wide).shape == (60, 90)


def test_ground_is_cut_where_the_picture_is() -> None:
    wide = find_ground(floor_and_wall(2 * SIDE))
    size = (2 * SIDE * 4, SIDE * 4)
    upper = cut_ground(wide, box_in(Crop(0, 0, SIDE, SIDE), size, (2 * SIDE, SIDE), SQUARE), SQUARE)
    assert not upper.found and not upper.mask.any()
    crop = Crop(
        SIDE * 2, SIDE * 2, SIDE * 2, SIDE * 2
    )  # The lower half of the height, twice as large.
    lower = cut_ground(wide, box_in(crop, size, (2 * SIDE, SIDE), SQUARE), SQUARE)
    half = SIDE // 2
    assert lower.found and lower.horizon == 2 * (wide.horizon - half) < 0
    enlarged = wide.mask[half:, half:SIDE].repeat(2, axis=0).repeat(2, axis=1)
    assert (lower.mask == enlarged).mean() > 0.97
    near = wide.nearness[half:, half:SIDE].repeat(2, axis=0).repeat(2, axis=1)
    inner = np.abs(lower.nearness.astype(int) - near)[2:-2, 40:]
    assert inner.max() <= 4
    np.testing.assert_array_equal(lower.floor, wide.floor[half:].repeat(2))


def test_the_edge_of_ground_stays_where_it_is() -> None:
    mask = np.zeros((40, 40), bool)
    mask[20:, 13:] = True
    nearness = np.full((40, 40), 9, np.uint8)
    wide = Ground(20, mask, nearness, np.arange(40, dtype=np.uint8), True)
    enlarged = cut_ground(wide, (0.0, 10.0, 30.0, 40.0), Size(60, 60)).mask
    np.testing.assert_array_equal(enlarged.any(axis=0), np.arange(60) >= 26)
    np.testing.assert_array_equal(enlarged.any(axis=1), np.arange(60) >= 20)
    none = cut_ground(dataclasses.replace(wide, found=False), (0.0, 0.0, 40.0, 40.0), Size(40, 40))
    assert (none.horizon, none.found) == (0, False)
    assert not none.mask.any() and not none.floor.any() and (none.nearness == 9).all()


@pytest.mark.parametrize("found", [True, False])
def test_the_ground_of_a_wide_picture_has_its_shape(found: bool) -> None:
    wide = find_ground(floor_and_wall(3 * SIDE) if found else np.ones((SIDE, 3 * SIDE)))
    size = Size(80, 30)
    box = box_in(Crop(0, SIDE // 2, 96, 36), (3 * SIDE, SIDE), (3 * SIDE, SIDE), size)
    ground = cut_ground(wide, box, size)
    assert ground.found is found
    assert ground.mask.shape == ground.nearness.shape == size.shape
    assert ground.floor.shape == (30,)
    if found:
        assert ground.horizon == round((wide.horizon - SIDE // 2) * 30 / 36)
