"""The entry point of Beam's containers, for real: it installs what a job has staged and serves it.

Dataflow's workers and the pools beside Flink start so, in an image that has the pinned packages.
"""

import json
import shlex

import pytest

from tests.faults.jobs import command, run
from tests.runners.dataflow import ROOT, empty_environment
from tests.stores.jobs import checksums

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_it_installs_the_staged_package_and_its_worker_makes_the_set(
    prism, entry_point, inputs, tmp_path
):
    python = empty_environment(tmp_path / "worker")
    start = tmp_path / "start.sh"
    # As the image has it: everything is where `python` is. Prism quotes the values of its flags.
    start.write_text(
        "#!/usr/bin/env bash\n"
        f"cd {shlex.quote(str(tmp_path))}\n"
        f"export PATH={shlex.quote(str(python.parent))}:$PATH\n"
        "export RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1\n"
        f"exec {shlex.quote(entry_point)} --semi_persist_dir={shlex.quote(str(tmp_path))}"
        ' "${@//\\\'/}"\n'
    )
    start.chmod(0o755)
    changes = ("--placements=1", "--num_shards=3", "--depth_model=builtin")
    run(command(inputs, tmp_path / "here", *changes))
    run(
        command(
            inputs,
            tmp_path / "there",
            *changes,
            "--runner=PrismRunner",
            f"--prism_location={prism}",
            "--environment_type=PROCESS",
            f"--environment_config={json.dumps({'command': str(start)})}",
            f"--setup_file={ROOT / 'setup.py'}",
        )
    )
    [site] = (tmp_path / "worker").glob("lib/python*/site-packages")
    assert (site / "pipeline" / "cli.py").is_file()
    here, there = checksums(str(tmp_path / "here")), checksums(str(tmp_path / "there"))
    shards = [name for name in here if name.startswith(("tfrecord/", "data/"))]
    assert len(shards) >= 6
    assert {name: there[name] for name in shards} == {name: here[name] for name in shards}
