"""The command line that the examples share, and what they leave behind."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from examples.scoring import DepthScale, NoDepth, Prediction, Report, draw


@dataclass(frozen=True)
class Options:
    """What an example is asked to do.

    Attributes:
        data: folder of a data set with depth and the splits `train` and `test`.
        output: folder of the results.
        epochs: how often it trains on the samples.
        batch_size: samples of a step.
        samples: samples of an epoch, at most; None for all.
        seed: of the first weights and the order of the samples.
    """

    data: Path
    output: Path
    epochs: int
    batch_size: int
    samples: int | None
    seed: int


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an example hands back: scores, and some samples of the split `test` predicted."""

    report: Report
    predictions: list[Prediction]


def run(
    name: str,
    description: str,
    example: Callable[[Options, DepthScale], Outcome],
    argv: Sequence[str] | None = None,
) -> None:
    """Reads the command line, runs the example, and writes `report.json` and `predictions.png`.

    Ends with a line and exit code 1 when the data set lacks what the example needs.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="the data set")
    add("--output", type=Path, required=True, metavar="DIR", help="for the results")
    add("--epochs", type=_positive, default=1, metavar="N", help="default 1")
    add("--batch_size", type=_positive, default=32, metavar="N", help="default 32")
    add("--samples", type=_positive, metavar="N", help="of an epoch, at most; by default all")
    add("--seed", type=int, default=0, metavar="N", help="default 0")
    options = Options(**vars(parser.parse_args(argv)))
    try:
        scale = DepthScale.read(options.data)
        options.output.mkdir(parents=True, exist_ok=True)
        outcome = example(options, scale)
    except (FileNotFoundError, NoDepth) as error:
        parser.exit(1, f"{error}\n")
    outcome.report.save(options.output / "report.json")
    draw(outcome.predictions, options.output / "predictions.png")
    print(outcome.report.text())


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number
