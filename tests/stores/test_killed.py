"""A job on an object store, killed and continued: the result is that of an uninterrupted job."""

import time
from pathlib import Path

import pytest

from tests.faults.jobs import command, kill, run, start
from tests.stores.jobs import checksums, names
from tests.stores.servers import environment_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_killed_and_continued(few, store, tmp_path):
    environment = environment_of(store)
    changes = ["--placements=1", "--max_samples=8", "--num_shards=6", *store.flags]
    run(command(few, tmp_path / "undisturbed", *changes))
    expected = checksums(str(tmp_path / "undisturbed"))

    output = f"{store.root}/killed"
    places = [f"--foregrounds={store.root}/fg", f"--backgrounds={store.root}/bg"]
    arguments = [*command(few, output, *changes), *places]
    job = start(arguments, env=environment)
    deadline = time.monotonic() + 240
    while True:
        found = [name for name in names(store, "killed") if name.startswith("state/records/train")]
        if len(found) > 1:
            break
        assert job.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    kill(job)

    found = names(store, "killed")
    assert "manifest.json" not in found and "state/lock" in found
    whole = checksums(output)
    shards = [name for name in found if name.startswith(("data/", "tfrecord/"))]
    assert shards  # What has a name is whole.
    assert {name: whole[name] for name in shards} == {name: expected[name] for name in shards}

    begin = len(store.requests)
    run(arguments, env=environment)
    read = [path.split("?")[0] for method, path in store.requests[begin:] if method == "GET"]
    assert checksums(output) == expected
    assert not [n for n in names(store, "killed") if n.startswith(("state/tmp", "state/lock"))]
    # What was killed between a file's name and its record is made again.
    done = [Path(name).stem for name in found if name.startswith("state/records/train")]
    finished = tuple(f"data/{name}.parquet" for name in done)
    assert finished and not [path for path in read if path.endswith(finished)]
