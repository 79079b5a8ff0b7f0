"""Fixtures: the program of the Prism runner, built once for a user."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from apache_beam.version import __version__ as beam_version

_MODULE = "github.com/apache/beam/sdks/v2/go/cmd/prism"


@pytest.fixture(scope="session")
def prism(request: pytest.FixtureRequest) -> str:
    """Prism's program: the one that was given, or the one of this Beam's version, built from Go."""
    given = request.config.getoption("--prism_location")
    if given:
        return str(given)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = cache / "mask-depth-dataset" / f"prism-{beam_version}"
    if not program.exists():
        _build(program)
    return str(program)


def _build(program: Path) -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip(
            "Prism is built with Go, which is not installed;"
            " install it, or name a Prism that is built: --prism_location=FILE"
        )
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        done = subprocess.run(
            [go, "install", f"{_MODULE}@v{beam_version}"],
            env={**os.environ, "GOBIN": folder},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = (done.stderr.strip() or "nothing").splitlines()[-1]
            pytest.skip(f"Go cannot build Prism {beam_version}; it says: {said}")
        os.replace(Path(folder) / "prism", program)
