"""Samples that are left out by their keys."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline import SpecError, generate
from pipeline.dry_run import forecast
from pipeline.excluded import read_excluded
from pipeline.performance import Performance
from pipeline.verify import verify
from tests.conftest import make_spec
from transforms.plan.plan import load_plan

ARGUMENTS = ["--direct_num_workers=1"]


def rows_of(output: str) -> dict[str, dict]:
    files = sorted(Path(output).glob("data/*.parquet"))
    return {row["key"]: row for file in files for row in pq.read_table(file).to_pylist()}


@pytest.mark.parametrize("formats", [("tfrecord", "parquet"), ("parquet", "coco", "zip")])
def test_all_others_are_made_as_ever(plain, inputs, tmp_path, formats):
    """Single ones, a whole block of the first shard, and the last shard whole."""
    plan = load_plan(str(Path(plain.output) / "state/plan.json"))
    wanted = rows_of(plain.output)
    *_, last = plan.shards()
    samples = plan.samples("train", 0, plan.total)
    chosen = [samples[i] for i in (*range(32, 64), 7, 200, *range(last.start, last.stop))]
    out = {sample.key for sample in chosen}
    list_ = tmp_path / "keys.txt"
    list_.write_text("# picks\n\n" + "\r\n".join(f" {key} " for key in sorted(out)) + "\n")
    spec = make_spec(inputs, tmp_path / "set", image_encoding="png", exclude=list_, formats=formats)
    result = generate(spec, ARGUMENTS, progress=False)
    rows = rows_of(result.output)
    assert result.samples == len(rows) == 432 - len(out) and result.failed == 0
    assert list(rows) == [key for key in wanted if key not in out]
    for key, row in rows.items():
        assert row == wanted[key]
    assert verify(result.output).faults == ()
    again = generate(spec, ARGUMENTS, progress=False)
    assert again.already_finished
    assert json.loads((tmp_path / "set/state/plan.json").read_text())["excluded"] == (
        sorted({sample.numbers for sample in chosen})
    )
    list_.write_text("1_1_0_1\n")
    with pytest.raises(SpecError, match="another data set"):
        generate(spec, ARGUMENTS, progress=False)


@pytest.mark.slow
def test_an_extended_set_lacks_them_too(inputs, tmp_path, caplog):
    list_ = tmp_path / "keys.txt"
    list_.write_text("1_1_0_1\n5_2_1_3\n")
    few = make_spec(inputs, tmp_path / "set", placements=2, exclude=list_)
    generate(few, ARGUMENTS, progress=False)
    needless = "1 of its 2 keys are not of this data set, the first is 5_2_1_3"
    assert needless in caplog.text
    caplog.clear()
    more = make_spec(inputs, tmp_path / "set", placements=3, exclude=list_)
    result = generate(more, ARGUMENTS, progress=False, extend=True)
    keys = set(rows_of(result.output))
    assert "keys are not" not in caplog.text
    assert len(keys) == 430 and not keys & {"fg_bg_1_1_0_1", "fg_bg_5_2_1_3"}
    assert verify(result.output).faults == ()


def test_a_dry_run_says_how_many_are_excluded(inputs, tmp_path):
    list_ = tmp_path / "keys.txt"
    list_.write_text("1_1_0_1\n5_2_1_3\n5_2_1_9\n99_2_1_1\n5_7_1_1\n")
    spec = make_spec(inputs, tmp_path / "set", placements=3, exclude=list_)
    text = forecast(spec, ARGUMENTS, Performance()).text()
    assert "samples   432 in 3 shards; up to 2 of them are excluded\n" in text


def test_a_set_without_excluded_ones_keeps_its_identity(plain):
    """Its plan has no digest of keys, and its shards are those of versions without the option."""
    from transforms.plan.identity import plan_digest
    from transforms.plan.plan import Plan

    text = (Path(plain.output) / "state/plan.json").read_text()
    fields = json.loads(text)
    del fields["excluded"]
    older = Plan.from_json(json.dumps(fields))
    assert older == Plan.from_json(text)
    assert plan_digest(older, 0) == plan_digest(Plan.from_json(text), 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"1_1_0_1\n1_1_2_1\n", "line 2, '1_1_2_1', is not a key"),
        (b"fg_img_1.png\n", "line 1, 'fg_img_1.png', is not a key"),
        (b"1_1_0_0\n", "is not a key"),
        (b"\xff\xfe1", "is not UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path, text, words):
    if text is not None:
        (tmp_path / "keys").write_bytes(text)
    with pytest.raises(SpecError, match=f"--exclude=.*{words}"):
        read_excluded(str(tmp_path / "keys"))


def test_keys_come_as_file_names_have_them_too(tmp_path):
    (tmp_path / "keys").write_text("fg_bg_7_12_1_20\n10_1_0_3\n7_12_1_20")
    assert read_excluded(str(tmp_path / "keys")) == ("10_1_0_3", "7_12_1_20")


def test_a_block_of_excluded_samples_alone_meets_no_model(plain):
    """It passes through all steps, and what is counted of it is nothing."""
    from transforms.elements import Block, ShardSpec
    from transforms.report.statistics import Statistics
    from transforms.steps.composite import add_composites
    from transforms.steps.depth import predict_block
    from transforms.steps.encode import encode
    from transforms.steps.mask import add_masks

    class NoModel:
        def predict(self, images):
            raise AssertionError

    recipe = recipe_of(plain.output)
    block = Block(ShardSpec("train", 0, 1, 0, 32), 0, 32, ())
    block = add_masks(add_composites(block, recipe), recipe)
    block = predict_block(NoModel(), block)  # type: ignore[arg-type]
    block = encode(block, recipe)
    assert block.statistics is not None
    assert (block.samples, block.failures, block.promised) == ((), (), 32)
    assert block.statistics.to_record() == Statistics().to_record()


def recipe_of(output: str):
    from pipeline.run import make_recipe
    from pipeline.spec import DatasetSpec

    spec = DatasetSpec.from_json((Path(output) / "state/spec.json").read_text())
    return make_recipe(spec, load_plan(str(Path(output) / "state/plan.json")))
