"""`python -m pipeline`, and the command `mask-depth-dataset`."""

import os
import signal
import sys


def _interrupted(*_: object) -> None:
    os.write(2, b"interrupted\n")
    os._exit(130)


def _put_current_folder_last() -> None:
    """Lets this program's packages be found before a user's modules of the same names."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    first = os.path.realpath(sys.path[0] or os.curdir)
    if first == os.path.realpath(os.curdir) != os.path.realpath(root):
        sys.path.append(sys.path.pop(0))


def entry() -> None:
    """Runs one command and ends the process."""
    _put_current_folder_last()
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupted)  # Imports take a while.

    from pipeline import cli

    cli.entry()


if __name__ == "__main__":
    entry()
