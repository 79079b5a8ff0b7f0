"""Place step: a shard's samples, in order, as blocks of placements."""

from collections.abc import Iterator

import apache_beam as beam

from transforms.elements import Block, ShardSpec
from transforms.plan.plan import Plan, load_plan

PLACED_AT_ONCE = 4096
"""Samples that a worker holds the places of."""


def blocks(plan: Plan, shard: ShardSpec, block_size: int) -> Iterator[Block]:
    """Cuts a shard's samples into blocks of `block_size`; the last one may be smaller."""
    # Many blocks are placed at once, which is fast, but never a whole shard of any size.
    step = max(1, PLACED_AT_ONCE // block_size) * block_size
    for begin in range(0, shard.count, step):
        stop = min(shard.stop, shard.start + begin + step)
        samples = plan.samples(shard.split, shard.start + begin, stop)
        for first in range(0, len(samples), block_size):
            placements = samples[first : first + block_size]
            yield Block(shard, begin + first, len(placements), placements)


class _PlaceDoFn(beam.DoFn):
    def __init__(self, plan_path: str, block_size: int) -> None:
        self._plan_path = plan_path
        self._block_size = block_size

    def process(self, shard: ShardSpec) -> Iterator[Block]:
        return blocks(load_plan(self._plan_path), shard, self._block_size)


class Place(beam.PTransform):
    """ShardSpec to Blocks without pixels.

    Args:
        plan_path: file of the plan.
        block_size: samples in a block; also the batch size of the depth model.
    """

    def __init__(self, plan_path: str, block_size: int) -> None:
        super().__init__()
        self._plan_path = plan_path
        self._block_size = block_size

    def expand(self, shards: beam.PCollection[ShardSpec]) -> beam.PCollection[Block]:
        """Adds the step to a pipeline."""
        return shards | "Place" >> beam.ParDo(_PlaceDoFn(self._plan_path, self._block_size))
