"""How the pixels of a cut-out are changed before it is pasted: size, turn, colours.

Colours are changed by tables of 256 entries and by integers, so that a look gives the same bytes
whatever the processor.
"""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from transforms.scenes.scene import Look

_SOLID = 128


def turned(rgba: Image.Image, flip: int, angle: float) -> np.ndarray:
    """Mirrors and turns a cut-out.

    Args:
        rgba: straight colour, RGBA.
        flip: 1 for the mirror image.
        angle: degrees, anticlockwise; the canvas grows so that nothing is cut off.

    Returns:
        uint8 [height, width, 4], straight colour.
    """
    if flip:
        rgba = rgba.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if angle:
        # Bilinear does not overshoot; Pillow turns premultiplied colours.
        rgba = rgba.rotate(angle, Image.Resampling.BILINEAR, expand=True)
    return np.asarray(rgba)


def jittered(rgba: np.ndarray, look: Look) -> np.ndarray:
    """Changes brightness and contrast, then saturation.

    Contrast keeps the mean luminance of the solid pixels, where brightness has put it.

    Args:
        rgba: uint8 [height, width, 4], straight colour.
        look: the factors.

    Returns:
        uint8 of the same shape; the alpha is unchanged.
    """
    if (look.brightness, look.contrast, look.saturation) == (1, 1, 1):
        return rgba
    rgb = rgba[..., :3]
    solid = rgba[..., 3] >= _SOLID
    mean = int(_luminance(rgb[solid]).mean()) if solid.any() else 128
    values = np.arange(256) - mean
    table = np.rint(values * (look.brightness * look.contrast) + mean * look.brightness)
    rgb = np.clip(table, 0, 255).astype(np.uint8)[rgb]
    factor = round(look.saturation * 256)
    if factor != 256:
        grey = _luminance(rgb)[..., None]
        rgb = np.clip(grey + (((rgb - grey) * factor + 128) >> 8), 0, 255).astype(np.uint8)
    return np.dstack([rgb, rgba[..., 3]])


def harmonised(
    rgba: np.ndarray, surroundings: np.ndarray, weight: np.ndarray, share: float
) -> np.ndarray:
    """Moves the colour statistics of a cut-out towards those of what surrounds it, in CIE Lab.

    Mean and deviation of each channel move by a share of the way (Reinhard et al., "Color transfer
    between images", IEEE CG&A 2001); a deviation changes by a factor of 0.5 to 2 at most.

    Args:
        rgba: uint8 [height, width, 4], straight colour.
        surroundings: uint8 [h, w, 3], the picture around the object.
        weight: bool [h, w], the pixels of `surroundings` that count.
        share: 0 to 1.

    Returns:
        uint8 of the shape of `rgba`; the alpha is unchanged.
    """
    solid = rgba[..., 3] >= _SOLID
    if not share or not solid.any() or not weight.any():
        return rgba
    lab = _to_lab(rgba[..., :3])
    around = _to_lab(surroundings)
    tables = []
    for channel in range(3):
        own, theirs = lab[..., channel][solid], around[..., channel][weight]
        mean, target = _mean(own), _mean(theirs)
        ratio = _deviation(theirs, target) / max(1.0, _deviation(own, mean))
        factor = 1 + share * (min(2.0, max(0.5, ratio)) - 1)
        moved = (np.arange(256) - mean) * factor + mean + share * (target - mean)
        tables.append(np.clip(np.rint(moved), 0, 255).astype(np.uint8))
    changed = np.dstack([table[lab[..., i]] for i, table in enumerate(tables)])
    return np.dstack([_from_lab(changed), rgba[..., 3]])


def _luminance(rgb: np.ndarray) -> np.ndarray:
    """ITU-R BT.601 luma in integers: int32 without the last axis."""
    wide = rgb.astype(np.int32)
    return (wide[..., 0] * 77 + wide[..., 1] * 150 + wide[..., 2] * 29 + 128) >> 8


def _mean(values: np.ndarray) -> float:
    return int(values.sum(dtype=np.int64)) / len(values)


def _deviation(values: np.ndarray, mean: float) -> float:
    wide = values.astype(np.int64)
    return max(0.0, int((wide * wide).sum()) / len(values) - mean * mean) ** 0.5


@lru_cache(maxsize=1)
def _transforms() -> tuple[ImageCms.ImageCmsTransform, ImageCms.ImageCmsTransform]:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return (
        ImageCms.buildTransformFromOpenProfiles(srgb, lab, "RGB", "LAB"),
        ImageCms.buildTransformFromOpenProfiles(lab, srgb, "LAB", "RGB"),
    )


def _to_lab(rgb: np.ndarray) -> np.ndarray:
    image = ImageCms.applyTransform(Image.fromarray(np.ascontiguousarray(rgb)), _transforms()[0])
    assert image is not None
    lab = np.asarray(image).copy()
    lab[..., 1:] ^= 128  # Pillow shows a and b as signed bytes.
    return lab


def _from_lab(lab: np.ndarray) -> np.ndarray:
    signed = lab.copy()
    signed[..., 1:] ^= 128
    image = Image.frombytes("LAB", (lab.shape[1], lab.shape[0]), signed.tobytes())
    back = ImageCms.applyTransform(image, _transforms()[1])
    assert back is not None
    return np.asarray(back)
