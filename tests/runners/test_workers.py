"""A worker that dies stops the job, and never hides why the job had failed before."""

import threading
import time

import pytest

from pipeline.local.workers import WorkerDied, watched_workers

REPORT = "Traceback (most recent call last):\n  ...\ntransforms.write.TooManyFailures: 3 of 9"


def worker_dies(code: int) -> None:
    """What Beam's thread does when its worker process ends in another way than by itself."""

    def run() -> None:
        raise RuntimeError(f"Worker subprocess exited with return code {code}")

    threading.Thread(target=run, name="run_worker").start()
    time.sleep(30)  # Beam waits for it.


def test_a_dead_worker_stops_the_wait():
    begin = time.monotonic()
    with pytest.raises(WorkerDied, match=r"exit code -9"), watched_workers():
        worker_dies(-9)
    assert time.monotonic() - begin < 10


def test_a_worker_that_dies_of_the_end_does_not_hide_the_reason():
    with pytest.raises(RuntimeError, match="TooManyFailures: 3 of 9"), watched_workers():
        try:
            raise RuntimeError(REPORT)
        finally:
            worker_dies(-6)


def test_an_interrupt_stays_one():
    with pytest.raises(KeyboardInterrupt), watched_workers():
        worker_dies(-2)
