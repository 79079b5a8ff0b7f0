"""The benchmark of planning: a thousand times the samples take no more memory, and cores are dealt
their shards."""

import pytest

from benchmarks.planning import run
from benchmarks.planning_report import schedule

EVEN = {"milliseconds_a_sample": 1.0, "ratios": [1.0]}


@pytest.mark.slow
def test_a_thousand_times_the_samples_take_no_more_memory():
    small, large = run(f"plan:{10**6}"), run(f"plan:{10**9}")
    assert (small["samples"], large["samples"]) == (10**6, 10**9)
    assert (small["shards"], large["shards"]) == (250, 50_000)
    assert large["megabytes"] - small["megabytes"] < 5
    assert large["largest_shard_to_mean"] == small["largest_shard_to_mean"] == 1


def test_cores_are_busy_while_there_are_shards():
    alone = schedule(400_000, 1, EVEN)
    assert alone["shards"] == 100
    assert alone["busy"] == pytest.approx(1)
    assert alone["hours"] == pytest.approx(400 / 3600)
    assert schedule(400_000, 100, EVEN)["busy"] == pytest.approx(1)
    assert schedule(400_000, 400, EVEN)["busy"] == pytest.approx(1 / 4)
    # 100 shards on 99 cores take two rounds.
    assert schedule(400_000, 99, EVEN)["hours"] == pytest.approx(8 / 3600)


def test_skew_costs_at_the_end_only():
    skewed = {"milliseconds_a_sample": 1.0, "ratios": [0.5, 1.5]}
    assert schedule(400_000, 4, skewed)["busy"] > 0.9
