"""Shadows: dark on the ground under and beside an object, soft, and never in its mask."""

import numpy as np
from PIL import Image, ImageFilter

from transforms.scenes.scene import Light, Paste

_CONTACT_ROWS = 0.12  # Of the object's height: what stands on the ground.
_CONTACT_FLATTENED = 0.35
_SOFTNESS = 0.03  # Of the object's height.
_MADE_SIDE = 48


def shadow_map(
    paste: Paste, mask: Image.Image, light: Light, grounded: bool
) -> tuple[int, int, Image.Image]:
    """How dark the shadow of an object is.

    A contact shadow lies where the lowest rows of the object stand. On known ground the outline of
    the object, laid down and slanted by the light, is its cast shadow.

    Args:
        paste: the object; `paste.look.shadow` is the darkness.
        mask: its alpha, L.
        light: where shadows fall.
        grounded: whether the object stands on known ground.

    Returns:
        Column and row of the map's corner in the picture, beyond which it may reach, and the map:
        L, 255 is black.
    """
    darkness = round(paste.look.shadow * 256)
    # A shadow is soft: that of a large object is made small and enlarged.
    step = max(1, -(-max(mask.size) // _MADE_SIDE))
    base = paste.contact - paste.y  # One below the lowest solid row, within the cut-out.
    small = mask.reduce(step, (0, 0, mask.width, base))
    columns, rows = small.size
    tall = max(2, round(rows * light.length)) if grounded else 0
    reach = round(abs(light.slant) * tall)
    flat = max(1, round(rows * _CONTACT_ROWS))
    soft = max(0.6, rows * _SOFTNESS)
    margin = int(3 * soft) + 1
    canvas = np.zeros((tall + flat + 2 * margin, columns + 2 * reach + 2 * margin), np.uint8)
    ground = margin + tall  # Row of the canvas on which the object stands.
    if tall:
        # The farther from the base, the more it is moved to the side, and the paler it is.
        laid = small.transform(
            (columns + 2 * reach, tall),
            Image.Transform.AFFINE,
            (1, light.slant, -reach - light.slant * tall, 0, rows / tall, 0),
            Image.Resampling.BILINEAR,
        )
        pale = (80 + 80 * np.arange(tall) // tall) * darkness >> 8
        cast = (np.asarray(laid) * pale.astype(np.uint16)[:, None]) >> 8
        canvas[margin:ground, margin : margin + cast.shape[1]] = cast
    foot = np.asarray(small)[rows - flat :].max(axis=0) * np.uint16(darkness) >> 8
    depth = max(1, round(flat * _CONTACT_FLATTENED))
    spot = canvas[ground - depth : ground + depth, margin + reach : margin + reach + columns]
    np.maximum(spot, foot.astype(np.uint8), out=spot)
    dark = Image.fromarray(canvas).filter(ImageFilter.GaussianBlur(soft))
    if step > 1:
        size = (dark.width * step, dark.height * step)
        dark = dark.resize(size, Image.Resampling.BILINEAR)
    return paste.x - (margin + reach) * step, paste.contact - ground * step, dark
