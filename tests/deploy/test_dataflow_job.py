"""The script that builds, checks and submits a Dataflow job, and the image that it builds."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.deploy.commands import unknown_flags
from tests.runners.dataflow import ROOT, bucket_of, options_of, recording
from tests.stores.servers import Store, environment_of

FOLDER = ROOT / "deploy" / "dataflow"
SCRIPT = FOLDER / "job.sh"
VARIABLES = {
    "PROJECT": "project",
    "REGION": "us-central1",
    "TEMP": "gs://pictures/tmp",
    "IMAGE": "repository/mask-depth:1",
    "PYTHON": sys.executable,
}
HOST = re.compile(r"\b[a-z0-9-]+(\.[a-z0-9-]+)*\.(io|com|dev|org|net)\b")


def run(
    *arguments: str, environment: dict[str, str] | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs the script with the variables that it needs, and some others."""
    return subprocess.run(
        [str(SCRIPT), *arguments],
        env={**(environment or os.environ), **VARIABLES, **variables},
        capture_output=True,
        text=True,
    )


def test_shellcheck_finds_nothing():
    command = shutil.which("shellcheck")
    if command is None:
        pytest.skip("shellcheck is not installed; bash -n is run with the other scripts")
    subprocess.run([command, str(SCRIPT)], check=True)


@pytest.mark.parametrize(
    "gpu, models, flexrs",
    [c for c in product(("l4", "t4", "none"), ("each", "shared", "single"), ("no", "yes"))
     if c[0] == "none" or c[2] == "no"],
)  # fmt: skip
def test_every_choice_gives_flags_that_are_known(gpu, models, flexrs):
    done = run(
        "flags", "--foregrounds=gs://b/fg", "--backgrounds=gs://b/bg", "--output=gs://b/a set",
        GPU=gpu, MODELS=models, FLEXRS=flexrs, SERVICE_ACCOUNT="me@project", SUBNETWORK="net",
    )  # fmt: skip
    words = shlex.split(done.stdout)
    assert words[:4] == [sys.executable, "-m", "pipeline", "generate"]
    assert "--output=gs://b/a set" in words
    assert unknown_flags(words[4:]) == set()
    accelerators = [word for word in words if "worker_accelerator" in word]
    assert len(accelerators) == (gpu != "none")
    assert ("use_nvidia_mps" in "".join(accelerators)) == (gpu != "none" and models == "each")
    assert ("--depth_device=cuda:0" in words) == (gpu != "none")
    assert ("--share_model" in words) == (models == "shared")
    assert ("--flexrs_goal=COST_OPTIMIZED" in words) == (flexrs == "yes")


@pytest.mark.parametrize(
    "variables, reason",
    [
        ({"PROJECT": ""}, "PROJECT is not set"),
        ({"GPU": "h100"}, "GPU=h100 is unknown; give l4, t4 or none"),
        ({"MODELS": "two"}, "MODELS=two is unknown"),
        ({"FLEXRS": "yes"}, "does not go with GPUs"),
    ],
)
def test_a_wrong_choice_is_one_line(variables, reason):
    done = run("flags", **variables)
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert reason in line


def test_the_image_is_made_of_what_is_sent_to_its_build():
    text = (FOLDER / "Dockerfile").read_text()
    sent = {
        line[1:]
        for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE)
        for word in line.split()[:-1]
    }
    assert sent <= copied
    assert [name for name in copied if not {name, name.partition("/")[0]} & sent] == []
    assert all((ROOT / name).exists() for name in copied)
    assert 'ENTRYPOINT ["/opt/apache/beam/boot"]' in text


@pytest.mark.parametrize(
    "name", ["Dockerfile", "job.sh", "../flink/compose.yml", "../local/Dockerfile"]
)
def test_no_registry_is_named(name):
    assert HOST.findall((FOLDER / name).read_text()) == []


@pytest.fixture(scope="module")
def bucket(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A bucket with three foregrounds under `fg` and two backgrounds under `bg`."""
    with bucket_of(inputs, tmp_path_factory.mktemp("bucket")) as store:
        yield store


def data_flags(store: Store, output: str) -> list[str]:
    """The flags of a small data set in a bucket."""
    root = store.root
    return [f"--foregrounds={root}/fg", f"--backgrounds={root}/bg", f"--output={root}/{output}",
            "--placements=1"]  # fmt: skip


@pytest.mark.slow
def test_the_check_says_what_would_be_made(bucket):
    pytest.importorskip("google.cloud.dataflow", reason="google-cloud-dataflow-client is missing")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    done = run("check", *data_flags(bucket, "checked"), environment=environment_of(bucket),
               BEAM_IMAGE=f"apache/beam_python{version}_sdk:2.77.0")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "inputs    3 foregrounds, 2 backgrounds" in done.stdout
    assert "samples   12 in 1 shards" in done.stdout
    missing = run("check", "--foregrounds=/here", "--backgrounds=/there", "--output=gs://b/x")
    assert missing.returncode == 2
    assert "out of reach of Dataflow's workers" in missing.stderr
    other = run("check", BEAM_IMAGE="apache/beam_python3.9_sdk:2.77.0")
    assert f"is not for Python {version}" in other.stderr
    untagged = run("check", IMAGE="repository/mask-depth")
    assert "has no tag" in untagged.stderr


@pytest.mark.slow
def test_submit_sends_the_job(bucket):
    pytest.importorskip("google.cloud.dataflow", reason="google-cloud-dataflow-client is missing")
    with recording() as service:
        done = run(
            "submit", *data_flags(bucket, "sent"), "--no_auth",
            f"--dataflow_endpoint={service.endpoint}", environment=environment_of(bucket),
            GPU="t4", MODELS="shared", MAX_WORKERS="9", SUBNETWORK="regions/us-central1/net",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "submitted" in done.stdout
    [job] = service.jobs
    [pool] = job["environment"]["workerPools"]
    assert pool["machineType"] == "n1-standard-8"
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 9
    assert pool["subnetwork"] == "regions/us-central1/net"
    assert pool["ipConfiguration"] == 2  # Private.
    assert job["environment"]["serviceOptions"] == [
        "worker_accelerator=type:nvidia-tesla-t4;count:1;install-nvidia-driver:5xx"
    ]
    assert options_of(job)["sdk_container_image"] == VARIABLES["IMAGE"]
