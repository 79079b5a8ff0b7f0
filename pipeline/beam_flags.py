"""Beam's own flags, and checks that all other arguments are among them."""

import argparse
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NoReturn

from pipeline.option import SpecError, nearest

_WITH_JOB_SERVER = {"flinkrunner", "portablerunner", "sparkrunner"}


@cache
def _parser() -> argparse.ArgumentParser:
    """A parser with the flags of every option class that is registered with Beam."""
    import apache_beam.runners.render  # noqa: F401 - registers its options
    from apache_beam.options.pipeline_options import PipelineOptions, _BeamArgumentParser

    class Parser(_BeamArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise SpecError(" ".join(message.split()).removeprefix("argument "))

    parser = Parser(allow_abbrev=False, add_help=False)
    classes = {f"{cls}": cls for cls in PipelineOptions.__subclasses__()}
    for cls in classes.values():
        cls._add_argparse_args(parser)
    return parser


def beam_flags() -> tuple[str, ...]:
    """The names of all flags that Beam knows, without dashes."""
    return tuple(
        word.removeprefix("--")
        for action in _parser()._actions
        for word in action.option_strings
        if word.startswith("--")
    )


def check_beam_flags(arguments: Sequence[str], own: Iterable[str]) -> None:
    """Refuses arguments that are not Beam flags.

    With a runner that has a job server, a flag that is like no other is left to the server, which
    may know it.

    Args:
        arguments: what is meant for Beam.
        own: flags of the program, without dashes, for a misspelt word may mean one of them.

    Raises:
        SpecError: an argument is not a flag, or a Beam flag does not accept its value.
    """
    known, unknown = _parser().parse_known_args(list(arguments))
    lenient = f"{known.runner}".rpartition(".")[2].lower() in _WITH_JOB_SERVER
    names = [*own, *beam_flags()]
    for word in unknown:
        name = word.partition("=")[0].lstrip("-")
        if not word.startswith("-"):
            if lenient:
                continue  # Perhaps the value of a flag of the job server.
            raise SpecError(f"{word!r} is unexpected; options begin with -- (see --help)")
        like = nearest(name, names)
        if like or not lenient or not word.startswith("--"):
            hint = f"; did you mean --{like}?" if like else "; see --help"
            raise SpecError(f"{word.partition('=')[0]} is not an option{hint}")
