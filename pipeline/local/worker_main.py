"""A worker process of a local run: Beam's own, with logs of what concerns the user."""

import logging
import os
import shlex
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import NoReturn

from pipeline.local import process

_LOOK_SECONDS = 1.0


def command() -> str:
    """The shell command that starts a worker; one that logs all where this process does.

    The worker finds modules where this process does, and in the current folder last of all: a user
    may have a `transforms.py` or `pipeline.py` of his own there.
    """
    all_of_it = logging.getLogger().isEnabledFor(logging.INFO)
    start = (
        "from apache_beam.runners.worker import sdk_worker_main; sdk_worker_main.main(sys.argv)"
        if all_of_it
        else "from pipeline.local import worker_main; worker_main.main()"
    )
    code = f"import sys; sys.path[:] = {module_paths()!r}; {start}"
    # In place of the shell, so that the worker is a child of the program and sees it end.
    return "exec " + shlex.join([sys.executable, "-c", code])


def module_paths() -> list[str]:
    """Where this process finds modules: this program first, the current folder last."""
    root = str(Path(__file__).resolve().parents[2])
    here = os.path.realpath(os.curdir)
    others = [path for path in sys.path if path and os.path.realpath(path) not in (here, root)]
    # After the standard library, as where packages are installed: none of its modules is hidden.
    return [*others, root] if here == root else [*others, root, here]


def quiet_imports() -> None:
    """Keeps what Beam and its clients say while they are imported from the user."""
    logging.getLogger().setLevel(logging.ERROR)
    for category in (DeprecationWarning, FutureWarning):  # For those who develop what we import.
        warnings.simplefilter("ignore", category)


def main() -> None:
    """Starts a worker in a process of its own."""
    process.become_worker()
    quiet_imports()
    serve()


def serve() -> NoReturn:
    """Serves bundles until the runner has no more, then ends the process."""
    # The worker sets the level of the root logger; that of Beam's own loggers stays.
    logging.basicConfig(level=logging.ERROR, format="%(message)s", stream=sys.stderr, force=True)
    # Beam prints the traceback of what it reports to the program as well.
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for good
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    threading.excepthook = _say_nothing
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    from apache_beam.runners.worker import sdk_worker_main

    import transforms.models.inference  # noqa: F401 - before a step that is unpickled brings Beam's own

    try:
        sdk_worker_main.main(sys.argv)
    except Exception:
        # The program that started the worker has ended, or says itself what is wrong.
        os._exit(1)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # Nothing is left to do but to take the interpreter down, which takes time.


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)


def _say_nothing(_: object) -> None:
    """For threads that lose their connection when the program that started the worker ends."""


if __name__ == "__main__":
    main()
