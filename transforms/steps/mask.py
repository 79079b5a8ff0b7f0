"""Mask step: the alpha of each paste on black, with its bounding box and area."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import apache_beam as beam
import numpy as np

from transforms.elements import Block, BoundingBox, Placement
from transforms.pixels.input_cache import InputCache, input_cache
from transforms.plan.plan import load_plan

SOLID = 128
"""A pixel belongs to the foreground from this mask value on."""


def paste_mask(mask: np.ndarray, alpha: np.ndarray, x: int, y: int) -> None:
    """Writes a cutout's alpha into an all-zero mask in place.

    Args:
        mask: uint8 [height, width], zero everywhere.
        alpha: uint8 [h, w], the cutout's alpha.
        x: column of the cutout's left edge in the mask.
        y: row of its top edge; the whole cutout lies inside the mask.
    """
    height, width = alpha.shape
    mask[y : y + height, x : x + width] = alpha


def masks(placements: Sequence[Placement], assets: InputCache, side: int) -> np.ndarray:
    """Makes the masks of some placements.

    Args:
        placements: n samples.
        assets: where their foregrounds come from.
        side: side of the masks in pixels.

    Returns:
        uint8 [n, side, side], alpha of the paste on black.
    """
    result = np.zeros((len(placements), side, side), np.uint8)
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


class _MaskDoFn(beam.DoFn):
    def __init__(self, plan_path: str) -> None:
        self._plan_path = plan_path

    def process(self, block: Block) -> Iterator[Block]:
        side = load_plan(self._plan_path).image_size
        yield replace(block, masks=masks(block.placements, input_cache(self._plan_path), side))


class Mask(beam.PTransform):
    """Adds the masks to Blocks.

    Args:
        plan_path: file of the plan.
    """

    def __init__(self, plan_path: str) -> None:
        super().__init__()
        self._plan_path = plan_path

    def expand(self, blocks: beam.PCollection[Block]) -> beam.PCollection[Block]:
        """Adds the step to a pipeline."""
        return blocks | "Mask" >> beam.ParDo(_MaskDoFn(self._plan_path))
