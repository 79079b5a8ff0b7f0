import io

import numpy as np
import pytest
from PIL import Image

from transforms.codecs import (
    decode_jpeg,
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


def saved(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (37, 1), (37, 53)])
def test_png_is_decoded_to_what_was_encoded(shape, monkeypatch):
    pixels = NOISE[: shape[0], : shape[1]]
    wide = pixels[..., 0].astype(np.uint16) * 256 + pixels[..., 1]
    files = [encode_rgb(pixels), encode_mask(pixels[..., 0]), encode_16_bit(wide)]
    monkeypatch.setattr("transforms.codecs.Image.open", None)  # Pillow is not needed for these.
    for data, expected in zip(files, (pixels, pixels[..., 0], wide), strict=True):
        found = decode_png(data)
        assert found.dtype == expected.dtype and found.flags.writeable and found.flags.c_contiguous
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_png_files_of_others_are_decoded_as_pillow_does(mode):
    image = Image.fromarray(NOISE)
    if mode == "I;16":
        image = Image.fromarray(NOISE[..., 0].astype(np.uint16) * 257)
    for data in (saved(image.convert(mode)), saved(image.convert(mode), optimize=True)):
        np.testing.assert_array_equal(decode_png(data), np.asarray(opened(data)))


def outcome(decode, data: bytes) -> list | str:
    """The pixels as rows of numbers, or the kind of error."""
    try:
        return np.asarray(decode(data)).tolist()
    except Exception as error:
        return type(error).__name__


def test_damaged_png_files_fare_as_with_pillow():
    data = encode_mask(NOISE[..., 0])
    cut = [data[:end] for end in (0, 20, 40, 60, len(data) - 20, len(data) - 1)]
    changed = []
    for at in (0, 20, 25, 29, 35, 39, 45, 60, len(data) - 18, len(data) - 14):
        changed.append(bytearray(data))
        changed[-1][at] ^= 0x41
    found = [outcome(decode_png, bytes(damaged)) for damaged in cut + changed]
    assert found == [outcome(opened, bytes(damaged)) for damaged in cut + changed]
    assert "UnidentifiedImageError" in found and "OSError" in found


def test_jpeg_is_decoded_to_what_pillow_sees():
    smooth = np.asarray(Image.fromarray(NOISE).resize((160, 160), Image.Resampling.BICUBIC))
    data = encode_jpeg(smooth, 90)
    assert np.array_equal(decode_jpeg(data), np.asarray(opened(data)))
    assert opened(encode_jpeg(smooth[..., 0], 90)).mode == "L"


def test_encoders_do_not_change_their_input():
    before = NOISE.copy()
    encode_rgb(NOISE)
    encode_mask(NOISE[..., 0])
    assert np.array_equal(NOISE, before)
