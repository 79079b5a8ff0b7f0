"""Croissant metadata, validated and read by mlcroissant."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from tests.readers.rows import clean_rows, pixels, rows_by_key

mlc = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")


def opened(output: str):
    return mlc.Dataset(Path(output, "croissant.json"))


def test_it_is_valid(full, plain):
    for result in (full, plain):
        issues = opened(result.output).metadata.issues
        assert not issues.errors
        # What only the owner of the pictures can say is left to them.
        lacking = {line.split('"')[1].rsplit("/", 1)[1] for line in issues.warnings}
        assert lacking == {"citeAs", "datePublished", "license"}


def test_the_records_are_those_of_the_files(full, caplog):
    rows = {split: rows_by_key(full.output, split) for split in ("train", "test")}
    count = 0
    for record in opened(full.output).records("samples"):
        values = {name.removeprefix("samples/"): value for name, value in record.items()}
        row = rows[values["split"].decode()][values["key"].decode()]
        assert set(values) == {"split", *row}
        for name in ("image", "mask", "depth"):
            np.testing.assert_array_equal(np.asarray(values[name]), pixels(row[name]["bytes"]))
        for name in (
            "depth_scale",
            "depth_offset",
            "fg_id",
            "bg_id",
            "flip",
            "seq",
            "bbox",
            "area",
        ):
            assert values[name] == row[name]
        count += 1
    assert count == full.samples
    assert not [record for record in caplog.records if record.name == "root"]


@pytest.mark.parametrize("kind", ["backgrounds", "foregrounds"])
def test_clean_pictures_join_by_id(full, kind):
    expected = clean_rows(full.output, kind)
    found = {record[f"{kind}/id"]: record for record in opened(full.output).records(kind)}
    assert set(found) == set(expected)
    for number, row in expected.items():
        assert found[number][f"{kind}/file"].decode() == row["file"]
        for name in ("image", "mask"):
            np.testing.assert_array_equal(
                np.asarray(found[number][f"{kind}/{name}"]), pixels(row[name]["bytes"])
            )


def test_every_parquet_file_stands_in_it_with_its_checksum(full):
    root = Path(full.output)
    content = json.loads((root / "croissant.json").read_text())
    objects = {
        item["contentUrl"]: item
        for item in content["distribution"]
        if item["@type"] == "cr:FileObject"
    }
    files = [*root.glob("data/*.parquet"), *root.glob("assets/*.parquet")]
    assert set(objects) == {str(path.relative_to(root)) for path in files}
    for path in files:
        item = objects[str(path.relative_to(root))]
        assert item["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert item["contentSize"] == f"{path.stat().st_size} B"


def test_the_splits_are_named(full):
    names = [record["splits/name"] for record in opened(full.output).records("splits")]
    assert sorted(names) == ["test", "train"]
