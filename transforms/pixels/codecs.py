"""Encoders for the three kinds of picture: JPEG, 8-bit and 16-bit grey PNG, RGB PNG.

PNG files are assembled here (https://www.w3.org/TR/png-3/) around libdeflate: its output is the
same on every processor, which zlib-ng and ISA-L do not promise, and a 16-bit map takes a fifth of
the time that Pillow needs.
"""

import struct
import zlib
from collections.abc import Sequence

import deflate
import numpy as np
import simplejpeg

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
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


def decode_jpeg(data: bytes) -> np.ndarray:
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


def encode_rgb(image: np.ndarray) -> bytes:
    """Encodes an RGB PNG. `image` is uint8 [height, width, 3]."""
    return _png(image, _UP_FILTER, level=6)


def encode_16_bit(pixels: np.ndarray) -> bytes:
    """Encodes a 16-bit grey PNG.

    Args:
        pixels: uint16 [height, width].
    """
    return _png(pixels[..., None], _UP_FILTER, level=1)


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
