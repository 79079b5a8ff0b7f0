"""Runners and places that are refused before any work, and how options are completed."""

import importlib.util
import re

import pytest
from apache_beam.options.pipeline_options import (
    DirectOptions,
    GoogleCloudOptions,
    PrismRunnerOptions,
    SetupOptions,
)
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from pipeline.cli import main
from pipeline.runner import SETUP_FILE, check_runner, choose_runner, job_name
from pipeline.spec import SpecError


def _has_gcp() -> bool:
    try:
        return importlib.util.find_spec("google.cloud.storage") is not None
    except ModuleNotFoundError:
        return False


needs_gcp = pytest.mark.skipif(not _has_gcp(), reason="the extra gcp is not installed")


@pytest.mark.parametrize(
    "name", ["DaskRunner", "daskrunner", "apache_beam.runners.dask.dask_runner.DaskRunner"]
)
def test_dask_is_refused_in_one_line(inputs, tmp_path, capsys, name):
    places = [f"--foregrounds={inputs / 'fg'}", f"--backgrounds={inputs / 'bg'}"]
    output = tmp_path / "set"
    assert main(["generate", *places, f"--output={output}", f"--runner={name}"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: --runner={name} silently drops elements")
    assert not output.exists()


def test_an_unknown_runner_is_refused():
    with pytest.raises(SpecError, match=r"--runner=SwiftRunner cannot be used: .*SwiftRunner"):
        check_runner(["--runner=SwiftRunner"], [])


@needs_gcp
def test_dataflow_is_refused_with_local_paths():
    with pytest.raises(SpecError, match=r"--backgrounds=/photos is on this machine.* gs://"):
        check_runner(
            ["--runner=DataflowRunner"],
            [("foregrounds", "gs://bucket/fg"), ("backgrounds", "/photos")],
        )


def test_an_unknown_kind_of_path_is_refused():
    with pytest.raises(SpecError, match="--output=ftp2://host/x: nothing here reads ftp2://"):
        check_runner([], [("output", "ftp2://host/x")])


def test_a_local_run_has_no_more_workers_than_shards():
    assert choose_runner(["--direct_num_workers=8"], 3).workers == 3
    one = choose_runner(["--direct_num_workers=8", "--runner=directrunner"], 1)
    assert one.local
    assert one.options.view_as(DirectOptions).direct_running_mode == "in_memory"


def test_local_workers_are_told_the_flags():
    choice = choose_runner(["--direct_num_workers=2", "--s3_endpoint_url=http://store"], 5)
    assert isinstance(choice.runner, FnApiRunner)
    told = choice.runner._provision_info.provision_info.pipeline_options
    assert told["beam:option:s3_endpoint_url:v1"] == "http://store"


def test_prism_is_found_on_the_path(tmp_path, monkeypatch):
    prism = tmp_path / "prism"
    prism.write_text("#!/bin/sh\n")
    prism.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = choose_runner(["--runner=PrismRunner"], 5)
    assert not found.local and found.waits
    assert found.options.view_as(PrismRunnerOptions).prism_location == str(prism)
    given = choose_runner(["--runner=PrismRunner", "--prism_location=/other"], 5)
    assert given.options.view_as(PrismRunnerOptions).prism_location == "/other"


@needs_gcp
def test_dataflow_gets_the_package_and_a_name_of_its_own():
    flags = ["--runner=DataflowRunner", "--no_wait_until_finish"]
    choice = choose_runner(flags, 5, "gs://bucket/sets/Large One")
    assert not choice.local and not choice.waits
    setup = choice.options.view_as(SetupOptions)
    assert setup.setup_file == str(SETUP_FILE) and SETUP_FILE.is_file()
    assert setup.save_main_session is False
    name = choice.options.view_as(GoogleCloudOptions).job_name
    assert name == job_name("gs://bucket/sets/Large One") == "mask-depth-large-one-1f6b4f36"
    own = choose_runner([*flags, "--setup_file=/x/setup.py", "--job_name=mine"], 5, "gs://b/s")
    assert own.options.view_as(SetupOptions).setup_file == "/x/setup.py"
    assert own.options.view_as(GoogleCloudOptions).job_name == "mine"


@needs_gcp
@pytest.mark.parametrize("output", ["gs://b", "gs://bucket/ÄÖ", "gs://bucket/" + "long" * 50])
def test_job_names_are_such_as_dataflow_takes(output):
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", job_name(output))
    assert len(job_name(output)) <= 63
    assert job_name(output) != job_name(output + "x")
