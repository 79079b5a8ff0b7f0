"""Parquet shards that Hugging Face `datasets` opens with pictures decoded.

Pictures are `struct<bytes, path>` and the schema carries the feature types under the metadata key
`huggingface` (https://huggingface.co/docs/hub/datasets-image).
"""

import contextlib
import json
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.elements import CleanImage, Sample, ShardSpec
from transforms.formats.arrow import ARROW_TYPES, PICTURE
from transforms.formats.base import (
    FACTS_AT_ONCE,
    Description,
    EncodedSize,
    Folder,
    FormatError,
    IndexedFormat,
    OutputFile,
    RowFile,
    Sink,
    Snippet,
)
from transforms.formats.croissant import croissant_json
from transforms.formats.schema import Field, Kind, Picture, Row, Schema, Value, row_of
from transforms.storage import open_file, opened

ROWS_PER_GROUP = 100
"""Rows of a row group, as `datasets` writes pictures: one sample costs 3 MB to read at 160x160."""

_HUGGING_FACE = """\
import datasets

samples = datasets.load_dataset("DIR", split="SPLIT")  # or streaming=True
assets = datasets.load_dataset("DIR", "assets", split="backgrounds")
backgrounds = {b["id"]: b["image"] for b in assets}

sample = next(iter(samples))
image, mask, background = sample["image"], sample["mask"], backgrounds[sample["bg_id"]]"""

_PYTORCH = """\
from pipeline.readers.torch import MaskDepthDataset
from torch.utils.data import DataLoader

samples = MaskDepthDataset("DIR", split="SPLIT")
batches = DataLoader(samples, batch_size=32, shuffle=True)

batch = next(iter(batches))
image, mask, background = batch["fg_bg"][0], batch["mask"][0], batch["bg"][0]"""

_CROISSANT = """\
import mlcroissant

dataset = mlcroissant.Dataset("DIR/croissant.json")
backgrounds = {b["backgrounds/id"]: b["backgrounds/image"] for b in dataset.records("backgrounds")}

sample = next(iter(dataset.records("samples")))
image, mask = sample["samples/image"], sample["samples/mask"]
background = backgrounds[sample["samples/bg_id"]]"""


def _value_feature(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "_type": "Value"}


def _list_feature(feature: dict[str, Any]) -> dict[str, Any]:
    return {"feature": feature, "_type": "Sequence"}


_BOX_FEATURE = {"feature": _value_feature("int64"), "length": 4, "_type": "Sequence"}
_FEATURES: dict[Kind, dict[str, Any]] = {
    "text": _value_feature("string"),
    "int64": _value_feature("int64"),
    "float32": _value_feature("float32"),
    "box": _BOX_FEATURE,
    "picture": {"_type": "Image"},
    "texts": _list_feature(_value_feature("string")),
    "int64s": _list_feature(_value_feature("int64")),
    "float32s": _list_feature(_value_feature("float32")),
    "boxes": _list_feature(_BOX_FEATURE),
}


class ParquetFormat(IndexedFormat):
    """Parquet files readable by pyarrow, pandas, `datasets` and everything else."""

    name = "parquet"
    file_names = (
        r"(data|assets)/{shard}\.parquet",
        r"croissant\.json",
    )
    snippets = (
        Snippet("Hugging Face", _HUGGING_FACE),
        Snippet("PyTorch", _PYTORCH),
        Snippet("Croissant", _CROISSANT),
    )

    def sample_bytes(self, size: EncodedSize) -> float:
        """Bytes of a sample on the disk."""
        return size.pictures + 200

    def open_samples(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[Sample]:
        """Starts a shard of samples."""
        return _ParquetSink(folder, self.sample_path(shard), shard, schema.sample_fields())

    def open_clean(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[CleanImage]:
        """Starts a shard of clean images."""
        return _ParquetSink(folder, self.clean_path(shard), shard, schema.clean_fields())

    def sample_path(self, shard: ShardSpec) -> str:
        """Path of a shard of samples, relative to the data set's folder."""
        return f"data/{shard.name}.parquet"

    def clean_path(self, shard: ShardSpec) -> str:
        """Path of a shard of clean images, relative to the data set's folder."""
        return f"assets/{shard.name}.parquet"

    def read(self, source: str | BinaryIO, fields: tuple[Field, ...]) -> Iterator[Row]:
        """Reads a file in order. Raises FormatError where it is damaged."""
        try:
            with (
                opened(source) as file,
                pq.ParquetFile(file) as table,
            ):
                found, wanted = table.schema_arrow, arrow_schema(fields)
                if not found.equals(wanted) or found.metadata != wanted.metadata:
                    raise FormatError("its columns are not those of this data set")
                for batch in table.iter_batches(ROWS_PER_GROUP, use_threads=False):
                    for record in batch.to_pylist():
                        yield tuple(_value(field, record[field.name]) for field in fields)
        except (pa.ArrowException, OSError) as error:
            raise FormatError(f"it cannot be read as Parquet: {error}") from None

    def facts(self, path: str, fields: tuple[Field, ...]) -> Iterator[pa.RecordBatch]:
        """Reads fields that are no pictures. Raises FormatError where the file is damaged."""
        try:
            with (
                opened(path) as file,
                pq.ParquetFile(file) as table,
            ):
                names = [field.name for field in fields]
                for batch in table.iter_batches(FACTS_AT_ONCE, columns=names):
                    yield batch.select(names)
        except (pa.ArrowException, KeyError, OSError) as error:
            raise FormatError(f"it cannot be read as Parquet: {error}") from None

    def open_rows(self, path: str) -> RowFile:
        """Opens a file for reading single rows."""
        return _ParquetRows(path)

    def describe(self, samples: Description, clean: Description) -> tuple[tuple[str, str], ...]:
        """The files in the words of Croissant; the data set card describes them as well."""
        return (("croissant.json", croissant_json(samples, clean)),) if samples.splits else ()

    def front_matter(self, samples: Description, clean: Description) -> tuple[str, ...]:
        """The configs of the data set and their fields, as Hugging Face reads them."""
        if not samples.splits:
            return ()
        return (
            "configs:",
            *_config("default", "data", samples, default=True),
            *_config("assets", "assets", clean, default=False),
            "dataset_info:",
            *_info("default", samples),
            *_info("assets", clean),
        )


def _config(name: str, place: str, description: Description, default: bool) -> list[str]:
    lines = [f"- config_name: {name}", *(["  default: true"] if default else []), "  data_files:"]
    for split in description.splits:
        lines += [f"  - split: {split.name}", f"    path: {place}/{split.name}-*.parquet"]
    return lines


def _info(name: str, description: Description) -> list[str]:
    # JSON is YAML: the types are those of the Parquet schema, spelt once.
    features = [{"name": field.name, **yaml_feature(field)} for field in description.fields]
    lines = [f"- config_name: {name}", f"  features: {json.dumps(features)}", "  splits:"]
    for split in description.splits:
        size = sum(file.bytes for file in split.files)
        count = sum(file.count for file in split.files)
        lines += [f"  - name: {split.name}", f"    num_bytes: {size}", f"    num_examples: {count}"]
    return lines


class _ParquetRows:
    """Single rows of a file; the row group of the last one stays in memory."""

    def __init__(self, path: str) -> None:
        self._file = open_file(path)
        try:
            self._table = pq.ParquetFile(self._file)
        except pa.ArrowException as error:
            self._file.close()
            raise FormatError(f"it cannot be read as Parquet: {error}") from None
        metadata = self._table.metadata
        counts = (metadata.row_group(i).num_rows for i in range(metadata.num_row_groups))
        self._ends = list(accumulate(counts))
        self._last: dict[tuple[int, str], pa.ChunkedArray] = {}

    def read(self, row: int, offset: int | None, fields: tuple[Field, ...]) -> Row:
        if not 0 <= row < self._table.metadata.num_rows:
            raise FormatError(f"it has no row {row}")
        group = bisect_right(self._ends, row)
        within = row - (self._ends[group - 1] if group else 0)
        if any(number != group for number, _ in self._last):
            self._last = {}
        missing = [f.name for f in fields if (group, f.name) not in self._last]
        try:
            if missing:
                columns = self._table.read_row_group(group, columns=missing)
                self._last |= {(group, name): columns[name] for name in missing}
            values = (self._last[group, field.name][within].as_py() for field in fields)
            return tuple(_value(f, value) for f, value in zip(fields, values, strict=True))
        except (pa.ArrowException, KeyError, OSError) as error:
            raise FormatError(f"it cannot be read as Parquet: {error}") from None

    def close(self) -> None:
        self._table.close()
        self._file.close()


class _ParquetSink:
    def __init__(
        self, folder: Folder, path: str, shard: ShardSpec, fields: tuple[Field, ...]
    ) -> None:
        self._shard = shard
        self._fields = fields
        self._path = path
        self._schema = arrow_schema(fields)
        self._file = folder.create(path)
        # Pictures are compressed already; the small columns are not worth a codec.
        self._writer = pq.ParquetWriter(
            pa.PythonFile(self._file, "w"), self._schema, compression="none", use_dictionary=False
        )
        self._rows: list[Row] = []
        self._count = 0

    def write(self, item: Sample | CleanImage) -> None:
        self._rows.append(row_of(self._fields, item))
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
        return pa.array(values, ARROW_TYPES[field.kind])
    pictures = [value for value in values if isinstance(value, Picture)]
    data = pa.array([picture.data for picture in pictures], pa.binary())
    names = pa.array([picture.name for picture in pictures], pa.string())
    return pa.StructArray.from_arrays([data, names], fields=list(PICTURE))


def _value(field: Field, value: Any) -> Value:
    if field.kind == "picture":
        return Picture(value["path"], value["bytes"])
    if field.kind == "boxes":
        return tuple(tuple(box) for box in value)
    return tuple(value) if isinstance(value, list) else value


def arrow_schema(fields: tuple[Field, ...]) -> pa.Schema:
    """The Arrow schema of a table, with the feature types of `datasets` in its metadata."""
    features = {field.name: hugging_face_feature(field) for field in fields}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema([(field.name, ARROW_TYPES[field.kind]) for field in fields], metadata=metadata)


def hugging_face_feature(field: Field) -> dict[str, Any]:
    """A field's type in the spelling of `datasets`."""
    if field.kind == "label":
        return {"names": list(field.names), "_type": "ClassLabel"}
    return _FEATURES[field.kind]


def yaml_feature(field: Field) -> dict[str, Any]:
    """A field's type as the YAML of a data set card spells it."""
    return _yaml(hugging_face_feature(field))


def _yaml(feature: dict[str, Any]) -> dict[str, Any]:
    kind = feature["_type"]
    if kind == "Image":
        return {"dtype": "image"}
    if kind == "Value":
        return {"dtype": feature["dtype"]}
    if kind == "ClassLabel":
        names = {str(number): name for number, name in enumerate(feature["names"])}
        return {"dtype": {"class_label": {"names": names}}}
    inner = _yaml(feature["feature"])
    length = {"length": feature["length"]} if "length" in feature else {}
    return {"sequence": inner.get("dtype", inner), **length}
