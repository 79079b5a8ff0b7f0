"""Real faults: after each, the same command continues to the result of an uninterrupted run."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.jobs import checksums, command, kill, run, start, verify, workers_of

MOMENTS = 20
SHARDS = 12

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def undisturbed(inputs, tmp_path_factory) -> tuple[dict[str, str], float]:
    """Checksums and seconds of a run that nothing disturbs."""
    output = tmp_path_factory.mktemp("undisturbed") / "set"
    begin = time.monotonic()
    run(command(inputs, output))
    seconds = time.monotonic() - begin
    verify(output)
    return checksums(output), seconds


def finish(inputs: Path, output: Path, expected: dict[str, str]) -> None:
    """Runs the same command again; the result must equal that of the undisturbed run."""
    run(command(inputs, output))
    assert checksums(output) == expected
    assert not list(output.rglob("*.part"))


def test_killed_at_any_moment(inputs, tmp_path, undisturbed):
    expected, seconds = undisturbed
    moments = random.Random(1)
    unfinished = 0
    for number in range(MOMENTS):
        output = tmp_path / f"set{number}"
        job = start(command(inputs, output))
        # Machines differ in speed: the moment is one of the job's own progress.
        wanted, later = moments.randrange(SHARDS), moments.uniform(0.0, 0.1) * seconds
        while job.poll() is None and len(list(output.glob("state/records/*"))) < wanted:
            time.sleep(0.005)
        time.sleep(later)
        kill(job)
        unfinished += not (output / "manifest.json").exists()
        for path in output.rglob("*"):  # What has a name is whole, at any moment.
            # The index's pieces below `state/` are joined and removed by the end.
            if path.suffix == ".parquet" and "index" not in path.parts:
                assert (
                    checksums(output)[str(path.relative_to(output))]
                    == expected[str(path.relative_to(output))]
                )
        finish(inputs, output, expected)
        if number % 5 == 0:
            verify(output)
        shutil.rmtree(output)
    assert unfinished >= MOMENTS // 2  # Otherwise nothing was tested.


def test_scenes_killed_while_they_are_prepared_and_made(inputs, tmp_path):
    natural = ("--preset=natural", "--background_crop=random", "--formats=parquet,coco")
    whole = tmp_path / "whole"
    run(command(inputs, whole, *natural))
    expected = checksums(whole)
    for name, pattern in (("prepared", "state/prepared/ground/*"), ("made", "state/records/*")):
        output = tmp_path / name
        job = start(command(inputs, output, *natural))
        while job.poll() is None and not list(output.glob(pattern)):
            time.sleep(0.005)
        kill(job)
        assert not (output / "manifest.json").exists()
        run(command(inputs, output, *natural))
        assert checksums(output) == expected
        shutil.rmtree(output)


def test_one_worker_killed_at_any_moment(inputs, tmp_path, undisturbed):
    expected, seconds = undisturbed
    moments = random.Random(2)
    killed = 0
    for number in range(MOMENTS):
        output = tmp_path / f"set{number}"
        job = start(command(inputs, output))
        deadline = time.monotonic() + 60
        while not (found := workers_of(job)) and job.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(moments.uniform(0.1, 0.7) * seconds)
        found = workers_of(job)
        if found:
            os.kill(moments.choice(found).pid, signal.SIGKILL)
            killed += 1
        text, _ = job.communicate(timeout=120)
        if job.returncode:
            assert "continues" in text, text
        finish(inputs, output, expected)
        shutil.rmtree(output)
    assert killed >= MOMENTS // 2


def test_interrupt_is_a_clean_stop(inputs, tmp_path, undisturbed):
    expected, _ = undisturbed
    for attempt in range(5):  # On a busy machine the job may be done before the signal is sent.
        output = tmp_path / f"set{attempt}"
        job = start(command(inputs, output))
        while not list(output.glob("state/records/*")):
            time.sleep(0.02)
        os.kill(job.pid, signal.SIGINT)
        text, _ = job.communicate(timeout=60)
        if job.returncode:
            break
    assert job.returncode == 130 and "Traceback" not in text
    assert "interrupted; the same command continues" in text
    finish(inputs, output, expected)


def test_no_space_left(inputs, tmp_path, undisturbed):
    expected, _ = undisturbed
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]).returncode:
        pytest.skip("a small disk cannot be mounted here (no root)")
    try:
        refused = run(command(inputs, disk / "set"), expected=2)
        assert "are needed and" in refused and "free" in refused
        filler = disk / "filler"
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        job = start(command(inputs, disk / "set"))
        while not list((disk / "set").glob("state/records/train-*")):
            time.sleep(0.02)
        with open(filler, "wb") as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
                    file.flush()
            except OSError:
                pass
        text, _ = job.communicate(timeout=120)
        if job.returncode:  # It may have been quicker than the filler.
            assert job.returncode == 1 and "No space left on device" in text, text
        filler.unlink()
        finish(inputs, disk / "set", expected)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_read_only_output(inputs, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", disk]).returncode:
        pytest.skip("a read-only disk cannot be mounted here (no root)")
    try:
        text = run(command(inputs, disk / "set"), expected=2)
        assert "cannot be written: Read-only file system" in text
        assert len(text.strip().splitlines()) == 1
    finally:
        subprocess.run(["umount", disk], check=True)


def test_two_jobs_on_one_output(inputs, tmp_path, undisturbed):
    expected, _ = undisturbed
    output = tmp_path / "set"
    first = start(command(inputs, output))
    while not (output / "state" / "spec.json").exists():
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGSTOP)  # Else it may be done before the second looks.
    text = run(command(inputs, output), expected=2)
    os.killpg(first.pid, signal.SIGCONT)
    assert "is in use by another run" in text
    first.communicate(timeout=120)
    assert first.returncode == 0 and checksums(output) == expected


def test_an_input_replaced_between_runs_is_noticed(inputs, tmp_path):
    copy = tmp_path / "inputs"
    shutil.copytree(inputs, copy)
    output = tmp_path / "set"
    job = start(command(copy, output))
    while not list(output.glob("state/records/train-*")):
        time.sleep(0.02)
    kill(job)
    shutil.copy(copy / "fg" / "fg_img_2.png", copy / "fg" / "fg_img_1.png")
    if not (output / "manifest.json").exists():
        text = run(command(copy, output), expected=2)
        assert "1 of its foregrounds are changed, the first with id 1" in text


def test_an_unreadable_input_costs_that_input(inputs, tmp_path):
    copy = tmp_path / "inputs"
    shutil.copytree(inputs, copy)
    (copy / "bg" / "bg_img_6.png").unlink()
    (copy / "bg" / "bg_img_6.png").symlink_to("nowhere.png")
    run(command(copy, tmp_path / "set"))
    manifest = json.loads((tmp_path / "set" / "manifest.json").read_text())
    assert manifest["samples"] == 12 * 5 * 2 * 6
    assert [error["path"] for error in manifest["inputs"]["left_out"]] == ["bg/bg_img_6.png"]


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_a_shard_damaged_between_runs_is_made_again(inputs, tmp_path, undisturbed, damage):
    expected, _ = undisturbed
    output = tmp_path / "set"
    job = start(command(inputs, output))
    while not (records := list(output.glob("state/records/train-*"))):
        time.sleep(0.02)
    kill(job)
    (output / "manifest.json").unlink(missing_ok=True)
    victim = output / "data" / f"{records[0].stem}.parquet"
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 4
    victim.unlink()
    if damage != "remove":
        victim.write_bytes(data if damage == "flip" else data[:-100])
    finish(inputs, output, expected)
    verify(output)


def test_extension_killed_at_any_moment(inputs, tmp_path, undisturbed):
    _, seconds = undisturbed
    few = [*command(inputs, tmp_path / "few"), "--placements=3"]
    run(few)
    shutil.copytree(tmp_path / "few", tmp_path / "whole")
    run(command(inputs, tmp_path / "whole", "--extend"))
    verify(tmp_path / "whole")
    expected = checksums(tmp_path / "whole")
    moments = random.Random(3)
    unfinished = 0
    for number in range(MOMENTS // 3):
        output = tmp_path / f"set{number}"
        shutil.copytree(tmp_path / "few", output)
        extend = command(inputs, output, "--extend")
        job = start(extend)
        renamed, later = moments.randrange(2 * SHARDS), moments.uniform(0.0, 0.1) * seconds
        while job.poll() is None and (
            len(list(output.glob(f"state/records/train-*-of-{2 * SHARDS:05d}.json"))) < renamed
        ):
            time.sleep(0.005)
        time.sleep(later)
        kill(job)
        unfinished += not (output / "manifest.json").exists()
        run(extend)
        assert checksums(output) == expected
        assert not list(output.rglob("*.part"))
        shutil.rmtree(output)
    assert unfinished >= MOMENTS // 6
