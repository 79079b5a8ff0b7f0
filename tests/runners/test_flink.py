"""Flink: what is refused, the cluster of `deploy/flink`, and a run where there is a job server."""

import os
import shutil

import pytest

from pipeline import generate
from pipeline.cli import main
from pipeline.options import generate_flags
from pipeline.runner import check_runner, choose_runner
from pipeline.spec import SpecError
from tests.conftest import make_spec
from tests.deploy.commands import generate_commands, unknown_flags
from tests.runners.dataflow import ROOT
from tests.stores.jobs import checksums

COMPOSE = ROOT / "deploy" / "flink" / "compose.yml"
POOL = ("--environment_type=EXTERNAL", "--environment_config=localhost:50000")
JAR = os.environ.get("FLINK_JOB_SERVER_JAR", "")


@pytest.mark.parametrize(
    "flags",
    [
        ["--runner=FlinkRunner", "--flink_master=cluster:8081"],
        ["--runner=PortableRunner", "--job_endpoint=localhost:8099"],
    ],
)
def test_a_cluster_whose_workers_lack_the_package_is_refused(flags, inputs, tmp_path, capsys):
    places = [f"--foregrounds={inputs / 'fg'}", f"--backgrounds={inputs / 'bg'}"]
    output = tmp_path / "set"
    assert main(["generate", *places, f"--output={output}", *flags]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "give --environment_type=EXTERNAL --environment_config=HOST:PORT" in line
    assert not output.exists()
    check_runner([*flags, *POOL], [])


def test_a_missing_jar_is_named():
    with pytest.raises(SpecError, match=r"--flink_job_server_jar=/no/such\.jar: there is no such"):
        check_runner(["--runner=FlinkRunner", "--flink_job_server_jar=/no/such.jar"], [])


def test_flink_runs_its_workers_itself_on_one_machine():
    check_runner(["--runner=FlinkRunner", "--flink_master=[local]"], [])
    choice = choose_runner(["--runner=FlinkRunner"], 5)
    assert not choice.local and choice.waits


def test_each_task_manager_has_a_pool_of_workers_in_its_network():
    yaml = pytest.importorskip("yaml")
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert services["workers"]["network_mode"] == "service:taskmanager"
    assert services["workers"]["command"] == "--worker_pool"
    share = services["jobserver"]["command"].partition("--artifacts-dir=")[2]
    for name in ("taskmanager", "jobserver"):
        assert f"staged:{share}" in services[name]["volumes"]
    images = {service["image"].partition(":?")[0] for service in services.values()}
    assert images == {"${FLINK_IMAGE", "${WORKER_IMAGE", "${JOB_SERVER_IMAGE"}


def test_the_command_in_its_head_is_known_and_not_refused():
    [arguments] = generate_commands(COMPOSE.read_text())
    assert unknown_flags(arguments) == set()
    own = {f"--{name}" for name in generate_flags()}
    beam_arguments = [a for a in arguments if a.partition("=")[0] not in own]
    assert "--runner=PortableRunner" in beam_arguments
    check_runner(beam_arguments, [])


@pytest.mark.slow
@pytest.mark.skipif(
    not (JAR and shutil.which("java")),
    reason="there is no job server: Beam's wheel has no jar of one, and FLINK_JOB_SERVER_JAR"
    " names none (or there is no java)",
)
def test_flink_makes_the_same_files(inputs, plain, tmp_path):
    spec = make_spec(inputs, tmp_path / "set", image_encoding="png")
    version = os.environ.get("FLINK_VERSION", "1.20")
    flags = ["--runner=FlinkRunner", "--flink_master=[local]", f"--flink_version={version}",
             f"--flink_job_server_jar={JAR}", "--parallelism=2"]  # fmt: skip
    generate(spec, flags, progress=False)
    assert checksums(spec.output) == checksums(plain.output)
