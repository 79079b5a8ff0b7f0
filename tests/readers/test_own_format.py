"""A format is one class: here one is added, and makes, describes and continues a data set."""

import json
import math
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import generate
from pipeline.output import encoded_size, estimated_bytes
from pipeline.verify import verify
from tests.conftest import make_spec
from tests.readers.rows import rows_by_key
from transforms.formats import FORMATS, TABLE_FORMATS
from transforms.formats.base import EncodedSize, Format, OutputFile, Snippet
from transforms.formats.schema import row_of
from transforms.owned import written_names
from transforms.plan.plan import Plan


class KeysFormat(Format):
    """A text file for each shard: a line of key and area for each sample."""

    name = "keys"
    file_names = (r"keys/{shard}\.txt", "keys/README")
    snippets = (Snippet("Keys", 'keys = open("DIR/keys/SPLIT-00000-of-00003.txt").read()'),)

    def open_samples(self, folder, shard, schema):
        return KeysSink(folder.create(f"keys/{shard.name}.txt"), shard, schema.sample_fields())

    def sample_bytes(self, size):
        return 16.0

    def describe(self, samples, clean):
        return (("keys/README", samples.text),)


class KeysSink:
    """A shard of it."""

    def __init__(self, file, shard, fields):
        self.file, self.shard, self.fields = file, shard, fields

    def write(self, item):
        row = row_of(self.fields, item)
        self.file.write(f"{row[0]} {row[-1]}\n".encode())

    def close(self):
        self.file.commit()
        path = f"keys/{self.shard.name}.txt"
        file = self.file
        return (
            OutputFile("keys", path, self.shard.split, self.shard.count, file.size, file.sha256),
        )

    def discard(self):
        self.file.discard()


@pytest.mark.slow
def test_a_format_of_ones_own_needs_nothing_elsewhere(inputs, tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, "keys", KeysFormat())
    spec = make_spec(inputs, tmp_path / "set", formats=("parquet", "keys"), placements=1)
    result = generate(spec, ["--direct_num_workers=1"], progress=False)
    assert verify(result.output, ["--direct_num_workers=1"]).faults == ()
    root = Path(result.output)
    lines = [line for file in sorted(root.glob("keys/*.txt")) for line in file.open()]
    areas = {row["key"]: row["area"] for row in rows_by_key(result.output).values()}
    assert dict(line.split() for line in lines) == {k: str(a) for k, a in areas.items()}
    assert "### Keys\n" in (root / "README.md").read_text()
    assert (root / "keys/README").read_text().startswith("Foregrounds pasted")
    listed = {
        file["path"]: file["count"]
        for file in json.loads((root / "manifest.json").read_text())["files"]
    }
    assert sum(count for path, count in listed.items() if path.startswith("keys/")) == 144


def test_formats_know_the_names_of_their_files(full):
    """Only files of known names are ever removed: all but what identifies the set are known."""
    names = written_names(["train", "test"])
    root = Path(full.output)
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    unknown = {name for name in files if not names.fullmatch(name)}
    assert all(name.startswith("state/") and "/" not in name[6:] for name in unknown), unknown
    for name in (
        "tfrecord/mask_depth/1.0.0/label.labels.txt",
        "state/zip/train-00000-of-00002.zip",
    ):
        assert names.fullmatch(name)
    for name in ("yolo/notes.txt", "coco/train/mine.json", "data/other-00000-of-00001.parquet"):
        assert not names.fullmatch(name)


def on_disk(path: Path) -> int:
    """Bytes of a file in blocks of 4096."""
    return math.ceil(path.stat().st_size / 4096) * 4096


def measured(full) -> EncodedSize:
    """The sizes of the set's samples, read from its files."""
    rows = list(rows_by_key(full.output).values())
    jpegs = sum(
        entry.file_size
        for path in Path(full.output, "zip").glob("*.zip")
        for entry in _entries(path)
        if "fg_bg" in entry.filename or entry.filename.startswith("mask_black")
    )
    return EncodedSize(
        image=sum(len(row["image"]["bytes"]) for row in rows) / len(rows),
        mask=sum(len(row["mask"]["bytes"]) for row in rows) / len(rows),
        depth=sum(len(row["depth"]["bytes"]) for row in rows) / len(rows),
        jpegs=jpegs / len(rows),
        outline=sum(2.5 * (row["bbox"][2] + row["bbox"][3]) for row in rows) / len(rows),
    )


def _entries(path: Path):
    with zipfile.ZipFile(path) as file:
        return file.infolist()


@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        ("tfrecord", ["tfrecord/mask_depth/*/*.tfrecord-*"]),
        ("parquet", ["data/*.parquet"]),
        ("webdataset", ["webdataset/mask_depth-t*.tar"]),
        ("coco", ["coco/t*/images/*/*", "coco/*/annotations.json"]),
        ("yolo", ["yolo/*/*/*/*"]),
    ],
)
def test_the_estimated_size_is_that_of_the_files(full, name, patterns):
    size = measured(full)
    files = [path for pattern in patterns for path in Path(full.output).glob(pattern)]
    # Files of a sample take whole blocks; those of a shard, next to nothing beyond their content.
    found = sum(
        on_disk(path) if path.parent.name.isdigit() else path.stat().st_size for path in files
    )
    assert FORMATS[name].sample_bytes(size) == pytest.approx(found / 288, rel=0.1)


def test_the_estimated_size_of_zips_is_that_of_their_composites(full):
    found = 0
    for path in Path(full.output, "zip").glob("*.zip"):
        entries = _entries(path)
        own = [e for e in entries if "fg_bg" in e.filename or e.filename.startswith("mask_black")]
        found += sum(e.file_size + 30 + 46 + 2 * len(e.filename) for e in own)
    zips = FORMATS["zip"]
    assert zips.sample_bytes(measured(full)) == pytest.approx(found / 288, rel=0.05)
    assert zips.passing_bytes(measured(full)) == zips.sample_bytes(measured(full))


def test_formats_that_join_fragments_count_them(full):
    """Annotations stand twice on the disk, as lines and joined; so do the pictures of the zips."""
    size = measured(full)
    pictures = sum(on_disk(path) for path in Path(full.output).glob("coco/t*/images/*/*"))
    annotations = sum(p.stat().st_size for p in Path(full.output).glob("coco/*/annotations.json"))
    coco = FORMATS["coco"]
    at_most = coco.sample_bytes(size) + coco.passing_bytes(size)
    assert at_most == pytest.approx((pictures + 2 * annotations) / 288, rel=0.05)
    assert FORMATS["zip"].passing_bytes(size) == FORMATS["zip"].sample_bytes(size) > size.jpegs
    assert all(FORMATS[name].passing_bytes(size) == 0 for name in TABLE_FORMATS)


def test_the_space_that_is_asked_for_is_that_of_all_formats(inputs, tmp_path, full):
    plan = Plan.from_json(Path(full.output, "state/plan.json").read_text())
    spec = make_spec(inputs, tmp_path, depth_model="builtin")
    size = encoded_size(spec)
    for names in (("coco",), ("zip", "yolo"), tuple(FORMATS)):
        asked = estimated_bytes(replace(spec, formats=names), plan) - 20_000_000
        formats = [FORMATS[name] for name in names]
        wanted = sum(each.sample_bytes(size) + each.passing_bytes(size) for each in formats)
        assert asked / plan.total == pytest.approx(wanted, abs=1)
