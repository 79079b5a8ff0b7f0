"""What verify finds where every checksum fits, and what it leaves alone."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline import JobError, generate
from pipeline.verify import VerifyResult, verify
from tests.conftest import make_spec
from transforms import storage
from transforms.digest_reader import DigestReader
from transforms.elements import Placement
from transforms.formats import TABLE_FORMATS
from transforms.formats.base import Entry
from transforms.formats.schema import Schema
from transforms.owned import is_stray
from transforms.pixels.size import Size
from transforms.plan.plan import Plan
from transforms.report.verify_report import Total
from transforms.steps.verify import within

ROOT = Path(__file__).parents[2]
ONE = ["--direct_num_workers=1"]


@pytest.fixture(scope="module")
def sound(inputs, tmp_path_factory) -> Path:
    """A data set of 24 samples in 2 shards, with one table and all that is no table."""
    root = tmp_path_factory.mktemp("sound")
    shutil.copytree(inputs, root / "inputs")
    spec = make_spec(
        root / "inputs",
        root / "set",
        max_samples=24,
        num_shards=2,
        image_size="32x40",
        foreground_size=16,
        formats=("parquet", "coco", "yolo", "zip"),
    )
    generate(spec, ONE, progress=False)
    return root / "set"


@pytest.fixture
def copy(sound, tmp_path) -> Path:
    """A copy to be damaged."""
    return shutil.copytree(sound, tmp_path / "set")


def told(folder: Path) -> VerifyResult:
    return verify(str(folder), ONE)


def text_of(result: VerifyResult) -> str:
    return "\n".join(f"{fault.path}: {fault.what}" for fault in result.faults)


def entry_of(path: Path) -> dict[str, object]:
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def store(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def put_right(root: Path) -> None:
    """Gives every file that is listed anywhere the size and checksum that it has."""
    for path in sorted(root.glob("state/records/*.json")):
        record = json.loads(path.read_text())
        for file in record["files"]:
            if (root / file["path"]).exists():
                file.update(entry_of(root / file["path"]))
        store(path, record)
    manifest = json.loads((root / "manifest.json").read_text())
    for file in (*manifest["files"], *manifest["other_files"]):
        if (root / file["path"]).exists():
            file.update(entry_of(root / file["path"]))
    put_manifest(root, manifest)


def put_manifest(root: Path, manifest: dict) -> None:
    store(root / "manifest.json", manifest)
    checksum = hashlib.sha256((root / "manifest.json").read_bytes()).hexdigest()
    (root / "manifest.json.sha256").write_text(f"{checksum}\n")


def turned(data: bytes, suffix: str = "PNG") -> bytes:
    image, file = Image.open(io.BytesIO(data)), io.BytesIO()
    image.transpose(Image.Transpose.ROTATE_180).save(file, suffix)
    return file.getvalue()


def change_table(path: Path, change: Callable[[list[dict]], list[dict]]) -> None:
    table = pq.read_table(path)
    rows = change(table.to_pylist())
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path, compression="none")


def turn_first(column: str) -> Callable[[list[dict]], list[dict]]:
    def change(rows: list[dict]) -> list[dict]:
        rows[0][column]["bytes"] = turned(rows[0][column]["bytes"])
        return rows

    return change


def turn_clean(root: Path) -> None:
    change_table(root / "assets/backgrounds-00000-of-00001.parquet", turn_first("image"))


def turn_clean_mask(root: Path) -> None:
    change_table(root / "assets/foregrounds-00000-of-00001.parquet", turn_first("mask"))


def remove_clean(root: Path) -> None:
    change_table(root / "assets/foregrounds-00000-of-00001.parquet", lambda rows: rows[1:])


def turn_clean_file(root: Path) -> None:
    path = root / "coco/assets/backgrounds/2.png"
    path.write_bytes(turned(path.read_bytes()))


def turn_composite(root: Path) -> None:
    change_table(root / "data/train-00001-of-00002.parquet", turn_first("image"))


def turn_mask(root: Path) -> None:
    change_table(root / "data/train-00001-of-00002.parquet", turn_first("mask"))


def turn_loose(root: Path) -> None:
    path = next(root.glob("coco/train/images/00001/*.jpg"))
    path.write_bytes(turned(path.read_bytes(), "JPEG"))


def change_label(root: Path) -> None:
    path = next(root.glob("yolo/labels/train/00000/*.txt"))
    path.write_text(path.read_text().replace("0.", "0.1", 1))


def change_box(root: Path) -> None:
    path = root / "coco/train/annotations.json"
    content = path.read_text()
    at = content.index('"bbox": [') + len('"bbox": [')
    path.write_text(content[:at] + "1" + content[at:])


def change_category(root: Path) -> None:
    path = root / "coco/train/annotations.json"
    path.write_text(path.read_text().replace('"name": "fg"', '"name": "gf"'))


def change_zip(root: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    path = root / "zip/batch1_images.zip"
    with zipfile.ZipFile(path) as batch:
        entries = {name: batch.read(name) for name in batch.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as batch:
        for name, data in entries.items():
            batch.writestr(name, data)


def cut_zip(root: Path) -> None:
    def change(entries: dict[str, bytes]) -> None:
        del entries[next(name for name in entries if name.startswith("fg_bg_jpg/"))]

    change_zip(root, change)


def turn_in_zip(folder: str) -> Callable[[Path], None]:
    def change(entries: dict[str, bytes]) -> None:
        name = next(name for name in entries if name.startswith(folder))
        entries[name] = turned(entries[name], "JPEG")

    return lambda root: change_zip(root, change)


def replace(path: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        data = (root / path).read_bytes()
        (root / path).write_bytes(turned(data) if path.endswith(".png") else data + b" ")

    return change


DAMAGES = {
    "clean": (turn_clean, "assets/backgrounds-00000-of-00001.parquet: the clean image 1: image is"),
    "clean mask": (turn_clean_mask, "the clean image 1: mask is not what the inputs give"),
    "clean removed": (remove_clean, "assets/foregrounds-00000-of-00001.parquet: the clean image 1"),
    "clean file": (turn_clean_file, "coco/assets/backgrounds/2.png: it is not what the inputs"),
    "composite": (turn_composite, "image is not what the inputs give"),
    "mask": (turn_mask, "mask is not what the inputs give"),
    "loose picture": (turn_loose, ".jpg: it is not what the inputs give"),
    "label": (change_label, ".txt: it is not what the inputs give"),
    "box": (change_box, "coco/train/annotations.json: its content is not what the samples give"),
    "categories": (change_category, "coco/train/annotations.json: the line "),
    "zip cut": (cut_zip, "zip/batch1_images.zip: it holds "),
    "zip composite": (turn_in_zip("fg_bg_jpg/"), "zip/batch1_images.zip: its content is not what"),
    "zip background": (turn_in_zip("bg_jpg/"), "zip/batch1_images.zip: its content is not what"),
    "zip foreground": (turn_in_zip("fg_jpg/"), "zip/batch1_images.zip: its content is not what"),
    **{
        path: (replace(path), f"{path}: it is not what the data set gives")
        for path in (
            "README.md",
            "croissant.json",
            "statistics.json",
            "statistics.md",
            "yolo/data.yaml",
            "gallery/index.html",
            "gallery/triples.png",
            "gallery/images/bg_1.jpg",
            "gallery/plots/heat.png",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_where_all_checksums_fit(copy, name):
    damage, wanted = DAMAGES[name]
    damage(copy)
    put_right(copy)
    assert wanted in text_of(told(copy))


def test_checksums_that_are_put_right_are_no_fault(copy):
    put_right(copy)
    result = told(copy)
    assert result.faults == () and result.unchecked == () and result.samples == 24


def lie(name: str, value: object) -> Callable[[dict], None]:
    return lambda manifest: manifest.update({name: value})


def forget_file(manifest: dict) -> None:
    del manifest["files"][0]


def other_split(manifest: dict) -> None:
    manifest["splits"]["train"]["shards"] = 3


def other_input(manifest: dict) -> None:
    manifest["inputs"]["backgrounds"][0]["sha256"] = "0" * 64


def other_seed(manifest: dict) -> None:
    manifest["spec"]["seed"] = 5


def other_count(manifest: dict) -> None:
    manifest["files"][-1]["count"] += 1


@pytest.mark.parametrize(
    "change, wanted",
    [
        (lie("samples", 99), "samples is 99, not 24"),
        (lie("failed", 1), "failed is 1, not 0"),
        (other_split, "splits is "),
        (forget_file, "it does not list "),
        (other_input, "its backgrounds are not those of the plan"),
        (other_seed, "its spec has another seed than state/spec.json"),
        (other_count, "is not what the records say"),
    ],
)
def test_a_manifest_that_says_something_else_is_found(copy, change, wanted):
    manifest = json.loads((copy / "manifest.json").read_text())
    change(manifest)
    put_manifest(copy, manifest)
    [line] = text_of(told(copy)).splitlines()
    assert line.startswith("manifest.json: ") and wanted in line


def test_without_inputs_it_says_what_was_not_checked(sound, tmp_path):
    """What needs no inputs is found all the same."""
    moved = shutil.copytree(sound.parent, tmp_path / "moved")
    folder = moved / "set"
    for name in ("plan", "spec"):
        state = folder / f"state/{name}.json"
        state.write_text(state.read_text().replace(str(sound.parent), str(tmp_path / "gone")))
    put_right(folder)
    result = told(folder)
    assert result.faults == () and result.samples == 24
    assert "not all held against the inputs" in result.unchecked[0]
    assert str(tmp_path / "gone") in result.unchecked[0]
    assert any("zip/batch1_images.zip" in line or "coco/" in line for line in result.unchecked)
    cut_zip(folder)
    put_right(folder)
    assert "zip/batch1_images.zip: it holds " in text_of(told(folder))


def test_other_versions_are_no_fault(copy):
    """Encoders of other versions may give other bytes, and programs other texts."""
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["versions"].update(pillow="1.0", **{"mask-depth-dataset": "0.1"})
    put_manifest(copy, manifest)
    replace("README.md")(copy)
    put_right(copy)
    result = told(copy)
    assert result.faults == ()
    assert any("made with" in line and "pillow 1.0" in line for line in result.unchecked)


STRAYS = (
    ".DS_Store",
    "data/.DS_Store",
    "gallery/Thumbs.db",
    "desktop.ini",
    ".gitattributes",
    ".git/objects/12/34",
    ".cache/huggingface/download/data/train.parquet.metadata",
    "data/._train-00000-of-00002.parquet",
)


def test_what_file_managers_and_downloads_leave_is_no_fault(copy):
    for name in STRAYS:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("x")
    assert told(copy).faults == ()
    for name in (".cache/other", ".hidden", "huggingface/x", "data/notes.txt"):
        assert not is_stray(name)
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("x")
    assert [fault.path for fault in told(copy).faults] == [
        ".cache/other", ".hidden", "data/notes.txt", "huggingface/x"
    ]  # fmt: skip


def as_folder(path: Path) -> None:
    path.mkdir()


def as_pipe(path: Path) -> None:
    os.mkfifo(path)


def as_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "make, wanted",
    [(as_folder, "it is a folder"), (as_pipe, "it is no regular file"), (as_link, "it is missing")],
)
@pytest.mark.parametrize(
    "name",
    [
        "data/train-00000-of-00002.parquet",
        "assets/backgrounds-00000-of-00001.parquet",
        "coco/train/annotations.json",
        "zip/batch1_images.zip",
        "state/records/train-00000-of-00002.json",
        "README.md",
        "manifest.json",
    ],
)
def test_anything_in_place_of_a_file_is_named(copy, make, wanted, name):
    (copy / name).unlink()
    make(copy / name)
    if name == "manifest.json" and make is as_link:
        return  # Without it the set is unfinished.
    result = told(copy)
    assert f"{name}: " in text_of(result) and wanted in text_of(result)


def test_paths_are_relative_to_the_set_from_any_folder(copy, monkeypatch):
    (copy / "data/train-00000-of-00002.parquet").unlink()
    (copy / "more.txt").write_text("x")
    monkeypatch.chdir(copy.parent)
    for folder in ("set", "./set/", str(copy), str(copy / "data" / "..")):
        paths = {fault.path for fault in verify(folder, ONE).faults}
        assert {"data/train-00000-of-00002.parquet", "more.txt"} <= paths
        assert not any(path.startswith("/") for path in paths)


def state_of(root: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_ctime_ns)
        for path in (root, *root.rglob("*"))
    }


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_nothing_is_written_into_the_set(sound, workers):
    before = state_of(sound)
    result = verify(str(sound), [f"--direct_num_workers={workers}"])
    assert result.faults == () and result.samples == 24
    assert state_of(sound) == before


class Counting(io.FileIO):
    """A file that counts the bytes that are read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(-1 if size is None else size)
        self.taken += len(data)
        return data


@pytest.mark.parametrize("name", ["tfrecord", "parquet", "webdataset"])
def test_content_and_checksum_take_one_reading(full, name):
    plan = Plan.from_json(Path(full.output, "state/plan.json").read_text())
    table = TABLE_FORMATS[name]
    path = Path(full.output, table.sample_path(next(plan.shards())))
    with Counting(path) as file:
        reader = DigestReader(file)
        fields = Schema(Size.square(160), "jpeg", True).sample_fields()
        rows = len(list(table.read(cast(BinaryIO, reader), fields)))
        size, digest = reader.finish()
        assert rows > 10 and size == path.stat().st_size
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
        assert file.taken < size + 100_000


def test_a_digest_is_that_of_the_whole_file_in_any_order_of_reading():
    data = np.random.default_rng(0).bytes(10_000)
    for order in ((9_000, 0, 4_000), (0, 100, 5_000), (), (0,), (3_000, 2_000, 0), (4, 4_010)):
        reader = DigestReader(io.BytesIO(data))
        for begin in order:
            reader.seek(begin)
            reader.read(4_000)
        assert reader.finish() == (10_000, hashlib.sha256(data).hexdigest())


def test_totals_tell_contents_and_not_order():
    entries = [Entry("a", b"1"), Entry("b", b"2"), Entry("c", b"3")]
    total = Total.of(entries)
    assert total == Total.of(reversed(entries)) == Total.of(entries[:1]) + Total.of(entries[1:])
    assert total != Total.of([Entry("a", b"2"), Entry("b", b"1"), Entry("c", b"3")])
    assert total != Total.of(entries[:2]) and total.count == 3


@pytest.mark.parametrize(
    "x, y, inside",
    [(5, 7, True), (4, 7, False), (9, 7, False), (5, 6, False), (5, 13, False), (8, 12, True)],
)
def test_a_mask_lies_where_its_foreground_was_placed(x, y, inside):
    """The foreground takes columns 5 to 8 and rows 7 to 12."""
    mask = np.zeros((32, 32), np.uint8)
    mask[y, x] = 1
    assert within(mask, Placement(1, 1, 0, 1, 5, 7, 4, 6)) is inside


def test_an_empty_mask_lies_nowhere():
    assert not within(np.zeros((8, 8), np.uint8), Placement(1, 1, 0, 1, 0, 0, 8, 8))


@pytest.mark.timeout(120)
def test_a_worker_that_cannot_start_ends_the_verification(sound, monkeypatch):
    monkeypatch.setattr("pipeline.runner.command", lambda: "exec false")
    with pytest.raises(JobError, match="a worker process has died"):
        verify(str(sound), ["--direct_num_workers=2"])


ENTRY = "import sys; sys.path[0] = sys.argv.pop(1); from pipeline.cli import entry; entry()"


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("start", [["-c", ENTRY, str(ROOT)], ["-m", "pipeline"]])
def test_modules_of_the_same_names_in_the_current_folder_do_no_harm(sound, tmp_path, start):
    (tmp_path / "transforms.py").write_text("raise SystemExit('not this one')\n")
    if start[0] == "-c":  # `-m pipeline` asks for the one in the current folder first.
        (tmp_path / "pipeline.py").write_text("raise SystemExit('not this one')\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = [sys.executable, *start, "verify", str(sound), "--direct_num_workers=2"]
    done = subprocess.run(
        arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "24 samples" in done.stdout and "no fault" in done.stdout


def test_a_pipe_is_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is no regular file"):
        storage.read_bytes(str(tmp_path / "pipe"))
