"""The real Dataflow client submits the real job; what it sends and stages is taken apart.

The service is a stand-in that runs nothing. What was staged is then run here, by workers that have
nothing but the staged package.
"""

import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from pipeline import generate
from pipeline.runner import job_name
from tests.conftest import make_spec
from tests.runners.dataflow import (
    ROOT,
    bucket_of,
    empty_environment,
    functions,
    made_since_shuffle,
    options_of,
    recording,
    shuffles,
    staged_package,
    staged_pipeline,
    stages,
    submit,
)
from tests.stores.jobs import checksums
from tests.stores.servers import Store
from transforms import storage

pytest.importorskip("google.cloud.dataflow", reason="google-cloud-dataflow-client is missing")
pytest.importorskip("google_auth_httplib2", reason="google-auth-httplib2 is not installed")

IMAGE = "repository/mask-depth:1"
ACCELERATOR = "worker_accelerator=type:nvidia-l4;count:1;install-nvidia-driver:5xx"
GPU_FLAGS = (
    f"--sdk_container_image={IMAGE}", f"--dataflow_service_options={ACCELERATOR}",
    "--machine_type=g2-standard-8", "--disk_size_gb=60", "--num_workers=4", "--max_num_workers=25",
    "--autoscaling_algorithm=THROUGHPUT_BASED", "--experiments=no_use_multiple_sdk_containers",
)  # fmt: skip

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Submitted:
    """A job that the stand-in has taken.

    Attributes:
        job: its JSON.
        pipeline: its staged pipeline.
        output: folder of its data set.
        said: what the command printed.
    """

    job: dict[str, Any]
    pipeline: beam_runner_api_pb2.Pipeline
    output: str
    said: str


@pytest.fixture(scope="module")
def bucket(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A bucket with three foregrounds under `fg` and two backgrounds under `bg`."""
    with bucket_of(inputs, tmp_path_factory.mktemp("bucket")) as store:
        yield store


@pytest.fixture(scope="module")
def submitted(bucket: Store) -> Submitted:
    """The job of a data set with depth, for workers with a GPU each."""
    with recording() as service:
        done = submit(bucket, service, "set", *GPU_FLAGS, "--no_wait_until_finish")
    assert done.returncode == 0, done.stderr
    [job] = service.jobs
    return Submitted(job, staged_pipeline(job), f"{bucket.root}/set", done.stdout)


def test_the_job_asks_for_its_workers_as_it_was_told(submitted):
    job = submitted.job
    assert submitted.said == f"submitted: the job {job['name']} makes {submitted.output}\n"
    assert job["type"] == 1  # Batch.
    assert job["name"] == job_name(submitted.output)
    environment = job["environment"]
    assert environment["serviceOptions"] == [ACCELERATOR]
    assert {"use_runner_v2", "no_use_multiple_sdk_containers"} <= set(environment["experiments"])
    [pool] = environment["workerPools"]
    assert pool["machineType"] == "g2-standard-8"
    assert pool["diskSizeGb"] == 60
    assert pool["numWorkers"] == 4
    assert pool["autoscalingSettings"] == {"algorithm": 2, "maxNumWorkers": 25}
    # A second environment would be a step that cannot be fused with the others.
    [image] = pool["sdkHarnessContainerImages"]
    assert image["containerImage"] == IMAGE


def test_the_package_of_this_checkout_is_staged_and_no_main_session(submitted):
    packages = [p["name"] for p in submitted.job["environment"]["workerPools"][0]["packages"]]
    assert "workflow.tar.gz" in packages
    assert not [name for name in packages if "session" in name]
    assert options_of(submitted.job)["save_main_session"] is False
    with tarfile.open(fileobj=io.BytesIO(staged_package(submitted.job, "workflow.tar.gz"))) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    for kind in ("pipeline/**/*.py", "transforms/**/*.py", "transforms/models/depth/builtin.*"):
        here = {str(path.relative_to(ROOT)) for path in ROOT.glob(kind)}
        assert here and here <= names


def test_no_function_travels_by_its_code(submitted):
    # A function that cannot be imported is pickled with its code, which names its file.
    found = functions(submitted.pipeline)
    assert len(found) > 10
    for name, pickled in found.items():
        for folder in ("pipeline", "transforms"):
            assert f"{ROOT}/{folder}/".encode() not in pickled, name
        assert b"pipeline.__main__" not in pickled, name


def test_only_ids_cross_the_shuffle(submitted):
    names = shuffles(submitted.pipeline)
    [spread] = [name for name in names if name.startswith("Spread/")]
    before = made_since_shuffle(submitted.pipeline, spread)
    assert any(name.startswith("List shards/") for name in before)
    pixels = ("Make/Place", "Make/Composite", "Make/Mask", "Make/Depth", "Make/Encode")
    assert not [name for name in before if name.startswith("Make/")]
    # Every other shuffle carries what comes out of Write or Remake: records.
    write = "Make/Write/Write"
    [writer] = [name for name in functions(submitted.pipeline) if name.startswith(write)]
    made = made_since_shuffle(submitted.pipeline, writer)
    for step in pixels:
        assert any(name.startswith(step) for name in made), step
    for name in names:
        passed = made_since_shuffle(submitted.pipeline, name)
        assert writer in passed or not [p for p in passed if p.startswith(pixels)], name


def test_clean_images_are_spread_over_the_workers_too(submitted):
    names = shuffles(submitted.pipeline)
    [spread] = [name for name in names if name.startswith("Spread clean/")]
    before = made_since_shuffle(submitted.pipeline, spread)
    assert any(name.startswith("List clean shards/") for name in before)
    assert not [name for name in before if name.startswith("Clean/")]


def test_everything_from_the_shuffle_to_the_record_is_one_stage(submitted):
    steps = ("Resume", "Make/Place", "Make/Composite", "Make/Mask", "Make/Depth", "Make/Encode",
             "Make/Write")  # fmt: skip
    [stage] = [s for s in stages(submitted.pipeline) if "Make/Write" in " ".join(sorted(s))]
    text = "\n".join(sorted(stage))
    assert [step for step in steps if step not in text] == []


def test_the_staged_job_runs_with_nothing_but_the_staged_package(
    submitted, inputs, tmp_path, monkeypatch
):
    python = empty_environment(tmp_path / "worker")
    package = tmp_path / "workflow.tar.gz"
    package.write_bytes(staged_package(submitted.job, "workflow.tar.gz"))
    _run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index",
         "--no-deps", "--no-build-isolation", str(package)]
    )  # fmt: skip
    code = (
        "import apache_beam.runners.worker.sdk_worker_main;"
        "import pipeline.local.worker_main, transforms.steps.write;"
        "print(pipeline.__path__[0])"
    )
    said = _run([str(python), "-c", code], cwd=tmp_path)
    assert said.splitlines()[-1].startswith(str(tmp_path / "worker"))

    job = beam_runner_api_pb2.Pipeline.FromString(submitted.pipeline.SerializeToString())
    worker = SubprocessSDKEnvironment.from_command_string(
        f"cd {tmp_path} && exec {python} -m apache_beam.runners.worker.sdk_worker_main"
    )
    for environment in job.components.environments.values():
        environment.CopyFrom(worker.to_runner_api(None))  # type: ignore[arg-type]
    FnApiRunner().run_via_runner_api(job, PipelineOptions([])).wait_until_finish()

    for kind in ("fg", "bg"):
        (tmp_path / kind).mkdir()
        for path in storage.list_files(f"{submitted.output.rpartition('/')[0]}/{kind}"):
            (tmp_path / kind / storage.file_name(path)).write_bytes(storage.read_bytes(path))
    spec = make_spec(tmp_path, tmp_path / "set", placements=1, depth_model="builtin")
    generate(spec, ["--direct_num_workers=1"], progress=False)
    here, there = checksums(str(tmp_path / "set")), checksums(submitted.output)
    shards = [name for name in here if name.startswith(("tfrecord/", "data/"))]
    assert len(shards) >= 6
    assert {name: there[name] for name in shards} == {name: here[name] for name in shards}


def test_a_job_that_fails_is_told_and_how_to_go_on(bucket):
    error = (
        "Traceback (most recent call last):\n"
        '  File "transforms/pixels/input_cache.py", line 70, in read_checked\n'
        "transforms.pixels.images.BadImage: gs://pictures/fg/fg_img_1.png: the file has changed"
        " [while running 'Make/Composite/Composite-ptransform-31']\n"
    )
    with recording("JOB_STATE_RUNNING", "JOB_STATE_FAILED", error=error) as service:
        done = submit(bucket, service, "failed", "--flexrs_goal=COST_OPTIMIZED")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == [
        "error: the job has stopped: BadImage: gs://pictures/fg/fg_img_1.png: the file has changed",
        "the same command continues it",
    ]
    [job] = service.jobs
    assert job["environment"]["flexResourceSchedulingGoal"] == 2


def _run(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
