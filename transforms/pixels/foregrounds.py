"""Cut-outs from files: a picture with an alpha of its own, or with a mask beside it."""

import numpy as np
from PIL import Image

from transforms.pixels.bad_image import BadImage
from transforms.pixels.cutout import SOLID
from transforms.pixels.images import (
    Opened,
    has_alpha,
    open_image,
    open_with_turn,
    to_8_bit,
    to_rgb,
    to_rgba,
)

GHOST = 3
"""Alpha up to this value is margin: it moves a colour by 1.2 % at most, and lossy mattes and
resizing leave so much of it where nothing is to be seen. A margin of exact zeros only would keep
the whole canvas of such cut-outs."""

_COLOUR_NOISE = 24
"""Channels of a grey mask differ by no more than this, after JPEG compression too."""


class NeedsMask(BadImage):
    """A picture whose shape is not in the picture.

    Attributes:
        what: what it lacks, to be continued with what is known about its mask.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} and no mask; give one with --masks")
        self.what = what


def decode_foreground(data: bytes, mask: bytes | None) -> Image.Image:
    """Decodes a cut-out with its alpha.

    Args:
        data: the image file.
        mask: an image file of the same size that holds the alpha where the image has none, white
            where the foreground is opaque; ignored where the image has an alpha of its own. An
            alpha that is nowhere below 128, or the same everywhere, cuts nothing out and counts as
            none.

    Returns:
        An upright RGBA image.

    Raises:
        BadImage: undecodable, no alpha and no mask, a mask that does not fit or is no grey picture,
            or alpha 0 everywhere.
    """
    opened = open_with_turn(data)
    rgba = to_rgba(opened.image)
    low, high = _range(rgba.getchannel("A"))
    if low < SOLID and low < high:
        return rgba
    if mask is None:
        if high == 0:
            raise BadImage("alpha is 0 everywhere, so there is nothing to paste")
        if not has_alpha(opened.image):
            raise NeedsMask("has no alpha channel")
        values = f"{low}" if low == high else f"{low} to {high}"
        raise NeedsMask(f"has alpha {values} everywhere, which makes it a whole rectangle,")
    rgba = rgba.copy()
    rgba.putalpha(_read_mask(mask, opened))
    if _range(rgba.getchannel("A"))[1] == 0:
        raise BadImage("its mask is black everywhere, so there is nothing to paste")
    return rgba


def decode_cutout(data: bytes) -> Image.Image:
    """Decodes what was cut out of a photograph: RGBA, which may be opaque everywhere.

    Raises:
        BadImage: it cannot be decoded.
    """
    return to_rgba(open_image(data))


def margin_box(rgba: Image.Image) -> tuple[int, int, int, int] | None:
    """The part of a cut-out that is not transparent margin.

    Returns:
        Left, top, right and bottom in pixels, the last two exclusive, around all alpha above
        `GHOST`; None where that is the whole picture, or nothing.
    """
    visible = rgba.getchannel("A").point([0] * (GHOST + 1) + [255] * (255 - GHOST))
    box = visible.getbbox()
    return None if box == (0, 0, *rgba.size) else box


def _range(channel: Image.Image) -> tuple[int, int]:
    low, high = channel.getextrema()
    assert isinstance(low, int) and isinstance(high, int)  # Of a picture in mode L.
    return low, high


def _read_mask(data: bytes, picture: Opened) -> Image.Image:
    """A mask as alpha (mode L) for a picture, upright."""
    image = open_image(data)
    upright, stored = picture.image.size, picture.stored_size
    if image.size == stored != upright and picture.turn is not None:
        image = image.transpose(picture.turn)  # It was drawn on the picture as stored.
    if image.size != upright:
        turned = f" ({stored[0]}x{stored[1]} before its EXIF turn)" if stored != upright else ""
        raise BadImage(
            f"its mask is {image.width}x{image.height} but the image is"
            f" {upright[0]}x{upright[1]}{turned}"
        )
    if has_alpha(image):
        alpha = to_rgba(image).getchannel("A")
        low, high = _range(alpha)
        if low < SOLID and low < high:
            return alpha
    return _shape(image)


def _shape(image: Image.Image) -> Image.Image:
    """The alpha that a mask without transparency means."""
    grey = to_8_bit(image)
    if grey.mode not in ("L", "1"):
        colours = to_rgb(grey)
        red, green, blue = (np.asarray(c, dtype=np.int16) for c in colours.split())
        spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
        if spread.max() > _COLOUR_NOISE:
            return _two_colours(colours)
        grey = grey if grey.mode == "RGB" else colours
    grey = grey.convert("L")
    values = [value for value, count in enumerate(grey.histogram()) if count]
    if values[-1] >= SOLID or values[-1] == 0:
        return grey
    if len(values) == 2 and values[0] == 0:  # 0 and 1, or 0 and the label of one object.
        return grey.point([0] + [255] * 255)
    raise BadImage(
        f"the largest value of its mask is {values[-1]} and it has {len(values)} values, so they"
        " are labels rather than alpha; make the object 255 and everything else 0"
    )


def _two_colours(colours: Image.Image) -> Image.Image:
    """Alpha from a mask of black and one colour."""
    found = colours.getcolors(2)
    if found and (0, 0, 0) in [colour for _, colour in found]:
        return Image.fromarray((np.asarray(colours).max(axis=-1) > 0).astype(np.uint8) * 255)
    largest = "x".join(str(high) for _, high in colours.getextrema())  # type: ignore[misc]
    raise BadImage(
        f"its mask is in colours (up to {largest} in red, green and blue), so it shows labels"
        " rather than alpha; make the object white and everything else black"
    )
