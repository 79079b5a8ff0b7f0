"""What a job would make, without making it: a few samples are made on the spot to time them."""

import dataclasses
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.local.cores import cores
from pipeline.local.lease import check_unlocked
from pipeline.output import Claim, format_bytes, free_bytes, judged
from pipeline.performance import Performance
from pipeline.progress import clock
from pipeline.run import Job, checked, make_recipe, origin_of
from pipeline.runner import choose_runner
from pipeline.spec import DatasetSpec
from pipeline.trial import (
    RestCost,
    SampleCost,
    decodes,
    measure_rest,
    measure_samples,
    prepare_for_trial,
    shown_backgrounds,
)
from transforms import storage
from transforms.elements import ShardSpec
from transforms.formats.base import Folder
from transforms.plan.inputs import InputError
from transforms.plan.plan import Plan
from transforms.recipe import Recipe
from transforms.records import read_record

START_SECONDS = 2.5
"""Time in which Beam starts workers, moves what a job has made and ends, as measured."""


@dataclass(frozen=True)
class Forecast:
    """What a job would make.

    Attributes:
        foregrounds: usable foregrounds.
        backgrounds: usable backgrounds.
        left_out: inputs that cannot be used.
        notes: lines on inputs that may be meant otherwise, and on terms.
        cutouts: lines on what was cut out of photographs.
        samples: samples of the data set.
        there: those of them that exist already.
        excluded: those of them that are not wanted.
        shards: shards of samples, over all splits.
        finished: whether there is nothing to do.
        bytes: estimated size of the data set.
        free: free bytes at the output, None if unknown.
        milliseconds: time of one sample on one core, as just measured.
        inputs_seconds: time in which the inputs are read, as just measured.
        preparation_seconds: estimated time of what is prepared once for each background.
        layered: whether that is depth, from which labels are composed; else it is ground.
        samples_seconds: estimated time of the samples.
        rest_seconds: estimated time of start, clean images, gallery and descriptions.
        workers: worker processes that the estimate counts with.
    """

    foregrounds: int
    backgrounds: int
    left_out: tuple[InputError, ...]
    notes: tuple[str, ...]
    cutouts: tuple[str, ...]
    samples: int
    there: int
    excluded: int
    shards: int
    finished: bool
    bytes: int
    free: int | None
    milliseconds: float
    inputs_seconds: float
    preparation_seconds: float
    layered: bool
    samples_seconds: float
    rest_seconds: float
    workers: int

    @property
    def seconds(self) -> float:
        """Estimated time of the job on this machine."""
        return (
            self.inputs_seconds
            + self.preparation_seconds
            + self.samples_seconds
            + self.rest_seconds
        )

    def text(self) -> str:
        """The forecast for people, a line each."""
        free = "" if self.free is None else f" ({format_bytes(self.free)} free)"
        there = f", of which {self.there:,} are there" if self.there else ""
        excluded = f"; up to {self.excluded:,} of them are excluded" if self.excluded else ""
        lines = [
            f"inputs    {self.foregrounds:,} foregrounds, {self.backgrounds:,} backgrounds",
            *(f"left out  {error.line}" for error in self.left_out),
            *(f"note      {line}" for line in (*self.notes, *self.cutouts)),
            f"samples   {self.samples:,} in {self.shards:,} shards{there}{excluded}",
        ]
        if self.finished:
            return "\n".join([*lines, "time      none: the data set is finished"])
        lines.append(f"size      about {format_bytes(self.bytes)}{free}")
        prepared = ""
        if self.preparation_seconds:
            what = "depth" if self.layered else "ground"
            prepared = f" backgrounds' {what} {clock(self.preparation_seconds)},"
            lines.append(
                "depth     composed of layers: the model sees each background once and no composite"
                if self.layered
                else "ground    seen once in each background by the built-in depth model"
            )
        lines.append(
            f"time      about {clock(self.seconds)} on this machine with {self.workers} workers:"
            f" inputs {clock(self.inputs_seconds)},{prepared} samples {clock(self.samples_seconds)}"
            f" ({self.milliseconds:.2f} ms a sample and core, just measured), the rest"
            f" {clock(self.rest_seconds)}"
        )
        return "\n".join(lines)


def forecast(
    spec: DatasetSpec,
    beam_arguments: list[str],
    performance: Performance,
    overwrite: bool = False,
    extend: bool = False,
) -> Forecast:
    """Checks everything that `generate` checks and makes a little of it elsewhere.

    Raises:
        SpecError: `generate` would refuse.
    """
    with tempfile.TemporaryDirectory() as cutouts:
        return _forecast(spec, beam_arguments, performance, overwrite, extend, cutouts)


def _forecast(
    spec: DatasetSpec,
    beam_arguments: list[str],
    performance: Performance,
    overwrite: bool,
    extend: bool,
    cutouts: str,
) -> Forecast:
    imports = time.process_time()
    begin = time.perf_counter()
    job = checked(spec, beam_arguments, overwrite, extend, cutouts=cutouts)
    inputs_seconds = time.perf_counter() - begin
    spec, catalog = job.spec, job.catalog
    check_unlocked(spec.output)
    claimed = judged(spec, job.plan, job.maker, extend, overwrite)
    plan = claimed.plan
    shards = list(plan.shards())
    todo = [] if claimed.finished else _missing(spec, claimed, shards)
    workers = choose_runner(beam_arguments, len(shards)).workers or 1
    if claimed.finished:
        samples, rest, prepare_seconds = SampleCost(0, 0, 0, 0), RestCost(0, 0, 0, 0), 0.0
    else:
        with tempfile.TemporaryDirectory() as folder:
            samples, rest, prepare_seconds = _tried(
                job, plan, performance, folder, min(workers, cores())
            )
    images = len(plan.foregrounds) + len(plan.backgrounds)
    count = sum(shard.count for shard in todo)
    made = samples_seconds(plan, todo, samples, min(workers, cores()))
    other = imports + START_SECONDS + rest.finish_seconds
    return Forecast(
        len(catalog.foregrounds),
        len(catalog.backgrounds),
        catalog.errors,
        job.notes,
        catalog.cutouts,
        plan.total,
        plan.total - count,
        len(plan.excluded) - len(plan.needlessly_excluded),
        len(shards),
        claimed.finished,
        int(plan.total * samples.sample_bytes + images * rest.clean_bytes + rest.finish_bytes),
        free_bytes(spec.output),
        samples.sample_seconds * 1000,
        inputs_seconds,
        prepare_seconds * len(plan.backgrounds) / min(workers, cores()),
        spec.passes is not None,
        made,
        other + rest.clean_seconds * images / min(workers, cores(), 2),
        workers,
    )


def samples_seconds(
    plan: Plan, todo: Sequence[ShardSpec], cost: SampleCost, processes: int
) -> float:
    """Time of the samples of some shards, made by several processes in parallel."""
    work = sum(shard.count for shard in todo) * cost.sample_seconds
    work += len(todo) * cost.shard_seconds
    return (work + decodes(plan, todo, processes) * cost.decode_seconds) / processes


def _missing(spec: DatasetSpec, claimed: Claim, shards: list[ShardSpec]) -> list[ShardSpec]:
    """The shards that a run would make; names differ where the data set grows."""
    if claimed.former is None:
        return shards
    former = claimed.former
    folder = Folder(spec.output)
    there = {
        (shard.split, shard.start, shard.stop)
        for shard in former.shards()
        if (record := read_record(folder, shard)) is not None and not record.failures
    }
    return [shard for shard in shards if (shard.split, shard.start, shard.stop) not in there]


def _tried(
    job: Job, plan: Plan, performance: Performance, folder: str, processes: int
) -> tuple[SampleCost, RestCost, float]:
    def recipe(name: str) -> Recipe:
        root = os.path.join(folder, name)
        storage.write_text(Folder(root).plan_path, plan.to_json())
        trial = dataclasses.replace(job.spec, output=root)
        made = make_recipe(trial, plan, job.meaning, performance, weights=job.maker.weights)
        return dataclasses.replace(made, allowed_failures=plan.total)

    of_samples = recipe("samples")
    shown = shown_backgrounds(plan, processes)
    prepare_seconds = prepare_for_trial(plan, of_samples, shown)
    samples = measure_samples(plan, of_samples, processes)
    origin = origin_of(job.spec, job.catalog, job.meaning, job.maker.weights)
    return samples, measure_rest(plan, recipe("rest"), origin), prepare_seconds
