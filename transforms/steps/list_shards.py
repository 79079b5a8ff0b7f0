"""List step: the shards of a data set, from its plan."""

from collections.abc import Iterator

import apache_beam as beam

from transforms.elements import ShardSpec
from transforms.plan.clean_shards import clean_shards
from transforms.plan.plan import load_plan


def _shards(plan_path: str) -> Iterator[ShardSpec]:
    return load_plan(plan_path).shards()


def _clean_shards(plan_path: str) -> Iterator[ShardSpec]:
    return clean_shards(load_plan(plan_path))


class ListShards(beam.PTransform):
    """A pipeline's start to the ShardSpecs of the samples, or of the clean images.

    Args:
        plan_path: file of the plan.
        clean: whether it is the shards of the clean images.
    """

    def __init__(self, plan_path: str, clean: bool = False) -> None:
        super().__init__()
        self._plan_path = plan_path
        self._clean = clean

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection[ShardSpec]:
        """Adds the step to a pipeline."""
        plan = pipeline | "Plan" >> beam.Create([self._plan_path])
        return plan | "Shards" >> beam.FlatMap(_clean_shards if self._clean else _shards)
