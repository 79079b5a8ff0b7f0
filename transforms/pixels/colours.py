"""Colours of pictures with an ICC profile, converted to sRGB."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}

_SAME = 2
"""A profile that moves no colour by more than this many of 255 levels is sRGB by another hand."""


def to_srgb(image: Image.Image) -> Image.Image:
    """Converts colours to sRGB where the picture has an ICC profile of another colour space.

    An alpha channel is kept as it is. A picture without a profile counts as sRGB, as it does in a
    browser; so does one whose profile is damaged or is not for its mode.

    Args:
        image: 8 bits a channel: L, LA, RGB, RGBA or CMYK.

    Returns:
        The image itself where there is nothing to convert, else RGB or RGBA.
    """
    profile = image.info.get("icc_profile")
    mode = {"LA": "L", "RGBA": "RGB"}.get(image.mode, image.mode)
    transform = _transform(profile, mode) if profile else None
    if transform is None:
        return image
    if mode == image.mode:
        return transform.apply(image)
    converted = transform.apply(image.convert(mode))
    converted.putalpha(image.getchannel("A"))
    return converted


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from a profile to sRGB; None where there is none or it changes nothing."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _MODES.get(source.profile.xcolor_space) != mode:
            return None
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, target, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if mode == "CMYK":
        return transform
    lattice = _lattice(mode)
    moved = np.asarray(transform.apply(lattice)).astype(int) - np.asarray(lattice.convert("RGB"))
    return None if np.abs(moved).max() <= _SAME else transform


def _lattice(mode: str) -> Image.Image:
    """Colours from all over the space: every grey, or nine levels of each channel."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    levels = np.rint(np.linspace(0, 255, 9)).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    return Image.fromarray(grid.reshape(9, 81, 3))
