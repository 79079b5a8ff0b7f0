"""What a job would make, without making it: a few samples are made on the spot to time them."""

import dataclasses
import os
import tempfile
import time
from dataclasses import dataclass

from pipeline.catalog import build_catalog
from pipeline.output import (
    check_space,
    estimated_bytes,
    format_bytes,
    free_bytes,
    refuse_foreign,
)
from pipeline.performance import Performance
from pipeline.places import check_apart, check_places
from pipeline.progress import clock
from pipeline.run import make_plan, make_recipe, model_meaning, resolved
from pipeline.runner import check_runner, choose_runner
from pipeline.spec import DatasetSpec
from transforms import storage
from transforms.formats import TABLE_FORMATS
from transforms.formats.base import Folder
from transforms.plan.inputs import InputError
from transforms.plan.plan import Plan
from transforms.recipe import Recipe
from transforms.steps.place import place
from transforms.steps.sequence import make_block

_TRIAL_SAMPLES = 64


@dataclass(frozen=True)
class Forecast:
    """What a job would make.

    Attributes:
        foregrounds: usable foregrounds.
        backgrounds: usable backgrounds.
        left_out: inputs that cannot be used.
        samples: samples of the data set.
        shards: shards of samples, over all splits.
        bytes: estimated size of the data set.
        free: free bytes at the output, None where there is no such figure.
        milliseconds: time of one sample on one core, as just measured.
        seconds: estimated time of the job on this machine.
        workers: worker processes that the estimate counts with.
    """

    foregrounds: int
    backgrounds: int
    left_out: tuple[InputError, ...]
    samples: int
    shards: int
    bytes: int
    free: int | None
    milliseconds: float
    seconds: float
    workers: int

    def text(self) -> str:
        """The forecast for people, a line each."""
        free = "" if self.free is None else f" ({format_bytes(self.free)} free)"
        lines = [
            f"inputs    {self.foregrounds:,} foregrounds, {self.backgrounds:,} backgrounds",
            *(f"left out  {error.line}" for error in self.left_out),
            f"samples   {self.samples:,} in {self.shards:,} shards",
            f"size      about {format_bytes(self.bytes)}{free}",
            f"time      about {clock(self.seconds)} on this machine with {self.workers} workers"
            f" ({self.milliseconds:.2f} ms a sample and core, just measured)",
        ]
        return "\n".join(lines)


def forecast(spec: DatasetSpec, beam_arguments: list[str], performance: Performance) -> Forecast:
    """Checks everything that `generate` checks and measures a few samples.

    Raises:
        SpecError: `generate` would refuse.
    """
    check_places(spec)
    spec = resolved(spec)
    spec.check()
    check_runner(beam_arguments, spec.paths())
    meaning = model_meaning(spec.depth_model)
    catalog = build_catalog(spec)
    plan = make_plan(spec, catalog)
    check_apart(spec.output, plan)
    check_space(spec, plan)
    refuse_foreign(spec.output)
    shards = sum(plan.shard_counts.values())
    runner = choose_runner(beam_arguments, shards)
    workers = runner.workers or 1
    with tempfile.TemporaryDirectory() as folder:
        trial = dataclasses.replace(spec, output=folder)
        storage.write_text(Folder(folder).plan_path, plan.to_json())
        recipe = make_recipe(trial, plan, meaning, performance, None)
        seconds, size = _trial(plan, recipe)
    tables = len(set(spec.formats) & set(TABLE_FORMATS))
    measured = int(plan.total * (size + 300) * tables) if tables else 0
    return Forecast(
        len(catalog.foregrounds),
        len(catalog.backgrounds),
        catalog.errors,
        plan.total,
        shards,
        measured if tables == len(spec.formats) else max(measured, estimated_bytes(spec, plan)),
        free_bytes(spec.output),
        seconds * 1000,
        seconds * plan.total / min(workers, os.cpu_count() or 1),
        workers,
    )


def _trial(plan: Plan, recipe: Recipe) -> tuple[float, float]:
    """Seconds and encoded bytes of one sample on one core."""
    first = next(plan.shards())
    shard = dataclasses.replace(first, stop=min(first.stop, first.start + _TRIAL_SAMPLES))
    todo = list(place(shard, recipe))
    for block in todo:  # Decodes the inputs and warms the model up.
        make_block(block, recipe)
    start, count, size = time.perf_counter(), 0, 0
    for block in todo:
        made = make_block(block, recipe)
        count += block.promised
        size += sum(len(s.image) + len(s.mask) + len(s.depth or b"") for s in made.samples)
    return (time.perf_counter() - start) / count, size / count
