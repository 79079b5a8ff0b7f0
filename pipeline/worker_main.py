"""A worker process of a local run: Beam's own, with logs of what concerns the user."""

import logging
import shlex
import sys
import warnings


def command() -> str:
    """The shell command that starts a worker; one that logs all where this process does."""
    all_of_it = logging.getLogger().isEnabledFor(logging.INFO)
    module = "apache_beam.runners.worker.sdk_worker_main" if all_of_it else "pipeline.worker_main"
    return shlex.join([sys.executable, "-m", module])


def quiet_imports() -> None:
    """Keeps what Beam and its clients say while they are imported from the user."""
    logging.getLogger().setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning, module="google")


def main() -> None:
    """Serves bundles until the runner has no more."""
    quiet_imports()
    # The worker sets the level of the root logger; that of Beam's own loggers stays.
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
