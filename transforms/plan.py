"""Plan step: which samples there are, in which mixed order, and which shard holds which.

The plan is numbers, not pixels, and nothing in it is a list of samples: every sample is found from
its position in constant time, so a plan of 10**9 samples takes no more memory than its assets.

Foregrounds of a split are dealt into strips of ten to nineteen. A strip's samples are ordered in
cycles; each cycle shows every foreground of the strip once. While the cycles go on, each foreground
walks through a block of at most 199 backgrounds in an order of its own, again and again with
another placement each time, and then all of them go on to the next block. So neighbours differ in
their foreground, any thousand neighbours see ten foregrounds and every background of the block, any
beginning of the order is an even subset, and the working set of a shard stays small.
"""

import dataclasses
import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate

import numpy as np

from transforms import storage
from transforms.asset import Asset, SplitShare
from transforms.dealing import Strip, apportion, evenly, seeded_order
from transforms.elements import Placement, ShardSpec
from transforms.placement import Canvas, place
from transforms.seeding import permuted, random_key

STRIP_FOREGROUNDS = 10
BLOCK_BACKGROUNDS = 100
SAMPLES_PER_SHARD = 4000
GALLERY_SAMPLES = 24

# First words of the keys, so that no two uses of a seed share a number.
_ORDER, _CYCLE, _WALK, _COMBINATION, _SPLIT = 1, 2, 3, 4, 5


class PlanError(ValueError):
    """A plan that cannot be made; the message says what would be possible."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides which samples a data set has and where they stand.

    Attributes:
        seed: seed of the order and of the placements.
        image_size: side of the composites in pixels.
        foreground_size: side of the square that a pasted foreground fits into.
        placements: placements of one foreground, background and flip.
        flip: whether mirror images are pasted as well.
        scale_jitter: lowest and highest factor on the foreground's size, or None.
        splits: shares of the foregrounds.
        num_shards: number of shards over all splits; None for about 4,000 samples a shard.
        max_samples: size of an even subset, or None for all.
        foregrounds: usable foregrounds, by id.
        backgrounds: usable backgrounds, by id.
    """

    seed: int
    image_size: int
    foreground_size: int
    placements: int
    flip: bool
    scale_jitter: tuple[float, float] | None
    splits: tuple[SplitShare, ...]
    num_shards: int | None
    max_samples: int | None
    foregrounds: tuple[Asset, ...]
    backgrounds: tuple[Asset, ...]

    @property
    def combinations(self) -> int:
        """Samples of one foreground on one background."""
        return self.placements * (2 if self.flip else 1)

    @property
    def total(self) -> int:
        """Number of samples of the data set."""
        everything = len(self.foregrounds) * len(self.backgrounds) * self.combinations
        return everything if self.max_samples is None else min(everything, self.max_samples)

    @cached_property
    def canvas(self) -> Canvas:
        """The geometry of a placement."""
        return Canvas(self.image_size, self.foreground_size, self.scale_jitter)

    @cached_property
    def foreground_by_id(self) -> dict[int, Asset]:
        """Foregrounds by their id."""
        return {asset.id: asset for asset in self.foregrounds}

    @cached_property
    def _foreground_sizes(self) -> dict[int, tuple[int, int]]:
        return {asset.id: (asset.width, asset.height) for asset in self.foregrounds}

    @cached_property
    def background_by_id(self) -> dict[int, Asset]:
        """Backgrounds by their id."""
        return {asset.id: asset for asset in self.backgrounds}

    @cached_property
    def split_foregrounds(self) -> dict[str, tuple[int, ...]]:
        """Ids of each split's foregrounds, in seeded order."""
        ids = seeded_order([asset.id for asset in self.foregrounds], self.seed, _SPLIT)
        counts = apportion(len(ids), [split.share for split in self.splits])
        ends = list(accumulate(counts))
        return {
            split.name: tuple(ids[end - count : end])
            for split, count, end in zip(self.splits, counts, ends, strict=True)
        }

    @cached_property
    def strips(self) -> tuple[Strip, ...]:
        """All strips, split after split."""
        blocks = [
            (split, block)
            for split, ids in self.split_foregrounds.items()
            for block in evenly(ids, STRIP_FOREGROUNDS)
        ]
        cumulative = list(accumulate((len(block) for _, block in blocks), initial=0))
        ends = [self.total * foregrounds // len(self.foregrounds) for foregrounds in cumulative]
        return tuple(
            Strip(split, number, tuple(block), ends[number + 1] - ends[number])
            for number, (split, block) in enumerate(blocks)
        )

    @cached_property
    def background_blocks(self) -> tuple[tuple[int, ...], ...]:
        """Ids of the backgrounds in blocks of 100 to 199, in seeded order."""
        ids = seeded_order([asset.id for asset in self.backgrounds], self.seed, _ORDER)
        return tuple(tuple(block) for block in evenly(ids, BLOCK_BACKGROUNDS))

    @cached_property
    def shard_counts(self) -> dict[str, int]:
        """Number of shards of each split that has samples."""
        samples = {split.name: 0 for split in self.splits}
        for strip in self.strips:
            samples[strip.split] += strip.count
        samples = {name: count for name, count in samples.items() if count}
        if self.num_shards is None:
            return {
                name: max(1, round(count / SAMPLES_PER_SHARD)) for name, count in samples.items()
            }
        counts = apportion(self.num_shards, [float(count) for count in samples.values()])
        return dict(zip(samples, counts, strict=True))

    def check(self) -> None:
        """Raises PlanError when the plan cannot be carried out."""
        for asset in self.foregrounds:
            places = self.canvas.fewest_places(asset.width, asset.height)
            if places < self.placements:
                raise PlanError(
                    f"{asset.path}: {self.placements} distinct placements asked for, but the"
                    f" foreground has only {places} places inside"
                    f" {self.image_size}x{self.image_size}; lower --placements or --foreground_size"
                )
        if len(self.splits) > len(self.foregrounds):
            raise PlanError(
                f"{len(self.splits)} splits need at least as many foregrounds;"
                f" {len(self.foregrounds)} usable ones were found"
            )
        if self.num_shards is not None and not len(self.splits) <= self.num_shards <= self.total:
            raise PlanError(
                f"--num_shards={self.num_shards} is impossible: {self.total} samples in"
                f" {len(self.splits)} splits take {len(self.splits)} to {self.total} shards"
            )

    def shards(self) -> Iterator[ShardSpec]:
        """All shards, split after split."""
        for split, of in self.shard_counts.items():
            count = sum(strip.count for strip in self.strips if strip.split == split)
            for index in range(of):
                start, stop = index * count // of, (index + 1) * count // of
                yield ShardSpec(split, index, of, start, stop)

    def samples(self, split: str, start: int, stop: int) -> tuple[Placement, ...]:
        """The samples at positions start..stop-1 of a split's mixed order."""
        return tuple(
            p for strip, a, z in self.spans(split, start, stop) for p in self._part(strip, a, z)
        )

    def spans(self, split: str, start: int, stop: int) -> Iterator[tuple[Strip, int, int]]:
        """The strips that positions start..stop-1 of a split touch, and the range within each."""
        strips, ends = self._strips_of_split[split]
        number = bisect_right(ends, start)
        while start < stop:
            strip = strips[number]
            first = ends[number] - strip.count
            end = min(stop, ends[number])
            if end > start:
                yield strip, start - first, end - first
            start, number = end, number + 1

    @cached_property
    def gallery_keys(self) -> tuple[str, ...]:
        """Keys of the samples that the gallery shows, evenly over all positions."""
        count = min(GALLERY_SAMPLES, self.total)
        chosen = [(2 * i + 1) * self.total // (2 * count) for i in range(count)]
        keys: list[str] = []
        first = 0
        for split, (_, ends) in self._strips_of_split.items():
            size = ends[-1] if ends else 0
            for position in chosen:
                if first <= position < first + size:
                    [sample] = self.samples(split, position - first, position - first + 1)
                    keys.append(sample.key)
            first += size
        return tuple(keys)

    @cached_property
    def _strips_of_split(self) -> dict[str, tuple[list[Strip], list[int]]]:
        grouped: dict[str, list[Strip]] = {split.name: [] for split in self.splits}
        for strip in self.strips:
            grouped[strip.split].append(strip)
        return {
            name: (strips, list(accumulate(strip.count for strip in strips)))
            for name, strips in grouped.items()
        }

    def _part(self, strip: Strip, start: int, stop: int) -> Iterator[Placement]:
        position = np.arange(start, stop)
        size = len(strip.foregrounds)
        cycle = position // size
        slot = self._foreground_slot(strip, cycle, position % size)
        fg_ids = np.array(strip.foregrounds)[slot]
        block_sizes = [len(block) for block in self.background_blocks]
        cycles = -(-strip.count // size)
        ends = [cycles * end // sum(block_sizes) for end in accumulate(block_sizes)]
        block = np.searchsorted(ends, cycle, side="right")
        step = cycle - np.array([0, *ends])[block]
        block_size = np.array(block_sizes)[block]
        walk = step // block_size
        index = permuted(
            step % block_size,
            block_size,
            random_key(self.seed, _WALK, fg_ids, block, walk),
        )
        flat = np.array([bg_id for ids in self.background_blocks for bg_id in ids])
        bg_ids = flat[np.array([0, *accumulate(block_sizes)])[block] + index]
        turn = random_key(self.seed, _COMBINATION, fg_ids, bg_ids) % np.uint64(self.combinations)
        combination = (walk + turn.astype(np.int64)) % self.combinations
        flips, number = (
            (combination % 2, combination // 2) if self.flip else (combination * 0, combination)
        )
        return place(
            self.canvas,
            self.seed,
            fg_ids,
            [self._foreground_sizes[i] for i in fg_ids.tolist()],
            bg_ids,
            flips,
            number + 1,
        )

    def _foreground_slot(self, strip: Strip, cycle: np.ndarray, slot: np.ndarray) -> np.ndarray:
        size = len(strip.foregrounds)
        if size < 3:  # Alternation is the only order in which two neighbours differ.
            return slot
        key = random_key(self.seed, _CYCLE, strip.number, cycle)
        before = random_key(self.seed, _CYCLE, strip.number, np.maximum(cycle - 1, 0))
        # The first two of a cycle change places where the first one has just been the last.
        repeats = (cycle > 0) & (permuted(0, size, key) == permuted(size - 1, size, before))
        swapped = np.where(repeats & (slot < 2), 1 - slot, slot)
        return permuted(swapped, size, key)

    def to_json(self) -> str:
        """The plan as JSON text, equal for equal plans."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Reads what `to_json` has written."""
        fields = json.loads(text)
        jitter = fields["scale_jitter"]
        return cls(
            **{
                **fields,
                "scale_jitter": None if jitter is None else (jitter[0], jitter[1]),
                "splits": tuple(SplitShare(**split) for split in fields["splits"]),
                "foregrounds": tuple(Asset(**asset) for asset in fields["foregrounds"]),
                "backgrounds": tuple(Asset(**asset) for asset in fields["backgrounds"]),
            }
        )


@lru_cache(maxsize=4)
def load_plan(path: str) -> Plan:
    """Reads a plan file, once per process."""
    return Plan.from_json(storage.read_bytes(path).decode())
