"""Counters behind the progress of a local run: each process appends to files of its own.

A file has one byte for each thing counted, so that counting needs no lock and no reader ever sees
half a number.
"""

import contextlib
import os

MADE = "made"
"""Samples of shards that this run makes."""

PREPARED = "prepared"
"""Backgrounds that are prepared."""

THERE = "there"
"""Samples of shards that a former run has finished."""


def count(folder: str | None, kind: str, number: int) -> None:
    """Adds to this process's counter of a kind; without a folder nothing is counted."""
    if folder is None:
        return
    # Progress is a courtesy; losing it must not cost a sample.
    path = os.path.join(folder, f"{kind}-{os.getpid()}")
    with contextlib.suppress(OSError), open(path, "ab") as file:
        file.write(b"." * number)


def counted(folder: str, kind: str) -> int:
    """What all processes have counted of a kind."""
    with os.scandir(folder) as files:
        return sum(file.stat().st_size for file in files if file.name.startswith(f"{kind}-"))
