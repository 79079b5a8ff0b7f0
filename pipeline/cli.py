"""The command line: `python -m pipeline COMMAND ...`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from pipeline import cutout_request, depth_request
from pipeline.cutout_request import CutoutRequest
from pipeline.depth_request import DepthRequest
from pipeline.local import process
from pipeline.local.worker_main import quiet_imports
from pipeline.option import Whole, declared, nearest, option
from pipeline.options import (
    Config,
    add_options,
    from_arguments,
    performance_of,
    read_config,
    spec_of,
)
from pipeline.performance import Performance
from pipeline.spec import DatasetSpec, SpecError
from pipeline.version import VERSION
from pipeline.viewer.request import DESCRIPTION as VIEW_DESCRIPTION
from pipeline.viewer.request import ViewRequest

_DESCRIPTION = """\
Makes a training set for segmentation and depth from a folder of cut-out foregrounds and a folder of
backgrounds: composites, exact masks and depth maps, as TFRecord and Parquet."""

_BEAM = """\
All Beam pipeline flags are accepted. Without --runner the job runs on this
machine with a worker process for each core; --direct_num_workers=N changes that.
--runner=DataflowRunner, for example, runs it elsewhere."""

USAGE_ERROR = 2
JOB_FAILED = 1
INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise SpecError(f"{' '.join(message.split()).removeprefix('argument ')}; see --help")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    main_parser = _Parser(
        prog="mask-depth-dataset",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    main_parser.add_argument("--version", action="version", version=VERSION)
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    generate = commands.add_parser(
        "generate",
        help="make a data set, or continue one",
        description=_DESCRIPTION,
        epilog=_BEAM,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    generate.add_argument(
        "--config",
        metavar="FILE",
        help="options from a file in YAML, TOML or JSON, such as the state/spec.json of a data set;"
        " flags win",
    )
    add_options(generate, DatasetSpec, Performance)
    generate.add_argument(
        "--overwrite",
        action="store_true",
        help="delete the data set in the output folder first; nothing else ever deletes one",
    )
    generate.add_argument(
        "--extend",
        action="store_true",
        help="add the samples of more placements or inputs to the data set in the output folder",
    )
    generate.add_argument(
        "--dry_run",
        action="store_true",
        help="check the inputs and report what would be made, without making it",
    )
    generate.add_argument(
        "--preview",
        metavar="FILE",
        help="with --dry_run, write a sheet of 24 samples of this very job, PNG or JPEG",
    )
    verify = commands.add_parser(
        "verify",
        help="read a finished data set back and check every file",
        description="Reads a finished data set back: checksums, names, pictures, masks, statistics."
        " The exit code is 0 when all is well and 1 when something is not.",
        allow_abbrev=False,
    )
    verify.add_argument("output", metavar="DIR", help="folder of the data set")
    add_options(verify, _Look)
    depth = commands.add_parser(
        "depth",
        help="predict depth for any pictures, to judge a model before a run",
        description=depth_request.DESCRIPTION,
        allow_abbrev=False,
    )
    add_options(depth, DepthRequest)
    cutout = commands.add_parser(
        "cutout",
        help="cut objects out of photographs",
        description=cutout_request.DESCRIPTION,
        allow_abbrev=False,
    )
    add_options(cutout, CutoutRequest)
    view = commands.add_parser(
        "view",
        help="browse, search and compare the samples of a finished data set",
        description=VIEW_DESCRIPTION,
        allow_abbrev=False,
    )
    view.add_argument("output", metavar="DIR", help="folder of the data set")
    add_options(view, ViewRequest)
    for each in (main_parser, generate, verify, depth, cutout, view):
        each.add_argument(
            "--debug",
            action="store_true",
            default=False if each is main_parser else argparse.SUPPRESS,
            help="show full tracebacks and Beam's log",
        )
    return main_parser


@dataclass(frozen=True)
class _Look:
    """How much of a data set `verify` reads."""

    sample: int | None = field(
        default=None,
        metadata=option("how much is checked", Whole(1), "check only about N samples", unset="all"),
    )


def main(argv: Sequence[str] | None = None, own_process: bool = False) -> int:
    """Runs one command.

    Args:
        argv: its words; None for those of the process.
        own_process: whether nothing else runs in this process, so that workers can be copies of it.

    Returns:
        0 when it worked, 1 when the job failed, 2 when the options are invalid, 130 after an
        interrupt.
    """
    try:
        arguments, rest = parser().parse_known_args(argv)
    except SpecError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    quiet_imports()
    arguments.own_process = own_process
    _set_up_logging(arguments.debug)
    try:
        return _run(arguments, rest)
    except SpecError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print("interrupted; the same command continues", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if arguments.debug:
            raise
        reason = " ".join(f"{error}".split())
        print(
            f"error: unexpected {type(error).__name__}: {reason} (--debug shows where)",
            file=sys.stderr,
        )
        return JOB_FAILED


def _run(arguments: argparse.Namespace, rest: list[str]) -> int:
    if arguments.command == "depth":
        return _depth(arguments, rest)
    if arguments.command == "cutout":
        return _cutout(arguments, rest)
    if arguments.command == "view":
        return _view(arguments, rest)
    from pipeline.run import JobError, StillRunning

    try:
        return (_generate if arguments.command == "generate" else _verify)(arguments, rest)
    except StillRunning as error:
        print(f"submitted: {error}")
        return 0
    except JobError as error:
        logging.getLogger(__name__).debug("the whole traceback", exc_info=True)
        print(f"error: the job has stopped: {error}", file=sys.stderr)
        print("the same command continues it", file=sys.stderr)
        return JOB_FAILED


def _generate(arguments: argparse.Namespace, beam_arguments: list[str]) -> int:
    config = Config()
    if arguments.config is not None:
        config = read_config(arguments.config)
        beam_arguments = [*config.beam, *beam_arguments]
    spec = spec_of(arguments, config.values)
    performance = performance_of(arguments, config.values)

    if arguments.preview is not None:
        if not arguments.dry_run:
            raise SpecError(f"--preview={arguments.preview} is for --dry_run; add that")
        return _preview(arguments.preview, spec, beam_arguments, performance)
    if arguments.dry_run:
        return _forecast(arguments, spec, beam_arguments, performance)
    with process.at_end(note="the same command continues"):
        return _make(arguments, spec, beam_arguments, performance)


def _preview(
    path: str, spec: DatasetSpec, beam_arguments: list[str], performance: Performance
) -> int:
    from pipeline.preview import write_preview

    count = write_preview(path, spec, beam_arguments, performance)
    print(f"{count} samples on {path}")
    return 0


def _forecast(
    arguments: argparse.Namespace,
    spec: DatasetSpec,
    beam_arguments: list[str],
    performance: Performance,
) -> int:
    from pipeline.dry_run import forecast

    found = forecast(
        spec, beam_arguments, performance, overwrite=arguments.overwrite, extend=arguments.extend
    )
    print(found.text())
    return 0


def _make(
    arguments: argparse.Namespace,
    spec: DatasetSpec,
    beam_arguments: list[str],
    performance: Performance,
) -> int:
    from pipeline.local.forks import prepared
    from pipeline.progress import clock
    from pipeline.run import generate
    from pipeline.runner import check_runner, local_workers

    check_runner(beam_arguments, spec.paths())
    copies = arguments.own_process and not arguments.debug
    workers = local_workers(beam_arguments) if copies else 0
    imports = ["onnxruntime"] if spec.depth_model == "builtin" else []
    with prepared(workers if workers > 1 else 0, imports):
        result = generate(
            spec,
            beam_arguments,
            performance,
            overwrite=arguments.overwrite,
            extend=arguments.extend,
        )
    print(f"{result.samples:,} samples in {result.output} ({clock(result.seconds)})")
    if result.failed or result.left_out:
        print(
            f"left out: {result.left_out} inputs and {result.failed} samples, named in"
            f" {result.output}/errors"
        )
    print(f"look at  {result.gallery}")
    return 0


def _set_up_logging(debug: bool) -> None:
    # Beam warns about much that a user cannot act on, and logs errors that are raised as well.
    level = logging.INFO if debug else logging.CRITICAL
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr, force=True)
    for name in ("pipeline", "transforms"):
        logging.getLogger(name).setLevel(logging.DEBUG if debug else logging.INFO)


def _verify(arguments: argparse.Namespace, beam_arguments: list[str]) -> int:
    look = from_arguments(_Look, arguments)

    from pipeline.beam_flags import check_beam_flags
    from pipeline.verify import verify

    check_beam_flags(beam_arguments, ["sample", "debug"])
    result = verify(arguments.output, beam_arguments, look.sample)
    for fault in result.faults:
        print(f"fault: {fault.path}: {fault.what}")
    for text in result.unchecked:
        print(f"not checked: {text}")
    state = f"{len(result.faults)} faults" if result.faults else "no fault"
    print(f"{result.samples:,} samples and {result.files:,} files read: {state}")
    return JOB_FAILED if result.faults else 0


def _depth(arguments: argparse.Namespace, unknown: list[str]) -> int:
    _refuse_unknown(unknown, "depth", DepthRequest)
    request = from_arguments(DepthRequest, arguments)

    from pipeline import depth_command

    return depth_command.run(request)


def _cutout(arguments: argparse.Namespace, unknown: list[str]) -> int:
    _refuse_unknown(unknown, "cutout", CutoutRequest)
    request = from_arguments(CutoutRequest, arguments)

    from pipeline import cutout_command

    return cutout_command.run(request)


def _view(arguments: argparse.Namespace, unknown: list[str]) -> int:
    _refuse_unknown(unknown, "view", ViewRequest)
    request = from_arguments(ViewRequest, arguments)

    from pipeline.viewer import command

    return command.run(arguments.output, request)


def _refuse_unknown(unknown: list[str], command: str, request: type) -> None:
    for word in unknown:
        name = word.partition("=")[0]
        like = nearest(name, [each.flag for each in declared(request)])
        hint = f"; did you mean --{like}?" if like else "; see --help"
        raise SpecError(f"{name} is not an option of {command}{hint}")


def entry() -> NoReturn:
    """Runs one command and ends the process, even while Beam still waits for threads."""
    process.set_up()
    try:
        code = main(own_process=True)
    except SystemExit:  # The help was asked for.
        code = 0
    process.exit_now(code)
