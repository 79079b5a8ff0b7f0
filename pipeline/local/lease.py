"""One run at a time in an output folder: a lock on a disk, a lease on an object store."""

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from pipeline.local.process import at_end
from pipeline.spec import SpecError
from transforms import storage
from transforms.conditional import Version, read_version, write_version
from transforms.formats.base import Folder

_LOG = logging.getLogger(__name__)

LOCK = "state/lock"

RENEW_SECONDS = 20.0
"""How often a run says that it is alive."""

EXPIRE_SECONDS = 90.0
"""How long a run that says nothing more counts as alive."""


@dataclass(frozen=True)
class Lease:
    """Content of the lock while a run holds it, and after a run that was killed.

    Attributes:
        token: the run's own, random.
        host: name of the machine that the run was started on.
        process: number of its process there.
        renewed: when it was last known to be alive, in seconds since 1970; 0 when it has ended.
        local: whether its workers end with it; a job elsewhere may run on.
    """

    token: str
    host: str
    process: int
    renewed: float
    local: bool = True

    def is_alive(self) -> bool:
        """Whether the run may still be alive."""
        if time.time() - self.renewed >= EXPIRE_SECONDS:
            return False
        if self.host != socket.gethostname():
            return True
        return self.process != os.getpid() and _is_running(self.process)

    def to_bytes(self) -> bytes:
        """The lease as JSON."""
        return json.dumps(asdict(self)).encode()


@contextmanager
def locked(output: str, local: bool = True) -> Iterator[bool]:
    """Holds the output folder for one run.

    On a disk the lock ends with the process. Object stores have none: there the run leaves a lease
    that it renews while it lives. A lease outlives a killed run by at most 90 seconds, and not at
    all when the next run is on the same machine.

    Args:
        output: the folder.
        local: whether this run's workers end with it.

    Yields:
        Whether nothing else can be at work in the folder. A job that was sent elsewhere may be: it
        runs on when the program that sent it has ended, was killed, or has lost sight of it.

    Raises:
        SpecError: another run holds it, or the folder cannot be written.
    """
    own = Lease(uuid.uuid4().hex, socket.gethostname(), os.getpid(), time.time(), local)
    with _file_lock(output, own) if storage.is_local(output) else _leased(output, own) as alone:
        yield alone


def check_unlocked(output: str) -> None:
    """Raises SpecError where `locked` would, and writes nothing; for a folder on a disk."""
    import fcntl

    if not storage.is_local(output):
        return
    there = output
    while not os.path.exists(there):
        there = os.path.dirname(there)
    if not os.access(there, os.W_OK | os.X_OK):
        raise SpecError(f"--output={output} cannot be written: {there} is not writable")
    path = Folder(output).path(LOCK)
    if os.path.exists(path):
        with open(path, "rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                raise SpecError(
                    f"--output={output} is in use by another run; wait for it"
                ) from None


@contextmanager
def _file_lock(output: str, own: Lease) -> Iterator[bool]:
    import fcntl

    try:
        storage.make_folder(Folder(output).state)
        lock = open(Folder(output).path(LOCK), "a+b")  # noqa: SIM115 - held until the end
    except OSError as error:
        raise SpecError(f"--output={output} cannot be written: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SpecError(f"--output={output} is in use by another run; wait for it") from None
        lock.seek(0)
        former = _parsed(lock.read())
        own = _successor(own, former)
        _store(lock, own.to_bytes())
        with _leaving(own, former, lambda left: _store(lock, left.to_bytes() if left else b"")):
            yield _is_alone(former)


def _store(lock, data: bytes) -> None:  # type: ignore[no-untyped-def]
    lock.truncate(0)
    lock.write(data)
    lock.flush()


@contextmanager
def _leased(output: str, own: Lease) -> Iterator[bool]:
    path = Folder(output).path(LOCK)
    try:
        found = read_version(path)
        former = None if found is None else _parsed(found.data)
        _refuse(output, former)
        own = _successor(own, former)
        held = write_version(path, own.to_bytes(), found)
        if held is None:  # Another run was quicker.
            found = read_version(path)
            _refuse(output, None if found is None else _parsed(found.data))
            raise SpecError(f"--output={output} is in use by another run; wait for it")
    except SpecError:
        raise
    except Exception as error:  # Each store has errors of its own.
        raise SpecError(f"--output={output} cannot be written: {_first_line(error)}") from None
    renewal = _Renewal(path, own, held)
    renewal.start()

    def leave(left: Lease | None) -> None:
        renewal.stop()
        current = read_version(path)
        if current is not None and _is_of(current, own):
            if left is None:
                storage.delete(path)
            else:
                write_version(path, left.to_bytes(), current)

    with (
        _leaving(own, former, leave),
        at_end(lambda: leave(_left(own, former, KeyboardInterrupt()))),
    ):
        yield _is_alone(former)


@contextmanager
def _leaving(
    own: Lease, former: Lease | None, leave: Callable[[Lease | None], None]
) -> Iterator[None]:
    """Calls `leave` at the end with what the run leaves in the lock."""
    left: Lease | None = own
    try:
        yield
        left = None
    except BaseException as error:
        left = _left(own, former, error)
        raise
    finally:
        leave(left)


def _is_alone(former: Lease | None) -> bool:
    return former is None or former.local


def _successor(own: Lease, former: Lease | None) -> Lease:
    """A run's lease, which remembers that another's job may run on."""
    return replace(own, local=own.local and _is_alone(former))


def _left(own: Lease, former: Lease | None, error: BaseException) -> Lease | None:
    """What a run leaves in the lock when it stops: its lease, if work may go on elsewhere."""
    if isinstance(error, SpecError):  # It has begun nothing.
        return None if _is_alone(former) else former
    return None if own.local else replace(own, renewed=0.0)


def _is_of(version: Version, own: Lease) -> bool:
    found = _parsed(version.data)
    return found is not None and found.token == own.token


class _Renewal(threading.Thread):
    """Renews a lease until it is stopped, or another run has taken it."""

    def __init__(self, path: str, own: Lease, held: Version) -> None:
        super().__init__(daemon=True)
        self._path, self._own, self._held = path, own, held
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(RENEW_SECONDS):
            renewed = replace(self._own, renewed=time.time())
            try:
                held = write_version(self._path, renewed.to_bytes(), self._held)
            except Exception:  # The store may be out of reach for a while; the job notices itself.
                continue
            if held is None:  # It may be the last renewal itself, whose answer was lost.
                held = read_version(self._path)
            if held is None or not _is_of(held, self._own):
                _LOG.warning("another run has taken over %s; stop one of the two", self._path)
                return
            self._held = held

    def stop(self) -> None:
        """Ends it and waits for that."""
        self._stopped.set()
        self.join()


def _refuse(output: str, lease: Lease | None) -> None:
    if lease is not None and lease.is_alive():
        raise SpecError(
            f"--output={output} is in use by another run (process {lease.process} on {lease.host});"
            f" wait for it, or {EXPIRE_SECONDS:.0f} seconds if it is dead"
        )


def _parsed(data: bytes) -> Lease | None:
    try:
        return Lease(**json.loads(data))
    except (ValueError, TypeError):
        return None  # Empty after a run that ended well, not ours, or damaged: it holds nobody off.


def is_lock(data: bytes) -> bool:
    """Whether a file of the lock's name is one of this program."""
    return not data or _parsed(data) is not None


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
