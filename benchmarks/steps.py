"""What each step costs on one core, in milliseconds a sample."""

import dataclasses
import tempfile
import time
from collections.abc import Callable

from pipeline.catalog import build_catalog
from pipeline.output import claim
from pipeline.run import Performance, make_plan, make_recipe, model_meaning
from pipeline.spec import DatasetSpec
from transforms.elements import Block
from transforms.pixels.input_cache import InputCache, input_cache
from transforms.plan.plan import load_plan
from transforms.steps.composite import composites
from transforms.steps.depth import DepthHandler, predict_block
from transforms.steps.encode import encode_block
from transforms.steps.mask import masks
from transforms.steps.place import blocks
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
        model = DepthHandler(recipe.depth).load_model()
        [shard] = plan.shards()
        assets = input_cache(recipe.plan_path)
        placed = list(blocks(plan, shard, recipe.block_size))
        side = plan.image_size
        pictured = [
            dataclasses.replace(b, images=composites(b.placements, assets, side)) for b in placed
        ]
        masked = [dataclasses.replace(b, masks=masks(b.placements, assets, side)) for b in pictured]
        deep = [predict_block(model, block) for block in masked]
        encoded = [encode_block(block, recipe.encoding) for block in deep]

        def write() -> None:
            writer = ShardWriter(shard, recipe.write, load_plan(recipe.plan_path))
            for block in encoded:
                writer.add(block)
            writer.finish()

        def decode() -> None:
            fresh = InputCache(plan)
            for asset in plan.foregrounds:
                fresh.foreground(asset.id)
            for asset in plan.backgrounds:
                fresh.background(asset.id)

        def bare() -> None:
            for block in masked:
                assert block.images is not None
                model.predict(block.images)

        inputs = len(plan.foregrounds) + len(plan.backgrounds)
        return {
            "decode and resize (an input)": _time(decode, inputs),
            "place": _time(lambda: list(blocks(plan, shard, recipe.block_size)), SAMPLES),
            "composite": _each(lambda b: composites(b.placements, assets, side), placed),
            "mask": _each(lambda b: masks(b.placements, assets, side), placed),
            "depth step": _each(lambda b: predict_block(model, b), masked),
            "bare batched inference": _time(bare, SAMPLES),
            "encode and count": _each(lambda b: encode_block(b, recipe.encoding), deep),
            "write TFRecord and Parquet": _time(write, SAMPLES),
        }


def _each(step: Callable[[Block], object], todo: list[Block]) -> float:
    return _time(lambda: [step(block) for block in todo], SAMPLES)


def _time(work: Callable[[], object], count: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best / count * 1000
