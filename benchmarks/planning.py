"""What planning costs as a data set grows: time, memory, skew, and the workers it keeps busy.

    python -m benchmarks.planning --output=results

writes `planning.json` and `planning.md`. Every case runs in a process of its own, whose largest
memory is read at its end. Only the measurement of skew makes pixels.
"""

import argparse
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.planning_report import Row, markdown, schedule
from pipeline.catalog import Catalog, build_catalog
from pipeline.output import claim
from pipeline.performance import Performance
from pipeline.run import make_plan, make_recipe, model_meaning
from pipeline.spec import DatasetSpec
from transforms.elements import ShardSpec
from transforms.formats.base import Folder, OutputFile
from transforms.pixels.input_cache import forget_plans
from transforms.plan.inputs import InputImage
from transforms.plan.plan import Plan, load_plan
from transforms.records import ShardRecord
from transforms.report.manifest import Origin, manifest_json
from transforms.report.statistics import DepthCounts, Statistics
from transforms.steps.place import blocks
from transforms.steps.remake import make_shard
from transforms.steps.summarise import SummaryFn

SAMPLES = (10**6, 10**7, 10**8, 10**9)
ASSETS = (1_000, 10_000, 100_000)
SHARDS = (100, 1_000, 10_000)
WORKERS = (10, 100, 1_000, 10_000)
SIDE = 5_000
"""Foregrounds, and as many backgrounds: with 20 placements and mirror images 10**9 samples."""

PLACED_SHARDS = 40
MERGED = 50
SKEW_SHARDS, SKEW_SAMPLES = 24, 1_000


def peak_megabytes() -> float:
    """Largest memory of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def imaginary_plan(side: int, samples: int | None) -> Plan:
    """A plan over `side` foregrounds and as many backgrounds, without any files."""
    spec = DatasetSpec("fg", "bg", "out", max_samples=samples)
    kinds = {
        kind: tuple(
            InputImage(i, f"gs://bucket/inputs/{kind}/img_{i}.jpg", f"{i:064x}", 50_000, 400, 300)
            for i in range(1, side + 1)
        )
        for kind in ("fg", "bg")
    }
    return make_plan(spec, Catalog(kinds["fg"], kinds["bg"], ()))


def plan_case(samples: int) -> Row:
    """Lists every shard of a plan, and places the samples of some, evenly spread."""
    before = peak_megabytes()
    plan = imaginary_plan(SIDE, samples)
    begin = time.process_time()
    shards, total, largest = 0, 0, 0
    for shard in plan.shards():
        shards += 1
        total += shard.count
        largest = max(largest, shard.count)
    listed = time.process_time()
    step, placed = max(1, shards // PLACED_SHARDS), 0
    inputs: list[int] = []
    for number, shard in enumerate(plan.shards()):
        if number % step == 0:
            seen: set[tuple[str, int]] = set()
            for block in blocks(plan, shard, Performance().batch_size):
                placed += block.promised
                for place in block.placements:
                    seen |= {("fg", place.fg_id), ("bg", place.bg_id)}
            inputs.append(len(seen))
    seconds = (time.process_time() - listed) / placed
    return {
        "samples": total,
        "shards": shards,
        "list_seconds": listed - begin,
        "place_microseconds": seconds * 1e6,
        "place_all_hours": seconds * total / 3600,
        "largest_shard_to_mean": largest * shards / total,
        "inputs_of_a_shard": sum(inputs) / len(inputs),
        "most_inputs_to_mean": max(inputs) * len(inputs) / sum(inputs),
        "megabytes": peak_megabytes(),
        "imports_megabytes": before,
    }


def write_inputs(folder: Path, count: int, side: int, alpha: bool) -> None:
    """Writes pictures that all differ: PNG files of `side` pixels."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(count + alpha)
    for number in range(1, count + 1):
        coarse = draw.integers(0, 256, (4, 4, 4 if alpha else 3)).astype(np.uint8)
        if alpha:
            coarse[1:3, 1:3, 3] = 255
        buffer = io.BytesIO()
        Image.fromarray(coarse).resize((side, side)).save(buffer, "PNG")
        (folder / f"img_{number}.png").write_bytes(buffer.getvalue())


def launcher_case(assets: int) -> Row:
    """What the program does before it hands a job over, with small files as inputs."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_inputs(root / "fg", assets // 2, 8, alpha=True)
        write_inputs(root / "bg", assets // 2, 8, alpha=False)
        return run(f"start:{root}") | {"assets": assets}


def start_case(root: str) -> Row:
    """The start alone, in a process that has not drawn the inputs."""
    before, begin = peak_megabytes(), time.process_time()
    spec = DatasetSpec(f"{root}/fg", f"{root}/bg", f"{root}/out", max_samples=10**6)
    catalog = build_catalog(spec)
    catalogued = time.process_time()
    claim(spec, make_plan(spec, catalog))
    return {
        "catalog_seconds": catalogued - begin,
        "plan_seconds": time.process_time() - catalogued,
        "plan_bytes": Path(Folder(spec.output).plan_path).stat().st_size,
        "megabytes": peak_megabytes(),
        "imports_megabytes": before,
        **{f"worker_{key}": value for key, value in run(f"load:{root}").items()},
    }


def load_case(root: str) -> Row:
    """What a worker process holds of the plan, and how long it takes to read it."""
    before, begin = peak_megabytes(), time.process_time()
    load_plan(Folder(f"{root}/out").plan_path)
    return {"seconds": time.process_time() - begin, "megabytes": peak_megabytes() - before}


def finish_case(shards: int) -> Row:
    """Merges the records of many shards and writes the manifest, in two formats."""
    before = peak_megabytes()
    plan = imaginary_plan(100, None)
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (16, 160, 160, 3)).astype(np.uint8)
    depth = (pixels[..., 0].astype(np.uint16) << 8) | pixels[..., 1]
    scale = np.full(16, 1e-5, np.float32)
    counts = Statistics.of_samples(
        pixels, pixels[..., 0], 10**5, 10**4, DepthCounts.of(depth, scale, scale, 10**5)
    )
    merge = SummaryFn()
    counting = merging = 0.0
    total = merge.create_accumulator()
    for first in range(0, shards, MERGED):
        begin = time.process_time()
        parts = [one_record(merge, index, shards, counts) for index in range(first, first + MERGED)]
        counted = time.process_time()
        total = merge.merge_accumulators([total, *parts])
        counting += counted - begin
        merging += time.process_time() - counted
    begin = time.process_time()
    summary = merge.extract_output(total)
    spec = DatasetSpec("fg", "bg", "out").to_json()
    text = manifest_json(plan, Origin(spec, (), (), "builtin", None), summary, summary.records)
    return {
        "shards": shards,
        "record_milliseconds": counting / shards * 1000,
        "merge_seconds": merging,
        "manifest_seconds": time.process_time() - begin,
        "manifest_bytes": len(text),
        "megabytes": peak_megabytes(),
        "imports_megabytes": before,
    }


def one_record(merge: SummaryFn, index: int, shards: int, counts: Statistics) -> Any:
    """How a worker processes the record of one shard."""
    shard = ShardSpec("train", index, shards, 4000 * index, 4000 * (index + 1))
    files = tuple(
        OutputFile(kind, f"{kind}/mask_depth/{shard.name}.{kind}", "train", 4000, 10**8, "0" * 64)
        for kind in ("tfrecord", "parquet")
    )
    return merge.add_input(merge.create_accumulator(), ShardRecord(shard, files, (), counts))


def skew_case() -> Row:
    """Makes shards one after another, each as a worker does that has seen no input yet."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_inputs(root / "fg", 200, 200, alpha=True)
        write_inputs(root / "bg", 200, 200, alpha=False)
        spec = DatasetSpec(
            f"{root}/fg",
            f"{root}/bg",
            f"{root}/out",
            max_samples=SKEW_SHARDS * SKEW_SAMPLES,
            num_shards=SKEW_SHARDS,
        )
        plan = make_plan(spec, build_catalog(spec))
        claim(spec, plan)
        recipe = make_recipe(spec, plan, model_meaning(spec.depth_model), Performance(), None)
        make_shard(next(plan.shards()), recipe)  # Warms up what no shard should pay for.
        seconds: list[float] = []
        for shard in plan.shards():
            forget_plans()
            begin = time.process_time()
            make_shard(shard, recipe)
            seconds.append(time.process_time() - begin)
    mean = sum(seconds) / len(seconds)
    return {
        "shards": SKEW_SHARDS,
        "samples_a_shard": SKEW_SAMPLES,
        "milliseconds_a_sample": mean / SKEW_SAMPLES * 1000,
        "slowest_to_mean": max(seconds) / mean,
        "ratios": [second / mean for second in seconds],
    }


CASES = {"plan": plan_case, "launcher": launcher_case, "finish": finish_case}
INNER = {"start": start_case, "load": load_case}


def run(case: str) -> Row:
    """Runs one case in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.planning", f"--only={case}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Runs everything, or the one case that `--only` names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, help="folder of the results")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        kind, _, value = options.only.partition(":")
        row = INNER[kind](value) if kind in INNER else CASES[kind](int(value))
        print(json.dumps(row))
        return
    if options.output is None:
        parser.error("--output is missing: the folder of the results")
    content: dict[str, Any] = {
        kind: [run(f"{kind}:{size}") for size in sizes]
        for kind, sizes in (("plan", SAMPLES), ("launcher", ASSETS), ("finish", SHARDS))
    }
    content["skew"] = skew_case()
    content["schedule"] = [
        schedule(samples, cores, content["skew"])
        for samples in (10**6, 10**8, 10**9)
        for cores in WORKERS
    ]
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "planning.json").write_text(json.dumps(content, indent=1) + "\n")
    text = markdown(content, SIDE)
    (options.output / "planning.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
