"""Composite step: foregrounds are blended over backgrounds in their own soft alpha."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import apache_beam as beam
import numpy as np

from transforms.elements import Block, Placement
from transforms.pixels.cutout import Cutout
from transforms.pixels.input_cache import InputCache, input_cache
from transforms.plan.plan import load_plan


def paste(image: np.ndarray, cutout: Cutout, x: int, y: int) -> None:
    """Blends a cutout over an image in place: out = fg * alpha + bg * (1 - alpha), rounded.

    Args:
        image: uint8 [height, width, 3], changed inside the pasted rectangle only.
        cutout: the foreground.
        x: column of the cutout's left edge in the image.
        y: row of its top edge; the whole cutout lies inside the image.
    """
    height, width = cutout.alpha.shape
    region = image[y : y + height, x : x + width]
    blended: np.ndarray = np.multiply(region, cutout.rest, dtype=np.uint16)
    blended += cutout.premultiplied
    # round(v / 255) for v in 0..65025, without a division and without leaving 16 bits.
    blended += 128
    blended += blended >> 8
    region[...] = blended >> 8


def composites(placements: Sequence[Placement], assets: InputCache, side: int) -> np.ndarray:
    """Makes the composites of some placements.

    Args:
        placements: n samples.
        assets: where their foregrounds and backgrounds come from.
        side: side of the composites in pixels.

    Returns:
        uint8 [n, side, side, 3].
    """
    images = np.empty((len(placements), side, side, 3), np.uint8)
    for image, sample in zip(images, placements, strict=True):
        image[...] = assets.background(sample.bg_id)
        cutout = assets.cutout(sample.fg_id, sample.flip, sample.width, sample.height)
        paste(image, cutout, sample.x, sample.y)
    return images


class _CompositeDoFn(beam.DoFn):
    def __init__(self, plan_path: str) -> None:
        self._plan_path = plan_path

    def process(self, block: Block) -> Iterator[Block]:
        side = load_plan(self._plan_path).image_size
        yield replace(
            block, images=composites(block.placements, input_cache(self._plan_path), side)
        )


class Composite(beam.PTransform):
    """Adds the composites to Blocks.

    Args:
        plan_path: file of the plan.
    """

    def __init__(self, plan_path: str) -> None:
        super().__init__()
        self._plan_path = plan_path

    def expand(self, blocks: beam.PCollection[Block]) -> beam.PCollection[Block]:
        """Adds the step to a pipeline."""
        return blocks | "Composite" >> beam.ParDo(_CompositeDoFn(self._plan_path))
