"""The index of samples against the records of the files that it points into."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import generate
from pipeline.verify import verify
from tests.conftest import make_spec
from transforms.elements import Failure, ShardSpec
from transforms.formats import INDEXED_FORMATS
from transforms.formats.base import Folder, FormatError
from transforms.formats.schema import Picture
from transforms.pixels.size import Size
from transforms.plan.plan import load_plan
from transforms.records import read_record
from transforms.report.sample_index import INDEX, INDEX_SCHEMA, shard_rows, write_index


def index_of(output: str) -> list[dict]:
    return pq.read_table(Path(output) / INDEX).to_pylist()


def records_of(output: str, split: str) -> list[dict]:
    files = sorted((Path(output) / "data").glob(f"{split}-*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def test_it_has_the_facts_of_every_sample_in_order(full):
    rows = index_of(full.output)
    assert len(rows) == full.samples
    for split in ("train", "test"):
        found = [row for row in rows if row["split"] == split]
        for row, record in zip(found, records_of(full.output, split), strict=True):
            for name in ("key", "fg_id", "bg_id", "flip", "seq", "area"):
                assert row[name] == record[name]
            assert [row[n] for n in ("x", "y", "width", "height")] == record["bbox"]
            assert row["coverage"] == pytest.approx(record["area"] / (160 * 128))
            assert (row["objects"], row["failure"], row["category"]) == (1, None, None)


@pytest.mark.parametrize("name", ["parquet", "tfrecord"])
def test_every_row_leads_to_its_pictures(full, name):
    """Each format gives the same rows, and finds the pictures that the Parquet files hold."""
    folder, table = Folder(full.output), INDEXED_FORMATS[name]
    plan = load_plan(folder.plan_path)
    shard = next(plan.shards())
    record = read_record(folder, shard)
    assert record is not None
    schema = _schema()
    fields = schema.sample_fields()
    [batch] = shard_rows(folder, plan, record, table, schema)
    wanted = pq.read_table(Path(full.output) / f"data/{shard.name}.parquet").to_pylist()
    rows = table.open_rows(folder.path(table.sample_path(shard)))
    order = [17, 3, len(wanted) - 1, 0, 16]
    for number in order:
        row = batch.slice(number, 1).to_pylist()[0]
        assert row["file"] == table.sample_path(shard)
        values = rows.read(row["row"], row["offset"], fields)
        for field, value in zip(fields, values, strict=True):
            there = wanted[number][field.name]
            if isinstance(value, Picture):
                assert value.data == there["bytes"]
            else:
                assert (list(value) if isinstance(value, tuple) else value) == there
    with pytest.raises(FormatError):
        rows.read(len(wanted), sum(int(file.bytes) for file in record.files), fields)
    rows.close()


def _schema():
    from transforms.formats.schema import Schema

    return Schema(Size.square(160), "jpeg", True)


def test_rows_of_samples_that_failed_have_their_reason_and_no_pixels(full):
    folder = Folder(full.output)
    plan = load_plan(folder.plan_path)
    shard = next(plan.shards())
    record = read_record(folder, shard)
    assert record is not None
    key = plan.samples(shard.split, 0, 1)[0].key
    failed = type(record)(
        shard, record.files, (Failure(key, "Depth", "it is <dark>"),), record.statistics
    )
    *_, last = shard_rows(folder, plan, failed, INDEXED_FORMATS["parquet"], _schema())
    [row] = last.to_pylist()
    assert row["failure"] == "Depth: it is <dark>" and row["key"] == key
    ids = "_".join(str(row[n]) for n in ("fg_id", "bg_id", "flip", "seq"))
    assert f"fg_bg_{ids}" == key
    assert row["file"] is row["area"] is row["coverage"] is row["objects"] is None


def test_its_bytes_do_not_depend_on_how_the_rows_are_cut(tmp_path):
    count = 150_000
    row = {name: pa.nulls(count, INDEX_SCHEMA.field(name).type) for name in INDEX_SCHEMA.names}
    row["key"] = pa.array([f"{i}_{i * 7 % 1000}_0_1" for i in range(count)])
    batch = pa.RecordBatch.from_arrays(list(row.values()), schema=INDEX_SCHEMA)
    found = []
    for size in (997, 65_536, count):
        with open(tmp_path / "index", "wb") as file:
            write_index(file, (batch.slice(i, size) for i in range(0, count, size)))
        found.append((tmp_path / "index").read_bytes())
    assert found[0] == found[1] == found[2]
    table = pq.ParquetFile(tmp_path / "index")
    assert table.metadata.num_rows == count and table.metadata.num_row_groups == 3


def test_a_finished_set_lists_it_and_keeps_no_fragment(full):
    manifest = json.loads((Path(full.output) / "manifest.json").read_text())
    assert INDEX in [file["path"] for file in manifest["other_files"]]
    assert not (Path(full.output) / "state/index").exists()


@pytest.mark.slow
def test_workers_and_formats_do_not_change_it(inputs, tmp_path):
    """Of two formats Parquet is pointed into; a set of TFRecord alone has the same samples."""
    found = {}
    for name, formats, workers in (
        ("one", ("tfrecord", "parquet"), 1),
        ("two", ("parquet", "tfrecord"), 2),
        ("tfrecord", ("tfrecord",), 1),
    ):
        spec = make_spec(inputs, tmp_path / name, formats=formats)
        generate(spec, [f"--direct_num_workers={workers}"], progress=False)
        found[name] = (tmp_path / name / INDEX).read_bytes()
        assert verify(spec.output).faults == ()
    assert found["one"] == found["two"]
    places = ("file", "offset")
    first, last = (
        [{k: v for k, v in row.items() if k not in places} for row in index_of(str(tmp_path / n))]
        for n in ("one", "tfrecord")
    )
    assert first == last


@pytest.mark.slow
def test_a_set_that_was_extended_has_one_of_all(inputs, tmp_path):
    arguments = ["--direct_num_workers=1"]
    spec = make_spec(inputs, tmp_path / "set", placements=2)
    generate(spec, arguments, progress=False)
    more = make_spec(inputs, tmp_path / "set", placements=3)
    result = generate(more, arguments, progress=False, extend=True)
    rows = index_of(result.output)
    keys = [row["key"] for row in rows]
    assert keys == [record["key"] for record in records_of(result.output, "train")]
    for row in rows[:: len(rows) // 7]:
        there = pq.read_table(Path(result.output) / row["file"])["key"][row["row"]].as_py()
        assert there == row["key"]


def test_a_set_without_a_format_that_it_could_point_into_has_none(inputs, tmp_path):
    spec = make_spec(inputs, tmp_path / "set", formats=("coco",), max_samples=20, num_shards=1)
    result = generate(spec, ["--direct_num_workers=1"], progress=False)
    assert not (Path(result.output) / INDEX).exists()


def test_the_place_of_fragments_is_the_programs_own():
    from transforms.owned import written_names
    from transforms.report.sample_index import fragment_path

    names = written_names(["train"])
    assert names.fullmatch(fragment_path(ShardSpec("train", 3, 100, 0, 1)))
    assert names.fullmatch(INDEX)
    assert not names.fullmatch("state/index/mine.parquet")
