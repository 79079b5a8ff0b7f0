"""The live line of a local run: samples done, rate and time left."""

import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOG = logging.getLogger(__name__)

_TICK_SECONDS = 0.5
_LOG_SECONDS = 30.0


def line(done: int, total: int, seconds: float) -> str:
    """The progress line after `seconds` of work on `total` samples."""
    rate = done / seconds if seconds > 0 else 0.0
    left = f"{clock((total - done) / rate)} left" if rate > 0 else "starting"
    return f"{done:,} of {total:,} samples ({done / total:.0%}), {rate:,.0f}/s, {left}"


def clock(seconds: float) -> str:
    """A duration such as `1:02:03` or `4:05`."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _done(folder: str) -> int:
    with os.scandir(folder) as counters:
        return sum(counter.stat().st_size for counter in counters)


@contextmanager
def watched(total: int, enabled: bool) -> Iterator[str | None]:
    """Shows progress while the block runs.

    Args:
        total: samples of this run.
        enabled: whether to show anything.

    Yields:
        The folder in which workers count, or None when not enabled.
    """
    if not enabled or not total:
        yield None
        return
    folder = tempfile.mkdtemp(prefix="mask-depth-progress-")
    stopped = threading.Event()
    thread = threading.Thread(target=_watch, args=(folder, total, stopped), daemon=True)
    thread.start()
    try:
        yield folder
    finally:
        stopped.set()
        thread.join()
        shutil.rmtree(folder, ignore_errors=True)


def _watch(folder: str, total: int, stopped: threading.Event) -> None:
    terminal = sys.stderr.isatty()
    begun: float | None = None
    logged = 0
    while not stopped.wait(_TICK_SECONDS):
        done, now = min(total, _done(folder)), time.monotonic()
        if done and begun is None:
            begun = now - _TICK_SECONDS
        text = line(done, total, now - begun) if begun is not None else "starting workers"
        if terminal:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        elif begun is not None and (now - begun) // _LOG_SECONDS > logged:
            logged = int((now - begun) // _LOG_SECONDS)
            _LOG.info("%s", text)
    if terminal:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
