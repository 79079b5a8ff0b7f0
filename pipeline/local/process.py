"""The process of the command line: its streams, its file names, and the signals that end it."""

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
_CLEAN_UP_SECONDS = 5.0

_notes: list[str] = []
_clean_ups: list[Callable[[], None]] = []


class _Stream(io.FileIO):
    """A standard stream that notes a broken pipe and lets the work continue."""

    error: OSError | None = None

    def write(self, data: object) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type, return-value]
        except OSError as error:
            self.error = self.error or error
            return memoryview(data).nbytes  # type: ignore[arg-type]


_output: _Stream | None = None
_is_set_up = False


def set_up() -> None:
    """Makes the process one that can be interrupted at any time and print any text anywhere.

    A standard stream that is closed becomes the null device; otherwise the next file that is opened
    gets its number. Where file names are ASCII alone, the program starts again in UTF-8 mode.
    """
    global _output, _is_set_up
    if _is_set_up:
        return
    _is_set_up = True
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # Takes the lowest number that is free.
    for signum in _WORDS:
        if signal.getsignal(signum) is not signal.SIG_IGN:  # As in the background of a script.
            signal.signal(signum, _end)
    if sys.getfilesystemencoding() in ("ascii", "us-ascii") and not sys.flags.utf8_mode:
        os.environ["PYTHONUTF8"] = "1"  # For worker processes.
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    _output, sys.stdout = _text_stream(1, sys.stdout)
    _, sys.stderr = _text_stream(2, sys.stderr)


def _text_stream(number: int, former: object) -> tuple[_Stream, io.TextIOWrapper]:
    raw = _Stream(number, "w", closefd=False)
    encoding = getattr(former, "encoding", None) or "utf-8"
    buffered = io.BufferedWriter(raw)
    lines = number == 2 or raw.isatty()
    return raw, io.TextIOWrapper(
        buffered, encoding, errors="backslashreplace", line_buffering=lines
    )


@contextmanager
def at_end(clean_up: Callable[[], None] | None = None, note: str = "") -> Iterator[None]:
    """What a signal that ends the process has to do and to say while the block runs.

    A signal ends the process at once: the next run continues from any point, and libraries that
    unwind from an interrupt have much to say.

    Args:
        clean_up: is called before the end, from another thread, for at most a few seconds.
        note: is said after `interrupted`.
    """
    if clean_up is not None:
        _clean_ups.append(clean_up)
    if note:
        _notes.append(note)
    try:
        yield
    finally:
        if clean_up is not None:
            _clean_ups.remove(clean_up)
        if note:
            _notes.remove(note)


def _end(signum: int, _: FrameType | None) -> None:
    for each in _WORDS:
        signal.signal(each, signal.SIG_IGN)
    words = "; ".join([_WORDS[signal.Signals(signum)], *_notes])
    with contextlib.suppress(OSError):
        os.write(2, f"{_new_line()}{words}\n".encode(errors="backslashreplace"))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)  # What threads print as they end is noise.
    thread = threading.Thread(target=_clean_up, daemon=True)
    thread.start()
    thread.join(_CLEAN_UP_SECONDS)
    os._exit(128 + signum)


def _new_line() -> str:
    """What takes a progress bar off a terminal's line."""
    return "\r\x1b[K" if os.isatty(2) and os.environ.get("TERM", "dumb") != "dumb" else ""


def _clean_up() -> None:
    for clean_up in reversed(_clean_ups):
        with contextlib.suppress(Exception):  # Each on its own; the process ends in any case.
            clean_up()


def become_worker() -> None:
    """Leaves interrupts to the program, which ends its workers; for a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def exit_now(code: int) -> NoReturn:
    """Flushes the standard streams and ends the process, without waiting for threads."""
    sys.stdout.flush()
    error = _output.error if _output is not None else None
    if error is not None and not isinstance(error, BrokenPipeError):
        print(f"error: standard output cannot be written: {error.strerror}", file=sys.stderr)
        code = code or 1
    sys.stderr.flush()
    os._exit(code)
