"""Remake step: shards whose blocks did not arrive in one piece are made again, whole.

A shard is a pure function of its spec, so nothing needs to be merged: the same steps run one after
another, and the bytes are the same.
"""

import apache_beam as beam

from transforms.elements import ShardSpec
from transforms.plan.plan import load_plan
from transforms.recipe import Recipe
from transforms.records import ShardRecord
from transforms.steps.beam import Each
from transforms.steps.place import place
from transforms.steps.sequence import make_block
from transforms.steps.write import ShardWriter


def make_shard(shard: ShardSpec, recipe: Recipe) -> ShardRecord:
    """Makes a whole shard in one piece: the same steps, one after another."""
    writer = ShardWriter(shard, recipe, load_plan(recipe.plan_path))
    try:
        for block in place(shard, recipe):
            writer.add(make_block(block, recipe))
        return writer.finish()
    except BaseException:
        writer.discard()
        raise


class Remake(beam.PTransform):
    """Unfinished ShardSpecs to ShardRecords, each shard made in one piece.

    Args:
        recipe: how a shard is made.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self._recipe = recipe

    def expand(self, shards: beam.PCollection[ShardSpec]) -> beam.PCollection[ShardRecord]:
        """Adds the step to a pipeline."""
        return shards | "Distinct" >> beam.Distinct() | "Remake" >> Each(make_shard, self._recipe)
