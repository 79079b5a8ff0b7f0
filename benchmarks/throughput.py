"""Pipeline, bare loop and a straightforward script side by side, in one run.

    python -m benchmarks.throughput --foregrounds=DIR --backgrounds=DIR --output=results

writes `throughput.json` and `throughput.md`. All rates are samples a second of whole processes,
start-up included; ratios are what counts, since machines differ.
"""

import argparse
import dataclasses
import json
import multiprocessing
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from PIL import Image

from benchmarks.steps import step_costs
from pipeline.catalog import build_catalog
from pipeline.output import claim
from pipeline.performance import Performance
from pipeline.run import make_plan, make_recipe, model_meaning
from pipeline.spec import DatasetSpec
from transforms.elements import ShardSpec
from transforms.recipe import Recipe
from transforms.steps.remake import make_shard


@dataclass(frozen=True)
class Measurement:
    """One timed process tree.

    Attributes:
        name: what ran.
        samples: samples it made.
        seconds: wall time.
        peak_mb: largest memory of all its processes together (unique set size where the system has
        it).
    """

    name: str
    samples: int
    seconds: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Samples a second."""
        return self.samples / self.seconds


def tree_megabytes(pid: int) -> float:
    """Memory of a process and all below it; pages shared between them count once."""
    total = 0
    try:
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            try:
                total += process.memory_full_info().pss
            except (psutil.Error, AttributeError):
                continue
    except psutil.Error:
        pass
    return total / 2**20


def timed(name: str, samples: int, command: list[str]) -> Measurement:
    """Runs a command to its end and measures it."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peak = [0.0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(1.0):
            peak[0] = max(peak[0], tree_megabytes(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    text, _ = process.communicate()
    seconds = time.monotonic() - begin
    done.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{name} failed: {text}")
    result = Measurement(name, samples, seconds, peak[0])
    print(f"{name}: {result.rate:,.0f}/s, {result.peak_mb:,.0f} MB", flush=True)
    return result


def pipeline_command(
    options: argparse.Namespace, output: Path, samples: int, workers: int, model: str
) -> list[str]:
    """The command line of a job."""
    return [
        sys.executable, "-m", "pipeline", "generate", f"--foregrounds={options.foregrounds}",
        f"--backgrounds={options.backgrounds}", f"--output={output}", f"--max_samples={samples}",
        f"--depth_model={model}", f"--direct_num_workers={workers}",
    ]  # fmt: skip


def bare_loop(
    options: argparse.Namespace, output: Path, samples: int, workers: int, model: str
) -> None:
    """The same pure functions in a bare multiprocessing loop, without Beam."""
    spec = DatasetSpec(
        options.foregrounds,
        options.backgrounds,
        str(output),
        max_samples=samples,
        depth_model=model,
    )
    plan = make_plan(spec, build_catalog(spec))
    claim(spec, plan)
    recipe = make_recipe(spec, plan, model_meaning(model), Performance(), None)
    shards = list(plan.shards())
    context = multiprocessing.get_context("spawn")
    parts = [shards[i::workers] for i in range(workers)]
    processes = [context.Process(target=_make_all, args=(part, recipe)) for part in parts]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        if process.exitcode:
            raise RuntimeError("a worker of the bare loop failed")


def _make_all(shards: list[ShardSpec], recipe: Recipe) -> None:
    for shard in shards:
        make_shard(shard, recipe)


def straightforward(options: argparse.Namespace, output: Path, samples: int) -> None:
    """What people do: open, resize, paste and save, one image at a time; no depth."""
    for folder in ("fg_bg", "mask"):
        (output / folder).mkdir(parents=True)
    foregrounds = sorted(Path(options.foregrounds).iterdir())
    backgrounds = sorted(Path(options.backgrounds).iterdir())
    draw = random.Random(0)
    for number in range(samples):
        background = Image.open(draw.choice(backgrounds)).convert("RGB").resize((160, 160))
        foreground = Image.open(draw.choice(foregrounds)).convert("RGBA").resize((80, 80))
        if number % 2:
            foreground = foreground.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        mask = Image.new("L", background.size)
        place = (draw.randrange(81), draw.randrange(81))
        background.paste(foreground, place, foreground)
        mask.paste(foreground.getchannel("A"), place)
        background.save(output / "fg_bg" / f"{number}.jpg", quality=90)
        mask.save(output / "mask" / f"{number}.png")


def measure(options: argparse.Namespace) -> dict[str, Measurement]:
    """All measurements, each in a folder of its own that is removed afterwards."""
    results: dict[str, Measurement] = {}
    here = [sys.executable, "-m", "benchmarks.throughput", f"--foregrounds={options.foregrounds}",
            f"--backgrounds={options.backgrounds}"]  # fmt: skip

    def one(name: str, samples: int, make: list[str]) -> None:
        with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
            command = [word.replace("{output}", str(Path(folder) / "set")) for word in make]
            results[name] = timed(name, samples, command)
            shutil.rmtree(folder, ignore_errors=True)
            Path(folder).mkdir()

    n, output = options.samples, Path("{output}")
    one(
        "straightforward script",
        options.samples // 20,
        [*here, f"--only=script:{n // 20}", "--output={output}"],
    )
    for model in ("none", "builtin"):
        for workers in (1, 2):
            label = f"{workers} worker{'s' if workers > 1 else ''}, depth {model}"
            one(
                f"bare loop, {label}",
                n,
                [*here, f"--only=loop:{n}:{workers}:{model}", "--output={output}"],
            )
            one(f"pipeline, {label}", n, pipeline_command(options, output, n, workers, model))
    for samples in (100, 10_000, options.large):
        if samples:
            one(
                f"pipeline, {samples:,} samples",
                samples,
                pipeline_command(options, output, samples, 2, "builtin"),
            )
    return results


def ratios(results: dict[str, Measurement], large: int) -> dict[str, float]:
    """The ratios that count."""

    def rate(name: str) -> float:
        return results[name].rate

    found = {}
    for model in ("none", "builtin"):
        one, two = f"1 worker, depth {model}", f"2 workers, depth {model}"
        found[f"pipeline / bare loop, {one}"] = rate(f"pipeline, {one}") / rate(f"bare loop, {one}")
        found[f"pipeline / bare loop, {two}"] = rate(f"pipeline, {two}") / rate(f"bare loop, {two}")
        found[f"2 workers / 1 worker, depth {model}"] = rate(f"pipeline, {two}") / rate(
            f"pipeline, {one}"
        )
        found[f"pipeline, {two} / straightforward script"] = rate(f"pipeline, {two}") / rate(
            "straightforward script"
        )
    if large:
        found[f"memory at {large:,} / at 10,000"] = (
            results[f"pipeline, {large:,} samples"].peak_mb
            / results["pipeline, 10,000 samples"].peak_mb
        )
    return found


def markdown(
    results: dict[str, Measurement], found: dict[str, float], steps: dict[str, float]
) -> str:
    """The tables for people."""
    lines = [
        "| what | samples | seconds | samples/s | peak MB |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {m.name} | {m.samples:,} | {m.seconds:.1f} | {m.rate:,.0f} | {m.peak_mb:,.0f} |"
        for m in results.values()
    ]
    lines += [
        "",
        "| ratio | |",
        "| --- | ---: |",
        *(f"| {k} | {v:.2f} |" for k, v in found.items()),
    ]
    lines += [
        "",
        "| step | ms a sample |",
        "| --- | ---: |",
        *(f"| {k} | {v:.3f} |" for k, v in steps.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs everything, or the one part that `--only` names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--foregrounds", required=True)
    parser.add_argument("--backgrounds", required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder of the results")
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument(
        "--large", type=int, default=100_000, help="samples of the memory run; 0 leaves it out"
    )
    parser.add_argument("--scratch", help="folder for the data sets, which are removed again")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        kind, *values = options.only.split(":")
        if kind == "script":
            straightforward(options, options.output, int(values[0]))
        else:
            bare_loop(options, options.output, int(values[0]), int(values[1]), values[2])
        return
    steps = step_costs(options.foregrounds, options.backgrounds)
    results = measure(options)
    found = ratios(results, options.large)
    options.output.mkdir(parents=True, exist_ok=True)
    content = {
        "measurements": [dataclasses.asdict(m) for m in results.values()],
        "ratios": found,
        "milliseconds": steps,
    }
    (options.output / "throughput.json").write_text(json.dumps(content, indent=1) + "\n")
    (options.output / "throughput.md").write_text(markdown(results, found, steps))
    print(markdown(results, found, steps))


if __name__ == "__main__":
    main()
