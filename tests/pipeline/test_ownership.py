"""What is in an output folder that the program did not make stays there, whatever is asked for."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from pipeline import SpecError, generate
from pipeline.catalog import build_catalog
from pipeline.local.lease import LOCK, locked
from pipeline.output import STALE_SECONDS, claim, refuse_foreign
from pipeline.places import check_apart, check_places
from pipeline.run import make_plan
from pipeline.spec import DatasetSpec
from pipeline.verify import verify
from tests.conftest import make_spec
from transforms import storage
from transforms.formats.base import Folder
from transforms.owned import written_names
from transforms.plan.plan import Plan
from transforms.records import read_record

LOCAL = ["--direct_num_workers=1"]
SMALL = {"placements": 1, "formats": ("parquet",), "max_samples": 20, "num_shards": 2}


@pytest.fixture(scope="module")
def small(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished data set of 20 samples in two shards."""
    output = tmp_path_factory.mktemp("small") / "set"
    generate(make_spec(inputs, output, **SMALL), LOCAL, progress=False)
    return output


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(small, tmp_path / "set"))


def planned(inputs: Path, output: Path, **changes: object) -> tuple[DatasetSpec, Plan]:
    """The spec and plan of the small data set, with some fields changed."""
    spec = make_spec(inputs, output, **{**SMALL, **changes})
    return spec, make_plan(spec, build_catalog(spec))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "files",
    [
        {"main.tf": "resource", "state/default.tfstate": "{}"},
        {"state/default.tfstate": "{}"},
        {"state/plan.json": "{}"},
        {"state/plan.json": "{}", "state/spec.json": '{"seed": 1}'},
        {"state/plan.json": "", "data/train-00000-of-00001.parquet": "PAR1"},
        {"state/lock": "held by terraform"},
        {"state/tmp/notes.part": "x"},
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_somebody_else_is_refused_and_kept(inputs, tmp_path, files, overwrite):
    output = tmp_path / "project"
    for name, text in files.items():
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / name).write_text(text)
    before = contents(output)
    with pytest.raises(
        SpecError, match=r"not written by this program|holds no data set"
    ) as refused:
        generate(make_spec(inputs, output, **SMALL), progress=False, overwrite=overwrite)
    assert len(str(refused.value).splitlines()) == 1
    assert contents(output) == before


def test_a_folder_of_folders_alone_is_empty(tmp_path):
    (tmp_path / "set" / "state").mkdir(parents=True)
    refuse_foreign(str(tmp_path / "set"))
    (tmp_path / "set" / "link").symlink_to(tmp_path)
    with pytest.raises(SpecError, match="it has 'link'"):
        refuse_foreign(str(tmp_path / "set"))


@pytest.mark.parametrize("flag", ["output", "foregrounds", "backgrounds", "masks", "categories"])
@pytest.mark.parametrize("path", ["", " "])
def test_an_empty_path_is_refused(inputs, tmp_path, monkeypatch, flag, path):
    monkeypatch.chdir(tmp_path)
    given = make_spec(inputs, tmp_path / "set")
    with pytest.raises(SpecError, match=rf"--{flag}\S*\s* is empty; give a path"):
        generate(dataclasses.replace(given, **{flag: path}), progress=False, overwrite=True)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_path_is_not_verified(small, monkeypatch):
    monkeypatch.chdir(small)
    with pytest.raises(SpecError, match="--output is empty"):
        verify("")


def test_output_and_inputs_lie_apart(inputs, tmp_path):
    root = Path(shutil.copytree(inputs, tmp_path / "in"))
    (tmp_path / "link").symlink_to(root)
    within = "its files would be read as input"
    for output, changes, what in (
        (root / "fg" / "set", {}, within),
        (root / "fg", {}, "is inside --output="),
        (tmp_path, {}, "is inside --output="),
        (tmp_path / "link" / "fg" / "set", {}, within),
        (root / "set", {"foregrounds": str(tmp_path / "link" / "**" / "*.png")}, within),
        (root / "set", {"foregrounds": str(root / "*" / "*.png")}, within),
        (root / "set", {"masks": str(root)}, within),
        (root / "set", {"categories": str(root / "set" / "names.csv")}, "--categories=.*is inside"),
    ):
        spec = make_spec(root, output, **changes)
        with pytest.raises(SpecError, match=what):
            check_places(spec)
    check_places(make_spec(root, root / "set"))
    check_places(make_spec(root, root / "set", foregrounds=str(root / "fg*" / "*.png")))
    check_places(make_spec(root, tmp_path / "in2"))
    stored = DatasetSpec("gs://b/in/fg", "gs://b/in/bg", "gs://b/in/fg/set")
    with pytest.raises(SpecError, match=within):
        check_places(stored)
    check_places(dataclasses.replace(stored, output="gs://b/in/fg2"))


def test_an_input_that_a_link_leads_to_is_not_in_the_output(inputs, tmp_path):
    root = Path(shutil.copytree(inputs, tmp_path / "in"))
    output = tmp_path / "set"
    output.mkdir()
    shutil.move(root / "fg" / "fg_img_1.png", output / "one.png")
    (root / "fg" / "fg_img_1.png").symlink_to(output / "one.png")
    spec, plan = planned(root, output)
    check_places(spec)
    with pytest.raises(SpecError, match=r"fg_img_1.png is inside --output="):
        check_apart(spec.output, plan)


def test_overwrite_and_extend_exclude_each_other(inputs, copy):
    before = contents(copy)
    with pytest.raises(SpecError, match="give either --overwrite or --extend"):
        generate(make_spec(inputs, copy), progress=False, overwrite=True, extend=True)
    assert contents(copy) == before


MINE = (
    "notes.txt",
    "data/mine.parquet",
    "data/mine-00000-of-00001.parquet",
    "gallery/holiday.jpg",
    "state/records/mine.json",
    "state/zip/mine.zip",
    "empty/deep/file",
)


def test_overwrite_deletes_only_what_the_program_has_made(inputs, copy):
    for name in MINE:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("mine")
    (copy / "nothing").mkdir()
    os.link(copy / "notes.txt", copy / "data" / "link.parquet")
    spec = make_spec(inputs, copy, **SMALL, seed=3)
    assert generate(spec, LOCAL, progress=False, overwrite=True).samples == 20
    assert {name: (copy / name).read_text() for name in MINE} == dict.fromkeys(MINE, "mine")
    assert (copy / "nothing").is_dir()
    faults = {os.path.relpath(os.path.join(copy, f.path), copy) for f in verify(str(copy)).faults}
    assert faults == {*MINE, "data/link.parquet"}


def test_every_file_of_a_data_set_is_known_as_its_own(full):
    names = written_names(["train", "test"])
    unknown = {
        name
        for name in contents(Path(full.output))
        if not names.fullmatch(name)
        and name not in (LOCK, "state/plan.json", "state/spec.json", "state/identity.json")
    }
    assert unknown == set()


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("deletions", [0, 1, 2, 4, 6, 9])
@pytest.mark.parametrize("command", ["same", "old", "another"])
def test_an_overwrite_killed_anywhere_leaves_a_folder_that_does_not_lie(
    inputs, copy, monkeypatch, deletions, command
):
    (copy / "notes.txt").write_text("mine")
    spec, plan = planned(inputs, copy, seed=3)
    delete = storage.delete
    done: list[str] = []

    def counted(path: str) -> None:
        if len(done) == deletions:
            raise Killed
        done.append(path)
        delete(path)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(storage, "delete", counted)
        claim(spec, plan, overwrite=True)
    refuse_foreign(str(copy))
    records = {path.stem for path in copy.glob("state/records/*.json")}
    for name in records:  # A record is deleted before its files.
        folder = "assets" if name.startswith(("fore", "back")) else "data"
        assert (copy / folder / f"{name}.parquet").exists()
    if command == "old":
        old = claim(*planned(inputs, copy))
        assert old.finished == (deletions == 0)
    elif command == "another":
        with pytest.raises(SpecError, match="holds another data set: its seed is 0, not 4"):
            claim(*planned(inputs, copy, seed=4))
    else:
        again = claim(spec, plan, overwrite=True)
        assert again.plan == plan and not again.finished
        assert not list(copy.glob("state/records/*")) and not list(copy.glob("data/*"))
    assert (copy / "notes.txt").read_text() == "mine"


def test_an_overwrite_killed_between_two_data_sets(inputs, copy):
    (copy / "notes.txt").write_text("mine")
    spec, plan = planned(inputs, copy, seed=3)
    claim(spec, plan, overwrite=True)
    for gone in ("spec.json", "identity.json"):  # As it is before these have come.
        (copy / "state" / gone).unlink()
        refuse_foreign(str(copy))
        again = claim(spec, plan, overwrite=True)
        assert again.plan == plan and not again.finished


def test_the_same_overwrite_continues_what_it_has_begun(inputs, copy):
    (copy / "manifest.json").unlink()
    spec, plan = planned(inputs, copy)
    gone = {"manifest.json.sha256", "state/spec.json"}  # The spec names the folder.
    before = {name: data for name, data in contents(copy).items() if name not in gone}
    assert not claim(spec, plan, overwrite=True).finished
    after = contents(copy)
    assert after.pop("state/spec.json") and after == before
    spec, plan = planned(inputs, copy, seed=1)
    claim(spec, plan, overwrite=True)
    left = set(contents(copy))
    assert left == {LOCK, "state/identity.json", "state/plan.json", "state/spec.json"}


def test_a_record_of_another_data_set_never_counts(inputs, copy, tmp_path):
    spec, plan = planned(inputs, tmp_path / "other", seed=1)
    claim(spec, plan)
    folder = Folder(spec.output)
    for place in ("state/records", "data"):
        shutil.copytree(copy / place, tmp_path / "other" / place)
    for shard in plan.shards():
        assert (tmp_path / "other/state/records" / f"{shard.name}.json").exists()
        assert read_record(folder, shard) is None
    for changes in ({"image_encoding": "png"}, {"depth_bits": 9}, {"foreground_size": 31}):
        spec, plan = planned(inputs, tmp_path / "other", **changes)
        (tmp_path / "other/state/spec.json").unlink()
        claim(spec, plan)
        assert [read_record(folder, shard) for shard in plan.shards()] == [None, None]
    (tmp_path / "other/state/spec.json").unlink()
    spec, plan = planned(inputs, tmp_path / "other")
    claim(spec, plan)
    assert all(read_record(folder, shard) is not None for shard in plan.shards())


def part(output: Path, name: str, age: float) -> Path:
    path = output / "state" / "tmp" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"half")
    now = path.stat().st_mtime
    os.utime(path, (now - age, now - age))
    return path


def test_a_second_start_spares_what_a_job_elsewhere_writes(inputs, copy):
    (copy / "manifest.json").unlink()
    spec, plan = planned(inputs, copy)
    with pytest.raises(KeyboardInterrupt), locked(spec.output, local=False) as alone:
        assert alone
        raise KeyboardInterrupt
    young = part(copy, f".train.{'a' * 32}.part", STALE_SECONDS - 60)
    old = part(copy, f".train.{'b' * 32}.part", STALE_SECONDS + 60)
    mine = part(copy, "mine.part", STALE_SECONDS + 60)
    with pytest.raises(KeyboardInterrupt), locked(spec.output) as alone:
        assert not alone
        claim(spec, plan, alone=alone)
        assert young.exists() and not old.exists() and mine.exists()
        raise KeyboardInterrupt
    with locked(spec.output) as alone:
        assert not alone  # The local run that has come between knows nothing more.
    with locked(spec.output) as alone:
        assert alone
        claim(spec, plan, alone=alone)
        assert not young.exists() and mine.exists()


def test_a_run_that_was_refused_changes_nothing_about_the_one_elsewhere(copy):
    with pytest.raises(SpecError), locked(str(copy), local=False):
        raise SpecError("another data set")
    assert (copy / LOCK).read_bytes() == b""
    with pytest.raises(RuntimeError), locked(str(copy), local=False):
        raise RuntimeError
    with pytest.raises(SpecError), locked(str(copy)):
        raise SpecError("another data set")
    with locked(str(copy)) as alone:
        assert not alone
