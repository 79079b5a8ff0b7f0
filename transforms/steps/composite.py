"""Composite step: foregrounds are blended over backgrounds in their own soft alpha."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from transforms.elements import Block, Placement
from transforms.pixels.cutout import Cutout
from transforms.pixels.input_cache import InputCache, input_cache
from transforms.pixels.size import Size
from transforms.recipe import Recipe


def paste(image: np.ndarray, cutout: Cutout, x: int, y: int) -> None:
    """Blends a cutout over an image in place: out = fg * alpha + bg * (1 - alpha), rounded.

    Args:
        image: uint8 [height, width, 3], changed inside the pasted rectangle only.
        cutout: the foreground.
        x: column of the cutout's left edge in the image.
        y: row of its top edge; the whole cutout is inside the image.
    """
    height, width = cutout.alpha.shape
    region = image[y : y + height, x : x + width]
    blended: np.ndarray = np.multiply(region, cutout.rest, dtype=np.uint16)
    blended += cutout.premultiplied
    # round(v / 255) for v in 0..65025, without a division and without leaving 16 bits.
    blended += 128
    blended += blended >> 8
    region[...] = blended >> 8


def composites(placements: Sequence[Placement], assets: InputCache, size: Size) -> np.ndarray:
    """Makes the composites of some placements.

    Args:
        placements: n samples.
        assets: where their foregrounds and backgrounds come from.
        size: size of the composites.

    Returns:
        uint8 [n, height, width, 3].
    """
    images = np.empty((len(placements), *size.shape, 3), np.uint8)
    for image, sample in zip(images, placements, strict=True):
        image[...] = assets.background(sample.bg_id)
        cutout = assets.cutout(sample.fg_id, sample.flip, sample.width, sample.height)
        paste(image, cutout, sample.x, sample.y)
    return images


def add_composites(block: Block, recipe: Recipe) -> Block:
    """Adds `images` to a block."""
    assets = input_cache(recipe.plan_path)
    return replace(block, images=composites(block.placements, assets, recipe.image_size))
