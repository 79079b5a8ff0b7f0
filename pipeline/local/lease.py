"""One run at a time in an output folder: a lock on a disk, a lease on an object store."""

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from apache_beam.io.filesystems import FileSystems

from pipeline.spec import SpecError
from transforms import storage
from transforms.formats.base import Folder

LOCK = "state/lock"

RENEW_SECONDS = 20.0
"""How often a run says that it is alive."""

EXPIRE_SECONDS = 90.0
"""How long a run that says nothing more counts as alive."""


@dataclass(frozen=True)
class Lease:
    """What stands in the lock of an object store.

    Attributes:
        token: the run's own, random.
        host: name of the machine that the run was started on.
        process: number of its process there.
        renewed: when it was last known to be alive, in seconds since 1970.
    """

    token: str
    host: str
    process: int
    renewed: float

    def is_alive(self) -> bool:
        """Whether the run is to be reckoned with."""
        if time.time() - self.renewed >= EXPIRE_SECONDS:
            return False
        if self.host != socket.gethostname():
            return True
        return self.process != os.getpid() and _is_running(self.process)


@contextmanager
def locked(output: str) -> Iterator[None]:
    """Holds the output folder for one run.

    On a disk the lock ends with the process. Object stores have none: there the run leaves a lease
    that it renews while it lives. A lease outlives a killed run by at most 90 seconds, and not at
    all when the next run is on the same machine.

    Raises:
        SpecError: another run holds it, or the folder cannot be written.
    """
    with _file_lock(output) if storage.is_local(output) else _leased(output):
        yield


@contextmanager
def _file_lock(output: str) -> Iterator[None]:
    import fcntl

    try:
        state = Folder(output).state
        os.makedirs(state, exist_ok=True)
        lock = open(Folder(output).path(LOCK), "w")  # noqa: SIM115 - held until the end
    except OSError as error:
        raise SpecError(f"--output={output} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise SpecError(f"--output={output} is in use by another run; wait for it") from None
    try:
        yield
    finally:
        lock.close()


@contextmanager
def _leased(output: str) -> Iterator[None]:
    path = Folder(output).path(LOCK)
    own = Lease(uuid.uuid4().hex, socket.gethostname(), os.getpid(), time.time())
    try:
        _refuse(output, _read(path))
        _write(path, own)
        # Of two runs that start at once, the one that wrote last stays.
        found = _read(path)
        if found is None or found.token != own.token:
            _refuse(output, found)
    except SpecError:
        raise
    except Exception as error:  # Each store has errors of its own.
        raise SpecError(f"--output={output} cannot be written: {_first_line(error)}") from None
    stopped = threading.Event()
    thread = threading.Thread(target=_renew, args=(path, own, stopped), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        storage.delete(path)


def _refuse(output: str, lease: Lease | None) -> None:
    if lease is not None and lease.is_alive():
        raise SpecError(
            f"--output={output} is in use by another run (process {lease.process} on {lease.host});"
            f" wait for it, or {EXPIRE_SECONDS:.0f} seconds if it is dead"
        )


def _renew(path: str, own: Lease, stopped: threading.Event) -> None:
    while not stopped.wait(RENEW_SECONDS):
        try:
            _write(path, Lease(own.token, own.host, own.process, time.time()))
        except Exception:  # The store may be out of reach for a while; the job notices by itself.
            continue


def _read(path: str) -> Lease | None:
    if not storage.exists(path):
        return None
    try:
        return Lease(**json.loads(storage.read_text(path)))
    except (ValueError, TypeError):
        return None  # Not ours, or damaged: it holds nobody off.


def _write(path: str, lease: Lease) -> None:
    # Objects appear whole; a temporary name would only be left behind by a run that is killed.
    with FileSystems.create(path, compression_type=storage.RAW) as file:
        file.write(json.dumps(asdict(lease)).encode())


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _first_line(error: Exception) -> str:
    return f"{error}".splitlines()[0] if f"{error}" else type(error).__name__
