"""Place step: a shard's samples, in order, as blocks of placements."""

from collections.abc import Iterator

from transforms.elements import Block, ShardSpec
from transforms.plan.plan import Plan, load_plan
from transforms.recipe import Recipe

PLACED_AT_ONCE = 4096
"""Samples that a worker holds the places of."""


def blocks(plan: Plan, shard: ShardSpec, block_size: int) -> Iterator[Block]:
    """Cuts a shard's samples into blocks of `block_size`; the last one may be smaller.

    An excluded sample has no placement in its block, but counts as promised.
    """
    # Placing many blocks in one call is fast; a whole shard could be too large.
    step = max(1, PLACED_AT_ONCE // block_size) * block_size
    for begin in range(0, shard.count, step):
        stop = min(shard.stop, shard.start + begin + step)
        samples = plan.samples(shard.split, shard.start + begin, stop)
        for first in range(0, len(samples), block_size):
            placements = samples[first : first + block_size]
            yield Block(shard, begin + first, len(placements), plan.made(placements))


def place(shard: ShardSpec, recipe: Recipe) -> Iterator[Block]:
    """The blocks of a shard, without pixels."""
    return blocks(load_plan(recipe.plan_path), shard, recipe.block_size)
