"""Thousands of damaged image files as foregrounds and backgrounds: used rightly or refused."""

import io
import random
import resource
import time

import numpy as np
import pytest
from PIL import Image

from pipeline.catalog import read_background_input, read_foreground_input
from tests.drawing import draw_background, draw_foreground
from transforms.pixels.images import BadImage
from transforms.pixels.input_cache import read_background, read_foreground
from transforms.pixels.size import Size
from transforms.plan.placement import Canvas

FILES = 2400
SECONDS_AN_IMAGE = 20.0  # A header may claim up to the limit of 150 million pixels.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def seeds() -> list[bytes]:
    """Whole files of each format, with and without alpha."""
    found = []
    for kind in FORMATS:
        for image in (draw_foreground(3, (60, 48)), draw_background(2, (64, 40))):
            if kind in ("JPEG", "BMP"):
                image = image.convert("RGB")
            buffer = io.BytesIO()
            image.save(buffer, kind)
            found.append(buffer.getvalue())
    return found


def mutated(data: bytes, draw: random.Random) -> bytes:
    """The file with bits flipped, bytes replaced, a piece cut or repeated, or its end lost."""
    mutable = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        if not mutable:
            break
        # Headers decide most, so half of the damage goes there.
        end = min(len(mutable), 64) if draw.random() < 0.5 else len(mutable)
        position = draw.randrange(end)
        match draw.randrange(6):
            case 0:
                mutable[position] ^= 1 << draw.randrange(8)
            case 1:
                mutable[position] = draw.choice((0, 1, 127, 128, 255))
            case 2:
                del mutable[position : position + draw.randint(1, 32)]
            case 3:
                piece = mutable[position : position + draw.randint(1, 64)]
                mutable[position:position] = piece
            case 4:
                mutable[position : position + 4] = draw.randbytes(4)
            case _:
                del mutable[position:]
    return bytes(mutable)


def test_damaged_files_are_used_rightly_or_refused(tmp_path):
    draw = random.Random(0)
    whole = seeds()
    canvas = Canvas(Size(64, 48), 32, None)
    used = refused = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(FILES):
        path = tmp_path / f"file_{number % 50}"
        path.write_bytes(mutated(draw.choice(whole), draw))
        begin = time.monotonic()
        for read, use in (
            (
                lambda p: read_foreground_input(1, p, None, canvas),
                lambda asset: read_foreground(asset, 32),
            ),
            (
                lambda p: read_background_input(1, p),
                lambda asset: read_background(asset, Size(64, 48)),
            ),
        ):
            try:
                asset = read(str(path))
            except BadImage as error:
                assert str(error) and "\n" not in str(error)
                refused += 1
                continue
            pixels = use(asset)
            assert pixels.dtype == np.uint8 and max(pixels.shape[:2]) in (32, 64)
            used += 1
        assert time.monotonic() - begin < SECONDS_AN_IMAGE, path
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 1500, f"{grown:.0f} MB"
    assert used > FILES // 10 and refused > FILES // 2


def test_a_bomb_is_refused_from_its_header_in_every_format(tmp_path):
    Image.MAX_IMAGE_PIXELS, limit = None, Image.MAX_IMAGE_PIXELS
    try:
        path = tmp_path / "bomb.png"
        Image.new("1", (30_000, 30_000)).save(path)
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    begin = time.monotonic()
    with pytest.raises(BadImage, match="more than the limit"):
        read_background_input(1, str(path))
    assert time.monotonic() - begin < 1
