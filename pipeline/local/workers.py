"""Watches the worker processes of a local run: Beam waits for one that has died."""

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Beam runs each worker process from a thread of this name, which raises when the process fails.
_THREAD = "run_worker"
_INTERRUPTED = {-2, 130}
_SIGNAL = signal.SIGUSR1  # A job in the background of a script may have been told to ignore SIGINT.
_PATIENCE_SECONDS = 3.0
_TRIES = 8


class WorkerDied(RuntimeError):
    """A worker process has ended before its work."""


def _died(codes: list[int]) -> str:
    return f"a worker process has died (exit code {codes[0]})"


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _reported(stopped: BaseException) -> Exception | None:
    """The error that a worker raised before the job was stopped, None if there was none."""
    error = stopped.__context__
    while error is not None:
        if isinstance(error, Exception) and "Traceback (most recent call last)" in str(error):
            return error
        error = error.__context__
    return None


@contextmanager
def watched_workers() -> Iterator[None]:
    """Stops the main thread when a worker process dies while the block runs.

    Where Beam does not let go of the main thread, the process is ended.

    Raises:
        WorkerDied: a worker has died, for example killed because memory ran out.
        Exception: what a worker had reported, where others die of the end of the failed job.
        KeyboardInterrupt: the run was interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = threading.excepthook
    codes: list[int] = []
    left = threading.Event()
    main = threading.get_ident()

    def stop_main_thread() -> None:
        # Beam may wait more than once for dead workers while it stops.
        for _ in range(_TRIES):
            if left.is_set():
                return
            signal.pthread_kill(main, _SIGNAL)  # Wakes it even while it waits for a lock.
            left.wait(_PATIENCE_SECONDS)
        if not left.is_set():
            print(f"error: the job has stopped: {_died(codes)}", file=sys.stderr)
            print("the same command continues it", file=sys.stderr, flush=True)
            os._exit(1)

    def hook(arguments: threading.ExceptHookArgs) -> None:
        if arguments.thread is None or arguments.thread.name != _THREAD:
            before(arguments)
            return
        found = re.search(r"return code (-?\d+)", str(arguments.exc_value))
        codes.append(int(found[1]) if found else 1)
        if len(codes) == 1:
            threading.Thread(target=stop_main_thread, daemon=True).start()

    threading.excepthook = hook
    handler = signal.signal(_SIGNAL, _interrupt)
    try:
        yield
    except KeyboardInterrupt as stopped:
        if codes and codes[0] not in _INTERRUPTED:
            raise _reported(stopped) or WorkerDied(_died(codes)) from None
        raise
    finally:
        left.set()
        threading.excepthook = before
        signal.signal(_SIGNAL, handler)
