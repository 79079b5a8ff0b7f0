"""Jobs on Prism, a worker pool for them, and what they have written."""

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.faults.jobs import ROOT


def every_checksum(output: Path) -> dict[str, str]:
    """Checksums of all files of a data set."""
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }


def records(output: Path) -> set[str]:
    """Names of the shards of samples that are finished."""
    return {path.stem for path in output.glob("state/records/train-*.json")}


def left_running(job: subprocess.Popen) -> list[str]:
    """Command lines of the processes that a job, now ended, has started and left behind."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == job.pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.Error, ProcessLookupError):
            continue
    return found


@contextmanager
def serving(command: list[str], port: int, log: Path) -> Iterator[subprocess.Popen]:
    """A server that listens at a port while the block runs."""
    # Pools start `python`, and it must be the one that runs here.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    with open(log, "w") as file:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + 60
        while not _listens(port):
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield server
    finally:
        children = psutil.Process(server.pid).children(recursive=True)
        server.terminate()
        server.wait(timeout=60)
        for child in children:
            if child.is_running():
                child.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("localhost", port)) == 0


def pool_workers(pool: int) -> list[psutil.Process]:
    """The worker processes of a worker pool, given by its process id."""
    return [
        child
        for child in psutil.Process(pool).children(recursive=True)
        if "sdk_worker" in " ".join(child.cmdline())
    ]
