"""The table of categories."""

import json
import os
from pathlib import Path

import pytest

from pipeline import SpecError, generate
from pipeline.categories import read_categories
from tests.conftest import make_spec
from transforms.plan.inputs import InputImage


def table(tmp_path: Path, text: str) -> str:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def asset(number: int, path: str) -> InputImage:
    return InputImage(number, path, "", 1, 1, 1)


def test_rows_are_found_by_file_or_by_id(tmp_path):
    by_file = read_categories(table(tmp_path, "\ufefffile, category\nx/1.png,Fähre\n1.png,car\n"))
    assert by_file.of(asset(9, "/in/x/1.png")) == "Fähre"
    assert by_file.of(asset(9, "/in/y/1.png")) == "car"
    by_id = read_categories(table(tmp_path, 'category,note,id\n"car, red",fast,7\n'))
    [found] = by_id.applied([asset(7, "a.png")])
    assert found.category == found.category_name == "car, red"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_are_read_as_other_programs_write_them(tmp_path, encoding, delimiter):
    lines = ["ID,Note, Category ", "007,a,Fähre ", " 12 ,b,car", ""]
    text = "\r\n".join(lines).replace(",", delimiter)
    path = tmp_path / "table.csv"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path.write_bytes((mark + text).encode(encoding))
    found = read_categories(str(path))
    assert found.names == {"7": "Fähre", "12": "car"}


def test_names_of_files_keep_their_zeros(tmp_path):
    found = read_categories(table(tmp_path, "File;category\n001.png;car\n002;bus, red\n"))
    assert found.names == {"001.png": "car", "002": "bus, red"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", r"begins with ''; its first line must be file,category or id,category"),
        ("name,category\na,b\n", "begins with 'name,category'"),
        ("id,category\n1,\n", "row 2 lacks its category"),
        ("id,category\n,car\n", "row 2 lacks its id"),
        ("id,category\n1,car\n1,bus\n", "1 is both 'car' and 'bus'"),
        ('id,category\n1,"car', "cannot be read"),
    ],
)
def test_other_files_are_refused(tmp_path, text, what):
    with pytest.raises(SpecError, match=what):
        read_categories(table(tmp_path, text))


def test_what_is_no_file_is_never_opened(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(SpecError, match="is not a regular file; give a table"):
            read_categories(str(path))
    monkeypatch.setenv("HOME", str(tmp_path))
    table(tmp_path, "id,category\n7,car\n")
    assert read_categories("~/table.csv").of(asset(7, "a.png")) == "car"


def test_a_missing_table_and_a_missing_row_are_said_before_any_work(inputs, tmp_path):
    for path, what in (
        (str(tmp_path / "no.csv"), r"--categories=.*no\.csv cannot be read"),
        (table(tmp_path, "id,category\n1,car\n"), r"has no row for .*fg_img_2\.png \(id 2\)"),
    ):
        spec = make_spec(inputs, tmp_path / "out", formats=("coco",), categories=path)
        with pytest.raises(SpecError, match=what):
            generate(spec, progress=False)
    assert not (tmp_path / "out").exists()


def test_the_annotations_have_them_and_another_table_is_another_data_set(inputs, tmp_path):
    rows = "".join(f"{n},{'even' if n % 2 == 0 else 'odd'}\n" for n in range(1, 13))
    path = table(tmp_path, "id,category\n" + rows)
    spec = make_spec(
        inputs, tmp_path / "out", formats=("coco",), categories=path, max_samples=24, num_shards=1
    )
    generate(spec, ["--direct_num_workers=1"], progress=False)
    found = json.loads((tmp_path / "out/coco/train/annotations.json").read_text())
    assert [(c["id"], c["name"]) for c in found["categories"]] == [(1, "even"), (2, "odd")]
    for image, annotation in zip(found["images"], found["annotations"], strict=True):
        assert annotation["category_id"] == 1 + image["fg_id"] % 2
    table(tmp_path, ("id,category\n" + rows).replace("even", "straight"))
    with pytest.raises(SpecError, match="6 of its foregrounds are changed, the first with id 10"):
        generate(spec, progress=False)
