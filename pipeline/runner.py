"""Beam options: local runs use every core; others are completed, and else left as they are."""

import hashlib
import re
import shutil
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import grpc
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import (
    DirectOptions,
    FlinkRunnerOptions,
    GoogleCloudOptions,
    PipelineOptions,
    PortableOptions,
    PrismRunnerOptions,
    SetupOptions,
    StandardOptions,
)
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import (
    ExtendedProvisionInfo,
    FnApiRunner,
)
from apache_beam.runners.portability.job_server import JobServer
from apache_beam.runners.portability.portable_runner import JobServiceHandle, PortableRunner
from apache_beam.runners.runner import PipelineRunner, create_runner
from apache_beam.transforms.environments import Environment, SubprocessSDKEnvironment

from pipeline.beam_flags import check_beam_flags
from pipeline.local import forks, process
from pipeline.local.cores import cores
from pipeline.local.worker_main import command
from pipeline.options import generate_flags
from pipeline.spec import SpecError
from transforms import storage

_LOCAL = {"", "directrunner", "fnapirunner", "bundlebaseddirectrunner"}
_DATAFLOW = "dataflowrunner"
_PORTABLE = {"flinkrunner", "portablerunner"}
SETUP_FILE = Path(__file__).resolve().parent.parent / "setup.py"


@dataclass(frozen=True)
class RunnerChoice:
    """The runner of a job.

    Attributes:
        options: Beam's options.
        local: whether it runs on this machine, started by this process.
        workers: local worker processes; 0 where the runner decides.
        waits: whether this process waits for the end of the job.
        runner: the runner itself; None for the one that the options name.
    """

    options: PipelineOptions
    local: bool
    workers: int
    waits: bool = True
    runner: PipelineRunner | None = None

    @contextmanager
    def pipeline(self) -> Iterator[beam.Pipeline]:
        """Gives an empty pipeline, which runs there at the end of the block.

        A server that Beam starts for the job, such as Prism, ends with it: Beam would leave that to
        the orderly end of this process.
        """
        servers: list[JobServer] = []
        runner = self.runner or create_runner(self.options.view_as(StandardOptions).runner)
        if isinstance(runner, PortableRunner):
            make_server = runner.default_job_server

            def remembered(options: PipelineOptions) -> JobServer:
                servers.append(make_server(options))
                return servers[-1]

            runner.default_job_server = remembered  # type: ignore[method-assign]

        def stop() -> None:
            for server in servers if self.waits else ():
                server.stop()

        if not self.local:
            _silence_lost_connections()
        note = "" if self.local else "the job may still be running remotely; cancel it there"
        try:
            with (
                process.at_end(stop, note),
                beam.Pipeline(runner=runner, options=self.options) as pipeline,
            ):
                yield pipeline
        finally:
            stop()


def _silence_lost_connections() -> None:
    """Keeps threads that lose their connection at the end of a job from printing tracebacks.

    Workers in this process, as with --environment_type=LOOPBACK, end with the job that they worked
    for, and the server closes their streams first. What fails within a job reaches its result.
    """
    before = threading.excepthook
    if getattr(before, "silences_lost_connections", False):
        return

    def hook(arguments: threading.ExceptHookArgs) -> None:
        if not isinstance(arguments.exc_value, grpc.RpcError):
            before(arguments)

    hook.silences_lost_connections = True  # type: ignore[attr-defined]
    threading.excepthook = hook


def check_reachable(beam_arguments: list[str]) -> None:
    """Refuses a job server or a cluster at whose address nothing answers.

    Beam would wait for it in silence, for minutes.

    Raises:
        SpecError: nothing answers there.
    """
    options = PipelineOptions(beam_arguments)
    kind = _kind(options.view_as(StandardOptions).runner)
    if kind not in _PORTABLE:
        return
    portable, flink = options.view_as(PortableOptions), options.view_as(FlinkRunnerOptions)
    if portable.job_endpoint and portable.job_endpoint != "embed":
        what = "start Beam's job server first (see docs/running.md)"
        _check_answers("job_endpoint", portable.job_endpoint, what)
    elif kind == "flinkrunner" and flink.flink_master not in ("", "[local]", "[auto]"):
        _check_answers("flink_master", flink.flink_master, "start the Flink cluster first")


_ANSWER_SECONDS = 5.0


def _check_answers(flag: str, address: str, what: str) -> None:
    """Raises SpecError when no server takes connections at an address `HOST:PORT`."""
    host, _, port = address.rpartition("://")[2].rstrip("/").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise SpecError(f"--{flag}={address} is no address; give HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_SECONDS).close()
    except OSError as error:
        reason = error.strerror or f"{error}"
        raise SpecError(f"--{flag}={address}: nothing answers there ({reason}); {what}") from None


def check_model(beam_arguments: list[str], depth_model: str) -> None:
    """Refuses a depth model in a local file where workers run on machines of Dataflow.

    Raises:
        SpecError: the workers cannot reach it.
    """
    kind = _kind(PipelineOptions(beam_arguments).view_as(StandardOptions).runner)
    name, _, place = depth_model.partition(":")
    local = name in ("onnx", "torchscript") or (name == "hf" and Path(place).is_dir())
    if kind == _DATAFLOW and local and place and storage.is_local(place):
        raise SpecError(
            f"--depth_model={depth_model} is on this machine, out of reach of Dataflow's workers;"
            " give builtin, or hf:ID of a model on the Hub"
        )


def check_runner(beam_arguments: list[str], paths: Iterable[tuple[str, str]]) -> None:
    """Refuses, before any work, a runner or a place for files that cannot serve.

    Beam's file systems know their flags afterwards, such as the end point of an object store.

    Args:
        beam_arguments: Beam flags as Beam spells them.
        paths: flag and value of each place that inputs are read from or outputs written to.

    Raises:
        SpecError: an argument is not a Beam flag, or the runner silently drops elements, is
            unknown, needs an extra that is not installed, or has workers that cannot reach a path.
    """
    check_beam_flags(beam_arguments, generate_flags())
    options = PipelineOptions(beam_arguments)
    name = options.view_as(StandardOptions).runner or ""
    workers = options.view_as(DirectOptions).direct_num_workers
    if workers < 0:
        raise SpecError(
            f"--direct_num_workers={workers} is invalid; give at least 1, or 0 for all cores"
        )
    FileSystems.set_options(options)
    kind = _kind(name)
    if kind == "daskrunner":
        raise SpecError(
            f"--runner={name} silently drops elements; use another, such as PrismRunner"
        )
    try:
        if kind:
            create_runner(name)
    except Exception as error:  # Runners are plug-ins; any failure here is final.
        reason = f"{error}".splitlines()[0]
        raise SpecError(f"--runner={name} cannot be used: {reason}") from None
    _check_portable(kind, options)
    for flag, path in paths:
        scheme = FileSystems.get_scheme(path)
        if scheme is None and kind == _DATAFLOW:
            raise SpecError(
                f"--{flag}={path} is on this machine, out of reach of Dataflow's workers;"
                " give a path that begins with gs://"
            )
        try:
            FileSystems.get_filesystem(path)
        except ValueError:
            extra = {"gs": "; install the extra gcp", "s3": "; install the extra aws"}
            raise SpecError(
                f"--{flag}={path}: nothing here reads {scheme}://{extra.get(scheme or '', '')}"
            ) from None


def _check_portable(kind: str, options: PipelineOptions) -> None:
    """Refuses a cluster whose workers would start without this package."""
    flink = options.view_as(FlinkRunnerOptions)
    jar = flink.flink_job_server_jar
    if kind == "flinkrunner" and jar and "://" not in jar and not Path(jar).is_file():
        raise SpecError(f"--flink_job_server_jar={jar}: there is no such file")
    here = kind == "flinkrunner" and flink.flink_master in ("[local]", "[auto]")
    if kind in _PORTABLE and not here and not options.view_as(PortableOptions).environment_type:
        raise SpecError(
            "the workers of a cluster must have this package: give --environment_type=EXTERNAL"
            " --environment_config=HOST:PORT of a worker pool that has it (see docs/running.md)"
        )


def choose_runner(beam_arguments: list[str], shards: int, output: str = "") -> RunnerChoice:
    """Reads Beam's flags and fills in what a run needs.

    Args:
        beam_arguments: Beam flags as Beam spells them.
        shards: shards to make; more workers than that would idle.
        output: folder of the data set, after which a job elsewhere is named.
    """
    options = PipelineOptions(beam_arguments)
    options.view_as(SetupOptions).save_main_session = False
    standard = options.view_as(StandardOptions)
    kind = _kind(standard.runner)
    if kind not in _LOCAL:
        if kind == _DATAFLOW:
            _complete_dataflow(options, output)
        prism = options.view_as(PrismRunnerOptions)
        if kind == "prismrunner" and not prism.prism_location:
            prism.prism_location = shutil.which("prism")  # Else Beam downloads it.
        return RunnerChoice(options, False, 0, not standard.no_wait_until_finish)
    # DirectRunner may delegate to a runner that it downloads; this one is always available.
    standard.runner = "FnApiRunner"
    workers = max(1, min(local_workers(beam_arguments), shards))
    options.view_as(DirectOptions).direct_num_workers = workers
    # The mode is left at in_memory: the runner below has worker processes of its own kind.
    environment: Environment | None = None
    copied = forks.keep(workers if workers > 1 else 0)
    if workers > 1 and copied:
        environment = forks.ForkedEnvironment()
    elif workers > 1:
        environment = SubprocessSDKEnvironment.from_command_string(command())
    runner = FnApiRunner(environment, provision_info=_provision(options))
    return RunnerChoice(options, True, workers, runner=runner)


def local_workers(beam_arguments: list[str]) -> int:
    """Worker processes that a run may have on this machine; 0 where it runs elsewhere."""
    options = PipelineOptions(beam_arguments)
    if _kind(options.view_as(StandardOptions).runner) not in _LOCAL:
        return 0
    given = any(argument.startswith("--direct_num_workers") for argument in beam_arguments)
    wanted = options.view_as(DirectOptions).direct_num_workers if given else None
    return wanted or cores()


def _provision(options: PipelineOptions) -> ExtendedProvisionInfo:
    """What worker processes are told: the flags, for the file systems among others."""
    flags = JobServiceHandle.encode_pipeline_options(options.get_all_options(drop_default=True))
    return ExtendedProvisionInfo(beam_provision_api_pb2.ProvisionInfo(pipeline_options=flags))


def _kind(name: str | None) -> str:
    """A runner's name as Beam tells them apart."""
    return (name or "").rsplit(".", 1)[-1].lower()


def _complete_dataflow(options: PipelineOptions, output: str) -> None:
    setup, cloud = options.view_as(SetupOptions), options.view_as(GoogleCloudOptions)
    # Workers run the code that is here. From an installed wheel, the image must hold it.
    if not setup.setup_file and not setup.extra_packages and SETUP_FILE.exists():
        setup.setup_file = str(SETUP_FILE)
    if not cloud.job_name:
        cloud.job_name = job_name(output)


def job_name(output: str) -> str:
    """Dataflow's name for the job that makes a data set.

    It depends on the output alone, and no two active jobs may share a name: so a job that runs on
    after the program that submitted it is never joined by a second one.

    Example:
        >>> job_name("gs://bucket/sets/Large One")
        'mask-depth-large-one-1f6b4f36'
    """
    words = re.sub(r"[^a-z0-9]+", "-", storage.file_name(output).lower()).strip("-")
    digest = hashlib.sha256(output.encode()).hexdigest()[:8]
    return "-".join(part for part in ("mask-depth", words[:40].strip("-"), digest) if part)
