"""The scripts are bash, and executable."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "script",
    [
        "run_local.sh",
        "tests/run.sh",
        ".ci/run",
        "scripts/pin.sh",
        "scripts/setup_venv.sh",
        "deploy/dataflow/job.sh",
    ],
)
def test_script_is_bash_and_executable(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(path)], check=True)
