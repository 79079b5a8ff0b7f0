"""The command line: `python -m pipeline COMMAND ...`."""

import argparse
import logging
import sys
from collections.abc import Sequence

_DESCRIPTION = """\
Makes a training set for segmentation and depth from a folder of cut-out foregrounds and a folder of
backgrounds: composites, exact masks and depth maps, as TFRecord and Parquet."""

_BEAM = """\
Every Beam pipeline flag is accepted as Beam spells it. Without --runner the job runs on this machine
with a worker process for each core; --direct_num_workers=N changes that. --runner=DataflowRunner and
the like send it elsewhere."""

USAGE_ERROR = 2
JOB_FAILED = 1
INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
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
    add_spec_arguments(generate)
    add_performance_arguments(generate)
    generate.add_argument(
        "--dry_run",
        action="store_true",
        help="check the inputs and say what would be made, without making it",
    )
    return main_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0 when it worked, 1 when the job failed, 2 when the request is impossible, 130 after an
        interrupt.
    """
    from pipeline.spec import SpecError

    # Beam warns about much that a user cannot act on.
    logging.basicConfig(level=logging.ERROR, format="%(message)s", stream=sys.stderr, force=True)
    for name in ("pipeline", "transforms"):
        logging.getLogger(name).setLevel(logging.INFO)
    arguments, rest = parser().parse_known_args(argv)
    try:
        return _generate(arguments, rest)
    except SpecError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print("interrupted; the same command continues", file=sys.stderr)
        return INTERRUPTED


def _generate(arguments: argparse.Namespace, beam_arguments: list[str]) -> int:
    from pipeline.options import performance_of, spec_of
    from pipeline.progress import clock
    from pipeline.run import generate

    spec = spec_of(arguments)
    performance = performance_of(arguments)
    result = generate(spec, beam_arguments, performance)
    print(f"{result.samples:,} samples in {result.output} ({clock(result.seconds)})")
    if result.failed or result.left_out:
        print(
            f"left out: {result.left_out} inputs and {result.failed} samples, named in"
            f" {result.output}/errors"
        )
    print(f"look at  {result.gallery}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
