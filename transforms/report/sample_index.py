"""The index of a data set's samples: a Parquet file with a row for each, without pictures.

The samples of a shard stand together, shard after shard, those that could not be made last. The
viewer answers from it, and takes pictures out of the files that it names.
"""

from collections.abc import Iterable, Iterator
from io import IOBase

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from transforms.elements import Failure, ShardSpec, key_numbers
from transforms.formats.base import Folder, IndexedFormat, OtherFile
from transforms.formats.schema import Field, Schema
from transforms.pixels.size import Size
from transforms.plan.plan import Plan
from transforms.records import ShardRecord
from transforms.storage import RAW

INDEX = "gallery/index.parquet"
"""Where the index stands, relative to the data set's folder."""

INDEX_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("fg_id", pa.int64()),
        ("bg_id", pa.int64()),
        ("flip", pa.int8()),
        ("seq", pa.int32()),
        ("split", pa.string()),
        ("category", pa.string()),
        ("x", pa.int32()),
        ("y", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("area", pa.int32()),
        ("coverage", pa.float32()),
        ("objects", pa.int32()),
        ("failure", pa.string()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("offset", pa.int64()),
    ]
)
"""Columns of the index.

key, fg_id, bg_id, flip, seq: as in the records. split: name of the split. category: what the
foreground shows, null where that is unknown. x, y, width, height, area: box and number of the
pixels with mask >= 128. coverage: area as a share of the picture, 0 to 1. objects: number of
labelled objects. failure: step and reason, null for a sample that was made; one that was not has
null in all that follows from its pixels. file: the file that holds the sample, relative to the data
set's folder. row: its number there, from 0. offset: byte at which its record begins, null in
Parquet files.
"""

_ROWS_PER_GROUP = 65536
_FACTS = ("key", "fg_id", "bg_id", "flip", "seq", "bbox", "area")
_OBJECTS = "object_fg_ids"


def fragment_path(shard: ShardSpec) -> str:
    """Where a shard's rows wait for the others, relative to the data set's folder."""
    return f"state/index/{shard.name}.parquet"


def shard_rows(
    folder: Folder, plan: Plan, record: ShardRecord, table: IndexedFormat, schema: Schema
) -> Iterator[pa.RecordBatch]:
    """The rows of a finished shard, read from its file.

    Raises:
        FormatError: the file is damaged.
    """
    path, row = table.sample_path(record.shard), 0
    fields = _facts(schema)
    for facts in table.facts(folder.path(path), fields):
        yield _batch(facts, plan, record.shard.split, schema.size, path, row)
        row += facts.num_rows
    if record.failures:
        yield _failed(record.failures, plan, record.shard.split)


def _facts(schema: Schema) -> tuple[Field, ...]:
    wanted = (*_FACTS, _OBJECTS)
    return tuple(field for field in schema.sample_fields() if field.name in wanted)


def _batch(
    facts: pa.RecordBatch, plan: Plan, split: str, size: Size, path: str, first: int
) -> pa.RecordBatch:
    count = facts.num_rows
    column = dict(zip(facts.schema.names, facts.columns, strict=True))
    box = [pc.list_element(column["bbox"], i) for i in range(4)]
    area = column["area"]
    values = {
        **{name: column[name] for name in _FACTS if name != "bbox"},
        **dict(zip(("x", "y", "width", "height"), box, strict=True)),
        "split": pa.repeat(split, count),
        "category": _categories(plan, column["fg_id"].to_pylist()),
        "coverage": pc.divide(pc.cast(area, pa.float64()), float(size.pixels)),
        "objects": pc.list_value_length(column[_OBJECTS])
        if _OBJECTS in column
        else pa.repeat(1, count),
        "failure": pa.nulls(count, pa.string()),
        "file": pa.repeat(path, count),
        "row": pa.array(range(first, first + count), pa.int64()),
        "offset": column.get("offset", pa.nulls(count, pa.int64())),
    }
    return _of_columns(values)


def _failed(failures: tuple[Failure, ...], plan: Plan, split: str) -> pa.RecordBatch:
    numbers = [key_numbers(failure.key) for failure in failures]
    ids = dict(zip(("fg_id", "bg_id", "flip", "seq"), zip(*numbers, strict=True), strict=True))
    values = {
        **{name: pa.array(column, pa.int64()) for name, column in ids.items()},
        "key": pa.array([failure.key for failure in failures]),
        "split": pa.repeat(split, len(failures)),
        "category": _categories(plan, list(ids["fg_id"])),
        "failure": pa.array([f"{failure.step}: {failure.reason}" for failure in failures]),
    }
    unknown = pa.nulls(len(failures))
    return _of_columns({name: values.get(name, unknown) for name in INDEX_SCHEMA.names})


def _categories(plan: Plan, fg_ids: list[int]) -> pa.Array:
    return pa.array([plan.category_of(fg_id) for fg_id in fg_ids], pa.string())


def _of_columns(values: dict[str, pa.Array]) -> pa.RecordBatch:
    arrays = [pc.cast(values[field.name], field.type, safe=False) for field in INDEX_SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=INDEX_SCHEMA)


def write_index(file: IOBase, batches: Iterable[pa.RecordBatch]) -> None:
    """Writes rows as they come; the bytes depend on the rows alone, not on how they are cut."""
    with pq.ParquetWriter(
        pa.PythonFile(file, "w"), INDEX_SCHEMA, compression="zstd", version="2.6"
    ) as writer:
        for group in _groups(batches):
            writer.write_table(group, row_group_size=_ROWS_PER_GROUP)


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= _ROWS_PER_GROUP:
            table = pa.Table.from_batches(waiting).combine_chunks()
            yield table.slice(0, _ROWS_PER_GROUP)
            waiting = table.slice(_ROWS_PER_GROUP).to_batches()
            count -= _ROWS_PER_GROUP
    if count:
        yield pa.Table.from_batches(waiting).combine_chunks()


def join_index(folder: Folder, shards: Iterable[ShardSpec]) -> OtherFile:
    """Writes a data set's index from the rows that wait, in the order of the shards."""
    with folder.create(INDEX) as file:
        write_index(file, _waiting(folder, shards))
    return OtherFile(INDEX, file.size, file.sha256)


def _waiting(folder: Folder, shards: Iterable[ShardSpec]) -> Iterator[pa.RecordBatch]:
    for shard in shards:
        with (
            FileSystems.open(folder.path(fragment_path(shard)), compression_type=RAW) as file,
            pq.ParquetFile(file) as table,
        ):
            yield from table.iter_batches(_ROWS_PER_GROUP)
