"""A data set that is extended has what one made at once has, and nothing is made twice."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline import DatasetSpec, SpecError, generate
from pipeline.catalog import build_catalog
from pipeline.output import claim
from pipeline.run import make_plan
from pipeline.verify import verify
from tests.conftest import make_spec
from transforms.plan.inputs import SplitShare
from transforms.plan.plan import Plan

LOCAL = ["--direct_num_workers=1"]


@pytest.fixture
def growing(inputs: Path, tmp_path: Path) -> Path:
    """A copy of the inputs without three foregrounds and two backgrounds."""
    root = tmp_path / "growing"
    shutil.copytree(inputs, root)
    for number in (2, 7, 11):
        (root / f"fg/fg_img_{number}.png").unlink()
    for number in (1, 4):
        (root / f"bg/bg_img_{number}.png").unlink()
    return root


def spec_of(inputs: Path, output: Path, placements: int) -> DatasetSpec:
    """Two splits, three formats, depth by the built-in model."""
    return make_spec(
        inputs,
        output,
        placements=placements,
        image_size="72x56",
        formats=("tfrecord", "parquet", "webdataset"),
        splits=(SplitShare("train", 0.75), SplitShare("test", 0.25)),
        num_shards=4,
        depth_model="builtin",
    )


def rows(output: str | Path) -> dict[str, dict]:
    """All samples by key."""
    found = [
        row
        for path in sorted(Path(output).glob("data/*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    keyed = {row["key"]: row for row in found}
    assert len(keyed) == len(found)
    return keyed


def inodes(output: str | Path) -> set[int]:
    """What identifies the files of the samples, whatever their names."""
    return {path.stat().st_ino for path in Path(output).glob("data/*.parquet")}


def statistics_of(output: str | Path) -> dict:
    return json.loads(Path(output, "statistics.json").read_text())


@pytest.mark.slow
def test_an_extended_set_is_the_whole_set(inputs, growing, tmp_path):
    output = tmp_path / "set"
    first = generate(spec_of(growing, output, 1), LOCAL, progress=False)
    assert first.samples == 9 * 4 * 2
    before, files = rows(output), inodes(output)
    splits = json.loads(Path(first.manifest).read_text())["splits"]

    more = generate(spec_of(growing, output, 3), LOCAL, progress=False, extend=True)
    assert more.samples == 9 * 4 * 2 * 3 and files < inodes(output)
    whole = generate(spec_of(inputs, output, 3), LOCAL, progress=False, extend=True)
    again = generate(spec_of(inputs, output, 3), LOCAL, progress=False, extend=True)
    assert again.already_finished and files < inodes(output)
    assert generate(spec_of(inputs, output, 3), LOCAL, progress=False).already_finished

    assert verify(str(output), LOCAL).faults == ()
    at_once = generate(spec_of(inputs, tmp_path / "at_once", 3), LOCAL, progress=False)
    assert whole.samples == at_once.samples == 12 * 6 * 2 * 3
    made, expected = rows(output), rows(at_once.output)
    assert made == expected
    assert {key: made[key] for key in before} == before
    assert statistics_of(output) == statistics_of(at_once.output)

    now = json.loads(Path(whole.manifest).read_text())["splits"]
    for name, split in splits.items():  # No foreground changes sides.
        assert set(split["foregrounds"]) < set(now[name]["foregrounds"])
        names = sorted(path.name for path in output.glob(f"data/{name}-*.parquet"))
        of = now[name]["shards"]
        assert names == [f"{name}-{i:05d}-of-{of:05d}.parquet" for i in range(of)]
    shown = list(Path(whole.gallery).parent.rglob("*"))
    assert len(shown) == len(list(Path(at_once.gallery).parent.rglob("*")))


@pytest.mark.slow
def test_an_unfinished_set_is_extended(growing, tmp_path):
    output = tmp_path / "set"
    generate(spec_of(growing, output, 1), LOCAL, progress=False)
    (output / "manifest.json").unlink()
    lost = sorted(output.glob("state/records/train-*"))[0]
    lost.unlink()
    result = generate(spec_of(growing, output, 2), LOCAL, progress=False, extend=True)
    assert result.samples == len(rows(output)) == 9 * 4 * 2 * 2
    assert verify(str(output), LOCAL).faults == ()


@pytest.mark.slow
def test_a_damaged_shard_is_made_again(growing, tmp_path):
    output = tmp_path / "set"
    generate(spec_of(growing, output, 1), LOCAL, progress=False)
    path = sorted(output.glob("data/train-*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:-1])
    sorted(output.glob("tfrecord/mask_depth/*/*train*"))[-1].unlink()
    generate(spec_of(growing, output, 2), LOCAL, progress=False, extend=True)
    assert verify(str(output), LOCAL).faults == ()


def test_only_growth_extends(inputs, growing, tmp_path):
    output = tmp_path / "set"
    spec = make_spec(inputs, output, placements=2)
    generate(spec, LOCAL, progress=False)
    before = rows(output)
    for changes, what in (
        ({"placements": 1}, "its placements is 2, not 1"),
        ({"placements": 3, "seed": 1}, "its seed is 0, not 1"),
        ({"placements": 3, "formats": ("zip",)}, "--extend works with .* only; --formats has zip"),
        ({"placements": 3, "max_samples": 9}, "--extend needs a full data set"),
    ):
        with pytest.raises(SpecError, match=what):
            generate(make_spec(inputs, output, **changes), progress=False, extend=True)
    with pytest.raises(SpecError, match="3 of its foregrounds are missing"):
        generate(make_spec(growing, output, placements=3), progress=False, extend=True)
    with pytest.raises(SpecError, match=r"placements is 2, not 3; .*--extend"):
        generate(make_spec(inputs, output, placements=3), progress=False)
    assert rows(output) == before and verify(str(output), LOCAL).faults == ()


def test_a_set_of_an_older_version_stays_as_it_was(inputs, tmp_path):
    output = tmp_path / "set"
    spec = make_spec(inputs, output, placements=1, num_shards=2, crop=False)
    plan = make_plan(spec, build_catalog(spec))
    fields = json.loads(plan.to_json())
    del fields["ringing"]  # Plans of older versions lack both.
    for picture in fields["foregrounds"] + fields["backgrounds"]:
        del picture["crop"]
    (output / "state").mkdir(parents=True)
    (output / "state/plan.json").write_text(json.dumps(fields))
    old_spec = json.loads(spec.to_json())
    del old_spec["crop"]
    (output / "state/spec.json").write_text(json.dumps(old_spec))

    claimed = claim(spec, plan)
    assert not claimed.finished and claimed.plan == replace(plan, ringing=True)
    assert Plan.from_json((output / "state/plan.json").read_text()) == claimed.plan
    assert claim(replace(spec, placements=2), make_plan(replace(spec, placements=2),
                 build_catalog(spec)), extend=True).plan.ringing  # fmt: skip


def test_cut_margins_are_of_the_set(inputs, tmp_path):
    spec = make_spec(inputs, tmp_path / "set", num_shards=2)
    plans = [make_plan(s, build_catalog(s)) for s in (spec, replace(spec, crop=False))]
    assert claim(spec, plans[0]).plan == plans[0]
    for extend in (False, True):
        with pytest.raises(
            SpecError, match="its foregrounds are cut off, the first with id 1; see"
        ):
            claim(replace(spec, crop=False), plans[1], extend=extend)
