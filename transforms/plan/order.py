"""The mixed order of a strip's samples.

Foregrounds of a split are dealt into strips of ten to nineteen. A strip's samples are ordered in
cycles; each cycle shows every foreground of the strip once. While the cycles go on, each foreground
walks through a band of at most 199 backgrounds in an order of its own, again and again with
another placement each time, and then all of them go on to the next band. So neighbours differ in
their foreground, any thousand neighbours see ten foregrounds and every background of the band, any
beginning of the order is an even subset, and the working set of a shard stays small.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate

import numpy as np

from transforms.plan.dealing import Strip
from transforms.plan.seeding import permuted, random_key


class Purpose(IntEnum):
    """First words of the keys, so that no two uses of a seed share a number."""

    BACKGROUNDS = 1
    CYCLE = 2
    WALK = 3
    COMBINATION = 4
    SPLIT = 5


@dataclass(frozen=True, eq=False)
class Ordered:
    """The entries at some positions of a strip, as int64 arrays of one length.

    Attributes:
        fg_ids: ids of the foregrounds.
        bg_ids: ids of the backgrounds.
        combination: which of the samples of that foreground and background, from 0.
    """

    fg_ids: np.ndarray
    bg_ids: np.ndarray
    combination: np.ndarray


def strip_order(
    seed: int,
    strip: Strip,
    bands: Sequence[Sequence[int]],
    combinations: int,
    position: np.ndarray,
) -> Ordered:
    """The entries at the given positions of a strip.

    Args:
        seed: seed of the order.
        strip: the strip.
        bands: ids of the backgrounds, band by band.
        combinations: samples of one foreground on one background.
        position: int64 [n], each in 0..strip.count-1.
    """
    size = len(strip.foregrounds)
    cycle = position // size
    slot = _foreground_slot(seed, strip, cycle, position % size)
    fg_ids = np.array(strip.foregrounds)[slot]
    band_sizes = [len(band) for band in bands]
    cycles = -(-strip.count // size)
    ends = [cycles * end // sum(band_sizes) for end in accumulate(band_sizes)]
    band = np.searchsorted(ends, cycle, side="right")
    step = cycle - np.array([0, *ends])[band]
    band_size = np.array(band_sizes)[band]
    walk = step // band_size
    key = random_key(seed, Purpose.WALK, fg_ids, band, walk)
    index = permuted(step % band_size, band_size, key)
    flat = np.array([bg_id for ids in bands for bg_id in ids])
    bg_ids = flat[np.array([0, *accumulate(band_sizes)])[band] + index]
    turn = random_key(seed, Purpose.COMBINATION, fg_ids, bg_ids) % np.uint64(combinations)
    return Ordered(fg_ids, bg_ids, (walk + turn.astype(np.int64)) % combinations)


def _foreground_slot(seed: int, strip: Strip, cycle: np.ndarray, slot: np.ndarray) -> np.ndarray:
    size = len(strip.foregrounds)
    if size < 3:  # Alternation is the only order in which two neighbours differ.
        return slot
    key = random_key(seed, Purpose.CYCLE, strip.number, cycle)
    before = random_key(seed, Purpose.CYCLE, strip.number, np.maximum(cycle - 1, 0))
    # The first two of a cycle change places where the first one has just been the last.
    repeats = (cycle > 0) & (permuted(0, size, key) == permuted(size - 1, size, before))
    swapped = np.where(repeats & (slot < 2), 1 - slot, slot)
    return permuted(swapped, size, key)
