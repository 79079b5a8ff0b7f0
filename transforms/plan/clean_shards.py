"""The shards of clean images: the resized foregrounds and backgrounds, once each, by id."""

from collections.abc import Iterator

from transforms.elements import ShardSpec
from transforms.plan.plan import Plan

FOREGROUNDS = "foregrounds"
BACKGROUNDS = "backgrounds"

IMAGES_PER_SHARD = 2000


def clean_shards(plan: Plan) -> Iterator[ShardSpec]:
    """The shards of clean images; positions count the inputs of a kind by id."""
    for kind, inputs in ((FOREGROUNDS, plan.foregrounds), (BACKGROUNDS, plan.backgrounds)):
        of = -(-len(inputs) // IMAGES_PER_SHARD)
        for index in range(of):
            start, stop = index * len(inputs) // of, (index + 1) * len(inputs) // of
            yield ShardSpec(kind, index, of, start, stop)
