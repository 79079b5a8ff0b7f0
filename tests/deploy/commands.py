"""How the program reads a command line."""

import re
import shlex

from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.cli import parser

GENERATE = "-m pipeline generate "


def unknown_flags(arguments: list[str]) -> set[str]:
    """The flags of `generate` that neither the program nor Beam knows."""
    _, rest = parser().parse_known_args(["generate", *arguments])
    options = PipelineOptions(rest)
    return set(options.get_all_options(retain_unknown_options=True)) - set(
        options.get_all_options()
    )


def generate_commands(text: str) -> list[list[str]]:
    """The arguments of every `python -m pipeline generate` in a document, over its line ends.

    Words in square brackets, and dots, stand for what a reader fills in.
    """
    text = re.sub(r"\\\n[ #]*", " ", text)
    lines = [line.partition(GENERATE)[2] for line in text.splitlines() if GENERATE in line]
    words = [shlex.split(re.sub(r"\[.*?\]|\.\.\.|`.*", "", line), comments=True) for line in lines]
    return [arguments for arguments in words if arguments and arguments != ["--help"]]
