import numpy as np
import pytest
from PIL import Image

from tests.drawing import draw_background, draw_foreground
from tests.reference import reference_background, reference_foreground, reference_sample
from transforms.pixels.cutout import Cutout
from transforms.pixels.images import crop_background, fit_foreground
from transforms.pixels.size import Size
from transforms.steps.composite import paste
from transforms.steps.mask import bounding_box, paste_mask


@pytest.mark.parametrize("shown", [Size(64, 64), Size(100, 64), Size(64, 80)])
@pytest.mark.parametrize("flip", [0, 1])
@pytest.mark.parametrize("size", [(100, 80), (60, 120), (90, 30)])
def test_equals_the_reference(tmp_path, size, flip, shown):
    fg_path, bg_path = tmp_path / "fg.png", tmp_path / "bg.png"
    draw_foreground(3, size).save(fg_path)
    draw_background(2).save(bg_path)
    image = crop_background(Image.open(bg_path), shown)
    rgba = fit_foreground(Image.open(fg_path), 32)
    cutout = Cutout.from_rgba(rgba)
    cutout = cutout.mirrored() if flip else cutout
    mask = np.zeros(shown.shape, np.uint8)
    x, y = shown.width - 53, shown.height - 35
    paste(image, cutout, x, y)
    paste_mask(mask, cutout.alpha, x, y)
    expected = reference_sample(
        reference_foreground(fg_path, 32), reference_background(bg_path, *shown.pair), flip, x, y
    )
    np.testing.assert_array_equal(mask, expected[1])
    # Floating point may round a value that stands exactly between two integers the other way.
    difference = np.abs(image.astype(int) - expected[0])
    assert difference.max() <= 1 and (difference > 0).mean() < 0.001


def test_every_colour_and_alpha_is_rounded_exactly():
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    rgba = np.stack([colour, colour, colour, alpha], axis=-1).astype(np.uint8)
    cutout = Cutout.from_rgba(rgba)
    for under in (0, 1, 77, 128, 254, 255):
        image = np.full((256, 256, 3), under, np.uint8)
        paste(image, cutout, 0, 0)
        exact = (colour * alpha + under * (255 - alpha)) / 255
        np.testing.assert_array_equal(image[..., 0], np.floor(exact + 0.5).astype(np.uint8))


def test_hidden_colour_never_bleeds_into_the_edge():
    # The disc is red to blue; everything under transparent pixels is bright green.
    rgba = fit_foreground(draw_foreground(1, (400, 300)), 40)
    image = np.full((40, 40, 3), 128, np.uint8)
    paste(image, Cutout.from_rgba(rgba), 0, 0)
    assert image[..., 1].max() <= 130


def test_bounding_box_counts_from_128_on():
    mask = np.zeros((20, 30), np.uint8)
    assert bounding_box(mask)[1] == 0
    mask[4:9, 7:20] = 127
    mask[5:8, 10:12] = 128
    box, area = bounding_box(mask)
    assert (box.x, box.y, box.width, box.height, area) == (10, 5, 2, 3, 6)
