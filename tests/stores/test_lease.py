"""Two runs at one moment on an object store: one of them holds the output, and not both."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pipeline import SpecError
from pipeline.local import lease, process
from pipeline.local.lease import LOCK, Lease, locked
from transforms import storage
from transforms.conditional import Version, read_version, write_version

pytestmark = pytest.mark.slow


def test_an_object_is_written_only_over_what_was_read(store):
    path = f"{store.root}/version"
    assert read_version(path) is None
    first = write_version(path, b"first", None)
    assert first is not None and read_version(path) == first
    assert write_version(path, b"late", None) is None
    assert storage.read_bytes(path) == b"first"
    second = write_version(path, b"second", first)
    assert second is not None and second.tag != first.tag
    assert write_version(path, b"late", first) is None
    assert storage.read_bytes(path) == b"second"
    assert write_version(path, b"second", first) == second  # Sent again: its answer was lost.
    storage.delete(path)
    assert write_version(path, b"late", second) is None and read_version(path) is None


def test_of_many_writers_at_one_moment_one_is_first(store):
    path, ready = f"{store.root}/race", threading.Barrier(6)

    def write(number: int) -> Version | None:
        ready.wait()
        return write_version(path, f"{number}".encode(), None)

    with ThreadPoolExecutor(6) as pool:
        written = [version for version in pool.map(write, range(6)) if version is not None]
    assert len(written) == 1 and written == [read_version(path)]


def test_of_two_runs_that_have_both_seen_a_free_folder_one_is_refused(store, monkeypatch):
    """A reads, B reads, A writes and holds it: B, which would write now, is refused."""
    output = f"{store.root}/both"
    inner: list[object] = []

    def late(path: str) -> Version | None:
        found = read_version(path)
        if not inner:  # Between B's look and B's write, A does both.
            inner.append(None)
            other = Lease("other", "another machine", 1, time.time())
            assert write_version(path, other.to_bytes(), found) is not None
        return found

    monkeypatch.setattr(lease, "read_version", late)
    with pytest.raises(SpecError, match=r"in use by another run .*another machine"), locked(output):
        raise AssertionError("both hold it")
    assert b"another machine" in storage.read_bytes(f"{output}/{LOCK}")


def test_a_dead_run_is_followed_and_one_that_was_taken_over_says_so(store, monkeypatch, caplog):
    output = f"{store.root}/taken"
    path = f"{output}/{LOCK}"
    dead = Lease("dead", "another machine", 1, time.time() - 2 * lease.EXPIRE_SECONDS)
    storage.write_bytes(path, dead.to_bytes())
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.2)
    with locked(output) as alone:
        assert alone
        first = read_version(path)
        deadline = time.monotonic() + 30
        while read_version(path) == first:
            assert time.monotonic() < deadline, "the lease is not renewed"
            time.sleep(0.1)
        other = replace(dead, token="other", renewed=time.time())
        storage.write_bytes(path, other.to_bytes())
        while "another run has taken" not in caplog.text:
            assert time.monotonic() < deadline, "nothing is said"
            time.sleep(0.1)
    assert storage.read_bytes(path) == other.to_bytes()  # It is not ours to delete.


def test_what_a_job_elsewhere_leaves(store):
    output = f"{store.root}/elsewhere"
    with pytest.raises(RuntimeError), locked(output, local=False) as alone:
        assert alone
        raise RuntimeError
    assert storage.exists(f"{output}/{LOCK}")
    with locked(output) as alone:
        assert not alone
    assert not storage.exists(f"{output}/{LOCK}")


def test_a_store_without_conditions_is_asked_before_and_after(tmp_path):
    path = str(tmp_path / "lock")  # No scheme of those that know conditions.
    first = write_version(path, b"first", None)
    assert first is not None and first == read_version(path)
    assert write_version(path, b"late", None) is None
    assert write_version(path, b"second", first) == read_version(path) != first
    assert write_version(path, b"late", first) is None and storage.read_bytes(path) == b"second"


@pytest.mark.parametrize("local", [True, False])
def test_a_run_that_a_signal_ends_gives_its_lease_back(store, local):
    """But for a job that may run on elsewhere: the next run must not clear its files."""
    path = f"{store.root}/signal-{local}/{LOCK}"
    with pytest.raises(KeyboardInterrupt), locked(f"{store.root}/signal-{local}", local):
        assert storage.exists(path)
        process._clean_up()  # What the signal's handler calls before the process ends.
        assert storage.exists(path) is not local
        if not local:
            assert Lease(**json.loads(storage.read_bytes(path))).renewed == 0.0
        raise KeyboardInterrupt
