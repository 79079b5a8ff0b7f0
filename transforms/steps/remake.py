"""Remake step: shards whose blocks did not arrive in one piece are made again, whole.

A shard is a pure function of its spec, so nothing needs to be merged: the same functions that stand
behind the steps run one after another, and the bytes are the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import apache_beam as beam

from transforms.elements import Block, ShardSpec
from transforms.models.depth.base import DepthModel
from transforms.pixels.input_cache import input_cache
from transforms.plan.plan import load_plan
from transforms.records import ShardRecord
from transforms.steps.composite import composites
from transforms.steps.depth import DepthHandler, DepthSettings, predict_block
from transforms.steps.encode import EncodedBlock, Encoding, encode_block
from transforms.steps.mask import masks
from transforms.steps.place import blocks
from transforms.steps.write import ShardWriter, WriteSettings


@dataclass(frozen=True)
class ShardRecipe:
    """All that a shard is made with.

    Attributes:
        plan_path: file of the plan.
        block_size: samples in a block.
        depth: the depth model, or None without depth.
        encoding: how samples are encoded.
        write: where and in which formats.
    """

    plan_path: str
    block_size: int
    depth: DepthSettings | None
    encoding: Encoding
    write: WriteSettings


def make_block(block: Block, recipe: ShardRecipe, model: DepthModel | None) -> EncodedBlock:
    """Takes one block through all steps from its placements to its encoded samples."""
    assets, side = input_cache(recipe.plan_path), load_plan(recipe.plan_path).image_size
    block = replace(
        block,
        images=composites(block.placements, assets, side),
        masks=masks(block.placements, assets, side),
    )
    if model is not None:
        block = predict_block(model, block)
    return encode_block(block, recipe.encoding)


def make_shard(shard: ShardSpec, recipe: ShardRecipe, model: DepthModel | None) -> ShardRecord:
    """Makes a whole shard in one piece: the same functions as the steps, one after another."""
    plan = load_plan(recipe.plan_path)
    writer = ShardWriter(shard, recipe.write, plan)
    try:
        for block in blocks(plan, shard, recipe.block_size):
            writer.add(make_block(block, recipe, model))
        return writer.finish()
    except BaseException:
        writer.discard()
        raise


class _RemakeDoFn(beam.DoFn):
    def __init__(self, recipe: ShardRecipe) -> None:
        self._recipe = recipe
        self._model: DepthModel | None = None

    def process(self, shard: ShardSpec) -> Iterator[ShardRecord]:
        if self._recipe.depth is not None and self._model is None:
            self._model = DepthHandler(self._recipe.depth).load_model()
        yield make_shard(shard, self._recipe, self._model)


class Remake(beam.PTransform):
    """Unfinished ShardSpecs to ShardRecords, each shard made in one piece.

    Args:
        recipe: all that a shard is made with.
    """

    def __init__(self, recipe: ShardRecipe) -> None:
        super().__init__()
        self._recipe = recipe

    def expand(self, shards: beam.PCollection[ShardSpec]) -> beam.PCollection[ShardRecord]:
        """Adds the step to a pipeline."""
        return (
            shards
            | "Distinct" >> beam.Distinct()
            | "Remake" >> beam.ParDo(_RemakeDoFn(self._recipe))
        )
