"""The way of the data, top to bottom."""

import apache_beam as beam

from transforms.elements import ShardSpec
from transforms.steps.clean import Clean, CleanSettings
from transforms.steps.composite import Composite
from transforms.steps.depth import Depth
from transforms.steps.encode import Encode
from transforms.steps.finish import Finish, FinishSettings
from transforms.steps.join_parts import JoinParts
from transforms.steps.list_shards import ListShards
from transforms.steps.mask import Mask
from transforms.steps.place import Place
from transforms.steps.read_records import ReadRecords, shard_of
from transforms.steps.remake import Remake, ShardRecipe
from transforms.steps.resume import FINISHED, Resume
from transforms.steps.summarise import Summarise
from transforms.steps.write import UNFINISHED, Write


def build(pipeline: beam.Pipeline, recipe: ShardRecipe, finish: FinishSettings) -> None:
    """Adds the whole data set to a pipeline.

    Ids cross the Reshuffles; pixels are born after them and never cross another.

    Args:
        pipeline: an empty pipeline.
        recipe: how a shard is made.
        finish: what is written when all shards are there.
    """
    root, formats = finish.root, finish.formats
    shards = pipeline | "List shards" >> ListShards(recipe.plan_path)
    clean_shards = pipeline | "List clean shards" >> ListShards(recipe.plan_path, clean=True)

    todo = shards | "Spread" >> beam.Reshuffle() | "Resume" >> Resume(recipe.write)
    made = todo.missing | "Make" >> MakeShards(recipe)
    clean = (
        clean_shards
        | "Spread clean" >> beam.Reshuffle()
        | "Clean" >> Clean(CleanSettings(root, formats))
    )

    done = (
        made,
        todo[FINISHED] | "Finished shards" >> beam.Map(shard_of),
        clean | "Clean shards" >> beam.Map(shard_of),
    )
    records = done | "Done" >> beam.Flatten() | "Records" >> ReadRecords(root)
    joined = records | "Parts" >> JoinParts(root)
    records | "Summarise" >> Summarise() | "Finish" >> Finish(finish, beam.pvalue.AsList(joined))


class MakeShards(beam.PTransform):
    """ShardSpecs to themselves: their samples are made, and written where they are made.

    Args:
        recipe: how a shard is made.
    """

    def __init__(self, recipe: ShardRecipe) -> None:
        super().__init__()
        self._recipe = recipe

    def expand(self, shards: beam.PCollection[ShardSpec]) -> beam.PCollection[ShardSpec]:
        """Adds the steps to a pipeline."""
        recipe = self._recipe
        pixels = (
            shards
            | "Place" >> Place(recipe.plan_path, recipe.block_size)
            | "Composite" >> Composite(recipe.plan_path)
            | "Mask" >> Mask(recipe.plan_path)
        )
        if recipe.depth is not None:
            pixels = pixels | "Depth" >> Depth(recipe.depth)
        written = pixels | "Encode" >> Encode(recipe.encoding) | "Write" >> Write(recipe.write)
        remade = written[UNFINISHED] | "Remake" >> Remake(recipe)
        made = (
            written.records | "Written shards" >> beam.Map(shard_of),
            remade | "Remade shards" >> beam.Map(shard_of),
        )
        return made | "Made" >> beam.Flatten()
