"""The forecast: what samples cost, shared by workers, and what stands beside them."""

import pytest

from pipeline import Performance
from pipeline.dry_run import forecast, samples_seconds
from pipeline.trial import RestCost, SampleCost, decodes
from tests.conftest import make_spec
from tests.transforms.test_plan import make_plan

COST = SampleCost(sample_seconds=0.01, shard_seconds=0.25, decode_seconds=0.5, sample_bytes=1000)
REST = RestCost(clean_seconds=1.0, clean_bytes=100, finish_seconds=7.0, finish_bytes=5000)


def test_the_time_of_samples_is_shared_by_workers():
    plan = make_plan(10, 10, placements=5)  # 1,000 samples
    todo = list(plan.shards())
    files = len(todo) * 0.25
    # Two workers decode all 20 inputs each, and one alone does so once.
    assert samples_seconds(plan, todo, COST, 1) == pytest.approx(10 + files + 20 * 0.5)
    assert samples_seconds(plan, todo, COST, 2) == pytest.approx((10 + files + 20 * 0.5) / 2)
    assert samples_seconds(plan, [], COST, 2) == 0


def test_workers_that_hold_all_inputs_decode_each_once():
    plan = make_plan(12, 10, placements=5, num_shards=30)
    assert decodes(plan, plan.shards(), 2) <= 2 * 22
    large = make_plan(12, 10, placements=5, num_shards=30, image_size=4000)
    assert decodes(large, large.shards(), 2) > 2 * 22


@pytest.mark.parametrize(
    ("changes", "line", "part"),
    [
        ({"depth_model": "none"}, "ground    seen once in each", "backgrounds' ground 0:30,"),
        ({"depth_model": "builtin"}, "depth     composed of layers", "backgrounds' depth 0:30,"),
    ],
)
def test_a_forecast_says_what_is_prepared(inputs, tmp_path, monkeypatch, changes, line, part):
    monkeypatch.setattr("pipeline.dry_run._tried", lambda *_: (COST, REST, 5.0))
    monkeypatch.setattr("pipeline.dry_run.cores", lambda: 1)
    spec = make_spec(inputs, tmp_path / "out", preset="natural", **changes)
    text = forecast(spec, ["--direct_num_workers=1"], Performance()).text()
    assert line in text and part in text
    assert ("depth     " in text) == (changes["depth_model"] != "none")


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_forecast_counts_with_the_workers_of_the_job(inputs, tmp_path, monkeypatch, workers):
    monkeypatch.setattr("pipeline.dry_run._tried", lambda *_: (COST, REST, 0.0))
    monkeypatch.setattr("pipeline.dry_run.cores", lambda: 3)
    spec = make_spec(inputs, tmp_path / "out", num_shards=8)
    found = forecast(spec, [f"--direct_num_workers={workers}"], Performance())
    at_work = min(workers, 3)
    work = 432 * 0.01 + 8 * 0.25 + min(18 * at_work, 8 * 18) * 0.5
    assert found.samples_seconds == pytest.approx(work / at_work)
    assert found.rest_seconds > 7.0 + 18 / min(at_work, 2)
    assert found.bytes == 432 * 1000 + 18 * 100 + 5000
    assert found.workers == workers and "3 foregrounds" not in found.text()
