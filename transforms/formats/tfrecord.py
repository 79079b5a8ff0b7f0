"""TFRecord shards of tf.train.Example, in the folder layout of `tfds.builder_from_directory`.

Frame: https://www.tensorflow.org/tutorials/load_data/tfrecord. Folder: `dataset_info.json` and
`features.json` as in `tensorflow_datasets/core/proto`. TensorFlow is not needed to write.
"""

import json
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Generic, TypeVar

import google_crc32c
from apache_beam.io.filesystems import FileSystems
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from transforms.elements import CleanImage, Sample, ShardSpec
from transforms.formats.base import (
    CLEAN,
    SAMPLES,
    VERSION,
    Description,
    Folder,
    FormatError,
    OutputFile,
    Sink,
)
from transforms.formats.schema import (
    CLEAN_FIELDS,
    Field,
    Picture,
    Row,
    Schema,
    Value,
    clean_row,
)
from transforms.storage import RAW

Item = TypeVar("Item")

_FEATURES = "tensorflow_datasets.core.features"


class TFRecordFormat:
    """TFRecord files readable by `tf.data.TFRecordDataset` and `tfds`."""

    name = "tfrecord"

    def open_samples(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[Sample]:
        """Starts a shard of samples."""
        fields = schema.sample_fields()
        return _TFRecordSink(folder, self.sample_path(shard), shard, fields, schema.sample_row)

    def open_clean(self, folder: Folder, shard: ShardSpec) -> Sink[CleanImage]:
        """Starts a shard of clean images."""
        return _TFRecordSink(folder, self.clean_path(shard), shard, CLEAN_FIELDS, clean_row)

    def sample_path(self, shard: ShardSpec) -> str:
        """Where a shard of samples stands, relative to the data set's folder."""
        return _path(SAMPLES, shard)

    def clean_path(self, shard: ShardSpec) -> str:
        """Where a shard of clean images stands, relative to the data set's folder."""
        return _path(CLEAN, shard)

    def read(self, path: str, fields: tuple[Field, ...]) -> Iterator[Row]:
        """Reads a file in order. Raises FormatError where it is damaged."""
        message = _example_class()()
        for number, data in enumerate(read_frames(path)):
            try:
                message.ParseFromString(data)
                yield tuple(_value(message, field) for field in fields)
            except (DecodeError, IndexError, UnicodeDecodeError) as error:
                raise FormatError(
                    f"record {number} is no Example of this data set: {error}"
                ) from None

    def describe(self, samples: Description, clean: Description) -> tuple[tuple[str, str], ...]:
        """The two JSON files of each data set."""
        return tuple(
            (f"{_folder(name)}/{file}", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
            for name, description in ((SAMPLES, samples), (CLEAN, clean))
            for file, content in (
                ("dataset_info.json", _dataset_info(name, description)),
                ("features.json", _features(description.fields)),
            )
        )


class _TFRecordSink(Generic[Item]):
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
        self._file = folder.create(path)
        self._count = 0

    def write(self, item: Item) -> None:
        self._file.write(frame(example(self._fields, self._to_row(item))))
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


def read_frames(path: str) -> Iterator[bytes]:
    """The records of a file. Raises FormatError where a frame is cut or a checksum differs."""
    with FileSystems.open(path, compression_type=RAW) as file:
        number = 0
        while head := file.read(12):
            if len(head) < 12 or head[8:] != _masked_crc(head[:8]):
                raise FormatError(f"the length of record {number} is damaged")
            [length] = struct.unpack("<Q", head[:8])
            data, check = file.read(length), file.read(4)
            if check != _masked_crc(data):
                raise FormatError(f"record {number} is damaged")
            yield data
            number += 1


def _value(message: Any, field: Field) -> Value:
    feature = message.features.feature[field.name]
    if field.kind == "picture":
        return Picture("", feature.bytes_list.value[0])
    if field.kind == "text":
        return feature.bytes_list.value[0].decode()
    if field.kind == "int64x4":
        return tuple(feature.int64_list.value)
    if field.kind == "float32":
        return feature.float_list.value[0]
    return feature.int64_list.value[0]


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
        feature = features[field.name]
        if isinstance(value, Picture):
            feature.bytes_list.value.append(value.data)
        elif isinstance(value, str):
            feature.bytes_list.value.append(value.encode())
        elif isinstance(value, tuple):
            feature.int64_list.value.extend(value)
        elif field.kind == "float32":
            feature.float_list.value.append(value)
        else:
            feature.int64_list.value.append(int(value))
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


def _dataset_info(name: str, description: Description) -> dict[str, Any]:
    return {
        "name": name,
        "version": VERSION,
        "description": description.text,
        "citation": "",
        "fileFormat": "tfrecord",
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


def _features(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {
        "pythonClassName": f"{_FEATURES}.features_dict.FeaturesDict",
        "featuresDict": {"features": {field.name: _feature(field) for field in fields}},
    }


def _feature(field: Field) -> dict[str, Any]:
    if field.picture is not None:
        picture = field.picture
        side = "-1" if picture.side is None else str(picture.side)
        image = {
            "shape": {"dimensions": [side, side, str(picture.channels)]},
            "dtype": picture.dtype,
            "encodingFormat": picture.encoding,
        }
        return {"pythonClassName": f"{_FEATURES}.image_feature.Image", "image": image}
    if field.kind == "text":
        return {"pythonClassName": f"{_FEATURES}.text_feature.Text", "text": {}}
    if field.kind == "int64x4":
        tensor = {"shape": {"dimensions": ["4"]}, "dtype": "int64", "encoding": "none"}
        return {"pythonClassName": f"{_FEATURES}.tensor_feature.Tensor", "tensor": tensor}
    scalar: dict[str, Any] = {"shape": {}, "dtype": field.kind, "encoding": "none"}
    return {"pythonClassName": f"{_FEATURES}.scalar.Scalar", "tensor": scalar}
