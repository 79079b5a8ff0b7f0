import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from transforms.elements import Placement
from transforms.pixels.size import Size
from transforms.plan.dealing import apportion
from transforms.plan.identity import plan_digest
from transforms.plan.inputs import InputImage, SplitShare
from transforms.plan.plan import Plan, PlanError, samples_per_shard
from transforms.steps.place import blocks


def make_plan(fg_count: int = 100, bg_count: int = 100, **changes: object) -> Plan:
    fields: dict[str, object] = {
        "seed": 0,
        "image_size": 160,
        "foreground_size": 80,
        "placements": 20,
        "flip": True,
        "scale_jitter": None,
        "splits": (SplitShare("train", 1.0),),
        "num_shards": None,
        "max_samples": None,
        "foregrounds": tuple(
            InputImage(i + 1, f"fg{i}.png", "", 0, 100, 50 + i % 60) for i in range(fg_count)
        ),
        "backgrounds": tuple(
            InputImage(i + 1, f"bg{i}.png", "", 0, 224, 224) for i in range(bg_count)
        ),
    }
    fields |= changes
    fields["image_size"] = Size.of(fields["image_size"])  # type: ignore[arg-type]
    return Plan(**fields)  # type: ignore[arg-type]


def all_samples(plan):
    return [
        s for shard in plan.shards() for s in plan.samples(shard.split, shard.start, shard.stop)
    ]


def test_reference_job_has_every_sample_once_in_100_equal_shards():
    plan = make_plan()
    plan.check()
    shards = list(plan.shards())
    assert len(shards) == 100 and {shard.count for shard in shards} == {4000}
    keys = {sample.key for sample in all_samples(plan)}
    assert len(keys) == plan.total == 400_000


GOLDEN: tuple[tuple[dict[str, object], list[tuple]], ...] = (
    (
        {},
        [
            ("train", 0, (93, 15, 1, 6, 34, 12, 80, 66)),
            ("train", 7, (53, 6, 1, 11, 44, 76, 78, 80)),
            ("train", 150, (81, 63, 1, 2, 39, 75, 80, 56)),
        ],
    ),
    (
        {
            "seed": 11,
            "image_size": 64,
            "foreground_size": 32,
            "placements": 3,
            "flip": False,
            "scale_jitter": (0.5, 1.0),
            "fg_count": 12,
            "bg_count": 6,
        },
        [
            ("train", 0, (8, 1, 0, 3, 22, 34, 16, 9)),
            ("train", 7, (10, 4, 0, 3, 7, 19, 17, 10)),
            ("train", 150, (4, 6, 0, 1, 45, 1, 18, 10)),
        ],
    ),
    (
        {
            "seed": 2**40 + 3,
            "image_size": 256,
            "foreground_size": 128,
            "placements": 2,
            "splits": (SplitShare("train", 0.8), SplitShare("test", 0.2)),
            "max_samples": 5000,
            "fg_count": 30,
            "bg_count": 150,
        },
        [
            ("train", 0, (30, 62, 1, 2, 102, 73, 128, 101)),
            ("train", 7, (17, 107, 0, 2, 10, 51, 128, 84)),
            ("train", 150, (12, 118, 0, 1, 32, 85, 128, 78)),
            ("test", 0, (9, 101, 0, 2, 93, 90, 128, 74)),
            ("test", 7, (16, 111, 0, 1, 120, 101, 128, 83)),
            ("test", 150, (7, 50, 0, 1, 125, 81, 128, 72)),
        ],
    ),
    (
        {"image_size": "208x96"},
        [
            ("train", 0, (93, 15, 1, 6, 46, 12, 80, 66)),
            ("train", 7, (53, 6, 1, 11, 8, 14, 78, 80)),
            ("train", 150, (81, 63, 1, 2, 13, 33, 80, 56)),
        ],
    ),
)
"""Four plans, and what stands at some positions: ids, flip, number, place and size."""


@pytest.mark.parametrize("changes, expected", GOLDEN)
def test_known_places_never_change(changes, expected):
    # A change here changes every data set that was ever made.
    plan = make_plan(**changes)  # type: ignore[arg-type]
    for split, position, (fg_id, bg_id, flip, seq, x, y, width, height) in expected:
        [found] = plan.samples(split, position, position + 1)
        assert found == Placement(fg_id, bg_id, flip, seq, x, y, width, height)


def test_blocks_are_the_same_however_many_are_placed_at_once(monkeypatch):
    plan = make_plan(12, 10)
    [shard] = plan.shards()
    whole = list(blocks(plan, shard, 30))
    assert [block.first for block in whole] == list(range(0, plan.total, 30))
    assert [s for block in whole for s in block.placements] == all_samples(plan)
    for at_once in (1, 45, 300):
        monkeypatch.setattr("transforms.steps.place.PLACED_AT_ONCE", at_once)
        pieces = list(blocks(plan, shard, 30))
        assert [(b.first, b.promised, b.placements) for b in pieces] == [
            (b.first, b.promised, b.placements) for b in whole
        ]


def test_a_giant_has_shards_for_every_worker_and_no_more():
    plan = make_plan(5000, 5000)
    assert plan.total == 10**9
    assert plan.shard_counts == {"train": 50_000}
    assert {shard.count for shard in plan.shards()} == {20_000}


@pytest.mark.parametrize("foregrounds, backgrounds", [(100, 100), (25, 60), (1000, 1500)])
def test_shards_are_mixed_and_local(foregrounds, backgrounds):
    plan = make_plan(foregrounds, backgrounds)
    shards = list(plan.shards())
    for shard in shards[:: len(shards) // 7 + 1]:
        samples = plan.samples(shard.split, shard.start, shard.stop)
        assert len(samples) == shard.count
        assert all(a.fg_id != b.fg_id for a, b in pairwise(samples))
        for start in range(0, len(samples) - 999, 500):
            window = samples[start : start + 1000]
            assert len({s.fg_id for s in window}) >= 10
            assert len({s.bg_id for s in window}) >= 50
        # What a worker holds at a time: two strips and two blocks at most.
        assert len({s.fg_id for s in samples}) <= 2 * 19
        assert len({s.bg_id for s in samples}) <= 2 * 199


def test_samples_of_any_range_equal_the_whole_order():
    plan = make_plan(23, 11, placements=3)
    whole = plan.samples("train", 0, plan.total)
    assert len(whole) == plan.total
    for start, stop in [(0, 1), (5, 77), (100, 101), (plan.total - 3, plan.total), (9, 9)]:
        assert plan.samples("train", start, stop) == whole[start:stop]


def test_order_of_inputs_does_not_matter_but_the_seed_does():
    plan = make_plan(12, 7, placements=2)
    assert [s.key for s in all_samples(make_plan(12, 7, placements=2, seed=1))] != [
        s.key for s in all_samples(plan)
    ]
    reordered = make_plan(
        12, 7, placements=2, foregrounds=plan.foregrounds[::-1], backgrounds=plan.backgrounds[::-1]
    )
    assert all_samples(reordered) == all_samples(plan)


@pytest.mark.parametrize("width, height", [(160, 160), (300, 120)])
def test_positions_are_distinct_inside_and_uniform(width, height):
    plan = make_plan(3, 40, image_size=f"{width}x{height}")
    places: dict[tuple[int, int, int], set[tuple[int, int]]] = {}
    columns: list[float] = []
    rows: list[float] = []
    for s in all_samples(plan):
        assert 0 <= s.x <= width - s.width and 0 <= s.y <= height - s.height
        places.setdefault((s.fg_id, s.bg_id, s.flip), set()).add((s.x, s.y))
        columns.append(s.x / (width - s.width))
        rows.append(s.y / (height - s.height))
    assert {len(found) for found in places.values()} == {20}
    expected = len(columns) / 9
    for shares in (columns, rows):
        counts = np.histogram(shares, bins=9, range=(0, 1.0001))[0]
        assert ((counts - expected) ** 2 / expected).sum() < 26.1  # 8 degrees of freedom, 99.9 %


def test_all_places_are_used_when_there_are_just_enough():
    plan = make_plan(
        1, 1, image_size=10, foreground_size=8, placements=9, flip=False,
        foregrounds=(InputImage(1, "square.png", "", 0, 50, 50),),
    )  # fmt: skip
    plan.check()
    assert {(s.x, s.y) for s in all_samples(plan)} == {(x, y) for x in range(3) for y in range(3)}
    wide = replace(plan, image_size=Size(16, 8))
    wide.check()
    assert {(s.x, s.y) for s in all_samples(wide)} == {(x, 0) for x in range(9)}


def test_too_many_placements_are_refused_with_the_number_that_fits():
    plan = make_plan(
        1, 1, image_size=80, foreground_size=80, foregrounds=(InputImage(4, "a.png", "", 0, 9, 9),)
    )
    with pytest.raises(PlanError, match=r"a\.png: 20 distinct placements.* only 1 places"):
        plan.check()


def test_scale_jitter_varies_sizes_within_bounds():
    samples = all_samples(make_plan(4, 10, scale_jitter=(0.5, 1.0)))
    widths = [max(s.width, s.height) for s in samples]
    assert min(widths) >= 40 and max(widths) <= 80 and len(set(widths)) > 30
    assert all(s.x + s.width <= 160 and s.y + s.height <= 160 for s in samples)
    assert len({(s.fg_id, s.bg_id, s.flip, s.x, s.y, s.width) for s in samples}) == len(samples)


@pytest.mark.parametrize("size", [1, 7, 500, 999, 12345])
def test_max_samples_is_an_even_subset(size):
    plan = make_plan(max_samples=size)
    samples = all_samples(plan)
    assert len(samples) == len({s.key for s in samples}) == size
    per_foreground = Counter(s.fg_id for s in samples)
    assert max(per_foreground.values()) <= -(-size // 100) + 1
    if size >= 500:
        assert len(per_foreground) == 100
        assert abs(Counter(s.flip for s in samples)[1] / size - 0.5) < 0.1
        assert len({s.bg_id for s in samples}) >= 95


def test_splits_share_no_foreground_and_hold_all_samples():
    splits = (SplitShare("train", 0.8), SplitShare("val", 0.1), SplitShare("test", 0.1))
    plan = make_plan(40, 10, placements=2, splits=splits)
    assert [len(ids) for ids in plan.split_foregrounds.values()] == [32, 4, 4]
    seen: dict[str, set[int]] = {}
    for shard in plan.shards():
        for s in plan.samples(shard.split, shard.start, shard.stop):
            seen.setdefault(shard.split, set()).add(s.fg_id)
    assert seen == {name: set(ids) for name, ids in plan.split_foregrounds.items()}
    assert len({s.key for s in all_samples(plan)}) == plan.total


@pytest.mark.parametrize("shards", [1, 2, 7, 24])
def test_num_shards_is_exact_and_even(shards):
    counts = [shard.count for shard in make_plan(3, 2, placements=2, num_shards=shards).shards()]
    assert len(counts) == shards and sum(counts) == 24 and max(counts) - min(counts) <= 1


def test_impossible_number_of_shards():
    with pytest.raises(PlanError, match="24 samples in 1 splits take 1 to 24 shards"):
        make_plan(3, 2, placements=2, num_shards=25).check()


@pytest.mark.parametrize("size", [160, "208x160"])
def test_json_round_trip(size):
    plan = make_plan(3, 2, scale_jitter=(0.5, 1.0), max_samples=5, image_size=size)
    assert json.loads(plan.to_json())["image_size"] == size
    assert Plan.from_json(plan.to_json()) == plan


def test_the_digest_of_a_square_is_that_of_older_versions():
    plan = make_plan(3, 2)
    known = "b85255b653a67e57bf41c97dd8f89c7a35f1e7666825de0ef6f84dfb1d67fef9"
    assert plan_digest(plan, 0) == known
    wide, tall = (replace(plan, image_size=size) for size in (Size(208, 160), Size(160, 208)))
    assert len({known, plan_digest(wide, 0), plan_digest(tall, 0)}) == 3


def test_apportion_gives_everyone_something():
    assert apportion(10, [0.98, 0.01, 0.01]) == [8, 1, 1]
    assert apportion(100, [0.9, 0.1]) == [90, 10]
    assert apportion(3, [1, 1]) == [2, 1]


def test_gallery_keys_are_samples_of_the_plan():
    plan = make_plan(13, 9, placements=2, splits=(SplitShare("a", 0.5), SplitShare("b", 0.5)))
    keys = plan.gallery_keys
    assert len(keys) == len(set(keys)) == 24
    assert set(keys) <= {s.key for s in all_samples(plan)}


def test_small_sets_have_shards_for_many_cores():
    assert samples_per_shard(400_000, 1) == 4000  # 100 shards
    assert samples_per_shard(128_000, 1) == 4000
    assert samples_per_shard(64_000, 1) == 2000
    assert samples_per_shard(10, 1) == samples_per_shard(3_999, 1) == 125


@pytest.mark.parametrize("shares", [(1.0,), (0.85, 0.15), (0.4, 0.3, 0.3), (0.25,) * 4])
def test_a_few_thousand_samples_are_32_shards_or_more(shares):
    splits = tuple(SplitShare("abcd"[i], share) for i, share in enumerate(shares))
    for placements in (10, 17, 40):
        plan = make_plan(20, 12, placements=placements, splits=splits)
        size = samples_per_shard(plan.total, len(splits))
        counts = replace(plan, shard_samples=size).shard_counts
        assert 32 <= sum(counts.values()) <= 36


def test_an_older_plan_keeps_its_shards():
    plan = make_plan(5, 4, placements=20)
    fields = json.loads(plan.to_json())
    del fields["shard_samples"]
    assert Plan.from_json(json.dumps(fields)).shard_samples == 4000


def test_a_split_without_samples_is_refused():
    splits = (SplitShare("train", 0.5), SplitShare("test", 0.5))
    plan = make_plan(5, 4, placements=2, splits=splits, max_samples=1)
    with pytest.raises(PlanError, match="--max_samples=1 leaves no sample for the split"):
        plan.check()
    replace(plan, max_samples=2).check()
