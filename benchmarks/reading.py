"""How fast each reader reads a data set, held against plain reads with the same decode.

    python -m benchmarks.reading --data=DIR --output=RESULTS

writes `reading.json` and `reading.md`. The readers take turns, each in a process of its own that
reads plainly and then as the reader does; the best round counts, as other programs only take time
away. Processor time stands beside it. The files are in the system's cache by then. Readers that are
not installed, or whose format the data set lacks, are left out and said so.
"""

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.raw_reads import Job, Raw, prepare
from benchmarks.ways_to_read import WAYS, Way, by_name, first
from pipeline.spec import DatasetSpec


@dataclass(frozen=True)
class Pace:
    """How fast samples were read.

    Attributes:
        start: seconds from opening the data set to the first sample.
        rate: samples a second after the first sample or batch.
        cpu_ms: milliseconds of CPU time a sample, over all cores and processes.
    """

    start: float
    rate: float
    cpu_ms: float


@dataclass(frozen=True)
class Round:
    """One reading of the samples.

    Attributes:
        reader: by the reader.
        plain: by plain reads with the same decode.
    """

    reader: Pace
    plain: Pace


@dataclass(frozen=True)
class Result:
    """What a reader has reached.

    Attributes:
        name: its name.
        format: the format that it reads.
        rounds: its readings.
    """

    name: str
    format: str
    rounds: tuple[Round, ...]

    @property
    def reader(self) -> Pace:
        """The best of the reader."""
        return best([r.reader for r in self.rounds])

    @property
    def plain(self) -> Pace:
        """The best of the plain reads."""
        return best([r.plain for r in self.rounds])

    @property
    def share(self) -> float:
        """The reader's rate as a share of the plain reads'."""
        return self.reader.rate / self.plain.rate


def best(paces: Sequence[Pace]) -> Pace:
    """The best of each figure."""
    return Pace(
        min(pace.start for pace in paces),
        max(pace.rate for pace in paces),
        min(pace.cpu_ms for pace in paces),
    )


def job_of(data: str, split: str | None, samples: int, scratch: str) -> Job:
    """What is to be read. Raises SystemExit when the data set has no such split."""
    manifest = json.loads(Path(data, "manifest.json").read_text())
    splits = list(manifest["splits"])
    chosen = split or splits[0]
    if chosen not in splits:
        raise SystemExit(f"{data} has no split {chosen!r}; its splits are {splits}")
    spec = DatasetSpec.from_json(json.dumps(manifest["spec"]))
    return Job(data, chosen, samples, spec, scratch)


def missing(way: Way, job: Job) -> str:
    """Why a reader is left out; empty where it is not."""
    absent = [module for module in way.modules if find_spec(module) is None]
    if absent:
        return f"{' and '.join(absent)} not installed"
    if way.format not in job.spec.formats:
        return f"the data set has no {way.format}"
    if way.raw == "table" and not {"tfrecord", "parquet", "webdataset"} & set(job.spec.formats):
        return "the data set has no table format"
    return ""


def timed(counts: Iterable[int]) -> Pace:
    """Counts to the end and says how fast that was."""
    begin = time.perf_counter()
    left = iter(counts)
    next(left)
    started, used = time.perf_counter(), processor_seconds()
    rest = sum(left)
    seconds, used = time.perf_counter() - started, processor_seconds() - used
    return Pace(started - begin, rest / seconds, used / rest * 1000)


def processor_seconds() -> float:
    """Processor time of this process, its threads and its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def read_once(way: Way, job: Job, raw: Raw) -> Round:
    """Reads plainly and as the reader does."""
    plain = timed(way.bound(job, raw))
    return Round(timed(count for count, _ in first(way.read(job), job.samples)), plain)


def in_own_process(way: Way, options: argparse.Namespace, raw: str) -> Round:
    """Runs `read_once` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.reading", f"--data={options.data}"]
    command += [f"--samples={options.samples}", f"--only={way.name}", f"--raw={raw}"]
    command += [f"--split={options.split}"] if options.split else []
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{way.name} failed: {done.stderr}")
    content = json.loads(done.stdout.splitlines()[-1])
    return Round(Pace(**content["reader"]), Pace(**content["plain"]))


def measure(options: argparse.Namespace, ways: Sequence[Way]) -> list[Result]:
    """All readers in turn, as often as there are rounds."""
    rounds: dict[str, list[Round]] = {way.name: [] for way in ways}
    with tempfile.TemporaryDirectory() as folder:
        job = job_of(options.data, options.split, options.samples, folder)
        for kind in sorted({way.raw for way in ways}):
            prepare(job, kind, f"{folder}/{kind}")
        for number in range(options.rounds):
            for way in ways:
                found = in_own_process(way, options, f"{folder}/{way.raw}")
                rounds[way.name].append(found)
                print(
                    f"round {number + 1}, {way.name}: {found.reader.rate:,.0f}/s of"
                    f" {found.plain.rate:,.0f}/s",
                    flush=True,
                )
    return [Result(way.name, way.format, tuple(rounds[way.name])) for way in ways]


def markdown(results: Sequence[Result], left_out: Sequence[tuple[str, str]]) -> str:
    """The table for people."""
    lines = [
        "| reader | format | samples/s | plain reads, same decode | share | CPU ms a sample |"
        " plain | first sample after |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {r.name} | {r.format} | {r.reader.rate:,.0f} | {r.plain.rate:,.0f}"
            f" | {r.share:.0%} | {r.reader.cpu_ms:.2f} | {r.plain.cpu_ms:.2f}"
            f" | {r.reader.start:.1f} s |"
            for r in results
        ),
    ]
    if left_out:
        lines += ["", *(f"- Left out: {name}: {why}." for name, why in left_out)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measures all readers, or once the one that `--only` names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of the data set")
    parser.add_argument("--output", type=Path, help="folder of the results")
    parser.add_argument("--split", help="name of the split; the first one without it")
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--readers",
        action="append",
        choices=[way.name for way in WAYS],
        metavar="NAME",
        help="measure this one, as the table names it; may be repeated",
    )
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--raw", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        job = job_of(options.data, options.split, options.samples, scratch)
        if options.only:
            found = read_once(by_name(options.only), job, Raw.load(options.raw))
            print(json.dumps(dataclasses.asdict(found)))
            return
    if options.output is None:
        parser.error("--output is needed: the folder of the results")
    wanted = [way for way in WAYS if way.name in (options.readers or [way.name])]
    reasons = [(way.name, missing(way, job)) for way in wanted]
    left_out = [(name, why) for name, why in reasons if why]
    results = measure(options, [way for way in wanted if way.name not in dict(left_out)])
    options.output.mkdir(parents=True, exist_ok=True)
    content = {
        "samples": options.samples,
        "cores": os.cpu_count(),
        "readers": [
            {
                **dataclasses.asdict(result),
                "best": dataclasses.asdict(result.reader),
                "best_plain": dataclasses.asdict(result.plain),
                "share": result.share,
            }
            for result in results
        ],
        "left_out": dict(left_out),
    }
    (options.output / "reading.json").write_text(json.dumps(content, indent=1) + "\n")
    table = markdown(results, left_out)
    (options.output / "reading.md").write_text(table)
    print(table)


if __name__ == "__main__":
    main()
