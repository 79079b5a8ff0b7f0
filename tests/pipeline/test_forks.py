"""Copies of the program that wait to become workers, and never outlive it."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.faults.jobs import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux")

PROGRAM = """
import sys, time
from pipeline.local.forks import keep, prepared
with prepared(4, ["no_such_module", "colorsys"]):
    print(keep(5), keep(3), keep(3), flush=True)
    time.sleep(float(sys.argv[1]))
print(keep(0))
"""


def start(seconds: float) -> tuple[subprocess.Popen, list[psutil.Process]]:
    """A program with three copies that wait, and these."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None and program.stdout.readline() == "False True True\n"
    copies = psutil.Process(program.pid).children()
    assert len(copies) == 3
    return program, copies


def test_copies_that_nobody_needs_end_with_the_block():
    program, copies = start(0.2)
    text, _ = program.communicate(timeout=30)
    assert program.returncode == 0 and text == "True\n"
    assert not any(copy.is_running() for copy in copies)


def test_copies_end_with_a_program_that_is_killed():
    program, copies = start(60)
    program.kill()
    program.communicate()
    deadline = time.monotonic() + 20
    while any(copy.is_running() and copy.status() != "zombie" for copy in copies):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_workers_of_the_command_are_copies_and_make_what_others_make(inputs, tmp_path):
    """The command line copies itself; a call from Python starts new workers."""
    options = [
        f"--foregrounds={inputs / 'fg'}", f"--backgrounds={inputs / 'bg'}", "--image_size=32",
        "--foreground_size=16", "--placements=2", "--num_shards=2", "--depth_model=none",
        "--direct_num_workers=2",
    ]  # fmt: skip
    names = {}
    for kind, start_job in (
        ("copied", ["-m", "pipeline", "generate"]),
        (
            "fresh",
            ["-c", "import sys; from pipeline.cli import main; main(sys.argv[1:])", "generate"],
        ),
    ):
        output = tmp_path / kind
        job = subprocess.Popen(
            [sys.executable, *start_job, *options, f"--output={output}"], cwd=ROOT
        )
        names[kind] = set[str]()
        while job.poll() is None:
            for child in psutil.Process(job.pid).children():
                try:
                    names[kind].add(
                        "worker_main" if "worker_main" in " ".join(child.cmdline()) else ""
                    )
                except psutil.Error:
                    continue
            time.sleep(0.05)
        assert job.returncode == 0
    assert "worker_main" not in names["copied"] and "worker_main" in names["fresh"]
    copied, fresh = (files(tmp_path / kind) for kind in ("copied", "fresh"))
    assert copied and copied == fresh


def files(output: Path) -> dict[str, bytes]:
    """The shards of samples by name."""
    return {path.name: path.read_bytes() for path in (output / "data").iterdir()}
