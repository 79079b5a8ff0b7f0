"""Parquet shards that Hugging Face `datasets` opens with pictures decoded.

Pictures are `struct<bytes, path>` and the schema carries the feature types under the metadata key
`huggingface` (https://huggingface.co/docs/hub/datasets-image).
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from transforms.elements import CleanImage, Sample, ShardSpec
from transforms.formats.base import Description, Folder, FormatError, OutputFile, Sink
from transforms.formats.schema import CLEAN_FIELDS, Field, Picture, Row, Schema, Value, clean_row
from transforms.storage import RAW

Item = TypeVar("Item")

ROWS_PER_GROUP = 100
"""Rows of a row group, as `datasets` writes pictures: one sample costs 3 MB to read at 160x160."""

_PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "int64": pa.int64(),
    "int64x4": pa.list_(pa.int64(), 4),
    "float32": pa.float32(),
    "picture": _PICTURE,
}


class ParquetFormat:
    """Parquet files readable by pyarrow, pandas, `datasets` and everything else."""

    name = "parquet"

    def open_samples(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[Sample]:
        """Starts a shard of samples."""
        fields = schema.sample_fields()
        return _ParquetSink(folder, self.sample_path(shard), shard, fields, schema.sample_row)

    def open_clean(self, folder: Folder, shard: ShardSpec) -> Sink[CleanImage]:
        """Starts a shard of clean images."""
        return _ParquetSink(folder, self.clean_path(shard), shard, CLEAN_FIELDS, clean_row)

    def sample_path(self, shard: ShardSpec) -> str:
        """Where a shard of samples stands, relative to the data set's folder."""
        return f"data/{shard.name}.parquet"

    def clean_path(self, shard: ShardSpec) -> str:
        """Where a shard of clean images stands, relative to the data set's folder."""
        return f"assets/{shard.name}.parquet"

    def read(self, path: str, fields: tuple[Field, ...]) -> Iterator[Row]:
        """Reads a file in order. Raises FormatError where it is damaged."""
        try:
            with (
                FileSystems.open(path, compression_type=RAW) as file,
                pq.ParquetFile(file) as table,
            ):
                found, wanted = table.schema_arrow, arrow_schema(fields)
                if not found.equals(wanted) or found.metadata != wanted.metadata:
                    raise FormatError("its columns are not those of this data set")
                for batch in table.iter_batches(ROWS_PER_GROUP):
                    for record in batch.to_pylist():
                        yield tuple(_value(field, record[field.name]) for field in fields)
        except (pa.ArrowException, OSError) as error:
            raise FormatError(f"it cannot be read as Parquet: {error}") from None

    def describe(self, samples: Description, clean: Description) -> tuple[tuple[str, str], ...]:
        """Nothing: the data set card describes the Parquet files."""
        return ()


class _ParquetSink(Generic[Item]):
    def __init__(
        self,
        folder: Folder,
        path: str,
        shard: ShardSpec,
        fields: tuple[Field, ...],
        to_row: Callable[[Item], Row],
    ) -> None:
        self._shard = shard
        self._fields = fields
        self._to_row = to_row
        self._path = path
        self._schema = arrow_schema(fields)
        self._file = folder.create(path)
        # Pictures are compressed already; the small columns are not worth a codec.
        self._writer = pq.ParquetWriter(
            pa.PythonFile(self._file, "w"), self._schema, compression="none", use_dictionary=False
        )
        self._rows: list[Row] = []
        self._count = 0

    def write(self, item: Item) -> None:
        self._rows.append(self._to_row(item))
        if len(self._rows) == ROWS_PER_GROUP:
            self._flush()

    def close(self) -> tuple[OutputFile, ...]:
        if self._rows:
            self._flush()
        self._writer.close()
        self._file.commit()
        file = self._file
        return (
            OutputFile(
                "parquet", self._path, self._shard.split, self._count, file.size, file.sha256
            ),
        )

    def discard(self) -> None:
        with contextlib.suppress(OSError):  # The end of the file need not fit on a full disk.
            self._writer.close()
        self._file.discard()

    def _flush(self) -> None:
        columns = zip(*self._rows, strict=True)
        arrays = [
            _column(field, values) for field, values in zip(self._fields, columns, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._count += len(self._rows)
        self._rows = []


def _column(field: Field, values: tuple[Value, ...]) -> pa.Array:
    if field.kind != "picture":
        return pa.array(values, _TYPES[field.kind])
    pictures = [value for value in values if isinstance(value, Picture)]
    data = pa.array([picture.data for picture in pictures], pa.binary())
    names = pa.array([picture.name for picture in pictures], pa.string())
    return pa.StructArray.from_arrays([data, names], fields=list(_PICTURE))


def _value(field: Field, value: Any) -> Value:
    if field.kind == "picture":
        return Picture(value["path"], value["bytes"])
    return tuple(value) if field.kind == "int64x4" else value


def arrow_schema(fields: tuple[Field, ...]) -> pa.Schema:
    """The Arrow schema of a table, with the feature types of `datasets` in its metadata."""
    features = {field.name: hugging_face_feature(field) for field in fields}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema([(field.name, _TYPES[field.kind]) for field in fields], metadata=metadata)


def hugging_face_feature(field: Field) -> dict[str, Any]:
    """A field's type in the spelling of `datasets`."""
    if field.kind == "picture":
        return {"_type": "Image"}
    if field.kind == "int64x4":
        return {"feature": {"dtype": "int64", "_type": "Value"}, "length": 4, "_type": "Sequence"}
    return {"dtype": "string" if field.kind == "text" else field.kind, "_type": "Value"}
