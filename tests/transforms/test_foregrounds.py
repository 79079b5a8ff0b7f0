"""Cut-outs from pictures and masks of every kind."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.drawing import draw_foreground
from transforms.pixels.foregrounds import decode_foreground, margin_box
from transforms.pixels.images import BadImage

SHAPE = np.zeros((20, 30), np.uint8)
SHAPE[5:15, 10:20] = 255

PICTURE = Image.new("RGB", (30, 20), (10, 20, 30))


def file(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def alpha_of(picture: bytes, mask: bytes | None) -> np.ndarray:
    return np.asarray(decode_foreground(picture, mask))[..., 3]


def grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(values)


def with_alpha(colour: int, mode: str) -> bytes:
    image = Image.new("L", (30, 20), colour)
    image.putalpha(grey(SHAPE))
    if mode == "P":
        image = Image.new("P", (30, 20), 1)
        image.putpalette([0, 0, 0, 255, 255, 255])
        image.paste(0, (10, 5, 20, 15))
        return file(image, transparency=1)
    return file(image.convert(mode))


@pytest.mark.parametrize("colour", [0, 255, 90])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_the_shape_of_a_mask_with_alpha_is_in_its_alpha(mode, colour):
    np.testing.assert_array_equal(alpha_of(file(PICTURE), with_alpha(colour, mode)), SHAPE)


def test_a_mask_whose_alpha_is_constant_has_its_shape_in_its_grey():
    mask = grey(SHAPE)
    mask.putalpha(255)
    np.testing.assert_array_equal(alpha_of(file(PICTURE), file(mask)), SHAPE)


@pytest.mark.parametrize("value", [255, 254, 128, 100])
def test_an_alpha_that_cuts_nothing_out_is_none(value):
    picture = PICTURE.convert("RGBA")
    picture.putalpha(value)
    np.testing.assert_array_equal(alpha_of(file(picture), file(grey(SHAPE))), SHAPE)
    with pytest.raises(BadImage, match=f"alpha {value} everywhere, .* and no mask"):
        decode_foreground(file(picture), None)


def test_a_transparent_index_that_no_pixel_has_is_none():
    picture = Image.new("P", (30, 20), 3)
    picture.putpalette([50, 60, 70] * 8)
    data = file(picture, transparency=5)
    np.testing.assert_array_equal(alpha_of(data, file(grey(SHAPE))), SHAPE)
    with pytest.raises(BadImage, match="alpha 255 everywhere"):
        decode_foreground(data, None)


def test_an_alpha_of_its_own_comes_before_a_mask():
    picture = draw_foreground(1)
    white = Image.new("L", picture.size, 255)
    own = np.asarray(picture)[..., 3]
    np.testing.assert_array_equal(alpha_of(file(picture), file(white)), own)


@pytest.mark.parametrize("top", [1, 7, 127])
def test_masks_of_two_values_are_used(top):
    mask = grey((SHAPE // 255 * top).astype(np.uint8))
    np.testing.assert_array_equal(alpha_of(file(PICTURE), file(mask)), SHAPE)
    np.testing.assert_array_equal(alpha_of(file(PICTURE), file(mask.convert("RGB"))), SHAPE)
    deep = Image.fromarray((SHAPE // 255 * top).astype(np.uint16))
    np.testing.assert_array_equal(alpha_of(file(PICTURE), file(deep, "TIFF")), SHAPE)


def test_a_mask_of_one_colour_on_black_is_used():
    coloured = np.zeros((20, 30, 3), np.uint8)
    coloured[SHAPE > 0] = (128, 0, 0)
    np.testing.assert_array_equal(alpha_of(file(PICTURE), file(Image.fromarray(coloured))), SHAPE)
    np.testing.assert_array_equal(
        alpha_of(file(PICTURE), file(Image.fromarray(coloured).quantize(2))), SHAPE
    )


def test_soft_masks_stay_as_they_are():
    soft = np.tile(np.linspace(0, 200, 30).astype(np.uint8), (20, 1))
    np.testing.assert_array_equal(alpha_of(file(PICTURE), file(grey(soft))), soft)
    wide = grey(soft.astype(np.uint16) * 257)
    np.testing.assert_array_equal(alpha_of(file(PICTURE), file(wide, "TIFF")), soft)


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (grey(SHAPE // 255 * 5 + np.eye(20, 30, dtype=np.uint8)),
         "the largest value of its mask is 6 and it has"),
        (Image.merge("RGB", (grey(SHAPE), grey(255 - SHAPE), grey(SHAPE))),
         "its mask is in colours .up to 255x255x255"),
        (Image.new("L", (30, 20)), "its mask is black everywhere"),
        (Image.new("L", (30, 21)), "its mask is 30x21 but the image is 30x20$"),
    ],
)  # fmt: skip
def test_other_masks_are_refused_with_what_is_in_them(mask, reason):
    with pytest.raises(BadImage, match=reason):
        decode_foreground(file(PICTURE), file(mask))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_may_be_drawn_on_the_picture_as_stored_or_upright(orientation):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[2:8, 3:12] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = file(Image.fromarray(pixels), exif=exif)
    stored = pixels[..., 0]
    white = Image.new("L", (20, 30) if orientation >= 5 else (30, 20), 255)
    upright = np.asarray(decode_foreground(picture, file(white)))[..., 0]
    np.testing.assert_array_equal(alpha_of(picture, file(grey(upright.copy()))), upright)
    if orientation >= 5:
        np.testing.assert_array_equal(alpha_of(picture, file(grey(stored))), upright)
        with pytest.raises(BadImage, match=r"9x9 but the image is 20x30 \(30x20 before its EXIF"):
            decode_foreground(picture, file(Image.new("L", (9, 9), 255)))


def test_margins_end_where_alpha_is_above_a_ghost():
    alpha = np.full((20, 30), 3, np.uint8)
    alpha[7, 4], alpha[12, 25] = 4, 255
    image = Image.new("RGBA", (30, 20))
    image.putalpha(grey(alpha))
    assert margin_box(image) == (4, 7, 26, 13)
    alpha[0, 0] = alpha[19, 29] = 4
    image.putalpha(grey(alpha))
    assert margin_box(image) is None
    assert margin_box(Image.new("RGBA", (3, 3))) is None
