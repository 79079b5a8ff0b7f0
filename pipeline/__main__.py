"""`python -m pipeline`, and the command `mask-depth-dataset`."""

import os
import signal


def _interrupted(*_: object) -> None:
    os.write(2, b"interrupted\n")
    os._exit(130)


def entry() -> None:
    """Runs one command and ends the process."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupted)  # Imports take a while.

    from pipeline import cli

    cli.entry()


if __name__ == "__main__":
    entry()
