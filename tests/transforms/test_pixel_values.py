"""Pictures of every depth, colour space and kind of transparency."""

import io
import struct
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.drawing import draw_background
from transforms.pixels.foreign import foreign_name
from transforms.pixels.images import BadImage, has_image_name, open_image, to_rgb, to_rgba
from transforms.pixels.values import to_8_bit


def file(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(samples: np.ndarray, bits: int, key: bytes) -> bytes:
    """A PNG of 1, 2, 4 or 16 bits, grey or RGB, with a transparent colour."""
    height, width = samples.shape[:2]
    if bits == 16:
        rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    else:
        flat = (samples[..., None] >> np.arange(bits - 1, -1, -1)) & 1
        rows = np.packbits(flat.reshape(height, -1), axis=1)
    raw = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, bits, 2 if samples.ndim == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"tRNS", key), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 16])
def test_transparent_grey_of_every_depth(bits):
    top = 2**bits - 1
    samples = np.array([[0, top, top // 3], [top, 0, top]])
    key = top // 3
    rgba = np.asarray(to_rgba(open_image(png(samples, bits, struct.pack(">H", key)))))
    np.testing.assert_array_equal(rgba[..., 3], np.where(samples == key, 0, 255))
    opaque = samples != key
    np.testing.assert_array_equal(rgba[..., 1][opaque], (samples * 255 // top)[opaque])


def test_transparent_rgb_of_16_bits_is_compared_in_full():
    key = (1000, 2000, 65535)
    samples = np.array([[key, (1001, 2000, 65535)], [(0, 0, 0), (65535, 256, 255)]])
    rgba = np.asarray(to_rgba(open_image(png(samples, 16, struct.pack(">3H", *key)))))
    assert rgba[..., 3].tolist() == [[0, 255], [255, 255]]
    assert rgba[1, 1].tolist() == [255, 1, 0, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 257, 65535]], np.uint16), [0, 1, 255]),
        (np.array([[0, 100, 255]], np.uint16), [0, 100, 255]),
        (np.array([[0, 4096]], np.int32), [0, 16]),
        (np.array([[0, 0.5, 1.0, np.nan]], np.float32), [0, 128, 255, 0]),
        (np.array([[0, 1.001]], np.float32), [0, 255]),
    ],
)
def test_values_are_scaled(values, expected):
    assert np.asarray(to_8_bit(Image.fromarray(values)))[0].tolist() == expected


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.array([[0, 255.0]], np.float32), "floats from 0 to 255; scale them to 0..1"),
        (np.array([[-0.5, 1.0]], np.float32), "floats from -0.5 to 1;"),
        (np.array([[0, np.inf]], np.float32), "floats from 0 to inf;"),
        (np.array([[3, 4095]], np.uint16), "16-bit values go from 3 to 4095, .* 12-bit"),
        (np.array([[0, 1023]], np.int32), "go from 0 to 1023"),
        (np.array([[0, 70000]], np.int32), "go from 0 to 70000; scale them to 0..65535"),
        (np.array([[-1, 5000]], np.int32), "go from -1 to 5000"),
    ],
)
def test_other_ranges_are_refused_with_what_was_found(values, reason):
    with pytest.raises(BadImage, match=reason):
        to_rgb(open_image(file(Image.fromarray(values), "TIFF")))


def linear_profile(gamma: float, wide: bool) -> bytes:
    """An RGB profile (ICC.1:2010) with the primaries of sRGB or of Adobe RGB."""

    def fixed(values: list[float]) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    srgb = [[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]]
    adobe = [[0.6097, 0.3111, 0.0195], [0.2053, 0.6257, 0.0609], [0.1492, 0.0632, 0.7446]]
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(78)}
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + fixed([0.9642, 1, 0.8249])
    tags[b"cprt"] = b"text\0\0\0\0none\0"
    for name, column in zip((b"r", b"g", b"b"), adobe if wide else srgb, strict=True):
        tags[name + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(column)
        tags[name + b"TRC"] = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    offset, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = bytes(4) + bytes(4) + bytes.fromhex("02400000") + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    head += bytes(28) + fixed([0.9642, 1, 0.8249]) + bytes(48)
    whole = head + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


def test_profiles_are_converted_to_srgb():
    profile = linear_profile(2.2, wide=True)
    image = Image.new("RGB", (4, 4), (0, 255, 0))
    image.paste((200, 60, 60), (2, 0, 4, 4))
    expected = ImageCms.profileToProfile(
        image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    )
    found = to_rgb(open_image(file(image, icc_profile=profile)))
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    red = np.asarray(found)[3, 3]
    assert np.abs(red.astype(int) - (232, 56, 58)).max() <= 4  # By the formulas of both spaces.

    image.putalpha(Image.linear_gradient("L").resize((4, 4)))
    rgba = to_rgba(open_image(file(image, icc_profile=profile)))
    assert np.asarray(rgba)[3, 3, :3].tolist() == red.tolist()
    assert rgba.getchannel("A").tobytes() == image.getchannel("A").tobytes()
    paletted = image.convert("RGB").quantize(2)
    found = to_rgb(open_image(file(paletted, icc_profile=profile)))
    assert np.abs(np.asarray(found)[3, 3].astype(int) - red).max() <= 2


def test_grey_profiles_are_converted_too():
    grey = Image.linear_gradient("L")
    profile = ImageCms.ImageCmsProfile(io.BytesIO(linear_profile(1.0, wide=False)))
    assert profile.profile.xcolor_space == "RGB "
    data = file(grey.convert("RGB"), icc_profile=linear_profile(1.0, wide=False))
    linear = np.asarray(to_rgb(open_image(data)))[:, 0, 0].astype(float)
    share = np.arange(256) / 255
    exact = np.where(share <= 0.0031308, 12.92 * share, 1.055 * share ** (1 / 2.4) - 0.055) * 255
    assert np.abs(linear - exact).max() <= 1


@pytest.mark.parametrize("profile", [b"nonsense", linear_profile(2.2, wide=True)[:300]])
def test_damaged_profiles_and_srgb_change_nothing(profile):
    image = draw_background(1)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for each in (profile, srgb):
        found = to_rgb(open_image(file(image, icc_profile=each)))
        np.testing.assert_array_equal(np.asarray(found), np.asarray(image))


HEADS = {
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "JPEG XL": b"\xff\x0a\xfa\x1f\x01",
    "SVG": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "EPS or PDF": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
}


@pytest.mark.parametrize("kind", HEADS)
def test_foreign_formats_are_named_with_the_way_to_convert_them(kind):
    with pytest.raises(BadImage, match=f"^{kind} is not supported; convert it to PNG, for example"):
        open_image(HEADS[kind] + bytes(100))


def test_no_program_is_started_for_a_picture(monkeypatch):
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    for name in ("Popen", "call", "check_call", "run"):
        monkeypatch.setattr(subprocess, name, started)
    image = io.BytesIO()
    Image.new("RGB", (8, 8)).save(image, "EPS")
    with pytest.raises(BadImage, match="EPS or PDF is not supported"):
        open_image(image.getvalue())


@pytest.mark.parametrize("kind", ["AVIF", "WEBP", "BMP", "GIF", "TIFF", "JPEG2000", "PPM", "TGA"])
def test_formats_that_are_read(kind):
    image = open_image(file(draw_background(2), kind))
    assert to_rgb(image).size == (224, 180)


def test_names():
    assert has_image_name("a.avif") and has_image_name("A.JPG") and has_image_name("b.jp2")
    for name, kind in [("a.heic", "HEIC"), ("a.JXL", "JPEG XL"), ("a.svg", "SVG"),
                       ("a.eps", "EPS or PDF"), ("a.cr2", "camera raw")]:  # fmt: skip
        assert not has_image_name(name) and (foreign_name(name) or "").startswith(kind)
    assert not has_image_name("a.txt") and foreign_name("a.txt") is None
