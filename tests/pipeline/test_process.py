"""The command as a process: signals, closed streams, plain locales, and what workers print."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipeline import SpecError
from pipeline.run import check_temporary_folder
from tests.faults.jobs import ROOT, command, start

PIPELINE = [sys.executable, "-m", "pipeline"]


def shell(line: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", "-c", line.replace("PIPELINE", " ".join(PIPELINE))],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("redirection", ["| head -c 0", ">&-", ">&- 2>&-", "2>&-"])
def test_output_that_nobody_takes_is_no_error(redirection):
    done = shell(f"set -o pipefail; PIPELINE generate --help {redirection}")
    assert done.returncode == 0 and done.stderr == ""


def test_output_that_cannot_be_written_is_one_line():
    done = shell("PIPELINE generate --help >/dev/full")
    assert done.returncode == 1
    assert done.stderr == "error: standard output cannot be written: No space left on device\n"


def test_a_file_never_gets_the_number_of_a_closed_stream():
    code = (
        "from pipeline.local import process; process.set_up();"
        "import os; number = os.open(os.devnull, os.O_RDONLY); os._exit(number)"
    )
    assert shell(f"{sys.executable} -c '{code}' <&- >&- 2>&-").returncode > 2


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0"}])
def test_any_text_is_printed_in_a_plain_locale(tmp_path, locale):
    done = shell(
        f"PIPELINE depth --images={tmp_path}/ü --output={tmp_path}/o",
        LC_ALL="C", PYTHONCOERCECLOCALE="0", **locale,
    )  # fmt: skip
    [line] = done.stderr.splitlines()
    assert done.returncode == 2 and line.startswith("error: --images=") and "no such folder" in line


@pytest.mark.parametrize("seconds", [0.4, 1.0])
def test_an_interrupt_of_the_first_seconds_is_one_line(inputs, tmp_path, seconds):
    job = start(command(inputs, tmp_path / "set"))
    time.sleep(seconds)
    os.killpg(job.pid, signal.SIGINT)
    text, _ = job.communicate(timeout=60)
    assert job.returncode == 130 and text.count("\n") == 1 and "interrupted" in text


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    "number, code, word", [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_to_the_whole_group_is_one_line(inputs, tmp_path, workers, number, code, word):
    output = tmp_path / "set"
    job = start(
        command(inputs, output, "--placements=200", f"--direct_num_workers={workers}"),
    )
    while not list(output.glob("state/records/*")):
        assert job.poll() is None
        time.sleep(0.02)
    os.killpg(job.pid, number)
    text, _ = job.communicate(timeout=60)
    assert job.returncode == code
    assert text == f"{word}; the same command continues\n"
    assert not at_work(job.pid)


def at_work(group: int) -> list[psutil.Process]:
    """The processes of a group that have not ended, though nobody may have asked for their code."""
    found = []
    for each in psutil.process_iter():
        try:
            if os.getpgid(each.pid) == group and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
        except (psutil.Error, ProcessLookupError):
            continue
    return found


@pytest.mark.slow
def test_an_error_in_a_worker_is_the_line_that_matters(inputs, tmp_path):
    torch = pytest.importorskip("torch")

    class Constant(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, pixels):
            return pixels.mean(1, keepdim=True) * float("nan")

    path = tmp_path / "model.pt"
    torch.jit.script(Constant()).save(str(path))
    model = f"--depth_model=torchscript:{path}"
    job = start(command(inputs, tmp_path / "set", model))
    text, _ = job.communicate(timeout=240)
    lines = [line for line in text.splitlines() if not line.startswith("Depth: ")]
    assert job.returncode == 1 and len(lines) == 2
    assert lines[0].startswith("error: the job has stopped: TooManyFailures: ")
    assert lines[1] == "the same command continues it"


def test_no_folder_for_temporary_files_is_one_line(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: ["/nowhere"])
    wanted = r"No usable temporary directory.*; set TMPDIR to a writable folder"
    with pytest.raises(SpecError, match=wanted):
        check_temporary_folder()


def test_an_import_from_python_says_nothing():
    done = shell(f"{sys.executable} -W default -c 'from pipeline import generate'")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_command_is_installed_from_the_module_that_runs():
    described = (Path(ROOT) / "pyproject.toml").read_text("utf-8")
    assert 'mask-depth-dataset = "pipeline.__main__:entry"' in described
