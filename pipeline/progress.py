"""Progress of a local run, phase by phase: inputs, samples, gallery.

On a terminal and in a notebook each phase has a bar; elsewhere a phase that takes long logs a line
now and then.
"""

import logging
import os
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.local import process
from transforms import storage
from transforms.counters import MADE, PREPARED, THERE, counted
from transforms.formats.base import Folder
from transforms.owned import RECORDS
from transforms.plan.plan import Plan

_LOG = logging.getLogger(__name__)

_TICK_SECONDS = 0.5
_FIRST_LOG_SECONDS = 10.0
_LOG_SECONDS = 30.0


def clock(seconds: float) -> str:
    """A duration such as `1:02:03` or `4:05`."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def line(name: str, done: int, total: int | None, seconds: float, there: int = 0) -> str:
    """The line of a phase.

    Args:
        name: the phase, which is also what it counts where it has a total.
        done: how many there are so far.
        total: how many there will be; None where nothing is counted.
        seconds: time that this run has worked on them.
        there: how many of `done` were there before.
    """
    if total is None:
        return f"{name}: {clock(seconds)}"
    rate = (done - there) / seconds if seconds > 0 else 0.0
    left = f"{rate:,.0f}/s, {clock((total - done) / rate)} left" if rate > 0 else "starting"
    return f"{name}: {done:,} of {total:,} ({done / max(1, total):.0%}), {left}"


class Meter:
    """The progress of one phase.

    Args:
        name: the phase, which is also what it counts where it has a total.
        total: how many there will be; None where nothing is counted.
        there: how many are done before it begins.
    """

    def __init__(self, name: str, total: int | None = None, there: int = 0) -> None:
        self._name, self._total, self._there = name, total, there
        self._done = there
        self._begun = time.monotonic()
        self._next = self._begun + _FIRST_LOG_SECONDS
        self._bar = _bar(name, total, there)

    def show(self, done: int) -> None:
        """Says how many there are by now."""
        more, self._done = done - self._done, done
        if self._bar is not None:
            self._bar.update(more)
            self._bar.refresh()
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + _LOG_SECONDS
            seconds = time.monotonic() - self._begun
            _LOG.info("%s", line(self._name, done, self._total, seconds, self._there))

    def step(self) -> None:
        """Says that there is one more."""
        if self._bar is None:
            self.show(self._done + 1)
        else:  # The bar decides how often it is drawn.
            self._done += 1
            self._bar.update(1)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()


def _bar(name: str, total: int | None, there: int) -> Any:
    """A bar of `tqdm`, None where lines are logged."""
    notebook = "ipykernel" in sys.modules
    if not notebook and (not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb"):
        return None
    if notebook:
        with warnings.catch_warnings():  # Without widgets it draws with characters.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    else:
        from tqdm import tqdm
    return tqdm(
        desc=name,
        total=total,
        initial=there,
        unit="",
        leave=False,
        dynamic_ncols=True,
        file=sys.stderr,
        bar_format=None if total is not None else "{desc}: {elapsed}",
    )


@contextmanager
def phase(name: str, total: int, enabled: bool) -> Iterator[Meter | None]:
    """The meter of a phase that this process works on; None when not enabled."""
    meter = Meter(name, total) if enabled else None
    try:
        yield meter
    finally:
        if meter is not None:
            meter.close()


@contextmanager
def watched(total: int, enabled: bool, backgrounds: int = 0) -> Iterator[str | None]:
    """Shows the progress of the workers while the block runs.

    Args:
        total: samples of the data set.
        enabled: whether to show anything.
        backgrounds: how many are prepared before any sample.

    Yields:
        The folder in which workers count, or None when not enabled.
    """
    if not enabled or not total:
        yield None
        return
    folder = tempfile.mkdtemp(prefix="mask-depth-progress-")
    stopped = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(folder, total, backgrounds, stopped), daemon=True
    )
    thread.start()
    try:
        with process.at_end(lambda: shutil.rmtree(folder, ignore_errors=True)):
            yield folder
    finally:
        stopped.set()
        thread.join()
        shutil.rmtree(folder, ignore_errors=True)


def _watch(folder: str, total: int, backgrounds: int, stopped: threading.Event) -> None:
    name, meter = "starting workers", Meter("starting workers")
    while not stopped.wait(_TICK_SECONDS):
        there = counted(folder, THERE)
        done = min(total, counted(folder, MADE) + there)
        prepared = min(backgrounds, counted(folder, PREPARED))
        wanted = phase_of(done, total, prepared)
        if wanted != name:
            meter.close()
            name = wanted
            if name == SAMPLES:
                meter = Meter(name, total, there)
            else:
                meter = Meter(name, backgrounds) if name == BACKGROUNDS else Meter(name)
        meter.show({SAMPLES: done, BACKGROUNDS: prepared}.get(name, 0))
    meter.close()


_LOOK_SECONDS = 15.0


@contextmanager
def watched_records(folder: Folder, plan: Plan, enabled: bool) -> Iterator[None]:
    """Shows how far a job elsewhere is, by the records that appear in its output folder.

    Args:
        folder: the data set's folder.
        plan: its plan.
        enabled: whether to show anything.
    """
    if not enabled:
        yield
        return
    stopped = threading.Event()
    thread = threading.Thread(target=_watch_records, args=(folder, plan, stopped), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _watch_records(folder: Folder, plan: Plan, stopped: threading.Event) -> None:
    there = recorded_samples(folder, plan)
    meter = Meter(SAMPLES, plan.total, there)
    while not stopped.wait(_LOOK_SECONDS):
        meter.show(recorded_samples(folder, plan))
    meter.close()


def recorded_samples(folder: Folder, plan: Plan) -> int:
    """Samples of the shards that have a record; 0 while the folder cannot be listed."""
    try:
        found = {
            storage.file_name(entry.path).removesuffix(".json")
            for entry in storage.entries(folder.path(RECORDS.rstrip("/")))
        }
    except Exception:  # It is only progress: stores fail now and then.
        return 0
    return sum(shard.count for shard in plan.shards() if shard.name in found)


SAMPLES = "samples"
BACKGROUNDS = "prepared backgrounds"


def phase_of(done: int, total: int, prepared: int = 0) -> str:
    """The phase that the numbers of finished samples and prepared backgrounds belong to."""
    if done == 0:
        return BACKGROUNDS if prepared else "starting workers"
    return SAMPLES if done < total else "clean images and gallery"
