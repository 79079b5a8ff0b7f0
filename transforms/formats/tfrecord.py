"""TFRecord shards of tf.train.Example, in the folder layout of `tfds.builder_from_directory`.

Frame: https://www.tensorflow.org/tutorials/load_data/tfrecord. Folder: `dataset_info.json` and
`features.json` as in `tensorflow_datasets/core/proto`. TensorFlow is not needed to write.
"""

import json
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, BinaryIO

import google_crc32c
import pyarrow as pa
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from transforms.elements import CleanImage, Sample, ShardSpec
from transforms.formats.arrow import ARROW_TYPES
from transforms.formats.base import (
    CLEAN,
    FACTS_AT_ONCE,
    SAMPLES,
    VERSION,
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
from transforms.formats.schema import (
    Field,
    Kind,
    Picture,
    Row,
    Schema,
    Value,
    row_of,
)
from transforms.storage import open_file, opened

_FEATURES = "tensorflow_datasets.core.features"

_LISTS: dict[Kind, str] = {
    "text": "bytes_list",
    "int64": "int64_list",
    "float32": "float_list",
    "label": "int64_list",
    "box": "int64_list",
    "picture": "bytes_list",
    "texts": "bytes_list",
    "int64s": "int64_list",
    "float32s": "float_list",
    "boxes": "int64_list",
}
_FRAME_BYTES = 16
_TUPLES: tuple[Kind, ...] = ("box", "int64s", "float32s")


_TENSORFLOW = f"""\
import tensorflow_datasets as tfds

samples = tfds.builder_from_directory("DIR/tfrecord/{SAMPLES}/{VERSION}").as_dataset(split="SPLIT")
assets = tfds.builder_from_directory("DIR/tfrecord/{CLEAN}/{VERSION}")
backgrounds = {{int(b["id"]): b["image"] for b in assets.as_dataset(split="backgrounds")}}

sample = next(iter(samples))
image, mask, background = sample["image"], sample["mask"], backgrounds[int(sample["bg_id"])]"""


class TFRecordFormat(IndexedFormat):
    """TFRecord files readable by `tf.data.TFRecordDataset` and `tfds`."""

    name = "tfrecord"
    file_names = (
        r"tfrecord/mask_depth(_assets)?/[\d.]+/((dataset_info|features)\.json|\w+\.labels\.txt)",
        r"tfrecord/mask_depth(_assets)?/[\d.]+/mask_depth(_assets)?-{split}\.tfrecord-\d+-of-\d+",
    )
    snippets = (Snippet("TensorFlow", _TENSORFLOW),)

    def sample_bytes(self, size: EncodedSize) -> float:
        """Bytes of a sample on the disk."""
        return size.pictures + 300

    def open_samples(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[Sample]:
        """Starts a shard of samples."""
        return _TFRecordSink(folder, self.sample_path(shard), shard, schema.sample_fields())

    def open_clean(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[CleanImage]:
        """Starts a shard of clean images."""
        return _TFRecordSink(folder, self.clean_path(shard), shard, schema.clean_fields())

    def sample_path(self, shard: ShardSpec) -> str:
        """Path of a shard of samples, relative to the data set's folder."""
        return _path(SAMPLES, shard)

    def clean_path(self, shard: ShardSpec) -> str:
        """Path of a shard of clean images, relative to the data set's folder."""
        return _path(CLEAN, shard)

    def read(self, source: str | BinaryIO, fields: tuple[Field, ...]) -> Iterator[Row]:
        """Reads a file in order. Raises FormatError where it is damaged."""
        message = _example_class()()
        for number, data in enumerate(read_frames(source)):
            yield _row(message, number, data, fields)

    def facts(self, path: str, fields: tuple[Field, ...]) -> Iterator[pa.RecordBatch]:
        """Reads fields that are no pictures. Raises FormatError where the file is damaged."""
        types = [(field.name, ARROW_TYPES[field.kind]) for field in fields]
        schema = pa.schema([*types, ("offset", pa.int64())])
        rows = self._facts(path, fields)
        while some := list(islice(rows, FACTS_AT_ONCE)):
            columns = zip(*some, strict=True)
            arrays = [pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _facts(self, path: str, fields: tuple[Field, ...]) -> Iterator[tuple[Value, ...]]:
        message, offset = _example_class()(), 0
        for number, data in enumerate(read_frames(path)):
            yield (*_row(message, number, data, fields), offset)
            offset += len(data) + _FRAME_BYTES

    def open_rows(self, path: str) -> RowFile:
        """Opens a file for reading single rows."""
        return _TFRecordRows(path)

    def describe(self, samples: Description, clean: Description) -> tuple[tuple[str, str], ...]:
        """The two JSON files of each data set, and the names of its classes."""
        return tuple(
            (f"{_folder(name)}/{file}", text)
            for name, description in ((SAMPLES, samples), (CLEAN, clean))
            for file, text in (
                ("dataset_info.json", _json(_dataset_info(name, description))),
                ("features.json", _json(_features(description.fields))),
                *_label_files(description.fields),
            )
        )


class _TFRecordSink:
    def __init__(
        self, folder: Folder, path: str, shard: ShardSpec, fields: tuple[Field, ...]
    ) -> None:
        self._shard = shard
        self._fields = fields
        self._path = path
        self._file = folder.create(path)
        self._count = 0

    def write(self, item: Sample | CleanImage) -> None:
        self._file.write(frame(example(self._fields, row_of(self._fields, item))))
        self._count += 1

    def close(self) -> tuple[OutputFile, ...]:
        self._file.commit()
        file = self._file
        return (
            OutputFile(
                "tfrecord", self._path, self._shard.split, self._count, file.size, file.sha256
            ),
        )

    def discard(self) -> None:
        self._file.discard()


def frame(data: bytes) -> bytes:
    """A record's frame: length, masked CRC-32C of the length, data, masked CRC-32C of the data."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _masked_crc(length), data, _masked_crc(data)))


def read_frames(source: str | BinaryIO) -> Iterator[bytes]:
    """The records of a file. Raises FormatError where a frame is cut or a checksum differs."""
    with opened(source) as file:
        number = 0
        while (data := _read_frame(file, number)) is not None:
            yield data
            number += 1


def _read_frame(file: BinaryIO, number: int) -> bytes | None:
    """The record that comes next; None at the end of the file."""
    head = file.read(12)
    if not head:
        return None
    if len(head) < 12 or head[8:] != _masked_crc(head[:8]):
        raise FormatError(f"the length of record {number} is damaged")
    [length] = struct.unpack("<Q", head[:8])
    data, check = file.read(length), file.read(4)
    if check != _masked_crc(data):
        raise FormatError(f"record {number} is damaged")
    return data


class _TFRecordRows:
    """Single records of a file."""

    def __init__(self, path: str) -> None:
        self._file = open_file(path)

    def read(self, row: int, offset: int | None, fields: tuple[Field, ...]) -> Row:
        assert offset is not None  # `facts` gives one for each record.
        try:
            self._file.seek(offset)
            data = _read_frame(self._file, row)
        except OSError as error:
            raise FormatError(f"record {row} cannot be read: {error}") from None
        if data is None:
            raise FormatError(f"it ends before record {row}")
        return _row(_example_class()(), row, data, fields)

    def close(self) -> None:
        self._file.close()


def _row(message: Any, number: int, data: bytes, fields: tuple[Field, ...]) -> Row:
    try:
        message.ParseFromString(data)
        return tuple(_value(message, field) for field in fields)
    except (DecodeError, IndexError, UnicodeDecodeError) as error:
        raise FormatError(f"record {number} is not an Example of this data set: {error}") from None


def _value(message: Any, field: Field) -> Value:
    feature, name = message.features.feature[field.name], _LISTS[field.kind]
    if not feature.HasField(name):
        raise IndexError(f"it has no {field.name} of the kind {field.kind}")
    values = getattr(feature, name).value
    if field.kind == "picture":
        return Picture("", values[0])
    if field.kind == "text":
        return values[0].decode()
    if field.kind == "texts":
        return tuple(value.decode() for value in values)
    if field.kind == "boxes":
        return tuple(tuple(values[i : i + 4]) for i in range(0, len(values), 4))
    return tuple(values) if field.kind in _TUPLES else values[0]


def _parts(kind: Kind, value: Any) -> Sequence[Any]:
    """A value as the numbers or byte strings of one feature; boxes follow one another."""
    if kind == "picture":
        return (value.data,)
    if kind == "text":
        return (value.encode(),)
    if kind == "texts":
        return [text.encode() for text in value]
    if kind == "boxes":
        return [number for box in value for number in box]
    return value if kind in _TUPLES else (value,)


def _path(dataset: str, shard: ShardSpec) -> str:
    shard_of = f"{shard.index:05d}-of-{shard.of:05d}"
    return f"{_folder(dataset)}/{dataset}-{shard.split}.tfrecord-{shard_of}"


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def example(fields: tuple[Field, ...], row: Row) -> bytes:
    """A row as a serialised tf.train.Example, equal for equal rows."""
    message = _example_class()()
    features = message.features.feature
    for field, value in zip(fields, row, strict=True):
        numbers = getattr(features[field.name], _LISTS[field.kind])
        numbers.SetInParent()  # A list that is empty has its type, too.
        numbers.value.extend(_parts(field.kind, value))
    return message.SerializeToString(deterministic=True)


@lru_cache(maxsize=1)
def _example_class() -> Any:
    """The message class, in a pool of its own so that it never meets TensorFlow's."""
    file = descriptor_pb2.FileDescriptorProto(
        name="mask_depth/example.proto", package="tensorflow", syntax="proto3"
    )
    kind = descriptor_pb2.FieldDescriptorProto
    for name, of in (
        ("BytesList", kind.TYPE_BYTES),
        ("FloatList", kind.TYPE_FLOAT),
        ("Int64List", kind.TYPE_INT64),
    ):
        message = file.message_type.add(name=name)
        field = message.field.add(name="value", number=1, type=of, label=kind.LABEL_REPEATED)
        if of != kind.TYPE_BYTES:
            field.options.packed = True
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (name, of_list) in enumerate(
        (("bytes_list", "BytesList"), ("float_list", "FloatList"), ("int64_list", "Int64List")), 1
    ):
        feature.field.add(
            name=name,
            number=number,
            type=kind.TYPE_MESSAGE,
            type_name=f".tensorflow.{of_list}",
            label=kind.LABEL_OPTIONAL,
            oneof_index=0,
        )
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL)
    entry.field.add(
        name="value",
        number=2,
        type=kind.TYPE_MESSAGE,
        type_name=".tensorflow.Feature",
        label=kind.LABEL_OPTIONAL,
    )
    features.field.add(
        name="feature",
        number=1,
        type=kind.TYPE_MESSAGE,
        type_name=".tensorflow.Features.FeatureEntry",
        label=kind.LABEL_REPEATED,
    )
    file.message_type.add(name="Example").field.add(
        name="features",
        number=1,
        type=kind.TYPE_MESSAGE,
        type_name=".tensorflow.Features",
        label=kind.LABEL_OPTIONAL,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


def _folder(dataset: str) -> str:
    return f"tfrecord/{dataset}/{VERSION}"


_SUPERVISED = ("image", "mask")
"""Input and target of `as_supervised`; samples and clean pictures have both."""


def _dataset_info(name: str, description: Description) -> dict[str, Any]:
    return {
        "name": name,
        "version": VERSION,
        "description": description.text,
        "citation": description.terms.citation,
        **_redistribution(description.terms.license),
        "fileFormat": "tfrecord",
        "supervisedKeys": {"tuple": {"items": [{"featureKey": name} for name in _SUPERVISED]}},
        "splits": [
            {
                "name": split.name,
                "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
                "shardLengths": [str(file.count) for file in split.files],
                "numBytes": str(sum(file.bytes for file in split.files)),
            }
            for split in description.splits
        ],
    }


def _redistribution(license: str | None) -> dict[str, Any]:
    return {} if license is None else {"redistributionInfo": {"license": license}}


def _features(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {
        "pythonClassName": f"{_FEATURES}.features_dict.FeaturesDict",
        "featuresDict": {"features": {field.name: _feature(field) for field in fields}},
    }


def _feature(field: Field) -> dict[str, Any]:
    if field.picture is not None:
        picture = field.picture
        shape = (-1, -1) if picture.size is None else picture.size.shape
        image = {
            "shape": {"dimensions": [*map(str, shape), str(picture.channels)]},
            "dtype": picture.dtype,
            "encodingFormat": picture.encoding,
        }
        return {"pythonClassName": f"{_FEATURES}.image_feature.Image", "image": image}
    if field.kind == "label":
        label = {"numClasses": str(len(field.names))}
        return {
            "pythonClassName": f"{_FEATURES}.class_label_feature.ClassLabel",
            "classLabel": label,
        }
    return _KIND_FEATURES[field.kind]


def _scalar(dtype: str) -> dict[str, Any]:
    scalar = {"shape": {}, "dtype": dtype, "encoding": "none"}
    return {"pythonClassName": f"{_FEATURES}.scalar.Scalar", "tensor": scalar}


def _tensor(dtype: str, *dimensions: int) -> dict[str, Any]:
    """A tensor; a dimension of -1 may have any length."""
    shape = {"dimensions": [str(size) for size in dimensions]}
    tensor = {"shape": shape, "dtype": dtype, "encoding": "none"}
    return {"pythonClassName": f"{_FEATURES}.tensor_feature.Tensor", "tensor": tensor}


_TEXT = {"pythonClassName": f"{_FEATURES}.text_feature.Text", "text": {}}
_KIND_FEATURES: dict[Kind, dict[str, Any]] = {
    "text": _TEXT,
    "int64": _scalar("int64"),
    "float32": _scalar("float32"),
    "box": _tensor("int64", 4),
    "texts": {
        "pythonClassName": f"{_FEATURES}.sequence_feature.Sequence",
        "sequence": {"feature": _TEXT, "length": "-1"},
    },
    "int64s": _tensor("int64", -1),
    "float32s": _tensor("float32", -1),
    "boxes": _tensor("int64", -1, 4),
}


def _label_files(fields: tuple[Field, ...]) -> Iterator[tuple[str, str]]:
    """A file with the names of its classes for each label field, a line each."""
    for field in fields:
        if field.kind == "label":
            yield f"{field.name}.labels.txt", "".join(f"{name}\n" for name in field.names)


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
