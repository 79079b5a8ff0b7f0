"""The command line: `python -m pipeline COMMAND ...`."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from pipeline.local.worker_main import quiet_imports

_DESCRIPTION = """\
Makes a training set for segmentation and depth from a folder of cut-out foregrounds and a folder of
backgrounds: composites, exact masks and depth maps, as TFRecord and Parquet."""

_BEAM = """\
Every Beam pipeline flag is accepted as Beam spells it. Without --runner the job runs on this
machine with a worker process for each core; --direct_num_workers=N changes that.
--runner=DataflowRunner and the like send it elsewhere."""

USAGE_ERROR = 2
JOB_FAILED = 1
INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    from pipeline import depth_command
    from pipeline.options import add_performance_arguments, add_spec_arguments

    main_parser = argparse.ArgumentParser(
        prog="mask-depth-dataset",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    generate = commands.add_parser(
        "generate",
        help="make a data set, or continue one",
        description=_DESCRIPTION,
        epilog=_BEAM,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    main_parser.add_argument(
        "--debug", action="store_true", help="show whole tracebacks and what Beam logs"
    )
    add_spec_arguments(generate)
    add_performance_arguments(generate)
    generate.add_argument(
        "--overwrite",
        action="store_true",
        help="delete the data set in the output folder first; nothing else ever deletes one",
    )
    generate.add_argument(
        "--extend",
        action="store_true",
        help="add what the data set in the output folder lacks of more placements or inputs",
    )
    generate.add_argument(
        "--dry_run",
        action="store_true",
        help="check the inputs and say what would be made, without making it",
    )
    verify = commands.add_parser(
        "verify",
        help="read a finished data set back and check every file",
        description="Reads a finished data set back: checksums, names, pictures, masks, statistics."
        " The exit code is 0 when all is well and 1 when something is not.",
        allow_abbrev=False,
    )
    verify.add_argument("output", metavar="DIR", help="folder of the data set")
    verify.add_argument(
        "--sample", type=int, metavar="N", help="a quick look at about N samples (default: all)"
    )
    depth = commands.add_parser(
        "depth",
        help="predict depth for any pictures, to judge a model before a run",
        description=depth_command.DESCRIPTION,
        allow_abbrev=False,
    )
    depth_command.add_arguments(depth)
    return main_parser


def main(argv: Sequence[str] | None = None, own_process: bool = False) -> int:
    """Runs one command.

    Args:
        argv: its words; None for those of the process.
        own_process: whether nothing else runs in this process, so that workers can be copies of it.

    Returns:
        0 when it worked, 1 when the job failed, 2 when the request is impossible, 130 after an
        interrupt.
    """
    quiet_imports()
    from pipeline.run import JobError, StillRunning
    from pipeline.spec import SpecError

    arguments, rest = parser().parse_known_args(argv)
    arguments.own_process = own_process
    _set_up_logging(arguments.debug)
    try:
        return _COMMANDS[arguments.command](arguments, rest)
    except SpecError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    except StillRunning as error:
        print(f"submitted: {error}")
        return 0
    except JobError as error:
        logging.getLogger(__name__).debug("the whole traceback", exc_info=True)
        print(f"error: the job has stopped: {error}", file=sys.stderr)
        print("the same command continues it", file=sys.stderr)
        return JOB_FAILED
    except KeyboardInterrupt:
        print("interrupted; the same command continues", file=sys.stderr)
        return INTERRUPTED


def _generate(arguments: argparse.Namespace, beam_arguments: list[str]) -> int:
    from pipeline.dry_run import forecast
    from pipeline.local.forks import prepared
    from pipeline.options import performance_of, spec_of
    from pipeline.progress import clock
    from pipeline.run import generate
    from pipeline.runner import local_workers

    spec = spec_of(arguments)
    performance = performance_of(arguments)
    if arguments.dry_run:
        print(forecast(spec, beam_arguments, performance).text())
        return 0
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
    from pipeline.verify import verify

    result = verify(arguments.output, beam_arguments, arguments.sample)
    for fault in result.faults:
        print(f"fault: {fault.path}: {fault.what}")
    state = f"{len(result.faults)} faults" if result.faults else "no fault"
    print(f"{result.samples:,} samples and {result.files:,} files read: {state}")
    return JOB_FAILED if result.faults else 0


def _depth(arguments: argparse.Namespace, unknown: list[str]) -> int:
    from pipeline import depth_command
    from pipeline.spec import SpecError

    if unknown:
        raise SpecError(f"{unknown[0]} is no option of depth; see --help")
    return depth_command.run(arguments)


_COMMANDS = {"generate": _generate, "verify": _verify, "depth": _depth}


def entry() -> None:
    """Runs one command and ends the process, whatever threads Beam still waits for."""
    code = main(own_process=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
