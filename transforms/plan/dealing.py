"""Dealing inputs out: shares, seeded orders, even pieces."""

from dataclasses import dataclass

import numpy as np

from transforms.plan.seeding import random_key

MOST_SHARDS = 50_000
"""Shards at most, unless more are asked for. One worker lists and adds up the records of all."""


@dataclass(frozen=True)
class Strip:
    """Foregrounds that are shown together, and how many samples they make.

    Attributes:
        split: name of the split.
        number: number of the strip over all splits; also the number of its batch.
        foregrounds: ids.
        count: number of samples.
        part: number of the part of the data set that it belongs to.
    """

    split: str
    number: int
    foregrounds: tuple[int, ...]
    count: int
    part: int = 0


@dataclass(frozen=True)
class Part:
    """Samples that were planned together: all of some foregrounds on all of some backgrounds.

    Attributes:
        foregrounds: ids.
        backgrounds: ids.
        first: number of the first placement, from 1.
        placements: how many placements of each foreground, background and flip.
    """

    foregrounds: tuple[int, ...]
    backgrounds: tuple[int, ...]
    first: int
    placements: int

    @property
    def cells(self) -> int:
        """Number of samples without mirror images."""
        return len(self.foregrounds) * len(self.backgrounds) * self.placements


def apportion(total: int, weights: list[float]) -> list[int]:
    """Deals `total` out by weight: largest remainders first, at least one each while it lasts."""
    scale = total / sum(weights)
    counts = [int(weight * scale + 1e-9) for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (counts[i] - weights[i] * scale, i))
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    while 0 in counts and max(counts) > 1:
        counts[counts.index(max(counts))] -= 1
        counts[counts.index(0)] += 1
    return counts


def deal_shards(
    parts: list[dict[str, int]], wanted: int | None, per_shard: int
) -> tuple[dict[str, tuple[int, int]], ...]:
    """Numbers of samples and of shards of each part in each split.

    Args:
        parts: samples of each part by split.
        wanted: shards of the first part, or None for `per_shard` samples in each, and more where
            there would be over `MOST_SHARDS` shards.
        per_shard: samples in a shard; later parts use the number that the first resolved.
    """
    first = list(parts[0].values())
    dealt = [] if wanted is None else [apportion(wanted, [float(count) for count in first])]
    most = -(-sum(first) // MOST_SHARDS)
    size = max(per_shard, most) if wanted is None else max(1, sum(first) // wanted)
    for counts in parts[len(dealt) :]:
        dealt.append([max(1, round(count / size)) for count in counts.values()])
    return tuple(
        {name: (count, shards) for (name, count), shards in zip(part.items(), of, strict=True)}
        for part, of in zip(parts, dealt, strict=True)
    )


def seeded_order(ids: list[int], seed: int, purpose: int) -> list[int]:
    """The ids in an order that depends on seed and purpose only, not on the order given."""
    ids = sorted(ids)
    keys = random_key(seed, purpose, np.array(ids))
    return [ids[i] for i in np.argsort(keys, kind="stable")]


def evenly(items: list[int] | tuple[int, ...], at_least: int) -> list[list[int]]:
    """Cuts items into as many even pieces as hold `at_least` each; one where there are fewer."""
    pieces = max(1, len(items) // at_least)
    return [
        list(items[i * len(items) // pieces : (i + 1) * len(items) // pieces])
        for i in range(pieces)
    ]
