import io
import zlib

import numpy as np
import pytest
from PIL import Image

from transforms.pixels.codecs import (
    decode_jpeg,
    decode_jpegs,
    decode_png,
    encode_16_bit,
    encode_jpeg,
    encode_mask,
    encode_rgb,
)

NOISE = (np.arange(37 * 53 * 3) * 7919 % 251).astype(np.uint8).reshape(37, 53, 3)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (37, 53)])
def test_png_files_are_lossless(shape):
    pixels = NOISE[: shape[0], : shape[1]] if shape[1] <= 53 else NOISE
    height, width = pixels.shape[:2]
    assert np.array_equal(np.asarray(opened(encode_rgb(pixels))), pixels)
    assert np.array_equal(np.asarray(opened(encode_mask(pixels[..., 0]))), pixels[..., 0])
    wide = pixels[..., 0].astype(np.uint16) * 256 + pixels[..., 1]
    image = opened(encode_16_bit(wide))
    assert image.mode == "I;16" and image.size == (width, height)
    assert np.array_equal(np.asarray(image), wide)


def test_jpeg_is_decoded_to_what_pillow_sees():
    smooth = np.asarray(Image.fromarray(NOISE).resize((160, 160), Image.Resampling.BICUBIC))
    data = encode_jpeg(smooth, 90)
    assert np.array_equal(decode_jpeg(data), np.asarray(opened(data)))
    assert opened(encode_jpeg(smooth[..., 0], 90)).mode == "L"


@pytest.mark.parametrize("quality", [1, 50, 90, 100])
@pytest.mark.parametrize("shape", [(1, 1), (2, 37), (17, 16), (33, 1), (37, 53)])
def test_pixels_decoded_to_be_counted_are_what_pillow_sees(shape, quality):
    height, width = shape
    pictures = [NOISE[:height, :width], NOISE[-height:, -width:]]
    files = [encode_jpeg(picture, quality) for picture in pictures]
    counted = decode_jpegs(files, height, width)
    assert counted.shape == (2, height, width, 4)
    for data, pixels in zip(files, counted, strict=True):
        assert np.array_equal(pixels[..., :3], np.asarray(opened(data)))


def test_encoders_do_not_change_their_input():
    before = NOISE.copy()
    encode_rgb(NOISE)
    encode_mask(NOISE[..., 0])
    assert np.array_equal(NOISE, before)


def pillow_png(pixels: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", **options)
    return file.getvalue()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (37, 1), (37, 53)])
def test_png_is_decoded_to_what_pillow_sees(shape, monkeypatch):
    pixels = NOISE[: shape[0], : shape[1]]
    wide = pixels[..., 0].astype(np.uint16) * 256 + pixels[..., 1]
    colours = pillow_png(pixels)
    with monkeypatch.context() as patch:
        # The product's own files do not go to Pillow.
        patch.setattr(Image, "open", None)
        own = [
            decode_png(data)
            for data in (
                encode_rgb(pixels),
                memoryview(encode_mask(pixels[..., 0])),
                encode_16_bit(wide),
            )
        ]
    for found, expected in zip(
        [*own, decode_png(colours)], [pixels, pixels[..., 0], wide, pixels], strict=True
    ):
        assert found.dtype == expected.dtype and found.flags.writeable
        np.testing.assert_array_equal(found, expected)


def test_png_files_of_other_programs_are_decoded():
    for data in (
        pillow_png(NOISE[..., 0], compress_level=0),
        pillow_png(NOISE, dpi=(72, 72)),
        pillow_png(np.tile(np.arange(53, dtype=np.uint16), (37, 1))),
    ):
        np.testing.assert_array_equal(decode_png(data), np.asarray(opened(data)))


def test_a_damaged_png_is_an_error():
    data = encode_16_bit(NOISE[..., 0].astype(np.uint16))
    large = bytearray(data)
    large[16:24] = b"\0\0\x10\0\0\0\x10\0"
    large[29:33] = zlib.crc32(large[12:29]).to_bytes(4, "big")
    for damaged in (data[:-80], data[:20], b"", encode_jpeg(NOISE, 90), bytes(large)):
        with pytest.raises(OSError):
            decode_png(damaged)
