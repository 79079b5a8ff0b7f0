"""Sizes, turns, colours, edges and effects of what is pasted."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.scenes.making import FOREGROUNDS, SQUARE, background, pyramid
from transforms.pixels.size import Size
from transforms.scenes.edges import edged, poisson
from transforms.scenes.effects import blurred, noisy, photographed
from transforms.scenes.look import (
    Change,
    LabField,
    LabStatistics,
    colour_tables,
    foreground_statistics,
    lab_of,
    statistics_of,
)
from transforms.scenes.scene import Edge, Effects, Look
from transforms.scenes.sprites import Pyramid

OWN = foreground_statistics(FOREGROUNDS[1])


def coloured(
    picture: Image.Image, look: Look, own: LabStatistics, theirs: LabStatistics | None
) -> Image.Image:
    """A picture with its colours changed."""
    [table] = colour_tables([Change(look, own, theirs)])
    return picture if table is None else picture.filter(table)


def test_sprites_have_their_size_and_mirror_images_mirror() -> None:
    upright = pyramid(1).sprite(0, 31, 25, 0.0, Edge.ALPHA)
    mirrored = pyramid(1).sprite(1, 31, 25, 0.0, Edge.ALPHA)
    assert upright.alpha.shape == (25, 31)
    np.testing.assert_array_equal(np.asarray(upright.rgb)[:, ::-1], np.asarray(mirrored.rgb))
    np.testing.assert_array_equal(upright.alpha[:, ::-1], mirrored.alpha)


def test_a_turned_sprite_is_the_picture_turned_anticlockwise() -> None:
    picture = Image.new("RGBA", (64, 64), (10, 20, 30, 0))
    picture.paste((200, 60, 30, 255), (40, 8, 60, 56))  # On the right.
    drawn = Pyramid(picture, 64).sprite(0, 32, 32, 90.0, Edge.ALPHA)
    wanted = np.asarray(picture.resize((32, 32), Image.Resampling.BOX).rotate(90).getchannel("A"))
    assert drawn.alpha.shape == (32, 32)
    assert np.abs(drawn.alpha.astype(int) - wanted).mean() < 6
    mirrored = Pyramid(picture, 64).sprite(1, 32, 32, 90.0, Edge.ALPHA)
    assert np.abs(mirrored.alpha[::-1].astype(int) - wanted).mean() < 6


def test_hidden_colour_of_transparent_pixels_never_shows() -> None:
    for size in (9, 20, 33, 70):
        drawn = pyramid(1).sprite(0, size, size * 4 // 5, 7.0, Edge.ALPHA)
        assert (
            np.asarray(drawn.rgb)[drawn.alpha > 60][:, 1].max() < 60
        )  # The hidden colour is bright green.


def test_small_sprites_are_drawn_from_levels_near_their_size() -> None:
    checks = np.indices((256, 256)).sum(axis=0) % 2 * 255
    rgba = np.dstack([checks, checks, checks, np.full_like(checks, 255)]).astype(np.uint8)
    drawn = Pyramid(Image.fromarray(rgba), 256).sprite(0, 20, 20, 11.0, Edge.ALPHA)
    middle = np.asarray(drawn.rgb)[8:14, 8:14, 0]
    assert np.abs(middle.astype(int) - 128).max() < 12  # No moire.


def test_statistics_of_a_rectangle_are_those_of_its_pixels() -> None:
    picture = background(1, SQUARE).resize((48, 48))
    field = LabField(picture)
    found = field.around(10, 12, 16, 8)
    direct = statistics_of(lab_of(np.asarray(picture))[10:22, 6:30])
    assert found == direct
    corner = field.around(-40, 300, 8, 8)  # Beyond the picture: its nearest cells.
    assert corner == statistics_of(lab_of(np.asarray(picture))[47:, :1])


def test_the_field_of_a_part_is_that_of_its_pixels() -> None:
    picture = background(1, SQUARE).resize((48, 48))
    part = LabField(picture).part((12.0, 6.0, 36.0, 18.0), Size(96, 48))  # Four times as large.
    found = part.around(16, 16, 32, 16)  # 8 to 56, 12 to 36 with what is around, in the part.
    wanted = statistics_of(lab_of(np.asarray(picture))[9:15, 14:26])
    assert found == wanted


def test_a_look_that_changes_nothing_gives_the_picture_itself() -> None:
    picture = FOREGROUNDS[1]
    assert coloured(picture, Look(), OWN, None) is picture
    assert coloured(picture, Look(harmonise=0.5), OWN, None) is picture


@pytest.mark.parametrize(
    ("look", "change"),
    [
        (Look(brightness=0.5), lambda rgb: rgb * 0.5),
        (Look(contrast=0.7), lambda rgb: (rgb - 127.5) * 0.7 + 127.5),
        (
            Look(saturation=0.4),
            lambda rgb: (rgb @ [0.299, 0.587, 0.114])[:, None] * 0.6 + rgb * 0.4,
        ),
    ],
)
def test_jitter_is_what_its_factor_says(look: Look, change) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(3)
    rgb = rng.integers(0, 256, (40, 40, 3), np.uint8)
    found = np.asarray(coloured(Image.fromarray(rgb), look, OWN, None)).reshape(-1, 3)
    wanted = change(rgb.reshape(-1, 3).astype(float))
    assert np.abs(found - wanted).max() <= 2


def test_harmonised_colours_move_to_the_surroundings() -> None:
    picture = Image.new("RGB", (60, 60), (60, 90, 160))
    theirs = LabField(picture).around(10, 10, 20, 20)
    fg = FOREGROUNDS[2]
    solid = np.asarray(fg)[..., 3] >= 128

    def distance(image: Image.Image) -> float:
        found = statistics_of(lab_of(np.asarray(image)[..., :3])[solid])
        return float(np.abs(np.subtract(found.mean, theirs.mean)).sum())

    own = foreground_statistics(fg)
    far = distance(fg)
    half = distance(coloured(fg, Look(harmonise=0.5), own, theirs))
    whole = distance(coloured(fg, Look(harmonise=1.0), own, theirs))
    assert whole < half < far
    assert half == pytest.approx(far / 2, rel=0.25)
    assert whole < far * 0.2


@pytest.mark.parametrize(("row", "column"), [(2, 0), (2, 3), (0, 0), (4, 3)])
def test_the_bottom_is_one_below_the_lowest_solid_row(row: int, column: int) -> None:
    alpha = np.full((5, 4), 127, np.uint8)
    alpha[row, column] = 128
    plain = pyramid(1).sprite(0, 4, 5, 0.0, Edge.ALPHA)
    assert replace(plain, mask=Image.fromarray(alpha)).bottom == row + 1
    alpha[row, column] = 127
    assert replace(plain, mask=Image.fromarray(alpha)).bottom == 5


@pytest.mark.parametrize("edge", list(Edge))
def test_edges_make_no_transparent_pixel_opaque(edge: Edge) -> None:
    plain = pyramid(1).sprite(0, 40, 32, 0.0, Edge.ALPHA)
    alpha, treated = plain.alpha, np.asarray(edged(plain.mask, edge))
    assert not treated[alpha == 0].any()
    if edge is Edge.HARD:
        assert set(np.unique(treated)) == {0, 255}
        np.testing.assert_array_equal(treated >= 128, alpha >= 128)
    if edge in (Edge.SOFT, Edge.ERODED):
        assert (treated <= alpha).all() and (treated < alpha).any()
    if edge is Edge.ERODED:
        around = np.lib.stride_tricks.sliding_window_view(np.pad(alpha, 1), (3, 3))
        np.testing.assert_array_equal(treated, around.min(axis=(2, 3)))


def test_thin_objects_are_not_eroded_away() -> None:
    thin = np.zeros((20, 20), np.uint8)
    thin[9:11] = 255
    found = edged(Image.fromarray(thin), Edge.ERODED)
    np.testing.assert_array_equal(np.asarray(found), thin)


def test_poisson_solves_its_equation() -> None:
    rng = np.random.default_rng(4)
    below = np.full((24, 30, 3), 100, np.uint8)
    below[:] += (np.arange(30, dtype=np.uint8))[None, :, None]
    above = (rng.integers(90, 110, (24, 30, 3)) + 40).astype(np.uint8)
    alpha = np.zeros((24, 30), np.uint8)
    alpha[6:18, 8:22] = 255
    found = poisson(below, above, alpha).astype(float)
    np.testing.assert_array_equal(found[0], below[0])
    np.testing.assert_array_equal(found[:, -1], below[:, -1])
    # Within the object gradients are its own, but for rounding; its level is the background's.
    steps = np.diff(found[8:16, 10:20], axis=1) - np.diff(above[8:16, 10:20].astype(float), axis=1)
    assert np.abs(steps).mean() < 2.5
    assert abs(found[8:16, 10:20].mean() - below[8:16, 10:20].mean()) < 8


def test_noise_has_its_deviation_and_is_drawn_from_its_seed() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    found = noisy(grey, 6.0, 12345).astype(int) - 128
    assert abs(found.std() - 6.0) < 0.3
    assert abs(found.mean()) < 0.6
    np.testing.assert_array_equal(noisy(grey, 6.0, 12345), found + 128)
    assert (noisy(grey, 6.0, 12346) != found + 128).any()


def test_the_field_of_noise_begins_again_at_its_end() -> None:
    line = np.full((1, 40, 3), 128, np.uint8)
    found = noisy(line, 6.0, 2**20 - 50)
    np.testing.assert_array_equal(found.ravel()[50:], noisy(line, 6.0, 0).ravel()[:70])


def test_without_effects_a_picture_stays_as_it_is() -> None:
    picture = background(1, SQUARE)
    np.testing.assert_array_equal(photographed(picture, Effects(), 1), np.asarray(picture))


@pytest.mark.parametrize("deviation", [0.5, 0.8, 1.0])
def test_a_blur_has_its_deviation(deviation: float) -> None:
    point = np.zeros((31, 31, 3), np.uint8)
    point[15, 15] = 255
    across = blurred(point, deviation)[..., 0].sum(axis=0).astype(float)
    offsets = np.arange(31) - 15
    assert across.sum() == pytest.approx(255, rel=0.05)
    assert (across * offsets**2).sum() / across.sum() == pytest.approx(deviation**2, rel=0.12)
    flat = np.full((9, 9, 3), 77, np.uint8)
    np.testing.assert_array_equal(blurred(flat, deviation), flat)


@pytest.mark.parametrize("shape", [(9, 7, 3), (1, 6, 3), (6, 1, 3)])
def test_a_blur_is_two_passes_along_each_axis_with_repeated_borders(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    expected, side = picture.astype(int), round(0.7**2 * 64)
    for _ in range(2):
        padded = np.pad(expected, ((1, 1), (0, 0), (0, 0)), mode="edge")
        expected += (side * np.diff(padded, 2, axis=0) + 128) >> 8
        padded = np.pad(expected, ((0, 0), (1, 1), (0, 0)), mode="edge")
        expected += (side * np.diff(padded, 2, axis=1) + 128) >> 8
    np.testing.assert_array_equal(blurred(picture, 0.7), expected)
