"""Beam's portable protocol for real: jobs on Prism end as jobs of the local runner do."""

import itertools
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.jobs import command, run, start, verify
from tests.runners import noted
from tests.runners.jobs import every_checksum, left_running, pool_workers, records, serving
from tests.stores.servers import free_port
from transforms.formats import FORMATS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SHARDS = 12

EVERYTHING = (
    f"--formats={','.join(FORMATS)}",
    "--depth_model=builtin",
    "--placements=1",
    "--split=train:0.75,test:0.25",
)
"""144 samples with all there is."""

LONG = ("--placements=12",)
"""1,728 samples without depth, some seconds of work for one worker."""


SCENES = (
    "--preset=natural",
    "--depth_model=builtin",
    "--depth_passes=1",
    "--formats=tfrecord,parquet,coco",
    "--max_samples=48",
)
"""Scenes with layered depth, whose backgrounds are prepared first."""


@dataclass(frozen=True)
class Expected:
    """What the local runner writes.

    Attributes:
        output: the folder, which holds nothing any more; a job elsewhere is given the same, since
            some files name it.
        checksums: of every file.
    """

    output: Path
    checksums: dict[str, str]


def made_locally(inputs: Path, output: Path, changes: tuple[str, ...]) -> Expected:
    run(command(inputs, output, *changes))
    checksums = every_checksum(output)
    shutil.rmtree(output)
    return Expected(output, checksums)


@pytest.fixture(scope="module")
def everything(prism, inputs, tmp_path_factory) -> Expected:
    return made_locally(inputs, tmp_path_factory.mktemp("everything") / "set", EVERYTHING)


@pytest.fixture(scope="module")
def long(prism, inputs, tmp_path_factory) -> Expected:
    return made_locally(inputs, tmp_path_factory.mktemp("long") / "set", LONG)


@pytest.fixture(scope="module")
def scenes(prism, inputs, tmp_path_factory) -> Expected:
    return made_locally(inputs, tmp_path_factory.mktemp("scenes") / "set", SCENES)


@pytest.fixture
def empty(everything, long, scenes):
    """Takes away what a test has made in the folders."""
    yield
    for expected in (everything, long, scenes):
        shutil.rmtree(expected.output, ignore_errors=True)


@dataclass(frozen=True)
class Cluster:
    """A Prism server and a worker pool, each a process of its own.

    Attributes:
        flags: by which a job goes there.
        pool: process id of the worker pool.
    """

    flags: tuple[str, ...]
    pool: int


@pytest.fixture(scope="module")
def cluster(prism, tmp_path_factory):
    logs = tmp_path_factory.mktemp("logs")
    job_port, pool_port = free_port(), free_port()
    server = [prism, f"--job_port={job_port}", "--serve_http=false", "--log_kind=text"]
    module = "apache_beam.runners.worker.worker_pool_main"
    pool = [sys.executable, "-m", module, f"--service_port={pool_port}"]
    flags = (
        "--runner=PortableRunner",
        f"--job_endpoint=localhost:{job_port}",
        "--environment_type=EXTERNAL",
        f"--environment_config=localhost:{pool_port}",
    )
    with (
        serving(server, job_port, logs / "prism"),
        serving(pool, pool_port, logs / "pool") as process,
    ):
        yield Cluster(flags, process.pid)


def test_loopback_writes_the_same(prism, inputs, everything, empty):
    flags = ["--runner=PrismRunner", f"--prism_location={prism}"]
    job = start(command(inputs, everything.output, *EVERYTHING, *flags))
    text, _ = job.communicate(timeout=240)
    assert job.returncode == 0, text
    assert every_checksum(everything.output) == everything.checksums
    assert left_running(job) == []
    verify(everything.output)


def test_a_worker_pool_writes_the_same(cluster, inputs, everything, empty):
    run(command(inputs, everything.output, *EVERYTHING, *cluster.flags))
    assert every_checksum(everything.output) == everything.checksums
    assert pool_workers(cluster.pool) == []


def test_a_worker_pool_makes_the_same_scenes(cluster, inputs, scenes, empty):
    run(command(inputs, scenes.output, *SCENES, *cluster.flags))
    assert every_checksum(scenes.output) == scenes.checksums
    verify(scenes.output)


def test_shards_are_visible_as_they_fill(prism, inputs, long, empty, tmp_path):
    flags = ["--runner=PrismRunner", f"--prism_location={prism}"]
    [python, _, _, *arguments] = command(inputs, long.output, *LONG, *flags)
    notes = tmp_path / "notes"
    environment = {**os.environ, noted.NOTES: str(notes)}
    job = start([python, "-m", "tests.runners.noted", *arguments], env=environment)
    seen: dict[str, float] = {}
    while job.poll() is None:
        for shard in records(long.output):
            seen.setdefault(shard, time.time())
        time.sleep(0.01)
    assert job.returncode == 0, job.communicate()[0]
    assert len(seen) == SHARDS

    lines = [line.split() for line in notes.read_text().splitlines()]
    begun = [float(at) for what, at in lines if what == "start_bundle"]
    ended = [float(at) for what, at in lines if what == "finish_bundle"]
    # The writer waits for no end of a bundle: otherwise nothing would be seen before the first.
    assert len(begun) == len(ended) < SHARDS
    assert sum(at < min(ended) for at in seen.values()) >= SHARDS // 2
    times = sorted(seen.values())
    whole = times[-1] - min(begun)
    assert times[0] - min(begun) < whole / 2
    assert max(b - a for a, b in itertools.pairwise(times)) < whole / 2


def test_a_killed_worker_fails_the_job_and_the_same_command_continues(cluster, inputs, long, empty):
    arguments = command(inputs, long.output, *LONG, *cluster.flags)
    job = start(arguments)
    deadline = time.monotonic() + 120
    while len(records(long.output)) < 3:
        assert job.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    [worker] = pool_workers(cluster.pool)
    worker.send_signal(signal.SIGKILL)
    text, _ = job.communicate(timeout=60)
    assert job.returncode == 1, text
    first, second = text.strip().splitlines()
    assert first.startswith("error: the job has stopped: "), text
    assert second == "the same command continues it"
    left = records(long.output)
    assert 3 <= len(left) < SHARDS
    kept = {
        name: (long.output / name).stat().st_mtime_ns
        for shard in left
        for name in (f"data/{shard}.parquet", f"state/records/{shard}.json")
    }

    run(arguments)
    assert every_checksum(long.output) == long.checksums
    assert kept == {name: (long.output / name).stat().st_mtime_ns for name in kept}
