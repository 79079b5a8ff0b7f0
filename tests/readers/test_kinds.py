"""Every kind of field, ragged ones included, in every table format and through its readers."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from transforms.elements import BoundingBox, Placement, Sample, ShardSpec
from transforms.formats import TABLE_FORMATS
from transforms.formats.base import Description, Folder, FormatError, SplitFiles
from transforms.formats.croissant import croissant_json
from transforms.formats.parquet import yaml_feature
from transforms.formats.schema import Field, Picture, PictureType, Schema, row_of
from transforms.pixels.codecs import encode_mask
from transforms.pixels.size import Size

SHARD = ShardSpec("train", 0, 1, 0, 3)

INSTANCES = encode_mask(np.arange(12, dtype=np.uint8).reshape(3, 4))


def numbers(sample: Sample) -> tuple[int, ...]:
    """As many numbers as the sample's area says: none in the first sample."""
    return tuple(range(10, 10 + sample.area))


FIELDS = (
    Field("key", "text", "the key", lambda s: s.placement.key),
    Field(
        "instances",
        "picture",
        "number of the object",
        lambda s: Picture(f"instances_{s.placement.key}.png", INSTANCES),
        PictureType("png", "uint8", 1, Size(4, 3)),
    ),
    Field("count", "int64", "a number", lambda s: s.area),
    Field("share", "float32", "a number", lambda s: s.area / 4),
    Field("bbox", "box", "a box", lambda s: (1, 2, 3, s.area)),
    Field("label", "label", "a class", lambda s: s.area % 2, names=("even", "odd, Ä")),
    Field("objects", "int64s", "numbers", numbers),
    Field("visible", "float32s", "numbers", lambda s: tuple(n / 8 for n in numbers(s))),
    Field("names", "texts", "strings", lambda s: tuple(f"Ä{n}" for n in numbers(s))),
    Field("boxes", "boxes", "boxes", lambda s: tuple((n, 1, 2, n + 1) for n in numbers(s))),
)


class EveryKind(Schema):
    """A schema with a field of every kind."""

    def sample_fields(self) -> tuple[Field, ...]:
        """The fields."""
        return FIELDS


def sample(seq: int) -> Sample:
    return Sample(
        Placement(1, 2, 0, seq, 0, 0, 4, 3), b"image", b"mask", BoundingBox(0, 0, 1, 1), seq - 1
    )


SAMPLES = tuple(sample(seq) for seq in (1, 2, 3))
ROWS: list[dict[str, Any]] = [
    {field.name: value for field, value in zip(FIELDS, row_of(FIELDS, item), strict=True)}
    for item in SAMPLES
]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """A folder with a shard in each table format, and the descriptions beside it."""
    folder = Folder(str(tmp_path_factory.mktemp("kinds")))
    for table in TABLE_FORMATS.values():
        sink = table.open_samples(folder, SHARD, EveryKind(Size(4, 3), "png", depth=False))
        for item in SAMPLES:
            sink.write(item)
        files = Description("Kinds.", FIELDS, (SplitFiles("train", sink.close()),))
        clean = Description("Nothing.", (), ())
        for path, text in table.describe(files, clean):
            folder.write(path, text.encode())
        if table.name == "parquet":
            folder.write("croissant.json", croissant_json(files, clean).encode())
    return Path(folder.root)


def test_no_kind_is_left_out():
    from typing import get_args

    from transforms.formats.schema import Kind

    assert {field.kind for field in FIELDS} == set(get_args(Kind))


@pytest.mark.parametrize("name", sorted(TABLE_FORMATS))
def test_what_is_read_back_is_what_was_written(written, name):
    table = TABLE_FORMATS[name]
    path = str(written / table.sample_path(SHARD))
    for row, wanted in zip(table.read(path, FIELDS), ROWS, strict=True):
        for field, value in zip(FIELDS, row, strict=True):
            expected = wanted[field.name]
            if isinstance(value, Picture):
                assert isinstance(expected, Picture) and value.data == expected.data
            else:
                assert value == expected and type(value) is type(expected), field.name


@pytest.mark.parametrize("name", sorted(TABLE_FORMATS))
def test_a_field_of_another_name_or_kind_is_damage(written, name):
    table = TABLE_FORMATS[name]
    path = str(written / table.sample_path(SHARD))
    others = [Field("elsewhere", "int64s", "", numbers)]
    if name != "webdataset":  # JSON has no kinds.
        others.append(Field("visible", "int64s", "", numbers))
    for other in others:
        fields = tuple(other if field.name == "visible" else field for field in FIELDS)
        with pytest.raises(FormatError):
            list(table.read(path, fields))


def plain(value):
    """A value as lists, numbers and strings."""
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return value


def check(record, wanted) -> None:
    for field in FIELDS:
        if field.kind != "picture":
            assert plain(record[field.name]) == plain(wanted[field.name]), field.name


def test_hugging_face_reads_them(written, tmp_path):
    datasets = pytest.importorskip("datasets", reason="the extra datasets is not installed")
    found = datasets.load_dataset(
        "parquet", data_files=str(written / "data/*.parquet"), cache_dir=tmp_path, split="train"
    )
    assert found.features["label"].names == ["even", "odd, Ä"]
    for record, wanted in zip(found, ROWS, strict=True):
        check(record, wanted)
        np.testing.assert_array_equal(record["instances"], np.arange(12).reshape(3, 4))
    listed = [{"name": field.name, **yaml_feature(field)} for field in FIELDS]
    assert datasets.Features._from_yaml_list(listed) == found.features


def test_tfds_reads_them(written):
    pytest.importorskip("tensorflow", reason="the extra tensorflow is not installed")
    tfds = pytest.importorskip("tensorflow_datasets", reason="tfds is not installed")
    builder = tfds.builder_from_directory(str(written / "tfrecord/mask_depth/1.0.0"))
    assert builder.info.features["label"].names == ["even", "odd, Ä"]
    records = list(tfds.as_numpy(builder.as_dataset(split="train")))
    for record, wanted in zip(records, ROWS, strict=True):
        check(record, wanted)
        assert record["boxes"].shape == (len(wanted["objects"]), 4)
        np.testing.assert_array_equal(record["instances"][..., 0], np.arange(12).reshape(3, 4))


def test_webdataset_reads_them(written):
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    tars = [str(path) for path in written.glob("webdataset/*.tar")]
    for record, wanted in zip(webdataset.WebDataset(tars, shardshuffle=False), ROWS, strict=True):
        check(json.loads(record["json"]), wanted)
        pixels = np.asarray(Image.open(io.BytesIO(record["instances.png"])))
        np.testing.assert_array_equal(pixels, np.arange(12).reshape(3, 4))


def test_croissant_reads_them(written):
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    records = mlcroissant.Dataset(str(written / "croissant.json")).records("samples")
    for record, wanted in zip(records, ROWS, strict=True):
        check({field.name: record[f"samples/{field.name}"] for field in FIELDS}, wanted)
