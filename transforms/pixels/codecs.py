"""Encoders for the three kinds of picture: JPEG, 8-bit and 16-bit grey PNG, RGB PNG.

PNG files are assembled here (https://www.w3.org/TR/png-3/) around libdeflate: its output is the
same on every processor, which zlib-ng and ISA-L do not promise, and a 16-bit map takes a fifth of
the time that Pillow needs.
"""

import io
import struct
import zlib
from collections.abc import Sequence

import deflate
import numpy as np
import simplejpeg
from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD = b"\0\0\0\rIHDR"
_AROUND = 57
"""Bytes of a file beside its packed pixels."""

_NO_FILTER, _UP_FILTER = 0, 2


def encode_jpeg(image: np.ndarray, quality: int) -> bytes:
    """Encodes a picture as baseline JPEG with 4:2:0 chroma.

    Args:
        image: uint8 [height, width, 3] or [height, width].
        quality: 1 to 100.
    """
    if image.ndim == 2:
        grey = np.ascontiguousarray(image[..., None])
        return simplejpeg.encode_jpeg(grey, quality, "GRAY", "Gray")
    return simplejpeg.encode_jpeg(np.ascontiguousarray(image), quality, "RGB", "420")


def decode_jpeg(data: bytes | memoryview) -> np.ndarray:
    """Decodes a JPEG file to uint8 [height, width, 3], with the same pixels as Pillow."""
    return simplejpeg.decode_jpeg(data)


def decode_jpegs(files: Sequence[bytes], height: int, width: int) -> np.ndarray:
    """Decodes JPEG files of one size to the pixels that `decode_jpeg` gives, to be counted.

    Four bytes a pixel are what Pillow counts in place and what the decoder writes fastest: decoding
    and counting together take half the time.

    Args:
        files: n colour pictures.
        height: of each of them.
        width: of each of them.

    Returns:
        uint8 [n, height, width, 4]; the last channel means nothing.
    """
    pixels = np.empty((len(files), height, width, 4), np.uint8)
    for data, picture in zip(files, pixels, strict=True):
        simplejpeg.decode_jpeg(data, "RGBA", buffer=picture)
    return pixels


def encode_mask(mask: np.ndarray) -> bytes:
    """Encodes an 8-bit grey PNG without filters, the best choice for areas of 0 and 255.

    Args:
        mask: uint8 [height, width].
    """
    return _png(mask[..., None], _NO_FILTER, level=6)


def encode_rgb(image: np.ndarray, level: int = 6) -> bytes:
    """Encodes an RGB PNG.

    Args:
        image: uint8 [height, width, 3].
        level: 1 is fast, 6 is small.
    """
    return _png(image, _UP_FILTER, level)


def encode_16_bit(pixels: np.ndarray) -> bytes:
    """Encodes a 16-bit grey PNG.

    Args:
        pixels: uint16 [height, width].
    """
    return _png(pixels[..., None], _UP_FILTER, level=1)


def decode_png(data: bytes | memoryview) -> np.ndarray:
    """Decodes a PNG file to the pixels that Pillow gives.

    Files of the encoders above take a quarter of the time that Pillow needs; others are left to it.

    Returns:
        uint8 [height, width, 3] of colours; uint8 or uint16 [height, width] of grey.

    Raises:
        OSError: the file is damaged, or no PNG file.
    """
    pixels = _own_pixels(data)
    if pixels is None:
        return np.array(Image.open(io.BytesIO(data), formats=("PNG",)))
    return pixels


def _own_pixels(data: bytes | memoryview) -> np.ndarray | None:
    """Pixels of a file that `_png` has written; None of any other."""
    if len(data) < _AROUND or data[:16] != _SIGNATURE + _HEAD or data[37:41] != b"IDAT":
        return None
    width, height, depth, colour_type, *methods, _, size = struct.unpack_from(
        ">IIBBBBBII", data, 16
    )
    channels = {(8, 0): 1, (16, 0): 2, (8, 2): 3}.get((depth, colour_type), 0)
    length = height * (1 + width * channels)
    # Deflate shrinks by 1,032 at most: a damaged size asks for no memory.
    if not channels or any(methods) or len(data) != size + _AROUND or length > 1032 * size:
        return None
    try:
        packed = deflate.zlib_decompress(data[41 : 41 + size], length)
    except deflate.DeflateError:
        return None
    if not packed or len(packed) != length:
        return None
    rows = np.frombuffer(packed, np.uint8).reshape(height, -1)
    filters = set(rows[:, 0].tolist())
    if not filters <= {_NO_FILTER} and filters != {_UP_FILTER}:
        return None
    values = rows[:, 1:].copy()
    if filters == {_UP_FILTER}:
        values = _sums(values)
    if channels == 2:
        return values.view(">u2").astype(np.uint16)
    return values if channels == 1 else values.reshape(height, width, 3)


def _sums(rows: np.ndarray) -> np.ndarray:
    """Each row plus all rows above it, modulo 256; both uint8 [height, bytes].

    By doubling, which is five times as fast as `np.add.accumulate` here.
    """
    other, step = np.empty_like(rows), 1
    while step < len(rows):
        other[:step] = rows[:step]
        np.add(rows[step:], rows[:-step], out=other[step:])
        rows, other, step = other, rows, 2 * step
    return rows


def _png(pixels: np.ndarray, row_filter: int, level: int) -> bytes:
    height, width, channels = pixels.shape
    samples = pixels.astype(pixels.dtype.newbyteorder(">"), copy=False)
    raw = np.ascontiguousarray(samples).view(np.uint8).reshape(height, -1)
    rows = np.empty((height, raw.shape[1] + 1), np.uint8)
    rows[:, 0] = row_filter
    rows[:, 1:] = raw
    if row_filter == _UP_FILTER:
        rows[1:, 1:] -= raw[:-1]
    colour_type = 2 if channels == 3 else 0
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, colour_type, 0, 0, 0)
    packed = bytes(deflate.zlib_compress(rows, level))
    return b"".join(
        (_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", packed), _chunk(b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", check)))
