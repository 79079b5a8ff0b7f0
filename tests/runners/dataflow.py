"""A recording stand-in of the Dataflow API, and what was submitted to it."""

import bz2
import json
import subprocess
import sys
import venv
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.portability.common_urns import primitives
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from tests.stores.servers import Store, environment_of, google_store, serving
from transforms import storage

ROOT = Path(__file__).parent.parent.parent
SHUFFLE = primitives.GROUP_BY_KEY.urn
PAR_DO = primitives.PAR_DO.urn


@dataclass
class Dataflow:
    """The service as the tests see it.

    Attributes:
        endpoint: its address; only one with "localhost" in it is spoken to in plain HTTP.
        jobs: the jobs submitted so far, as JSON.
        states: what the state of a job is at each look; the last one stays.
        error: what went wrong, as its log tells; empty for nothing.
    """

    endpoint: str = ""
    jobs: list[dict[str, Any]] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    error: str = ""


@contextmanager
def recording(*states: str, error: str = "") -> Iterator[Dataflow]:
    """Runs the stand-in; jobs go through the given states."""
    service = Dataflow(states=list(states) or ["JOB_STATE_DONE"], error=error)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.jobs.append(job)
            echoed = {key: job[key] for key in ("name", "clientRequestId")}
            self._answer({**echoed, **self._place(), "currentState": "JOB_STATE_PENDING"})

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.endswith("/messages"):
                message = {
                    "id": "1",
                    "time": "2026-01-01T00:00:00Z",
                    "messageText": service.error,
                    "messageImportance": "JOB_MESSAGE_ERROR",
                }
                self._answer({"jobMessages": [message] if service.error else []})
            elif path.endswith("/metrics"):
                self._answer({"metrics": []})
            else:
                state = service.states.pop(0) if len(service.states) > 1 else service.states[0]
                self._answer({**self._place(), "currentState": state})

        def _place(self) -> dict[str, str]:
            # /v1b3/projects/PROJECT/locations/LOCATION/jobs...
            parts = self.path.split("/")
            return {"id": "job-1", "projectId": parts[3], "location": parts[5]}

        def _answer(self, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with serving(Handler) as port:
        service.endpoint = f"http://localhost:{port}"
        yield service


@contextmanager
def bucket_of(inputs: Path, folder: Path) -> Iterator[Store]:
    """A bucket that this process reaches, with three foregrounds and two backgrounds."""
    with google_store(folder) as store, pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment.items():
            patch.setenv(name, value)
        FileSystems.set_options(PipelineOptions([]))
        for kind, count in (("fg", 3), ("bg", 2)):
            for number in range(1, count + 1):
                name = f"{kind}/{kind}_img_{number}.png"
                storage.write_bytes(f"{store.root}/{name}", (inputs / name).read_bytes())
        yield store


def submit(
    store: Store, service: Dataflow, output: str, *flags: str
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m pipeline generate` as a user does, with the inputs in the store's bucket."""
    command = [sys.executable, "-m", "pipeline", "generate", *job_flags(store, service, output)]
    return subprocess.run(
        [*command, *flags],
        cwd=ROOT,
        env=environment_of(store),
        capture_output=True,
        text=True,
    )


def job_flags(store: Store, service: Dataflow, output: str) -> list[str]:
    """What every job of the tests is told."""
    root = store.root
    return [
        f"--foregrounds={root}/fg", f"--backgrounds={root}/bg", f"--output={root}/{output}",
        "--image_size=64", "--foreground_size=32", "--placements=1", "--num_shards=3",
        "--runner=DataflowRunner", "--project=project", "--region=us-central1", "--no_auth",
        f"--dataflow_endpoint={service.endpoint}", f"--temp_location={root}/tmp",
    ]  # fmt: skip


def options_of(job: dict[str, Any]) -> dict[str, Any]:
    """The pipeline options that workers are told."""
    return job["environment"]["sdkPipelineOptions"]["options"]


def staged_pipeline(job: dict[str, Any]) -> beam_runner_api_pb2.Pipeline:
    """The pipeline that the job's workers are to run."""
    return beam_runner_api_pb2.Pipeline.FromString(
        storage.read_bytes(options_of(job)["pipelineUrl"])
    )


def staged_package(job: dict[str, Any], name: str) -> bytes:
    """A file that was staged for the workers."""
    folder = options_of(job)["pipelineUrl"].rpartition("/")[0]
    return storage.read_bytes(f"{folder}/{name}")


def functions(pipeline: beam_runner_api_pb2.Pipeline) -> dict[str, bytes]:
    """The pickled function of every ParDo, unpacked, by the name of its step."""
    found: dict[str, bytes] = {}
    for transform in pipeline.components.transforms.values():
        if transform.spec.urn == PAR_DO:
            payload = beam_runner_api_pb2.ParDoPayload.FromString(transform.spec.payload)
            if payload.do_fn.urn == python_urns.PICKLED_DOFN_INFO:
                found[transform.unique_name] = bz2.decompress(b64decode(payload.do_fn.payload))
    return found


def stages(pipeline: beam_runner_api_pb2.Pipeline) -> list[set[str]]:
    """The steps that Beam's own fuser runs together, by their names."""
    _, fused = FnApiRunner().create_stages(pipeline)
    return [{transform.unique_name for transform in stage.transforms} for stage in fused]


def made_since_shuffle(pipeline: beam_runner_api_pb2.Pipeline, name: str) -> set[str]:
    """The steps that an element passes between the last shuffle and the named step."""
    transforms = [t for t in pipeline.components.transforms.values() if not t.subtransforms]
    producer = {output: t for t in transforms for output in t.outputs.values()}
    [start] = [t for t in transforms if t.unique_name == name]
    seen: dict[str, Any] = {}
    todo = [producer[i] for i in start.inputs.values()]
    while todo:
        transform = todo.pop()
        if transform.unique_name not in seen and transform.spec.urn != SHUFFLE:
            seen[transform.unique_name] = transform
            todo += [producer[i] for i in transform.inputs.values()]
    return set(seen)


def shuffles(pipeline: beam_runner_api_pb2.Pipeline) -> list[str]:
    """The names of all steps at which elements change machines."""
    transforms = pipeline.components.transforms.values()
    return [t.unique_name for t in transforms if t.spec.urn == SHUFFLE]


def empty_environment(folder: Path) -> Path:
    """An environment without the project; everything else is found where the tests find it."""
    venv.create(folder, with_pip=False, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site / "others.pth").write_text("\n".join(here) + "\n")
    return folder / "bin" / "python"
