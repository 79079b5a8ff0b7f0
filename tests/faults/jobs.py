"""Jobs in processes of their own, to be killed."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


def command(inputs: Path, output: Path | str, *more: str) -> list[str]:
    """A job of 864 samples in 12 shards on two workers, about four seconds of work."""
    return [
        sys.executable, "-m", "pipeline", "generate",
        f"--foregrounds={inputs / 'fg'}", f"--backgrounds={inputs / 'bg'}", f"--output={output}",
        "--image_size=96", "--foreground_size=48", "--placements=6", "--num_shards=12",
        "--depth_model=none", "--direct_num_workers=2", *more,
    ]  # fmt: skip


def start(arguments: list[str], **options: object) -> subprocess.Popen:
    """Starts a job in a process group of its own, which SIGINT reaches even if ignored here."""
    return subprocess.Popen(
        arguments,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,  # type: ignore[call-overload]
    )


def run(arguments: list[str], expected: int = 0, **options: object) -> str:
    """Runs a job to its end and returns what it printed."""
    job = start(arguments, **options)
    text, _ = job.communicate(timeout=240)
    assert job.returncode == expected, text
    return text


def workers_of(job: subprocess.Popen) -> list[psutil.Process]:
    """The worker processes of a running job."""
    try:
        children = psutil.Process(job.pid).children(recursive=True)
        return [child for child in children if "pipeline" in child.cmdline()]
    except psutil.Error:
        return []


def kill(job: subprocess.Popen) -> None:
    """Kills the launching process alone; its workers must end too."""
    workers = workers_of(job)
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    deadline = time.monotonic() + 60
    while any(worker.is_running() and worker.status() != "zombie" for worker in workers):
        assert time.monotonic() < deadline, "workers go on without their job"
        time.sleep(0.2)


def verify(output: Path) -> str:
    """Runs `verify`, which must find no fault."""
    return run([sys.executable, "-m", "pipeline", "verify", str(output)])


# These name the folders of the inputs or of the output.
_WITH_PATHS = {"manifest.json", "manifest.json.sha256", "index.html", "spec.json", "lock"}


def checksums(output: Path) -> dict[str, str]:
    """Checksums of every file of a data set that holds no path of this machine."""
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*"))
        if path.is_file() and path.name not in _WITH_PATHS
    }
