"""Plan step: which samples there are, in which mixed order, and which shard holds which.

The plan is numbers, not pixels, and nothing in it is a list of samples: every sample is found from
its position in constant time, so a plan of 10**9 samples takes no more memory than its assets.

A set that was extended has several parts, each ordered for itself, one after the other in every
split: what was there keeps its place.
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
from transforms.elements import Placement, ShardSpec, key_numbers
from transforms.pixels.size import Size
from transforms.plan.dealing import Part, Strip, apportion, deal_shards, evenly, seeded_order
from transforms.plan.inputs import InputImage, SplitShare
from transforms.plan.order import Purpose, strip_order
from transforms.plan.placement import Canvas, place

LAYOUT = 3
"""Version of the layout of the records of new data sets.

1: the samples have no categories. 2: they have `category` and `label` where these are known. 3:
keys begin with `KEY_PREFIX`, so that nothing takes them for numbers.
"""

KEY_PREFIX = "fg_bg_"

PLAN = "state/plan.json"
"""The plan's file, relative to the data set's folder."""

STRIP_FOREGROUNDS = 10
BAND_BACKGROUNDS = 100
SAMPLES_PER_SHARD = 4000
FEWEST_SAMPLES_PER_SHARD = 125
FEWEST_SHARDS = 32
GALLERY_SAMPLES = 24


def samples_per_shard(total: int, splits: int) -> int:
    """Samples in a shard of a set whose number of shards nobody has chosen.

    Args:
        total: samples of the set.
        splits: its splits, each of which has whole shards.

    Returns:
        4,000; in smaller sets as many as make 32 shards, so that many cores find work, but at
        least 125.
    """
    size = total // (FEWEST_SHARDS + splits // 2)
    return max(FEWEST_SAMPLES_PER_SHARD, min(SAMPLES_PER_SHARD, size))


class PlanError(ValueError):
    """A plan that cannot be made; the message says what would be possible."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides which samples a data set has and in which shards.

    Attributes:
        seed: seed of the order and of the placements.
        image_size: size of the composites.
        foreground_size: side of the square that a pasted foreground fits into, in pixels.
        placements: placements of one foreground, background and flip.
        flip: whether mirror images are pasted as well.
        scale_jitter: lowest and highest factor on the foreground's size, or None.
        splits: shares of the foregrounds.
        num_shards: number of shards over all splits; None for `shard_samples` in each.
        max_samples: size of an even subset, or None for all.
        foregrounds: usable foregrounds, by id.
        backgrounds: usable backgrounds, by id.
        parts: what was planned first, and what each extension has added; empty for a set that is
            planned at once.
        layout: version of the layout of the records, `LAYOUT` in new data sets.
        categories: names of the categories in the order of their labels; empty where the samples
            have none.
        ringing: whether resized cut-outs keep the overshoot of the filter, as in data sets of
            older versions, which stay as they are.
        shard_samples: samples in a shard where `num_shards` is None.
        distractors: things that are pasted into scenes without a label, by id.
        excluded: numbers (`Placement.numbers`) of samples that are not made, sorted.
        license: SPDX identifier of the data set's licence, None where none is given.
    """

    seed: int
    image_size: Size
    foreground_size: int
    placements: int
    flip: bool
    scale_jitter: tuple[float, float] | None
    splits: tuple[SplitShare, ...]
    num_shards: int | None
    max_samples: int | None
    foregrounds: tuple[InputImage, ...]
    backgrounds: tuple[InputImage, ...]
    parts: tuple[Part, ...] = ()
    layout: int = 2  # Digests leave it out, so it stays.
    categories: tuple[str, ...] = ()
    ringing: bool = False
    shard_samples: int = SAMPLES_PER_SHARD
    distractors: tuple[InputImage, ...] = ()
    excluded: tuple[str, ...] = ()
    license: str | None = None

    @cached_property
    def _excluded(self) -> frozenset[str]:
        return frozenset(self.excluded)

    def made(self, placements: tuple[Placement, ...]) -> tuple[Placement, ...]:
        """Those of some samples that are made: all but the excluded ones."""
        if not self.excluded:
            return placements
        return tuple(each for each in placements if each.numbers not in self._excluded)

    @property
    def inputs(self) -> tuple[InputImage, ...]:
        """All pictures that the samples are made of."""
        return (*self.foregrounds, *self.backgrounds, *self.distractors)

    @cached_property
    def needlessly_excluded(self) -> tuple[str, ...]:
        """The excluded ones that name no combination of this plan's inputs and placements."""
        if not self.excluded:
            return ()
        parts = [(set(p.foregrounds), set(p.backgrounds), p) for p in self.all_parts]

        def combines(numbers: str) -> bool:
            fg_id, bg_id, flip, seq = key_numbers(numbers)
            return flip < self.flips and any(
                fg_id in foregrounds
                and bg_id in backgrounds
                and part.first <= seq < part.first + part.placements
                for foregrounds, backgrounds, part in parts
            )

        return tuple(each for each in self.excluded if not combines(each))

    @cached_property
    def all_parts(self) -> tuple[Part, ...]:
        """The parts, of a set that is planned at once as well."""
        fg_ids, bg_ids = (
            tuple(asset.id for asset in kind) for kind in (self.foregrounds, self.backgrounds)
        )
        return self.parts or (Part(fg_ids, bg_ids, 1, self.placements),)

    @property
    def flips(self) -> int:
        """Samples of one placement: 2 with mirror images, else 1."""
        return 2 if self.flip else 1

    @property
    def total(self) -> int:
        """Number of samples of the data set, with the excluded ones."""
        return sum(self._totals)

    @cached_property
    def _totals(self) -> tuple[int, ...]:
        totals = [part.cells * self.flips for part in self.all_parts]
        return tuple(totals if self.max_samples is None else [min(*totals, self.max_samples)])

    @property
    def key_prefix(self) -> str:
        """What the keys of samples begin with."""
        return KEY_PREFIX if self.layout >= 3 else ""

    @cached_property
    def canvas(self) -> Canvas:
        """The geometry of a placement."""
        return Canvas(self.image_size, self.foreground_size, self.scale_jitter)

    @cached_property
    def foreground_by_id(self) -> dict[int, InputImage]:
        """Foregrounds by their id."""
        return {asset.id: asset for asset in self.foregrounds}

    @cached_property
    def class_numbers(self) -> dict[int, int]:
        """Number of each foreground's class in `class_names`, by its id."""
        numbers = {name: number for number, name in enumerate(self.class_names)}
        return {asset.id: numbers[asset.category_name] for asset in self.foregrounds}

    @cached_property
    def distractor_by_id(self) -> dict[int, InputImage]:
        """Distractors by their id."""
        return {asset.id: asset for asset in self.distractors}

    @cached_property
    def companions(self) -> dict[int, tuple[int, ...]]:
        """The foregrounds that may stand beside each: those of the first strip that it is in.

        They are of the same split, few, and stay the same when the data set is extended.
        """
        found: dict[int, tuple[int, ...]] = {}
        for strip in self.strips:
            for fg_id in strip.foregrounds:
                found.setdefault(fg_id, strip.foregrounds)
        return found

    @cached_property
    def _foreground_sizes(self) -> dict[int, tuple[int, int]]:
        return {asset.id: (asset.width, asset.height) for asset in self.foregrounds}

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """Names of what the foregrounds show, sorted; for formats that must have classes."""
        return tuple(sorted({asset.category_name for asset in self.foregrounds}))

    def category_of(self, fg_id: int) -> str | None:
        """What a foreground shows; None where the samples have no categories."""
        return self.foreground_by_id[fg_id].category_name if self.categories else None

    @cached_property
    def background_by_id(self) -> dict[int, InputImage]:
        """Backgrounds by their id."""
        return {asset.id: asset for asset in self.backgrounds}

    @cached_property
    def split_foregrounds(self) -> dict[str, tuple[int, ...]]:
        """Ids of each split's foregrounds; those that came together in seeded order."""
        found: dict[str, tuple[int, ...]] = {split.name: () for split in self.splits}
        dealt: set[int] = set()
        for part in self.all_parts:
            new = [fg_id for fg_id in part.foregrounds if fg_id not in dealt]
            ids = seeded_order(new, self.seed, Purpose.SPLIT) if new else []
            counts = apportion(len(ids), [split.share for split in self.splits])
            for split, end, count in zip(self.splits, accumulate(counts), counts, strict=True):
                found[split.name] += tuple(ids[end - count : end])
            dealt.update(new)
        return found

    @cached_property
    def strips(self) -> tuple[Strip, ...]:
        """All strips, part after part and split after split."""
        strips: list[Strip] = []
        for part, total in enumerate(self._totals):
            wanted = set(self.all_parts[part].foregrounds)
            done = 0
            for split, ids in self.split_foregrounds.items():
                chosen = tuple(fg_id for fg_id in ids if fg_id in wanted)
                for together in evenly(chosen, STRIP_FOREGROUNDS) if chosen else ():
                    begin = total * done // len(wanted)
                    done += len(together)
                    count = total * done // len(wanted) - begin
                    strips.append(Strip(split, len(strips), tuple(together), count, part))
        return tuple(strips)

    @cached_property
    def background_bands(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """Ids of each part's backgrounds in bands of 100 to 199, in seeded order."""
        found = []
        for part in self.all_parts:
            ids = seeded_order(list(part.backgrounds), self.seed, Purpose.BACKGROUNDS)
            found.append(tuple(tuple(band) for band in evenly(ids, BAND_BACKGROUNDS)))
        return tuple(found)

    @cached_property
    def part_shards(self) -> tuple[dict[str, tuple[int, int]], ...]:
        """Numbers of samples and of shards that each part has in the splits that it adds to."""
        samples: list[dict[str, int]] = [{} for _ in self.all_parts]
        for strip in self.strips:
            if strip.count:
                counts = samples[strip.part]
                counts[strip.split] = counts.get(strip.split, 0) + strip.count
        return deal_shards(samples, self.num_shards, self.shard_samples)

    @cached_property
    def shard_counts(self) -> dict[str, int]:
        """Number of shards of each split that has samples."""
        found = {split.name: 0 for split in self.splits}
        for part in self.part_shards:
            for name, (_, shards) in part.items():
                found[name] += shards
        return {name: shards for name, shards in found.items() if shards}

    def check(self) -> None:
        """Raises PlanError when the plan cannot be carried out."""
        for asset in self.foregrounds:
            places = self.canvas.fewest_places(asset.width, asset.height)
            if places < self.placements:
                raise PlanError(
                    f"{asset.path}: {self.placements} distinct placements asked for, but the"
                    f" foreground has only {places} places inside"
                    f" {self.image_size}; lower --placements or --foreground_size"
                )
        if len(self.splits) > len(self.foregrounds):
            raise PlanError(
                f"{len(self.splits)} splits need at least as many foregrounds;"
                f" {len(self.foregrounds)} usable ones were found"
            )
        empty = [split.name for split in self.splits if split.name not in self.shard_counts]
        if empty:
            raise PlanError(
                f"--max_samples={self.max_samples} leaves no sample for the split {empty[0]!r};"
                " give more"
            )
        if self.num_shards is not None and not len(self.splits) <= self.num_shards <= self.total:
            raise PlanError(
                f"--num_shards={self.num_shards} is invalid: {self.total} samples in"
                f" {len(self.splits)} splits take {len(self.splits)} to {self.total} shards"
            )

    def shards(self) -> Iterator[ShardSpec]:
        """All shards, split after split."""
        for split, of in self.shard_counts.items():
            number = begin = 0
            for part in self.part_shards:
                count, shards = part.get(split, (0, 0))
                for i in range(shards):
                    start, stop = i * count // shards, (i + 1) * count // shards
                    yield ShardSpec(split, number + i, of, begin + start, begin + stop)
                number, begin = number + shards, begin + count

    def samples(self, split: str, start: int, stop: int) -> tuple[Placement, ...]:
        """The samples at positions start..stop-1 of a split's mixed order."""
        return tuple(
            p for strip, a, z in self.spans(split, start, stop) for p in self._ordered(strip, a, z)
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
    def gallery_positions(self) -> dict[str, tuple[int, ...]]:
        """Positions of the samples that the gallery shows, evenly over all, by split."""
        count = min(GALLERY_SAMPLES, self.total)
        chosen = [(2 * i + 1) * self.total // (2 * count) for i in range(count)]
        found: dict[str, tuple[int, ...]] = {}
        first = 0
        for split, (_, ends) in self._strips_of_split.items():
            size = ends[-1] if ends else 0
            found[split] = tuple(p - first for p in chosen if first <= p < first + size)
            first += size
        return found

    @cached_property
    def gallery_keys(self) -> tuple[str, ...]:
        """Keys of the samples that the gallery shows."""
        return tuple(
            self.samples(split, position, position + 1)[0].key
            for split, positions in self.gallery_positions.items()
            for position in positions
        )

    @cached_property
    def _strips_of_split(self) -> dict[str, tuple[list[Strip], list[int]]]:
        grouped: dict[str, list[Strip]] = {split.name: [] for split in self.splits}
        for strip in self.strips:
            grouped[strip.split].append(strip)
        return {
            name: (strips, list(accumulate(strip.count for strip in strips)))
            for name, strips in grouped.items()
        }

    def _ordered(self, strip: Strip, start: int, stop: int) -> Iterator[Placement]:
        part = self.all_parts[strip.part]
        chosen = strip_order(
            self.seed,
            strip,
            self.background_bands[strip.part],
            part.placements * self.flips,
            np.arange(start, stop),
        )
        flips, number = chosen.combination % self.flips, chosen.combination // self.flips
        sizes = [self._foreground_sizes[i] for i in chosen.fg_ids.tolist()]
        return place(
            self.canvas,
            self.seed,
            chosen.fg_ids,
            sizes,
            chosen.bg_ids,
            flips,
            part.first + number,
            self.key_prefix,
        )

    def to_json(self) -> str:
        """The plan as JSON text, equal for equal plans."""
        fields = {**dataclasses.asdict(self), "image_size": self.image_size.spelt}
        if not self.distractors:
            del fields["distractors"]  # As in data sets of older versions.
        return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Reads what `to_json` has written."""
        fields = json.loads(text)
        jitter = fields["scale_jitter"]
        return cls(
            **{
                **fields,
                "image_size": Size.of(fields["image_size"]),
                "layout": fields.get("layout", 1),  # The first layout did not record it.
                "shard_samples": fields.get("shard_samples", SAMPLES_PER_SHARD),
                "excluded": tuple(fields.get("excluded", ())),
                "categories": tuple(fields.get("categories", ())),
                "scale_jitter": None if jitter is None else (jitter[0], jitter[1]),
                "splits": tuple(SplitShare(**split) for split in fields["splits"]),
                "foregrounds": tuple(InputImage.of(asset) for asset in fields["foregrounds"]),
                "backgrounds": tuple(InputImage.of(asset) for asset in fields["backgrounds"]),
                "ringing": fields.get("ringing", True),
                "distractors": tuple(InputImage.of(a) for a in fields.get("distractors", ())),
                "parts": tuple(
                    Part(
                        tuple(part["foregrounds"]),
                        tuple(part["backgrounds"]),
                        part["first"],
                        part["placements"],
                    )
                    for part in fields["parts"]
                ),
            }
        )


@lru_cache(maxsize=4)
def load_plan(path: str) -> Plan:
    """Reads a plan file, once per process.

    Cut-outs of a data set that was moved are found where they are now.
    """
    plan = Plan.from_json(storage.read_bytes(path).decode())
    root = path.removesuffix(PLAN)
    assets = tuple(_found(asset, root) for asset in plan.foregrounds)
    return plan if assets == plan.foregrounds else dataclasses.replace(plan, foregrounds=assets)


def _found(asset: InputImage, root: str) -> InputImage:
    if asset.cutout is None or asset.cutout.path.startswith(root):
        return asset
    here = root + asset.cutout.listed
    if not storage.exists(here):
        return asset
    return dataclasses.replace(asset, cutout=dataclasses.replace(asset.cutout, path=here))
