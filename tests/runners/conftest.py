"""Fixtures: the programs of Beam that are written in Go, built once for a user."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from apache_beam.version import __version__ as beam_version

_BEAM = "github.com/apache/beam/sdks/v2"


@pytest.fixture(scope="session")
def prism(request: pytest.FixtureRequest) -> str:
    """Prism's program: the one that was given, or the one of this Beam's version, built from Go."""
    given = request.config.getoption("--prism_location")
    if given:
        return str(given)
    hint = ", or name a Prism that is built: --prism_location=FILE"
    return str(_built("prism", f"{_BEAM}/go/cmd/prism", hint))


@pytest.fixture(scope="session")
def entry_point() -> str:
    """The program that Beam's containers start, of this Beam's version, built from Go."""
    return str(_built("boot", f"{_BEAM}/python/container"))


def _built(name: str, package: str, hint: str = "") -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = cache / "mask-depth-dataset" / f"{name}-{beam_version}"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        pytest.skip(f"Beam's {name} is built with Go, which is not installed; install it{hint}")
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        done = subprocess.run(
            [go, "install", f"{package}@v{beam_version}"],
            env={**os.environ, "GOBIN": folder},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = (done.stderr.strip() or "nothing").splitlines()[-1]
            pytest.skip(f"Go cannot build Beam's {name} {beam_version}; it says: {said}")
        os.replace(Path(folder) / package.rpartition("/")[2], program)
    return program
