"""The linter, the formatter and the type checker find nothing, and modules stay short."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "command", ["ruff check", "ruff format --check", "mypy"], ids=lambda command: command
)
def test_tool_finds_nothing(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "script",
    ["run_local.sh", "tests/run.sh", ".ci/run", "scripts/pin.sh", "deploy/dataflow/job.sh"],
)
def test_script_is_bash_and_executable(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_modules_are_short() -> None:
    modules = [p for folder in ("pipeline", "transforms") for p in (ROOT / folder).rglob("*.py")]
    assert modules
    assert {str(p): n for p in modules if (n := len(p.read_text().splitlines())) >= 300} == {}
