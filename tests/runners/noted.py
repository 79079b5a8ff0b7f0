"""The command line, with a worker in it that notes how its bundles come.

Used as `python -m tests.runners.noted generate ...`. When the writer begins a bundle, and before it
ends one, a line is appended to the file that the variable NOTES names: what happens, in seconds
since 1970.
"""

import functools
import os
import time
from collections.abc import Callable

from pipeline.cli import entry
from transforms.steps.write import _WriteDoFn

NOTES = "NOTES"


def _noted(name: str) -> Callable:
    method = getattr(_WriteDoFn, name)

    @functools.wraps(method)
    def noting(self: _WriteDoFn) -> object:
        with open(os.environ[NOTES], "a") as file:
            file.write(f"{name} {time.time()}\n")
        return method(self)

    return noting


if __name__ == "__main__":
    for name in ("start_bundle", "finish_bundle"):
        setattr(_WriteDoFn, name, _noted(name))
    entry()
