"""The data flow, top to bottom."""

import apache_beam as beam

from transforms.elements import ShardSpec
from transforms.recipe import Recipe
from transforms.report.manifest import Origin
from transforms.steps.beam import Each, EachBlock, EachToMany
from transforms.steps.clean import write_clean_shard
from transforms.steps.finish import Finish
from transforms.steps.index import index_shard
from transforms.steps.join_fragments import JoinFragments
from transforms.steps.list_shards import ListShards
from transforms.steps.place import place
from transforms.steps.prepare import Prepare, after, things_of
from transforms.steps.read_records import read_finished, shard_of
from transforms.steps.remake import Remake
from transforms.steps.resume import FINISHED, Resume
from transforms.steps.sequence import steps_of
from transforms.steps.summarise import Summarise
from transforms.steps.write import UNFINISHED, Write


def build(pipeline: beam.Pipeline, recipe: Recipe, origin: Origin) -> None:
    """Adds the whole data set to a pipeline.

    Ids cross the Reshuffles; pixels are made after them and never cross another. What is made once
    for each background comes first: shards wait for it.

    Args:
        pipeline: an empty pipeline.
        recipe: how samples are made and written.
        origin: where the data set comes from.
    """
    shards = pipeline | "List shards" >> ListShards(recipe.plan_path)
    clean_shards = pipeline | "List clean shards" >> ListShards(recipe.plan_path, clean=True)
    if things_of(recipe):
        prepared = beam.pvalue.AsSingleton(pipeline | "Prepare" >> Prepare(recipe))
        shards = shards | "Prepared" >> beam.Map(after, prepared)
        clean_shards = clean_shards | "Prepared clean" >> beam.Map(after, prepared)

    todo = shards | "Spread" >> beam.Reshuffle() | "Resume" >> Resume(recipe)
    made = todo.missing | "Make" >> MakeShards(recipe)
    clean = (
        clean_shards
        | "Spread clean" >> beam.Reshuffle()
        | "Clean" >> Each(write_clean_shard, recipe)
    )

    done = (
        made,
        todo[FINISHED]
        | "Index" >> Each(index_shard, recipe)
        | "Finished shards" >> beam.Map(shard_of),
        clean | "Clean shards" >> beam.Map(shard_of),
    )
    records = done | "Done" >> beam.Flatten() | "Records" >> Each(read_finished, recipe)
    joined = records | "Fragments" >> JoinFragments(recipe.root)
    summary = records | "Summarise" >> Summarise()
    summary | "Finish" >> Finish(recipe, origin, beam.pvalue.AsList(joined))


class MakeShards(beam.PTransform):
    """ShardSpecs to themselves: their samples are made, and written where they are made.

    Args:
        recipe: how samples are made and written.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self._recipe = recipe

    def expand(self, shards: beam.PCollection[ShardSpec]) -> beam.PCollection[ShardSpec]:
        """Adds the steps to a pipeline."""
        recipe = self._recipe
        blocks = shards | "Place" >> EachToMany(place, recipe)
        for step in steps_of(recipe):  # Composite and Mask or Arrange, Depth or Layers, Encode
            blocks = blocks | step.name >> EachBlock(step, recipe)
        written = blocks | "Write" >> Write(recipe)
        remade = written[UNFINISHED] | "Remake" >> Remake(recipe)
        made = (
            written.records | "Written shards" >> beam.Map(shard_of),
            remade | "Remade shards" >> beam.Map(shard_of),
        )
        return made | "Made" >> beam.Flatten()
