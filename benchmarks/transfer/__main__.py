"""What data sets are worth: networks trained on them, scored on real photographs.

    python -m benchmarks.transfer --data=SET [--data=SET2 ...] --real=DIR [--select=DIR] \\
        [--real_train=DIR] [--mixed=NAME,...] [--seeds=N] --output=DIR

Each DIR of real pictures holds `images/` or `rgb/`, and files of equal names in `labels/` (0 no
object, 255 not judged) or `masks/` (0 to 255) for finding objects; or, for depth, in `depth/`
(larger is farther) or `disparity/` (larger is nearer), at any scale, 0 where nothing is measured.
What `--real` holds decides what is trained for. Folders of real pictures may be given repeatedly;
for depth each is a source that counts the same.

An encoder with weights from ImageNet stays as it is; a small decoder is trained on each set with
several seeds, on few and on all pictures of `--real_train` for reference, and on sets and few real
pictures together. Writes `results.md`, `results.json`, `results.png` and `predictions.jpg`. Runs
that `results.json` has already are kept: a benchmark that was stopped continues, and sets and seeds
can be added. Needs the extra `train`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import torch

from benchmarks.transfer.protocol import Photographs, Protocol, arms, runs
from benchmarks.transfer.report import Sheet, load, plot, save, table
from benchmarks.transfer.tasks import task_of

_DEFAULT = Protocol()


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the flags, runs the benchmark and writes its results."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.transfer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, action="append", default=[], metavar="SET", help="a data set")
    for name, text in (
        ("real", "real pictures to be scored on"),
        ("select", "real pictures that choose thresholds"),
        ("real_train", "real pictures to be trained on"),
    ):
        needed = name == "real"
        add(
            f"--{name}",
            type=Path,
            action="append",
            default=None if needed else [],
            required=needed,
            metavar="DIR",
            help=text,
        )
    add("--mixed", metavar="NAMES", help="sets that are mixed with few real pictures; default all")
    add("--seeds", type=int, default=4, metavar="N", help="runs of each arm (default: 4)")
    add("--threads", type=int, default=1, metavar="N", help="of the processor (default: 1)")
    add("--output", type=Path, required=True, metavar="DIR", help="for the results")
    for name, text in (
        ("side", "of what the network sees, a multiple of 32"),
        ("pictures", "of a set, at most"),
        ("steps", "of training"),
        ("batch", "pictures of a step, an even number"),
        ("few", "real pictures that are mixed in"),
    ):
        value = getattr(_DEFAULT, name)
        add(f"--{name}", type=int, default=value, metavar="N", help=f"{text} (default: {value})")
    add("--scratch", action="store_true", help="train the small network of the examples instead")
    options = parser.parse_args(argv)
    mixed = [folder.resolve().name for folder in options.data]
    if options.mixed is not None:
        mixed = [name for name in options.mixed.split(",") if name]
    torch.set_num_threads(options.threads)
    results = options.output / "results.json"
    try:
        task = task_of([*options.real, *options.select, *options.real_train])
        numbers = {one.name for one in fields(Protocol)} - {"task"}
        given = {name: getattr(options, name) for name in numbers}
        protocol = Protocol(**given, task=task.name)
        wanted = arms(options.data, mixed, options.few, bool(options.real_train))
        done = load(results, protocol)
        photographs = Photographs.read(options.real, options.select, options.real_train)
    except (FileNotFoundError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    options.output.mkdir(parents=True, exist_ok=True)
    sheet = Sheet(task, options.output / "predictions", photographs.real)
    names = {(run.arm, run.seed) for run in done}
    first, title = next(iter(task.figures.items()))
    for run, predicted in runs(wanted, options.seeds, names, photographs, protocol):
        print(f"{run.arm}, seed {run.seed}: {title} {getattr(run.scores, first):.3f}", flush=True)
        done.append(run)
        save(results, protocol, done)
        if run.seed == 0:
            sheet.add(run.arm, predicted)
    (options.output / "results.md").write_text(table(task, done))
    plot(task, done, options.output / "results.png")
    sheet.write(dict.fromkeys(run.arm for run in done), options.output / "predictions.jpg")
    print(table(task, done))


if __name__ == "__main__":
    main()
