"""An environment with NumPy 1 and tensorflow-io, without PyTorch, makes and reads the same set.

`tests/run.sh` makes it, in .venv-tensorflow-io, and names its Python in OLD_PYTHON.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.readers.rows import rows_by_key

ROOT = Path(__file__).parent.parent
PYTHON = os.environ.get("OLD_PYTHON")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="OLD_PYTHON names no environment; tests/run.sh makes it"),
]

READ = """
import json, sys
import tensorflow_io as tfio
names = ("key", "image.bytes", "mask.bytes", "depth.bytes", "depth_scale", "fg_id", "bg_id", "area")
for path in sys.argv[1:]:
    for record in tfio.IODataset.from_parquet(path, columns=list(names)):
        values = {name: record[name].numpy() for name in names}
        plain = {n: v.hex() if isinstance(v, bytes) else v.item() for n, v in values.items()}
        print(json.dumps(plain))
"""


def run(*command: str) -> str:
    """What a command with the other Python prints; it must end well."""
    assert PYTHON is not None
    done = subprocess.run([PYTHON, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_another_environment():
    script = "import numpy, importlib.util as u; print(numpy.__version__, u.find_spec('torch'))"
    version, torch = run("-c", script).split()
    assert version.startswith("1.") and torch == "None"


def test_it_makes_the_same_bytes(full, inputs, tmp_path):
    spec = json.loads(Path(full.output, "state/spec.json").read_text())
    again = {**spec, "output": str(tmp_path / "set"), "depth_model": "builtin"}
    (tmp_path / "job.json").write_text(json.dumps(again))
    run(
        *("-m", "pipeline", "generate", f"--config={tmp_path / 'job.json'}"),
        "--direct_num_workers=1",
    )

    def files(output: str | Path) -> dict[str, str]:
        listed = json.loads(Path(output, "manifest.json").read_text())["files"]
        return {file["path"]: file["sha256"] for file in listed}

    assert files(tmp_path / "set") == files(full.output)


def test_tensorflow_io_reads_the_parquet_files(full):
    rows = rows_by_key(full.output)
    paths = sorted(str(path) for path in Path(full.output).glob("data/*.parquet"))
    records = [json.loads(line) for line in run("-c", READ, *paths).splitlines()]
    assert sorted(record["key"] for record in records) == sorted(key.encode().hex() for key in rows)
    for record in records:
        row = rows[bytes.fromhex(record["key"]).decode()]
        for name in ("image", "mask", "depth"):
            assert bytes.fromhex(record[f"{name}.bytes"]) == row[name]["bytes"]
        for name in ("depth_scale", "fg_id", "bg_id", "area"):
            assert record[name] == row[name]
