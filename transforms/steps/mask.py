"""Mask step: the alpha of each paste on black, with its bounding box and area."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from transforms.elements import SOLID, Block, BoundingBox, Placement
from transforms.pixels.input_cache import InputCache, input_cache
from transforms.pixels.size import Size
from transforms.recipe import Recipe


def paste_mask(mask: np.ndarray, alpha: np.ndarray, x: int, y: int) -> None:
    """Writes a cutout's alpha into an all-zero mask in place.

    Args:
        mask: uint8 [height, width], zero everywhere.
        alpha: uint8 [h, w], the cutout's alpha.
        x: column of the cutout's left edge in the mask.
        y: row of its top edge; the whole cutout is inside the mask.
    """
    height, width = alpha.shape
    mask[y : y + height, x : x + width] = alpha


def masks(placements: Sequence[Placement], assets: InputCache, size: Size) -> np.ndarray:
    """Makes the masks of some placements.

    Args:
        placements: n samples.
        assets: where their foregrounds come from.
        size: size of the masks.

    Returns:
        uint8 [n, height, width], alpha of the paste on black.
    """
    result = np.zeros((len(placements), *size.shape), np.uint8)
    for mask, sample in zip(result, placements, strict=True):
        cutout = assets.cutout(sample.fg_id, sample.flip, sample.width, sample.height)
        paste_mask(mask, cutout.alpha, sample.x, sample.y)
    return result


def bounding_box(mask: np.ndarray) -> tuple[BoundingBox, int]:
    """The rectangle around the pixels with mask >= 128, and how many they are.

    Args:
        mask: uint8 [height, width].

    Returns:
        The rectangle (all zero when there is no such pixel) and the area in pixels.
    """
    solid = mask >= SOLID
    columns = np.flatnonzero(solid.any(axis=0))
    rows = np.flatnonzero(solid.any(axis=1))
    if not rows.size:
        return BoundingBox(0, 0, 0, 0), 0
    x, y = int(columns[0]), int(rows[0])
    box = BoundingBox(x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
    return box, int(np.count_nonzero(solid))


def add_masks(block: Block, recipe: Recipe) -> Block:
    """Adds `masks` to a block."""
    assets = input_cache(recipe.plan_path)
    return replace(block, masks=masks(block.placements, assets, recipe.image_size))
