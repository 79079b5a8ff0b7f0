"""Decoding and resizing of input images: bytes in, NumPy arrays out."""

import io
import os
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from transforms.pixels.bad_image import BadImage as BadImage
from transforms.pixels.colours import to_srgb
from transforms.pixels.foreign import foreign_kind
from transforms.pixels.png_transparency import with_transparency
from transforms.pixels.resize import resize_cutout
from transforms.pixels.size import Size
from transforms.pixels.values import to_8_bit as to_8_bit

# Pillow warns about large images and odd metadata; both are judged here. Readers run in threads,
# where filters cannot be set for a while.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")

MAX_PIXELS = 150_000_000
"""Largest width x height that is decoded; anything above is refused from its header."""

FORMATS = (
    "AVIF", "BMP", "DDS", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD",
    "QOI", "SGI", "TGA", "TIFF", "WEBP",
)  # fmt: skip
"""The formats that are read. Pillow knows more, and runs Ghostscript for one of them."""

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False)
class Opened:
    """A decoded image file.

    Attributes:
        image: its first frame, upright, in the mode it is stored in.
        stored_size: width and height as stored, before its EXIF orientation was applied.
        turn: how it was turned to be upright; None where it was not.
    """

    image: Image.Image
    stored_size: tuple[int, int]
    turn: Image.Transpose | None


def has_image_name(path: str) -> bool:
    """Whether the extension is of one of the formats that are read."""
    extension = os.path.splitext(path)[1].lower()
    return Image.registered_extensions().get(extension) in FORMATS


def open_image(data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decodes an image file fully, upright, in the mode it is stored in.

    Args:
        data: the bytes of a file in one of `FORMATS`, whatever its name.
        max_pixels: largest width x height accepted; it is checked before any pixel is decoded.

    Returns:
        The decoded first frame with its EXIF orientation applied.

    Raises:
        BadImage: not an image, truncated, or larger than `max_pixels`.
    """
    return open_with_turn(data, max_pixels).image


def open_with_turn(data: bytes, max_pixels: int = MAX_PIXELS) -> Opened:
    """Decodes an image file as `open_image` does, and says how it was turned."""
    if not data:
        raise BadImage("the file is empty (0 bytes)")
    try:
        Image.init()  # Loads the formats, once.
        image = Image.open(io.BytesIO(data), formats=[f for f in FORMATS if f in Image.OPEN])
        width, height = image.size
        if width * height > max_pixels:
            raise BadImage(f"it has more than the limit of {max_pixels:,} pixels")
        image.load()
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
        found = with_transparency(image, data)
        upright = found if turn is None else ImageOps.exif_transpose(found)  # It always copies.
        return Opened(upright, image.size, turn)
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage(foreign_kind(data) or "not an image in a supported format") from None
    except Image.DecompressionBombError:  # Pillow's own limit, at 179 million pixels.
        raise BadImage(f"it has more than the limit of {max_pixels:,} pixels") from None
    except Exception as error:  # Pillow's decoders raise many types on damaged files.
        raise BadImage(f"cannot be decoded: {type(error).__name__}: {error}") from None


def has_alpha(image: Image.Image) -> bool:
    """Whether the image carries transparency: an alpha channel, or a transparent palette entry."""
    return "A" in image.mode or "a" in image.mode or "transparency" in image.info


def to_rgba(image: Image.Image) -> Image.Image:
    """Converts any decoded image to 8-bit RGBA in sRGB with straight (not premultiplied) colour."""
    return _in_mode(to_srgb(_in_channels(image)), "RGBA")


def to_rgb(image: Image.Image) -> Image.Image:
    """Converts any decoded image to 8-bit sRGB; transparent pixels show black behind them."""
    if not has_alpha(image):
        return _in_mode(to_srgb(_in_channels(image)), "RGB")
    rgba = to_rgba(image)
    canvas = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
    return Image.alpha_composite(canvas, rgba).convert("RGB")


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The image itself where it is in a mode already: Pillow copies, and pictures are large."""
    return image if image.mode == mode else image.convert(mode)


def _in_channels(image: Image.Image) -> Image.Image:
    """An image of 8 bits a channel, in a mode that a colour profile can be for."""
    if image.mode == "La":
        return image.convert("LA")
    if image.mode in ("P", "PA", "1", "L", "RGB", "RGBa") and has_alpha(image):
        return image.convert("RGBA")
    if image.mode in ("P", "1", "YCbCr", "HSV"):
        return image.convert("RGB" if image.mode != "1" else "L")
    eight = to_8_bit(image)
    if eight is not image and "icc_profile" in image.info:
        eight.info["icc_profile"] = image.info["icc_profile"]
    return eight


def fitted_size(width: int, height: int, box: int) -> tuple[int, int]:
    """The largest (width, height) of the same aspect in a square of side `box`, 1x1 or more."""
    longest = max(width, height)
    return (
        max(1, (2 * width * box + longest) // (2 * longest)),
        max(1, (2 * height * box + longest) // (2 * longest)),
    )


def fit_foreground(image: Image.Image, box: int, ringing: bool = False) -> np.ndarray:
    """Resizes a foreground to fit a square of side `box`, keeping its aspect.

    Colours are weighted by alpha while resizing, so hidden colour under transparent pixels never
    bleeds into the edge.

    Args:
        image: an RGBA image of any size.
        box: side of the square in pixels.
        ringing: whether the filter's overshoot stays in, as in data sets of older versions.

    Returns:
        uint8 [height, width, 4], straight colour, the longer side equal to `box`.
    """
    return resized_foreground(np.asarray(image), fitted_size(*image.size, box), ringing)


def resized_foreground(
    rgba: np.ndarray, size: tuple[int, int], ringing: bool = False
) -> np.ndarray:
    """A foreground of exactly the given width and height; see `fit_foreground`."""
    if size == (rgba.shape[1], rgba.shape[0]):
        return rgba.copy()
    if ringing:
        return np.asarray(Image.fromarray(rgba).resize(size, Image.Resampling.LANCZOS)).copy()
    return resize_cutout(rgba, size)


def crop_background(image: Image.Image, size: Size) -> np.ndarray:
    """Cuts the largest centred part of an aspect out of a background and resizes it.

    Args:
        image: an RGB image of any size.
        size: size of the result, which has the aspect.

    Returns:
        uint8 [height, width, 3].
    """
    return np.asarray(ImageOps.fit(image, size.pair, Image.Resampling.LANCZOS)).copy()
