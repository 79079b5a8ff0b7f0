import io
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.drawing import draw_foreground
from transforms.pixels.foregrounds import decode_foreground
from transforms.pixels.images import (
    BadImage,
    crop_background,
    fit_foreground,
    fitted_size,
    open_image,
    to_rgb,
)
from transforms.pixels.input_cache import decode_background
from transforms.pixels.size import Size


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "size, box, expected",
    [
        ((100, 50), 80, (80, 40)),
        ((1, 1), 80, (80, 80)),
        ((3, 1000), 80, (1, 80)),
        ((7, 7), 1, (1, 1)),
    ],
)
def test_fitted_size_keeps_the_aspect(size, box, expected):
    width, height = size
    assert fitted_size(width, height, box) == expected


def test_exif_orientation_is_applied():
    image = Image.new("RGB", (40, 20), (255, 0, 0))
    image.paste((0, 0, 255), (0, 0, 20, 20))
    exif = image.getexif()
    exif[0x0112] = 6
    upright = open_image(encoded(image, "JPEG", exif=exif, quality=100, subsampling=0))
    assert upright.size == (20, 40)
    pixels = np.asarray(upright)
    assert pixels[5, 10, 2] > 200 and pixels[35, 10, 0] > 200


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "1", "I;16", "RGBA", "LA"])
def test_backgrounds_of_every_mode_decode_to_rgb(mode):
    grey = Image.linear_gradient("L").resize((64, 64))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    else:
        image = grey.convert(mode)
    data = encoded(image, "TIFF")
    pixels = np.asarray(decode_background(data)).astype(int)
    assert pixels.shape == (64, 64, 3)
    if mode != "1":
        assert np.abs(pixels[..., 0] - np.asarray(grey)).max() <= 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_alpha_of_every_mode_is_found(mode):
    image = draw_foreground(1)
    if mode == "P":
        palette = Image.new("P", (20, 20), 0)
        palette.putpalette([0, 255, 0, 200, 10, 10])
        palette.paste(1, (5, 5, 15, 15))
        data = encoded(palette, "PNG", transparency=0)
    else:
        data = encoded(image.convert(mode))
    alpha = np.asarray(decode_foreground(data, None))[..., 3]
    assert alpha.min() == 0 and alpha.max() == 255


def test_a_mask_gives_alpha_where_the_image_has_none():
    image = Image.new("RGB", (30, 20), (10, 20, 30))
    mask = Image.new("L", (30, 20))
    mask.paste(255, (10, 5, 20, 15))
    rgba = decode_foreground(encoded(image, "JPEG"), encoded(mask))
    assert np.array_equal(np.asarray(rgba)[..., 3], np.asarray(mask))


@pytest.mark.parametrize(
    "data, mask, reason",
    [
        (b"", None, "empty"),
        (b"hello, world", None, "not an image"),
        (encoded(draw_foreground(1))[:900], None, "cannot be decoded"),
        (encoded(Image.new("RGBA", (8, 8))), None, "alpha is 0 everywhere"),
        (encoded(Image.new("RGB", (8, 8))), None, "no alpha channel and no mask"),
        (encoded(Image.new("RGB", (8, 8))), encoded(Image.new("L", (8, 9))), "its mask is 8x9 but"),
    ],
)
def test_bad_foregrounds_are_refused_with_the_reason(data, mask, reason):
    with pytest.raises(BadImage, match=reason):
        decode_foreground(data, mask)


@pytest.mark.parametrize("side", [12_500, 30_000])
def test_a_bomb_is_refused_from_its_header(side):
    header = bytearray(encoded(Image.new("L", (8, 8))))
    header[16:24] = side.to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(bytes(header[12:29])).to_bytes(4, "big")
    with pytest.raises(BadImage, match="more than the limit of 150,000,000 pixels"):
        open_image(bytes(header))


def test_one_pixel_images_work():
    assert crop_background(Image.new("RGB", (1, 1), (9, 8, 7)), Size.square(16)).tolist()[15][
        15
    ] == [9, 8, 7]
    assert fit_foreground(Image.new("RGBA", (1, 1), (1, 2, 3, 255)), 8).shape == (8, 8, 4)


def test_transparent_backgrounds_show_black():
    image = to_rgb(Image.new("RGBA", (2, 2), (255, 255, 255, 0)))
    assert image.getpixel((0, 0)) == (0, 0, 0)
