"""docs/formats.md describes what a data set holds."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.readers.rows import pixels, rows_by_key
from transforms.formats.schema import CLEAN_FIELDS, Field, Schema
from transforms.pixels.size import Size

TEXT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()

_PLACES = {
    "{split}": r"[A-Za-z]\w*",
    "{kind}": "(foregrounds|backgrounds)",
    "{numbers}": r"\d+_\d+_[01]_\d+",
    "{i}": r"\d+",
    "{n}": r"\d{5}",
    "{fg}": r"\d+",
    "{bg}": r"\d+",
    "{ext}": "(jpg|png)",
    "{name}": r"[\w-]+(\.\w+)?",
}


def section(title: str) -> str:
    """The text below a heading, up to the next one of its rank or above."""
    rank = title.partition(" ")[0]
    start = TEXT.index(f"\n{title}\n") + len(title) + 2
    after = re.search(rf"^#{{1,{len(rank)}}} ", TEXT[start:], flags=re.MULTILINE)
    return TEXT[start : start + after.start()] if after else TEXT[start:]


def rows(title: str) -> list[list[str]]:
    """The cells of the first table of a section, without its head."""
    lines = section(title).split("\n| ---")[1].split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def quoted(text: str) -> list[str]:
    """The texts in backquotes."""
    return re.findall(r"`(.+?)`", text)


def pattern(path: str) -> re.Pattern:
    parts = re.split(r"(\{\w+\})", path)
    return re.compile("".join(_PLACES.get(part, re.escape(part)) for part in parts))


def test_every_file_has_its_line_and_every_line_its_file(full):
    root = Path(full.output)
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    lines = [(path, when) for paths, when, _ in rows("## The folder") for path in quoted(paths)]
    patterns = [pattern(path) for path, _ in lines]
    assert [f for f in sorted(files) if not any(p.fullmatch(f) for p in patterns)] == []
    empty = [
        path
        for (path, when), found in zip(lines, patterns, strict=True)
        if not when.startswith("where") and not any(found.fullmatch(file) for file in files)
    ]
    assert empty == []


def test_only_the_files_of_the_formats_are_there(plain):
    root = Path(plain.output)
    formats = {"tfrecord", "parquet"}
    for paths, when, _ in rows("## The folder"):
        wanting = set(quoted(when))
        for path in quoted(paths) if wanting and not wanting & formats else ():
            folder = root / path.split("{")[0].rpartition("/")[0]
            assert folder == root or not folder.exists(), path


LAYERED = Schema(Size.square(160), "jpeg", True, layered=True)
SCENES = Schema(Size.square(160), "jpeg", True, ("a", "b"), layered=True, scenes=True, crops=True)


@pytest.mark.parametrize(
    ("title", "fields"),
    [
        ("## A sample", Schema(Size.square(160), "jpeg", True, ("a", "b")).sample_fields()),
        ("## A clean picture", CLEAN_FIELDS),
        ("### A sample with layers", LAYERED.sample_fields()[6:7]),
        ("### A scene", SCENES.sample_fields()[12:]),
        ("### A clean picture with layers", LAYERED.clean_fields()[len(CLEAN_FIELDS) :]),
    ],
)
def test_the_fields_are_those_of_the_records(title: str, fields: tuple[Field, ...]):
    said = {quoted(row[0])[0]: row[2:4] for row in rows(title)}
    assert list(said) == [field.name for field in fields]
    types = {
        "picture": ("bytes", "struct"),
        "text": ("bytes, UTF-8", "string"),
        "int64": ("int64", "int64"),
        "label": ("int64", "int64"),
        "box": ("4 × int64", "list of 4 int64"),
        "float32": ("float", "float32"),
        "int64s": ("n × int64", "list of int64"),
        "float32s": ("n × float", "list of float32"),
        "texts": ("n × bytes, UTF-8", "list of string"),
        "boxes": ("4n × int64", "list of lists of 4 int64"),
    }
    for field in fields:
        in_tfrecord, in_parquet = types[field.kind]
        assert said[field.name][0] == in_tfrecord
        assert said[field.name][1].startswith(in_parquet)


def test_the_manifest_has_those_keys(full):
    content = json.loads(Path(full.manifest).read_text())
    said = {name: row[1] for row in rows("### manifest.json") for name in quoted(row[0])}
    assert list(said) == list(content)
    assert set(quoted(said["depth"])) == set(content["depth"])
    for kind in ("files", "other_files"):
        names = {name for name in quoted(said[kind]) if "/" not in name}
        assert all(set(entry) == names for entry in content[kind])
    listed = {entry["path"] for kind in ("files", "other_files") for entry in content[kind]}
    root = Path(full.output)
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert files - listed == {"manifest.json", "manifest.json.sha256", "state/lock"}


def test_the_statistics_have_those_keys(full):
    content = json.loads(Path(full.output, "statistics.json").read_text())
    said = set(quoted(section("### statistics.json")))
    assert set(content) <= said
    assert set(content["depth"]) - {"overall_std", "overall_min", "overall_max"} <= said


def test_the_depth_is_quantised_as_it_says(full):
    for row in list(rows_by_key(full.output).values())[:20]:
        depth = pixels(row["depth"]["bytes"])
        assert depth.min() == 0 and depth.max() == 65472 and not np.any(depth % 64)
        assert row["depth_scale"] > 0
