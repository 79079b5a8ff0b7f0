"""Decoding and resizing of input images: bytes in, NumPy arrays out."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Pillow warns about large images and odd metadata; both are judged here. Readers run in threads,
# where filters cannot be set for a while.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")

MAX_PIXELS = 150_000_000
"""Largest width x height that is decoded; anything above is refused from its header."""


class BadImage(ValueError):
    """An input that cannot be used; the message is the reason, without the file's name."""


def open_image(data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decodes an image file fully, upright, in the mode it is stored in.

    Args:
        data: the bytes of a file in any format Pillow reads.
        max_pixels: largest width x height accepted; it is checked before any pixel is decoded.

    Returns:
        The decoded first frame with its EXIF orientation applied.

    Raises:
        BadImage: not an image, truncated, or larger than `max_pixels`.
    """
    if not data:
        raise BadImage("the file is empty (0 bytes)")
    try:
        image = Image.open(io.BytesIO(data))
        width, height = image.size
        if width * height > max_pixels:
            raise BadImage(f"it has more than the limit of {max_pixels:,} pixels")
        image.load()
        return ImageOps.exif_transpose(image)
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage("not an image in a format that Pillow reads") from None
    except Image.DecompressionBombError:  # Pillow's own limit, at 179 million pixels.
        raise BadImage(f"it has more than the limit of {max_pixels:,} pixels") from None
    except Exception as error:  # Pillow's decoders raise many types on damaged files.
        raise BadImage(f"cannot be decoded: {type(error).__name__}: {error}") from None


def to_8_bit(image: Image.Image) -> Image.Image:
    """Scales 16-bit, 32-bit integer and float grey images to 8 bits; others pass unchanged.

    16-bit values v become round(v / 257); 32-bit integers count as 16-bit ones (Pillow reads some
    16-bit files as mode I); floats are taken as 0..1.
    """
    if image.mode in ("I", "I;16", "I;16B", "I;16L", "I;16N"):
        values = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        return Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if image.mode == "F":
        scaled = np.nan_to_num(np.asarray(image)) * 255.0
        return Image.fromarray(np.rint(np.clip(scaled, 0, 255)).astype(np.uint8))
    return image


def has_alpha(image: Image.Image) -> bool:
    """Whether the image carries transparency: an alpha channel, or a transparent palette entry."""
    return "A" in image.mode or "a" in image.mode or "transparency" in image.info


def to_rgba(image: Image.Image) -> Image.Image:
    """Converts any decoded image to 8-bit RGBA with straight (not premultiplied) colour."""
    if image.mode == "RGBA":
        return image
    if image.mode == "La":
        image = image.convert("LA")
    return to_8_bit(image).convert("RGBA")


def to_rgb(image: Image.Image) -> Image.Image:
    """Converts any decoded image to 8-bit RGB; transparent pixels show black behind them."""
    if not has_alpha(image):
        return to_8_bit(image).convert("RGB")
    rgba = to_rgba(image)
    canvas = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
    return Image.alpha_composite(canvas, rgba).convert("RGB")


def fitted_size(width: int, height: int, box: int) -> tuple[int, int]:
    """The largest (width, height) of the same aspect in a square of side `box`, 1x1 or more."""
    longest = max(width, height)
    return (
        max(1, (2 * width * box + longest) // (2 * longest)),
        max(1, (2 * height * box + longest) // (2 * longest)),
    )


def fit_foreground(image: Image.Image, box: int) -> np.ndarray:
    """Resizes a foreground to fit a square of side `box`, keeping its aspect.

    Colours are weighted by alpha while resizing (Pillow resizes RGBA premultiplied), so hidden
    colour under transparent pixels never bleeds into the edge.

    Args:
        image: an RGBA image of any size.
        box: side of the square in pixels.

    Returns:
        uint8 [height, width, 4], straight colour, the longer side equal to `box`.
    """
    size = fitted_size(*image.size, box)
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(image).copy()


def crop_background(image: Image.Image, side: int) -> np.ndarray:
    """Cuts the largest centred square out of a background and resizes it.

    Args:
        image: an RGB image of any size.
        side: side of the result in pixels.

    Returns:
        uint8 [side, side, 3].
    """
    return np.asarray(ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)).copy()
