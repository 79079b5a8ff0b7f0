"""Resized cut-outs: flat colours stay flat, and alpha has no ripples."""

import numpy as np
import pytest
from PIL import Image

from transforms.pixels.cutout import Cutout
from transforms.pixels.images import crop_background, fit_foreground, resized_foreground
from transforms.pixels.resize import resize_alpha
from transforms.pixels.size import Size
from transforms.steps.composite import paste

COLOURS = [(200, 0, 0), (255, 255, 255), (0, 0, 0), (1, 254, 128)]


def shape(kind: str, side: int) -> np.ndarray:
    """Where the object is: bool [side, side]."""
    y, x = np.mgrid[:side, :side] + 0.5
    if kind == "disc":
        return (x - side / 2) ** 2 + (y - side / 2) ** 2 < (0.4 * side) ** 2
    if kind == "bar":
        return abs(x - 0.45 * side) < max(1, side / 20)
    return (abs(y - 0.5 * side) < max(1, side / 12)) & (x > side / 10)


def flat(kind: str, side: int, colour: tuple[int, int, int]) -> np.ndarray:
    """uint8 [side, side, 4]; colour under transparent pixels is another one."""
    rgba = np.full((side, side, 4), (13, 240, 90, 0), np.uint8)
    rgba[shape(kind, side)] = (*colour, 255)
    return rgba


@pytest.mark.parametrize("kind", ["disc", "bar", "plank"])
@pytest.mark.parametrize("side, box", [(300, 80), (100, 80), (97, 23), (50, 80), (20, 77)])
def test_flat_colours_stay_at_the_catalogs_resize_and_at_the_jittered_one(kind, side, box):
    for colour in COLOURS:
        first = fit_foreground(Image.fromarray(flat(kind, side, colour)), box)
        for rgba in (first, *(resized_foreground(first, (n, n)) for n in (box - 1, box // 2 + 1))):
            seen = rgba[rgba[..., 3] > 0].astype(int)
            assert len(seen) and np.abs(seen[:, :3] - colour).max() <= 1
            assert not rgba[rgba[..., 3] == 0].any()


@pytest.mark.parametrize("kind", ["disc", "bar", "plank"])
@pytest.mark.parametrize("side, box", [(300, 80), (100, 80), (40, 90)])
def test_alpha_ends_where_the_object_does(kind, side, box):
    alpha = flat(kind, side, (0, 0, 0))[..., 3]
    found = resize_alpha(alpha, (box, box))
    reach = max(1.0, side / box)
    for y, x in np.ndindex(box, box):
        centre = np.array([y + 0.5, x + 0.5]) * side / box
        low, high = np.floor(centre - reach).astype(int), np.ceil(centre + reach).astype(int)
        (top, left), (bottom, right) = np.maximum(low, 0), high
        around = alpha[top:bottom, left:right]
        if not around.any():
            assert found[y, x] == 0
        if around.all():
            assert found[y, x] == 255


def test_a_disc_on_its_own_colour_is_not_seen():
    rgba = fit_foreground(Image.fromarray(flat("disc", 300, (200, 40, 0))), 80)
    image = np.full((80, 80, 3), (200, 40, 0), np.uint8)
    paste(image, Cutout.from_rgba(rgba), 0, 0)
    assert np.abs(image.astype(int) - (200, 40, 0)).max() <= 1


def test_bands_make_no_difference(monkeypatch):
    rng = np.random.default_rng(5)
    image = Image.fromarray(rng.integers(0, 256, (90, 70, 4), np.uint8))
    whole = fit_foreground(image, 33)
    monkeypatch.setattr("transforms.pixels.resize._BAND", 7 * 70)
    np.testing.assert_array_equal(fit_foreground(image, 33), whole)


def test_sets_of_older_versions_keep_their_pixels():
    image = Image.fromarray(flat("disc", 100, (200, 0, 0)))
    old = np.asarray(image.resize((80, 80), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(fit_foreground(image, 80, ringing=True), old)
    assert (fit_foreground(image, 80) != old).any()


@pytest.mark.parametrize("size", [(40, 100), (100, 40), (41, 100)])
def test_backgrounds_are_cropped_around_their_centre(size):
    width, height = size
    y, x = np.mgrid[:height, :width]
    image = Image.fromarray(np.stack([x * 2, y * 2, 0 * x], axis=-1).astype(np.uint8))
    side = min(size)
    for cut in (Size(side, side), Size(side, side // 2), Size(side // 2, side)):
        found = crop_background(image, cut)
        assert found.shape == (*cut.shape, 3)
        # A part that is half as long has all of the other side, and is halved or kept.
        step = min(width / cut.width, height / cut.height)
        shown = cut.width * step, cut.height * step
        left, top = (width - shown[0]) / 2, (height - shown[1]) / 2
        first = [2 * (left + step / 2 - 0.5), 2 * (top + step / 2 - 0.5), 0]
        last = [2 * (left + shown[0] - step / 2 - 0.5), 2 * (top + shown[1] - step / 2 - 0.5), 0]
        np.testing.assert_allclose(found[0, 0], first, atol=1)
        np.testing.assert_allclose(found[-1, -1], last, atol=1)
