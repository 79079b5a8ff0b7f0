"""The sheets show each picture in its place, with a name that stays under it."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from transforms.pixels.size import Size
from transforms.report.exhibits import Exhibit, Section, Triple, colour_depth, evenly
from transforms.report.sheets import TILE, printable, section_sheet, triples_sheet

COLOURS = [(250, 20, 30), (10, 240, 60), (30, 60, 250), (240, 230, 20), (200, 20, 220)]


def plain(colour: tuple[int, int, int], name: str = "name", side: int = 64) -> Exhibit:
    image = Image.new("RGB", (side, side), colour)
    return Exhibit(name, "", f"images/{name}.png", image, b"")


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def lefts_of(shown: np.ndarray, colour: tuple[int, int, int]) -> list[int]:
    """Columns at which solid tiles of a colour begin, over all rows."""
    solid = (shown == colour).all(axis=2).sum(axis=0) >= TILE
    return (np.flatnonzero(solid & ~np.roll(solid, 1))).tolist()


@pytest.mark.parametrize("side", [1, 64, 160, 1000])
def test_each_picture_fills_its_tile(side):
    section = Section("s", "Title", "text", tuple(plain(c, side=side) for c in COLOURS))
    shown = decoded(section_sheet(section))
    lefts = [lefts_of(shown, colour) for colour in COLOURS]
    assert [len(found) for found in lefts] == [1] * 5
    assert [found[0] for found in lefts] == sorted(found[0] for found in lefts)
    for colour in COLOURS:
        assert (shown == colour).all(axis=2).sum() == TILE * TILE


@pytest.mark.parametrize(
    "size, tile",
    [(Size(256, 144), (160, 90)), (Size(60, 90), (107, 160)), (Size(500, 5), (160, 40))],
)
def test_tiles_have_the_aspect_of_the_pictures(size, tile):
    wide = Image.new("RGB", tile, COLOURS[0])
    square = plain(COLOURS[1], side=40)
    cells = (Exhibit("wide", "", "wide.png", wide, b""), square)
    shown = decoded(section_sheet(Section("s", "Title", "text", cells), size))
    assert (shown == COLOURS[0]).all(axis=2).sum() == tile[0] * tile[1]
    assert (shown == COLOURS[1]).all(axis=2).sum() == min(tile) ** 2  # Whole, with a border.


def test_rows_follow_after_six_columns():
    section = Section("s", "Title", "text", tuple(plain(COLOURS[0]) for _ in range(7)))
    shown = decoded(section_sheet(section))
    solid = (shown == COLOURS[0]).all(axis=2)
    assert solid.sum() == 7 * TILE * TILE
    assert len(lefts_of(shown, COLOURS[0])) == 6


@pytest.mark.parametrize(
    "name",
    [
        "W" * 300,
        "🚗👨‍👩‍👧 car.png",
        "line\nbreak\ttab\x00.png",
        "undecodable \udcff\ud800.png",
        "مرحبا 汽车.png",
        "",
    ],
)
def test_any_name_stays_within_its_column(name):
    picture = plain(COLOURS[0], name)
    shown = decoded(section_sheet(Section("s", "Title", "text", (picture, picture, picture))))
    below = shown[np.flatnonzero((shown == COLOURS[0]).all(axis=2).any(axis=1)).max() + 1 :]
    lefts = lefts_of(shown, COLOURS[0])
    for left, right in itertools.pairwise(lefts):
        middle = (left + TILE + right) // 2
        assert (below[:, middle] == shown[0, 0]).all()
    inked = (below != shown[0, 0]).any(axis=2)
    assert inked.any() == bool(name)


def test_a_cutout_shows_the_chequerboard_where_it_is_transparent():
    rgba = np.zeros((40, 80, 4), np.uint8)
    rgba[10:30, 20:60] = (*COLOURS[0], 255)
    cutout = Exhibit("fg 1", "file.png", "images/fg_1.png", Image.fromarray(rgba), b"")
    shown = decoded(section_sheet(Section("s", "Title", "text", (cutout,))))
    rows, columns = np.nonzero(np.all(abs(shown - COLOURS[0]) < 60, axis=2))
    assert (columns.max() - columns.min()) == pytest.approx(TILE / 2, abs=4)
    assert (rows.max() - rows.min()) == pytest.approx(TILE / 4, abs=4)
    around = shown[rows.min() - 20 : rows.min() - 10, columns.min() : columns.max()]
    assert len(np.unique(around.reshape(-1, 3), axis=0)) == 2


def triple_of(number: int, depth: bool) -> Triple:
    left_half = np.zeros((20, 20, 4), np.uint8)
    left_half[:, :10] = (*COLOURS[1], 255)
    foreground = Exhibit(
        "fg 1", "mirrored", "images/fg_1.png", Image.fromarray(left_half), b"", mirrored=True
    )
    black = Image.new("L", (20, 20))
    return Triple(
        plain(COLOURS[0], f"bg {number}"),
        foreground,
        plain(COLOURS[2], f"fg_bg_{number}"),
        Exhibit("mask", "", "images/mask.png", black, b""),
        plain(COLOURS[4], "depth") if depth else None,
    )


@pytest.mark.parametrize("count", [1, 3, 5, 24])
@pytest.mark.parametrize("depth", [True, False])
def test_triples_stand_side_by_side(count, depth):
    shown = decoded(triples_sheet([triple_of(i, depth) for i in range(count)]))
    each = TILE * TILE
    shown_count = min(count, 12)
    assert (shown == COLOURS[0]).all(axis=2).sum() == shown_count * each
    assert (shown == COLOURS[4]).all(axis=2).sum() == (shown_count * each if depth else 0)
    background, composite = lefts_of(shown, COLOURS[0])[0], lefts_of(shown, COLOURS[2])[0]
    # The foreground stands between them; mirrored, its opaque half is on the right.
    half = (shown == COLOURS[1]).all(axis=2).nonzero()[1]
    first = half[half < composite]
    assert background < first.min() and first.min() > (background + composite) / 2
    assert composite - first.max() < 20


def test_a_missing_input_leaves_its_place_empty():
    whole = triple_of(0, False)
    shown = decoded(triples_sheet([Triple(None, None, whole.composite, whole.mask, None)]))
    assert lefts_of(shown, COLOURS[2])[0] > 2 * TILE
    assert (shown[:, :200] == shown[0, 0]).all(axis=2).mean() > 0.8


def test_even_choice():
    assert evenly(range(100), 4) == [12, 37, 62, 87]
    assert evenly([1, 2], 24) == [1, 2]
    assert evenly([], 24) == []


def test_printable_keeps_what_can_be_shown():
    assert printable("汽车 🚗‍a\n\udcff\u202e") == "汽车 🚗‍a\ufffd\ufffd\ufffd"


@pytest.mark.parametrize("near_is_large", [True, False])
def test_near_is_bright_in_depth(near_is_large):
    pixels = np.array([[1000, 2000], [30000, 64000]], np.uint16)
    image = colour_depth(pixels, near_is_large)
    brightness = np.asarray(image.convert("RGB")).astype(int).sum(axis=2)
    near, far = (pixels.argmax(), pixels.argmin())[:: 1 if near_is_large else -1]
    assert brightness.ravel()[near] == brightness.max() > 500
    assert brightness.ravel()[far] == brightness.min() < 20


def test_a_constant_depth_map_can_be_shown():
    assert colour_depth(np.full((3, 5), 7, np.uint16), True).size == (5, 3)
