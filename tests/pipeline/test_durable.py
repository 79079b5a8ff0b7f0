"""What reaches the disk, and what a data set is worth whose files did not."""

import dataclasses
import hashlib
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import SpecError, generate
from pipeline.catalog import build_catalog
from pipeline.maker import Maker, maker_of
from pipeline.output import claim
from pipeline.run import make_plan, versions
from pipeline.verify import verify
from pipeline.version import VERSION
from tests.conftest import make_spec
from tests.faults.jobs import checksums
from transforms import models, storage
from transforms.elements import Failure
from transforms.formats.base import Folder
from transforms.models.base import ModelError
from transforms.models.depth.base import RELATIVE_INVERSE_DEPTH
from transforms.plan.extend import extended
from transforms.plan.identity import part_of, plan_digest
from transforms.plan.plan import Plan
from transforms.recipe import DepthSettings
from transforms.records import read_record, write_record
from transforms.steps.depth import load_model
from transforms.steps.finish import read_manifest
from transforms.steps.resume import finished_record

LOCAL = ["--direct_num_workers=1"]
SMALL = {"placements": 1, "formats": ("parquet",), "max_samples": 40, "num_shards": 3}


@pytest.fixture(scope="module")
def small(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished data set of 40 samples in three shards."""
    output = tmp_path_factory.mktemp("small") / "set"
    generate(make_spec(inputs, output, **SMALL), LOCAL, progress=False)
    return output


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(small, tmp_path / "set"))


def plan_of(output: Path) -> Plan:
    return Plan.from_json((output / "state/plan.json").read_text())


def test_files_and_names_are_on_the_disk_in_this_order(tmp_path, monkeypatch):
    events = []
    fsync, rename = os.fsync, os.rename

    def synced(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        events.append(("sync", os.path.relpath(path, tmp_path)))
        if path.endswith(".part"):
            assert os.stat(path).st_size == 5
        fsync(descriptor)

    def renamed(source: str, target: str) -> None:
        events.append(("rename", os.path.relpath(target, tmp_path)))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    folder = Folder(str(tmp_path / "set"))
    folder.write("data/one/file", b"bytes")
    made = [event for event in events if not event[1].endswith(".part")]
    assert made == [
        ("sync", "."),  # For the name of each new folder.
        ("sync", "set"),
        ("sync", "set/data"),
        ("sync", "set"),
        ("sync", "set/state"),
        ("rename", "set/data/one/file"),
        ("sync", "set/data/one"),
    ]
    [(kind, name)] = [event for event in events if event[1].endswith(".part")]
    assert kind == "sync" and name.startswith("set/state/tmp/")
    assert events.index((kind, name)) < events.index(("rename", "set/data/one/file"))

    events.clear()
    folder.write("data/one/other", b"bytes", durable=False)
    assert events == [("rename", "set/data/one/other")]
    storage.sync_files([folder.path("data/one/other")])
    assert events[1:] == [("sync", "set/data/one/other"), ("sync", "set/data/one")]


def test_a_file_that_does_not_reach_the_disk_gets_no_name(tmp_path, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        storage.write_bytes(str(tmp_path / "file"), b"bytes")
    assert list(tmp_path.iterdir()) == []


DAMAGES = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
    "list": lambda data: b"[]",
    "bytes": lambda data: b"\xff\xfe" + data,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_state_is_absent_or_named_in_one_line(inputs, copy, damage):
    spec = make_spec(inputs, copy, **SMALL)
    plan = make_plan(spec, build_catalog(spec))

    def damaged(name: str) -> Path:
        path = copy / name
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
        return path

    damaged("manifest.json")
    assert read_manifest(Folder(spec.output)) is None
    assert not claim(spec, plan).finished and not (copy / "manifest.json").exists()
    first = next(plan.shards())
    damaged(f"state/records/{first.name}.json")
    assert read_record(Folder(spec.output), first) is None
    assert finished_record(Folder(spec.output), first) is None
    for name in ("state/plan.json", "state/spec.json", "state/identity.json"):
        before = (copy / name).read_bytes()
        path = damaged(name)
        with pytest.raises(
            SpecError, match=rf"{name} is damaged or was not written by this program"
        ) as told:
            generate(spec, LOCAL, progress=False)
        assert len(str(told.value).splitlines()) == 1
        path.write_bytes(before)


def test_a_finished_set_without_all_its_files_is_not_finished(inputs, copy, caplog):
    before = checksums(copy)
    victims = ("data/train-00001-of-00003.parquet", "gallery/composites.png", "README.md")
    (copy / victims[0]).write_bytes(b"PAR1")
    (copy / victims[1]).unlink()
    (copy / victims[2]).write_bytes(b"")
    assert {fault.path for fault in verify(str(copy)).faults} >= set(victims)
    with caplog.at_level(logging.WARNING):
        result = generate(make_spec(inputs, copy, **SMALL), LOCAL, progress=False)
    assert "3 files are missing or of another size, such as README.md" in caplog.text
    assert not result.already_finished and checksums(copy) == before
    assert verify(str(copy)).faults == ()
    assert generate(make_spec(inputs, copy, **SMALL), LOCAL, progress=False).already_finished


def test_shards_with_failed_samples_are_made_again(copy):
    folder, plan = Folder(str(copy)), plan_of(copy)
    shard = next(plan.shards())
    record = finished_record(folder, shard)
    assert record is not None
    write_record(
        folder, dataclasses.replace(record, failures=(Failure("1_1_0_1", "Depth", "not finite"),))
    )
    assert read_record(folder, shard) is not None and finished_record(folder, shard) is None


def test_a_mask_that_changed_is_another_data_set(inputs, copy):
    spec = make_spec(inputs, copy, **SMALL)
    plan = make_plan(spec, build_catalog(spec))
    masked = tuple(
        dataclasses.replace(a, mask_path="mask.png", mask_sha256="0" * 64) if a.id == 4 else a
        for a in plan.foregrounds
    )
    with pytest.raises(SpecError, match="1 of its foregrounds are changed, the first with id 4"):
        claim(spec, dataclasses.replace(plan, foregrounds=masked))
    assert plan_digest(dataclasses.replace(plan, foregrounds=masked), 0) != plan_digest(plan, 0)


MAKER = Maker("mask-depth-dataset 1.0.0", "a" * 64, "onnxruntime 1.20.0")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"weights": "b" * 64}, "a{64}, the current ones have b{64}"),
        ({"computed_by": "onnxruntime 1.21.0"}, r"onnxruntime 1\.20\.0, here is .* 1\.21\.0"),
        ({"program": "mask-depth-dataset 2.0.0"}, r"mask-depth-dataset 1\.0\.0, this is .* 2\.0"),
    ],
)
def test_another_maker_cannot_continue_or_extend(inputs, tmp_path, changes, what):
    spec = make_spec(inputs, tmp_path / "set", depth_model="builtin")
    plan = make_plan(spec, build_catalog(spec))
    claim(spec, plan, MAKER)
    before = (tmp_path / "set/state/identity.json").read_bytes()
    assert json.loads(before)["weights"] == "a" * 64
    other = dataclasses.replace(MAKER, **changes)
    more = dataclasses.replace(spec, placements=4)
    for wanted, extend in ((spec, False), (spec, True), (more, True)):
        with pytest.raises(SpecError, match=what) as refused:
            claim(wanted, make_plan(wanted, build_catalog(wanted)), other, extend=extend)
        assert len(str(refused.value).splitlines()) == 1
    assert (tmp_path / "set/state/identity.json").read_bytes() == before
    claim(spec, plan, MAKER)
    claim(spec, plan, other, overwrite=True)
    assert (tmp_path / "set/state/identity.json").read_bytes() != before


def test_a_set_says_the_version_that_runs_whatever_is_installed(monkeypatch):
    """An editable installation describes the version that it was made of."""
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0.1")
    program = f"mask-depth-dataset {VERSION}"
    assert maker_of("none").program == program
    assert versions()[0] == ("mask-depth-dataset", VERSION)
    assert dict(versions())["numpy"] == "0.0.1"


def test_the_maker_of_a_depth_model_has_its_weights_and_what_computes_it():
    maker = maker_of("builtin")
    assert maker.weights == models.digest("builtin")
    assert re.fullmatch("[0-9a-f]{64}", maker.weights)
    assert re.fullmatch(r"onnxruntime \d+\.\d+\.\d+", maker.computed_by or "")
    assert maker_of("none") == Maker(maker.program)
    assert maker.program.startswith("mask-depth-dataset ")


def test_a_worker_refuses_other_weights():
    settings = DepthSettings("builtin", RELATIVE_INVERSE_DEPTH, digest="0" * 64)
    with pytest.raises(ModelError, match=rf"SHA-256 {models.digest('builtin')}, .* 0{{64}}"):
        load_model(settings)
    load_model(dataclasses.replace(settings, digest=models.digest("builtin")))


def older(output: Path) -> None:
    """Makes a data set as it was before there were identities."""
    (output / "state/identity.json").unlink()
    for path in output.glob("state/records/*.json"):
        fields = json.loads(path.read_text())
        del fields["digest"]
        path.write_text(json.dumps(fields, indent=1, ensure_ascii=False) + "\n")


def test_an_older_set_continues_where_that_is_safe(inputs, copy):
    before = {p.name: p.stat().st_ino for p in copy.glob("data/*")}
    older(copy)
    (copy / "manifest.json").unlink()
    (copy / "data/train-00002-of-00003.parquet").unlink()
    generate(make_spec(inputs, copy, **SMALL), LOCAL, progress=False)
    after = {p.name: p.stat().st_ino for p in copy.glob("data/*")}
    assert {n for n in before if before[n] == after[n]} == {
        "train-00000-of-00003.parquet",
        "train-00001-of-00003.parquet",
    }
    assert not (copy / "state/identity.json").exists() and verify(str(copy)).faults == ()


def test_an_older_set_with_depth_is_not_continued(inputs, tmp_path):
    spec = make_spec(inputs, tmp_path / "set", depth_model="builtin")
    plan = make_plan(spec, build_catalog(spec))
    claim(spec, plan)
    (tmp_path / "set/state/identity.json").unlink()
    with pytest.raises(
        SpecError, match="started by an older version, which did not record its depth"
    ):
        claim(spec, plan)


def test_the_digest_of_a_part_is_that_of_the_set_before_it_was_extended(inputs, tmp_path):
    def planned(**changes: object) -> Plan:
        spec = make_spec(inputs, tmp_path / "set", **changes)
        return make_plan(spec, build_catalog(spec))

    first, whole = planned(placements=2), planned(placements=5)
    grown = extended(first, whole)
    assert plan_digest(grown, 0) == plan_digest(first, 0) != plan_digest(whole, 0)
    assert plan_digest(grown, 1) != plan_digest(grown, 0)
    again = extended(grown, planned(placements=6))
    assert [plan_digest(again, part) for part in (0, 1)] == [
        plan_digest(grown, part) for part in (0, 1)
    ]
    numbers = [part_of(grown, shard) for shard in grown.shards()]
    assert numbers[:3] == [0] * 3 and set(numbers[3:]) == {1}
    moved = tuple(dataclasses.replace(a, path=f"/elsewhere/{a.id}") for a in first.foregrounds)
    assert plan_digest(dataclasses.replace(first, foregrounds=moved), 0) == plan_digest(first, 0)
    for changes in ({"seed": 1}, {"num_shards": 4}, {"flip": False}, {"max_samples": 7}):
        assert plan_digest(planned(placements=2, **changes), 0) != plan_digest(first, 0)


def test_the_manifest_names_what_computes_depth(small):
    versions = json.loads((small / "manifest.json").read_text())["versions"]
    assert f"onnxruntime {versions['onnxruntime']}" == maker_of("builtin").computed_by


@pytest.mark.slow
def test_a_machine_that_loses_power(inputs, tmp_path):
    """The disk is copied, as it is, at the end and in mid-run: each copy continues to the same."""
    image, disk = tmp_path / "disk.img", tmp_path / "disk"
    disk.mkdir()
    with open(image, "wb") as file:
        file.truncate(96 * 2**20)
    made = shutil.which("mkfs.ext4") and subprocess.run(["mkfs.ext4", "-q", image]).returncode == 0
    if not made or subprocess.run(["mount", "-o", "loop", image, disk]).returncode:
        pytest.skip("a file system in a file cannot be mounted here (no root, or no loop devices)")
    output, mounted = disk / "set", [disk]
    spec = make_spec(inputs, output, **{**SMALL, "max_samples": 400, "num_shards": 20})
    code = (
        "import sys; from pipeline import generate; from pipeline.spec import DatasetSpec;"
        "generate(DatasetSpec.from_json(sys.argv[1]), ['--direct_num_workers=1'], progress=False)"
    )
    try:
        job = subprocess.Popen([sys.executable, "-c", code, spec.to_json()])
        while len(list(output.glob("state/records/train-*"))) < 5 and job.poll() is None:
            time.sleep(0.005)
        job.send_signal(signal.SIGSTOP)  # A disk that loses power has one state, and not several.
        shutil.copy(image, tmp_path / "middle.img")
        job.send_signal(signal.SIGCONT)
        assert job.wait() == 0
        shutil.copy(image, tmp_path / "end.img")
        expected = checksums(output)
        for name in ("middle", "end"):
            (tmp_path / name).mkdir()
            command = ["mount", "-o", "loop", tmp_path / f"{name}.img", tmp_path / name]
            subprocess.run(command, check=True)
            mounted.append(tmp_path / name)
            copy = tmp_path / name / "set"
            assert len(list(copy.glob("state/records/train-*"))) >= 5
            assert all(path.stat().st_size for path in copy.rglob("*.json"))
            for path in copy.glob("state/records/*.json"):
                for file in json.loads(path.read_text())["files"]:
                    data = (copy / file["path"]).read_bytes()
                    assert hashlib.sha256(data).hexdigest() == file["sha256"]
            result = generate(dataclasses.replace(spec, output=str(copy)), LOCAL, progress=False)
            assert result.already_finished == (name == "end")
            assert checksums(copy) == expected
    finally:
        for place in reversed(mounted):
            subprocess.run(["umount", place], check=True)
