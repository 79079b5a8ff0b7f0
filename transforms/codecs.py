"""Encoders and decoders for JPEG, 8-bit and 16-bit grey PNG, and RGB PNG.

PNG files are assembled here (https://www.w3.org/TR/png-3/) around libdeflate: its output is the
same on every processor, which zlib-ng and ISA-L do not promise, and a 16-bit map takes a fifth of
the time that Pillow needs.
"""

import io
import struct
import zlib

import deflate
import numpy as np
import simplejpeg
from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NO_FILTER, _UP_FILTER = 0, 2
_DATA_AT = 41  # The compressed pixels follow on signature, header, and the head of their chunk.
_OWN_KINDS = {(8, 0, 0, 0, 0), (16, 0, 0, 0, 0), (8, 2, 0, 0, 0)}
"""Bits, colour type, compression, filter method and interlacing of the files written here."""


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


def decode_png(data: bytes) -> np.ndarray:
    """Decodes a PNG file, with the same pixels as Pillow.

    A file as this module writes it takes a third of Pillow's time; Pillow decodes all others.

    Returns:
        uint8 or uint16 [height, width], or uint8 [height, width, 3].

    Raises:
        OSError, SyntaxError: it is damaged or no PNG, as Pillow says it.
    """
    pixels = _own_png(data)
    return np.array(Image.open(io.BytesIO(data))) if pixels is None else pixels


def _own_png(data: bytes) -> np.ndarray | None:
    """The pixels of a whole file with one chunk of data and one of two filters; else None."""
    if len(data) < _DATA_AT or data[:8] != _SIGNATURE or data[37:41] != b"IDAT":
        return None
    header, [size] = data[16:29], struct.unpack_from(">I", data, 33)
    width, height, bits, colour_type, *rest = struct.unpack(">IIBBBBB", header)
    packed = data[_DATA_AT : _DATA_AT + size]
    if (
        (bits, colour_type, *rest) not in _OWN_KINDS
        or data[8:33] != _chunk(b"IHDR", header)
        or data[33:] != _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    ):
        return None
    channels = 3 if colour_type == 2 else 1
    row = width * channels * bits // 8 + 1
    try:
        raw = deflate.zlib_decompress(packed, height * row)
    except deflate.DeflateError:
        return None
    rows = np.frombuffer(raw, np.uint8).reshape(height, row)
    row_filter, pixels = rows[0, 0], rows[:, 1:]
    if row_filter not in (_NO_FILTER, _UP_FILTER) or (rows[:, 0] != row_filter).any():
        return None
    if row_filter == _UP_FILTER:
        pixels = np.add.accumulate(pixels, axis=0, dtype=np.uint8)
    samples = np.ascontiguousarray(pixels).view(f">u{bits // 8}").astype(f"=u{bits // 8}")
    return samples.reshape(height, width, 3) if channels == 3 else samples


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
