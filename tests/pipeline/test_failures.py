"""Samples that cannot be made: named, counted, and bounded."""

import json
from pathlib import Path

import pytest
import torch

from pipeline import JobError, generate
from pipeline.cli import main
from pipeline.verify import verify
from tests.conftest import make_spec
from tests.pipeline.test_generate import rows_of


class Picky(torch.nn.Module):
    """Depth from brightness; pictures with a blue pixel in the upper left corner give NaN."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        depth = images.mean(1)
        corner = images[:, 2, :16, :16].mean((1, 2)) > 0.68
        return torch.where(corner[:, None, None], torch.full_like(depth, torch.nan), depth)


@pytest.fixture(scope="module")
def picky(tmp_path_factory) -> str:
    """A TorchScript file of the model."""
    path = tmp_path_factory.mktemp("model") / "picky.pt"
    torch.jit.script(Picky()).save(str(path))
    return f"torchscript:{path}"


def test_failed_samples_are_left_out_named_and_counted(inputs, tmp_path, picky):
    spec = make_spec(inputs, tmp_path / "out", depth_model=picky, max_failures=1.0)
    result = generate(spec, ["--direct_num_workers=1"], progress=False)
    everything = 12 * 6 * 2 * 3
    assert 0 < result.failed < everything
    assert result.samples + result.failed == everything
    lines = (tmp_path / "out" / "errors" / "samples.jsonl").read_text().splitlines()
    failures = [json.loads(line) for line in lines]
    assert len(failures) == result.failed
    assert {f["step"] for f in failures} == {"Depth"}
    assert all("not finite" in f["reason"] for f in failures)
    keys = {row["key"] for row in rows_of(result.output)}
    assert len(keys) == result.samples and not keys & {f["key"] for f in failures}
    assert result.statistics["failed"] == result.failed
    assert verify(result.output).faults == ()


def test_too_many_failures_stop_the_job_with_one_line(inputs, tmp_path, picky, capsys):
    spec = make_spec(inputs, tmp_path / "out", depth_model=picky)
    with pytest.raises(JobError, match="samples have failed, more than the 0 that --max_failures"):
        generate(spec, ["--direct_num_workers=1"], progress=False)
    assert not (tmp_path / "out" / "manifest.json").exists()
    code = main(
        [
            "generate", f"--foregrounds={inputs / 'fg'}", f"--backgrounds={inputs / 'bg'}",
            f"--output={tmp_path / 'two'}", "--image_size=64", "--foreground_size=32",
            "--placements=3", "--num_shards=3", f"--depth_model={picky}", "--direct_num_workers=2",
        ]
    )  # fmt: skip
    text = capsys.readouterr().err
    assert code == 1
    assert "error: the job has stopped: TooManyFailures: " in text
    assert "Traceback" not in text


@pytest.mark.parametrize("damage", ["truncated", "text", "missing"])
def test_a_model_file_that_cannot_be_loaded_stops_before_any_work(
    inputs, tmp_path, picky, damage, capsys
):
    path = tmp_path / "model.pt"
    if damage == "truncated":
        path.write_bytes(Path(picky.removeprefix("torchscript:")).read_bytes()[:500])
    elif damage == "text":
        path.write_text("no model")
    code = main(
        [
            "generate", f"--foregrounds={inputs / 'fg'}", f"--backgrounds={inputs / 'bg'}",
            f"--output={tmp_path / 'out'}", f"--depth_model=torchscript:{path}",
        ]
    )  # fmt: skip
    text = capsys.readouterr().err
    assert code == 2 and "error: --depth_model=torchscript:" in text
    assert not (tmp_path / "out").exists()
