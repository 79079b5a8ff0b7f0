"""What each step costs on one core, in milliseconds a sample."""

import tempfile
import time
from collections.abc import Callable

from pipeline.catalog import build_catalog
from pipeline.output import claim
from pipeline.performance import Performance
from pipeline.run import make_plan, make_recipe, model_meaning
from pipeline.spec import DatasetSpec
from transforms.pixels.input_cache import InputCache
from transforms.steps.depth import loaded_model
from transforms.steps.place import place
from transforms.steps.sequence import steps_of
from transforms.steps.write import ShardWriter

SAMPLES = 960
ROUNDS = 3


def step_costs(foregrounds: str, backgrounds: str) -> dict[str, float]:
    """Times every step of one shard, best of three rounds.

    Returns:
        Milliseconds a sample by step; decoding is milliseconds an input.
    """
    with tempfile.TemporaryDirectory() as folder:
        spec = DatasetSpec(
            foregrounds, backgrounds, folder + "/set", max_samples=SAMPLES, num_shards=1
        )
        plan = make_plan(spec, build_catalog(spec))
        claim(spec, plan)
        recipe = make_recipe(spec, plan, model_meaning("builtin"), Performance(), None)
        assert recipe.depth is not None
        model = loaded_model(recipe.depth)
        [shard] = plan.shards()
        placed = list(place(shard, recipe))

        def write() -> None:
            writer = ShardWriter(shard, recipe, plan)
            for block in encoded:
                writer.add(block)
            writer.finish()

        def decode() -> None:
            fresh = InputCache(plan)
            for asset in plan.foregrounds:
                fresh.foreground(asset.id)
            for asset in plan.backgrounds:
                fresh.background(asset.id)

        costs = {
            "decode and resize (an input)": _time(
                decode, len(plan.foregrounds) + len(plan.backgrounds)
            ),
            "place": _time(lambda: list(place(shard, recipe)), SAMPLES),
        }
        blocks = placed
        for step in steps_of(recipe):
            costs[step.name.lower()] = _time(
                lambda run=step.run, todo=blocks: [run(block, recipe) for block in todo],  # type: ignore[misc]
                SAMPLES,
            )
            if step.handler is not None:
                images = [block.images for block in blocks if block.images is not None]
                costs["bare batched inference"] = _time(
                    lambda todo=images: [model.predict(i) for i in todo],  # type: ignore[misc]
                    SAMPLES,
                )
            blocks = [step.run(block, recipe) for block in blocks]
        encoded = blocks
        return {**costs, "write TFRecord and Parquet": _time(write, SAMPLES)}


def _time(work: Callable[[], object], count: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best / count * 1000
