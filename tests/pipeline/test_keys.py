"""Keys that nothing takes for numbers, and data sets of layout 2, whose keys are numbers alone."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from pipeline import GenerateResult, generate
from pipeline.readers.torch import MaskDepthDataset
from pipeline.verify import verify
from pipeline.viewer.columns import Columns, Query
from tests.conftest import make_spec
from tests.readers.rows import rows_by_key
from transforms.elements import Placement, key_numbers
from transforms.formats import FORMATS, TABLE_FORMATS
from transforms.formats.base import Folder
from transforms.formats.schema import Schema
from transforms.pixels.size import Size
from transforms.plan.identity import plan_digest
from transforms.plan.plan import Plan, load_plan
from transforms.records import read_record
from transforms.report.sample_index import INDEX

ONE = ["--direct_num_workers=1"]


def made(inputs: Path, output: Path, *, extend: bool = False, **changes: Any) -> GenerateResult:
    """144 samples in every format, with depth."""
    values: dict[str, object] = {
        "image_size": 160,
        "foreground_size": 80,
        "placements": 1,
        "num_shards": 2,
    }
    values |= {"formats": tuple(FORMATS), "depth_model": "builtin", **changes}
    spec = make_spec(inputs, output, **values)
    return generate(spec, ONE, progress=False, extend=extend)


@pytest.fixture(scope="module")
def new(inputs, tmp_path_factory) -> GenerateResult:
    return made(inputs, tmp_path_factory.mktemp("new") / "set")


def made_of_layout_2(inputs: Path, output: Path, **changes: Any) -> GenerateResult:
    """A set as a version made it that knew no other layout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.run.LAYOUT", 2)
        return made(inputs, output, **changes)


@pytest.fixture(scope="module")
def older(inputs, tmp_path_factory) -> GenerateResult:
    return made_of_layout_2(inputs, tmp_path_factory.mktemp("older") / "set")


@pytest.fixture
def copied(older, tmp_path) -> Path:
    return Path(shutil.copytree(older.output, tmp_path / "set"))


def contents(output: str | Path) -> dict[str, bytes]:
    """The files of samples and of clean pictures, with those that several shards have joined."""
    root = Path(output)
    folders = ("tfrecord", "data", "assets", "webdataset", "coco", "yolo", "zip")
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
    }


def read(output: str, name: str) -> list[tuple]:
    """All records of a table format, in order."""
    plan = load_plan(Folder(output).plan_path)
    fields = Schema(Size(160, 160), "jpeg", True, key_prefix=plan.key_prefix).sample_fields()
    table = TABLE_FORMATS[name]
    paths = [Folder(output).path(table.sample_path(shard)) for shard in plan.shards()]
    return [row for path in paths for row in table.read(path, fields)]


def test_a_key_is_no_number_for_anyone(new):
    keys = list(rows_by_key(new.output))
    assert yaml.safe_load(f"[{', '.join(keys)}]") == keys
    assert not any(isinstance(value, int) for value in yaml.safe_load(f"[{', '.join(keys)}]"))
    [row] = csv.reader(io.StringIO(",".join(keys)), quoting=csv.QUOTE_MINIMAL)
    for key in row:
        with pytest.raises(ValueError, match="invalid literal"):
            int(key)


def test_only_the_field_differs_between_the_layouts(new, older):
    """Pictures, order, shards and names of files are the same."""
    before, after = contents(older.output), contents(new.output)
    assert list(before) == list(after)
    differ = {path for path, data in before.items() if after[path] != data}
    shards = [path for path in before if "-of-" in path or path.endswith(".tar")]
    tables = {p for p in shards if not any(kind in p for kind in ("assets", "grounds"))}
    described = {p for p in before if p.endswith(("dataset_info.json", "croissant.json"))}
    assert tables <= differ <= tables | described
    for name in TABLE_FORMATS:
        was, is_ = read(older.output, name), read(new.output, name)
        assert len(was) == 144
        assert [(f"fg_bg_{row[0]}", *row[1:]) for row in was] == is_
    ours, theirs = (json.loads(Path(each.manifest).read_text()) for each in (new, older))
    assert (ours["layout"], theirs["layout"]) == (3, 2)


def test_an_older_set_is_made_on_as_it_was(older, copied, inputs):
    """After a shard and all that is made last were lost."""
    expected = {p.relative_to(older.output): p.read_bytes() for p in files(Path(older.output))}
    (copied / "manifest.json").unlink()
    shutil.rmtree(copied / "gallery")
    next(copied.glob("data/train-00000*")).unlink()
    made(inputs, copied)
    found = {p.relative_to(copied): p.read_bytes() for p in files(copied)}
    apart = {"manifest.json", "manifest.json.sha256", "state/lock", "state/spec.json"}
    assert found.keys() == expected.keys()
    assert {p.as_posix() for p, data in expected.items() if found[p] != data} <= apart
    assert verify(str(copied), ONE).faults == ()


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_an_older_set_grows_with_its_keys(inputs, tmp_path):
    some: dict[str, Any] = {"formats": ("parquet",), "depth_model": "none"}
    made_of_layout_2(inputs, tmp_path / "set", **some)
    made(inputs, tmp_path / "set", placements=2, extend=True, **some)
    rows = rows_by_key(str(tmp_path / "set"))
    assert len(rows) == 288 and all(key[0].isdigit() for key in rows)
    assert load_plan(str(tmp_path / "set/state/plan.json")).layout == 2
    assert verify(str(tmp_path / "set"), ONE).faults == ()


def test_an_older_set_is_searched_by_both_forms(older, new):
    for result, prefix in ((older, ""), (new, "fg_bg_")):
        columns = Columns(f"{result.output}/{INDEX}", load_plan(f"{result.output}/state/plan.json"))
        keys = pq.read_table(f"{result.output}/{INDEX}")["key"].to_pylist()
        assert set(keys) == set(rows_by_key(result.output))
        row = keys.index(f"{prefix}9_5_0_1")
        assert columns.row_of("9_5_0_1") == columns.row_of("fg_bg_9_5_0_1") == row
        for text in ("9_5_0_1", "fg_bg_9_5_0_1"):
            assert columns.rows(Query(text=text)).tolist() == [row]


def test_readers_give_the_keys_of_an_older_set(older):
    import datasets
    import tensorflow_datasets as tfds

    keys = list(rows_by_key(older.output, "train"))
    assert all(key[0].isdigit() for key in keys)
    assert [sample["key"] for sample in MaskDepthDataset(older.output)] == keys
    folder = f"{older.output}/tfrecord/mask_depth/1.0.0"
    config = tfds.ReadConfig(interleave_cycle_length=1)
    found = tfds.builder_from_directory(folder).as_dataset("train", read_config=config)
    assert [sample["key"].decode() for sample in tfds.as_numpy(found)] == keys
    loaded = datasets.load_dataset(older.output, split="train", streaming=True)
    assert [sample["key"] for sample in loaded.select_columns(["key"])] == keys


def test_a_list_of_either_form_leaves_samples_out(inputs, tmp_path):
    list_ = tmp_path / "keys.txt"
    list_.write_text("1_1_0_1\nfg_bg_5_2_1_3\n")
    spec = make_spec(inputs, tmp_path / "set", exclude=list_, formats=("parquet",))
    generate(spec, ONE, progress=False)
    keys = rows_by_key(spec.output)
    assert len(keys) == 430 and not keys.keys() & {"fg_bg_1_1_0_1", "fg_bg_5_2_1_3"}


def test_older_plans_keep_their_digests(older):
    """The layout of sets that are there already is no part of them."""
    path = Path(older.output, "state/plan.json")
    plan = Plan.from_json(path.read_text())
    assert (plan.layout, plan.key_prefix) == (2, "")
    later = Plan.from_json(path.read_text().replace('"layout": 2', '"layout": 3'))
    assert plan_digest(later, 0) != plan_digest(plan, 0)
    record = read_record(Folder(older.output), next(plan.shards()))
    assert record is not None and record.digest is not None


def test_the_numbers_of_a_key():
    placement = Placement(7, 12, 1, 20, 10, 3, 80, 41, "fg_bg_")
    assert (placement.key, placement.numbers) == ("fg_bg_7_12_1_20", "7_12_1_20")
    assert key_numbers("fg_bg_7_12_1_20") == key_numbers("7_12_1_20") == (7, 12, 1, 20)
