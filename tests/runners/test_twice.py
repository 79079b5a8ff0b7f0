"""Elements delivered twice, as engines do that lose a worker after its work: equal results."""

import functools
import shutil
from collections.abc import Callable, Iterator

import apache_beam as beam
import pytest

from pipeline import generate
from pipeline.verify import verify
from tests.conftest import make_spec
from tests.runners.jobs import every_checksum
from transforms.formats import FORMATS
from transforms.plan.inputs import SplitShare
from transforms.steps import beam as beam_steps
from transforms.steps import finish, join_fragments, resume

pytestmark = pytest.mark.slow

FLAGS = ["--direct_num_workers=1"]

# Those that read or write files. What the writer is fed with are bundles, in the tests of its step.
STEPS: list[type[beam.DoFn]] = [
    beam_steps._EachDoFn,
    finish._FinishDoFn,
    join_fragments._JoinDoFn,
    resume._ResumeDoFn,
]


def delivered_twice(process: Callable[..., Iterator]) -> Callable[..., list]:
    @functools.wraps(process)
    def processed(*arguments: object) -> list:
        list(process(*arguments))  # The engine never hears of this one.
        return list(process(*arguments))

    return processed


def test_every_step_may_see_its_elements_twice(inputs, tmp_path, monkeypatch):
    splits = (SplitShare("train", 0.75), SplitShare("test", 0.25))
    spec = make_spec(inputs, tmp_path / "set", formats=tuple(FORMATS), splits=splits)
    generate(spec, FLAGS, progress=False)
    expected = every_checksum(tmp_path / "set")
    shutil.rmtree(tmp_path / "set")

    for step in STEPS:
        monkeypatch.setattr(step, "process", delivered_twice(step.process))
    generate(spec, FLAGS, progress=False)
    assert every_checksum(tmp_path / "set") == expected
    assert verify(spec.output, FLAGS).faults == ()

    # A run that is killed after its manifest leaves what it needed; the same command removes it.
    for name in (
        f"tmp/.a.{'0' * 32}.part",
        "gallery/fg_bg_1_2_0_1.image",
        "zip/batch1-train-00000-of-00001.zip",
    ):
        path = tmp_path / "set" / "state" / name
        path.parent.mkdir()
        path.write_bytes(b"left")
    assert generate(spec, FLAGS, progress=False).already_finished
    assert every_checksum(tmp_path / "set") == expected
