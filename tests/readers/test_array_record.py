"""The copy in ArrayRecord, read by the data sources of `tfds`."""

import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch.utils.data import DataLoader

from tests.readers.rows import clean_rows, pixels, rows_by_key

pytest.importorskip("array_record", reason="array-record is not installed")
tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")

from pipeline.readers.array_record import convert, main  # noqa: E402
from transforms.formats.base import FormatError  # noqa: E402


@pytest.fixture(scope="module")
def copy(full, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("copy") / "records"
    convert(full.output, target)
    return target


def source(copy: Path, split: str, name: str = "mask_depth"):
    builder = tfds.builder_from_directory(str(copy / name / "1.0.0"))
    decoders = {"depth": tfds.decode.SkipDecoding()} if name == "mask_depth" else None
    return builder.as_data_source(split, decoders=decoders)


@pytest.mark.parametrize("split", ["train", "test"])
def test_any_sample_is_what_the_set_holds(full, copy, split):
    rows, samples = list(rows_by_key(full.output, split).values()), source(copy, split)
    assert len(samples) == len(rows)
    for index in (len(rows) - 1, 0, 31):
        sample, row = samples[index], rows[index]
        assert sample["key"].decode() == row["key"]
        assert sample["bbox"].tolist() == row["bbox"] and sample["area"] == row["area"]
        assert sample["depth"] == row["depth"]["bytes"]
        for name in ("image", "mask"):
            found = sample[name][..., 0] if name == "mask" else sample[name]
            np.testing.assert_array_equal(found, pixels(row[name]["bytes"]))
    assert np.asarray(Image.open(io.BytesIO(samples[5]["depth"]))).dtype == np.uint16


def test_a_loader_of_pytorch_takes_it(full, copy):
    samples = source(copy, "train")
    keys = [
        sample["key"].decode()
        for batch in DataLoader(samples, 32, collate_fn=list)
        for sample in batch
    ]
    assert keys == list(rows_by_key(full.output, "train"))


def test_clean_pictures_are_there_too(full, copy):
    for kind in ("foregrounds", "backgrounds"):
        found = {int(row["id"]): row for row in source(copy, kind, "mask_depth_assets")}
        expected = clean_rows(full.output, kind)
        assert found.keys() == expected.keys()
        for number, row in expected.items():
            np.testing.assert_array_equal(found[number]["image"], pixels(row["image"]["bytes"]))


def test_an_interrupted_conversion_continues(full, copy, tmp_path):
    first = tmp_path / "a"
    convert(full.output, first)
    folder = first / "mask_depth" / "1.0.0"
    kept, gone, *_ = sorted(folder.glob("*.array_record-*"))
    whole, stamp = gone.read_bytes(), kept.stat().st_mtime_ns
    gone.rename(folder / f".{gone.name}.part")
    (folder / f".{gone.name}.part").write_bytes(whole[:1000])
    (folder / "dataset_info.json").unlink()
    convert(full.output, first)
    names = {path.relative_to(first) for path in first.rglob("*")}
    assert names == {path.relative_to(copy) for path in copy.rglob("*")}
    for name in names:
        if (first / name).is_file():
            assert (first / name).read_bytes() == (copy / name).read_bytes()
    assert kept.stat().st_mtime_ns == stamp
    info = json.loads((folder / "dataset_info.json").read_text())
    assert info["fileFormat"] == "array_record"
    for split in info["splits"]:
        files = folder.glob(f"mask_depth-{split['name']}.array_record-*")
        assert int(split["numBytes"]) == sum(path.stat().st_size for path in files)


def test_each_record_is_read_alone(copy):
    from array_record.python.array_record_module import ArrayRecordReader

    path = min((copy / "mask_depth/1.0.0").glob("*.array_record-*"))
    options = ArrayRecordReader(str(path)).writer_options_string()
    assert "group_size:1," in options and "uncompressed" in options


def test_names_of_categories_go_along(plain, tmp_path):
    folder = tmp_path / "set/tfrecord/mask_depth/1.0.0"
    shutil.copytree(Path(plain.output, "tfrecord"), tmp_path / "set/tfrecord")
    (folder / "label.labels.txt").write_text("cars\n")
    convert(tmp_path / "set", tmp_path / "copy")
    assert (tmp_path / "copy/mask_depth/1.0.0/label.labels.txt").read_text() == "cars\n"


def test_what_cannot_be_converted_is_said(full, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"inside the data set .*; give another folder"):
        convert(full.output, Path(full.output, "records"))
    (tmp_path / "link").symlink_to(full.output)
    with pytest.raises(ValueError, match="inside the data set"):
        convert(full.output, tmp_path / "link" / "records")
    monkeypatch.setattr("sys.argv", ["convert", full.output, f"{full.output}/records"])
    with pytest.raises(SystemExit, match=r"error: .* is inside the data set"):
        main()
    with pytest.raises(FileNotFoundError, match="make the set with --formats=tfrecord"):
        convert(tmp_path, tmp_path.parent / "copy")
    monkeypatch.setattr("sys.argv", ["convert", str(tmp_path), str(tmp_path.parent / "copy")])
    with pytest.raises(SystemExit, match=r"error: .*--formats=tfrecord"):
        main()


def test_a_damaged_shard_leaves_no_file_of_its_name(plain, tmp_path):
    folder = tmp_path / "set/tfrecord/mask_depth/1.0.0"
    folder.mkdir(parents=True)
    for path in Path(plain.output, "tfrecord/mask_depth/1.0.0").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    damaged = min(folder.glob("*.tfrecord-*"))
    damaged.write_bytes(damaged.read_bytes()[:-7])
    with pytest.raises(FormatError, match="is damaged"):
        convert(tmp_path / "set", tmp_path / "copy")
    assert not list((tmp_path / "copy").rglob("mask_depth-*"))
    assert not list((tmp_path / "copy").rglob("dataset_info.json"))


def test_the_page_on_reading_has_lines_that_work(full, copy):
    page = (Path(__file__).parents[2] / "docs/reading.md").read_text()
    [text] = re.findall(r"```python\n([^`]*as_data_source.*?)```", page, re.DOTALL)
    found: dict = {}
    exec(text.replace('"records/', f'"{copy}/'), found)
    assert found["sample"]["key"].decode() == list(rows_by_key(full.output, "train"))[7]
    assert found["depth"].size == (160, 128) and found["image"].shape == (128, 160, 3)
