"""The trial of a dry run: a few samples, inputs and descriptions made for real, and timed.

What a job costs has three parts that grow with different numbers: samples, the inputs that a worker
decodes for them, and the files beside the samples. Each is measured separately, in as many
processes at once as the job has workers, since these share the machine.
"""

import contextlib
import dataclasses
import json
import os
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from transforms import storage
from transforms.elements import ShardSpec
from transforms.formats import JOINED_FORMATS
from transforms.formats.base import Folder, OutputFile
from transforms.pixels.input_cache import CACHE_BYTES, forget_plans
from transforms.plan.clean_shards import clean_shards
from transforms.plan.plan import Plan
from transforms.prepared import Refused
from transforms.recipe import Recipe
from transforms.records import ShardRecord
from transforms.report.manifest import Origin
from transforms.steps.clean import write_clean_shard
from transforms.steps.finish import finish
from transforms.steps.join_fragments import contributions
from transforms.steps.prepare import prepare_input, things_of
from transforms.steps.remake import make_shard
from transforms.steps.summarise import SummaryFn

SAMPLE_SECONDS = 1.5
"""About so long samples are made, twice."""

MOST_SAMPLES = 512
MINIATURE_INPUTS = 16
MINIATURE_SAMPLES = 48
LOOKED_AT_SHARDS = 16
PREPARED = 3


@dataclass(frozen=True)
class SampleCost:
    """What samples cost in one of several processes at work.

    Attributes:
        sample_seconds: time of a sample whose inputs are in the cache.
        shard_seconds: time to open and finish the files of a shard.
        decode_seconds: time to decode and resize an input.
        sample_bytes: stored bytes of a sample in all formats.
    """

    sample_seconds: float
    shard_seconds: float
    decode_seconds: float
    sample_bytes: float


@dataclass(frozen=True)
class RestCost:
    """The cost of the files beside the samples.

    Attributes:
        clean_seconds: time of a clean image.
        clean_bytes: stored bytes of a clean image.
        finish_seconds: time of gallery and descriptions.
        finish_bytes: their size.
    """

    clean_seconds: float
    clean_bytes: float
    finish_seconds: float
    finish_bytes: float


def measure_samples(plan: Plan, recipe: Recipe, processes: int) -> SampleCost:
    """Makes samples in the recipe's folder, which holds the plan, and says what one costs.

    Args:
        plan: the plan.
        recipe: how samples are made, with a root of its own.
        processes: how many are at work at once; one where forking is not safe.
    """
    chosen = _chosen(plan, processes)
    if processes == 1 or sys.platform != "linux" or threading.active_count() > 1:
        return _sample_cost(chosen[0], recipe)
    pipes = [_start(shard, recipe) for shard in chosen]
    found = []
    for pid, pipe in pipes:
        with open(pipe, "rb") as stream:
            text = stream.read()
        os.waitpid(pid, 0)
        if text:
            found.append(SampleCost(**json.loads(text)))
    if not found:
        return _sample_cost(chosen[0], recipe)  # It says what is wrong.
    return SampleCost(
        *(
            sum(getattr(cost, field.name) for cost in found) / len(found)
            for field in dataclasses.fields(SampleCost)
        )
    )


def prepare_for_trial(plan: Plan, recipe: Recipe, ids: Iterable[int]) -> float:
    """Prepares backgrounds in the recipe's folder, so that samples can be timed.

    A few are prepared for real. The others get the results of the first: how long samples take does
    not depend on what is in them.

    Args:
        plan: the plan.
        recipe: says what is wanted.
        ids: of the backgrounds.

    Returns:
        Seconds of one core for a background; 0 where nothing is to be prepared.
    """
    sources = [plan.background_by_id[bg_id] for bg_id in sorted(set(ids))]
    things = things_of(recipe)
    if not things or not sources:
        return 0.0
    seconds = []
    for source in sources[:PREPARED]:
        start = time.perf_counter()
        for _ in prepare_input(source, recipe):
            pass
        seconds.append(time.perf_counter() - start)
    for thing in things:
        with contextlib.suppress(Refused):
            data = thing.read(sources[0], recipe)
            for source in sources[PREPARED:]:
                recipe.folder.write(thing.path(source, recipe), data)
    return min(seconds)  # The first loads the model as well.


def shown_backgrounds(plan: Plan, processes: int) -> set[int]:
    """Ids of the backgrounds that `measure_samples` needs."""
    found: set[int] = set()
    for shard in _chosen(plan, processes):
        stop = min(shard.stop, shard.start + MOST_SAMPLES)
        placements = plan.samples(shard.split, shard.start, stop)
        found |= {placement.bg_id for placement in placements}
    return found


def _chosen(plan: Plan, processes: int) -> list[ShardSpec]:
    shards = list(plan.shards())
    return [shards[i * len(shards) // processes] for i in range(processes)]


def _start(shard: ShardSpec, recipe: Recipe) -> tuple[int, int]:
    """Starts a copy of this process that makes samples: its number, and where it writes."""
    receiver, sender = os.pipe()
    pid = os.fork()
    if pid:
        os.close(sender)
        return pid, receiver
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        cost = _sample_cost(shard, recipe)
        os.write(sender, json.dumps(dataclasses.asdict(cost)).encode())
    finally:
        os._exit(0)


def _sample_cost(shard: ShardSpec, recipe: Recipe) -> SampleCost:
    forget_plans()
    plan = _plan(recipe)
    one = dataclasses.replace(shard, stop=shard.start + 1)
    small = _size(make_shard(one, recipe))  # Loads the model.
    seconds, _ = _timed(one, recipe)
    count = max(2, min(shard.count, MOST_SAMPLES, int(SAMPLE_SECONDS / max(seconds, 1e-4))))
    some = dataclasses.replace(shard, stop=min(shard.stop, shard.start + count))
    cold, record = _timed(some, recipe)
    warm, _ = _timed(some, recipe)
    fresh = max(1, len(_inputs(plan, some)) - 2)
    extra = max(1, some.count - 1)
    sample = max(0.0, warm - seconds) / extra if some.count > 1 else warm
    return SampleCost(
        sample,
        max(0.0, seconds - sample),
        max(0.0, cold - warm) / fresh,
        (_size(record) - small) / extra if some.count > 1 else float(small),
    )


def _timed(shard: ShardSpec, recipe: Recipe) -> tuple[float, ShardRecord]:
    start = time.perf_counter()
    record = make_shard(shard, recipe)
    return time.perf_counter() - start, record


def _size(record: ShardRecord) -> int:
    return sum(file.bytes for file in record.files)


def _plan(recipe: Recipe) -> Plan:
    return Plan.from_json(storage.read_text(recipe.plan_path))


def _inputs(plan: Plan, shard: ShardSpec) -> set[tuple[str, int]]:
    """The inputs that a shard's samples are made of."""
    found: set[tuple[str, int]] = set()
    for placement in plan.samples(shard.split, shard.start, shard.stop):
        found |= {("fg", placement.fg_id), ("bg", placement.bg_id)}
    return found


def decodes(plan: Plan, todo: Iterable[ShardSpec], workers: int) -> float:
    """About how many times an input is decoded while shards are made.

    A worker that can hold all inputs decodes each at most once; else it decodes them
    again for each shard.
    """
    shards = list(todo)
    if not shards:
        return 0.0
    step = max(1, len(shards) // LOOKED_AT_SHARDS)
    looked = shards[::step]
    each = sum(len(_inputs(plan, shard)) for shard in looked) / len(looked)
    total = len(plan.foregrounds) + len(plan.backgrounds)
    held = len(plan.backgrounds) * plan.image_size.pixels * 3
    held += len(plan.foregrounds) * plan.foreground_size**2 * 4
    most = workers * total if held < CACHE_BYTES else float("inf")
    return min(each * len(shards), most)


def measure_rest(plan: Plan, recipe: Recipe, origin: Origin) -> RestCost:
    """Makes a miniature data set with a few of the inputs in the recipe's folder, an empty one."""
    small = dataclasses.replace(
        plan,
        foregrounds=plan.foregrounds[:MINIATURE_INPUTS],
        backgrounds=plan.backgrounds[:MINIATURE_INPUTS],
        splits=(dataclasses.replace(plan.splits[0], share=1.0),),
        num_shards=None,
        max_samples=MINIATURE_SAMPLES,
        parts=(),
    )
    folder = Folder(recipe.root)
    storage.write_text(folder.plan_path, small.to_json())
    storage.write_text(folder.path("state/spec.json"), origin.spec)
    forget_plans()
    prepare_for_trial(small, recipe, (source.id for source in small.backgrounds))
    summary = SummaryFn()
    totals = summary.create_accumulator()
    records = [make_shard(shard, recipe) for shard in small.shards()]
    start = time.perf_counter()
    clean = [write_clean_shard(shard, recipe) for shard in clean_shards(small)]
    cleaned = time.perf_counter() - start
    for record in (*records, *clean):
        totals = summary.add_input(totals, record)
    start = time.perf_counter()
    groups: dict[tuple[str, str], list[OutputFile]] = {}
    for record in (*records, *clean):
        for key, file in contributions(record):
            groups.setdefault(key, []).append(file)
    for (name, group), files in groups.items():
        JOINED_FORMATS[name].join(folder, group, files)
    before = _bytes_in(recipe.root)
    finish(summary.extract_output(totals), recipe, origin)
    images = len(small.foregrounds) + len(small.backgrounds)
    return RestCost(
        cleaned / images,
        sum(_size(record) for record in clean) / images,
        time.perf_counter() - start,
        max(0, _bytes_in(recipe.root) - before),
    )


def _bytes_in(root: str) -> int:
    return sum(
        os.path.getsize(os.path.join(parent, name))
        for parent, _, names in os.walk(root)
        for name in names
    )
