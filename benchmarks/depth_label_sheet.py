"""A sheet of composites with both kinds of depth label, to be looked at.

    python -m benchmarks.depth_label_sheet --foregrounds=DIR --backgrounds=DIR --output=SHEET.jpg

It shows 24 samples, chosen evenly over all: the composite, the depth predicted from it, and the
depth composed of layers. Near is bright; each map has its own range.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.catalog import build_catalog
from pipeline.run import make_plan, make_recipe, model_meaning
from pipeline.spec import DatasetSpec
from transforms import models, storage
from transforms.elements import Block
from transforms.plan.plan import Plan
from transforms.recipe import Recipe
from transforms.report.exhibits import colour_depth
from transforms.steps.composite import add_composites
from transforms.steps.depth import add_depth
from transforms.steps.layers import add_layers
from transforms.steps.prepare import prepare_input

SAMPLES = 24
_COLUMNS = 4
_GAP = 6


def samples(spec: DatasetSpec) -> tuple[Block, Block]:
    """The samples of a spec with predicted and with layered depth."""
    plan = make_plan(spec, build_catalog(spec))
    storage.write_text(storage.join(spec.output, "state", "plan.json"), plan.to_json())
    weights = models.digest(spec.depth_model)
    recipe = make_recipe(spec, plan, model_meaning(spec.depth_model), weights=weights)
    block = add_composites(_block(plan), recipe)
    _prepare(block, plan, recipe)
    assert recipe.depth is not None
    predicted = dataclasses.replace(recipe, depth=dataclasses.replace(recipe.depth, passes=None))
    return add_depth(block, predicted), add_layers(block, recipe)


def _block(plan: Plan) -> Block:
    shard = next(plan.shards())
    placements = plan.samples(shard.split, 0, SAMPLES)
    return Block(shard, 0, len(placements), placements)


def _prepare(block: Block, plan: Plan, recipe: Recipe) -> None:
    for bg_id in {sample.bg_id for sample in block.placements}:
        list(prepare_input(plan.background_by_id[bg_id], recipe))


def sheet(images: np.ndarray, *kinds: np.ndarray) -> Image.Image:
    """Composites, each beside its maps, four a row.

    Args:
        images: uint8 [n, side, side, 3].
        kinds: float32 [n, side, side] each, near is large.
    """
    side, across = images.shape[1], len(kinds) + 1
    width, height = across * side + _GAP, side + _GAP
    rows = -(-len(images) // _COLUMNS)
    found = Image.new("RGB", (_COLUMNS * width - _GAP, rows * height - _GAP), "white")
    for number, image in enumerate(images):
        x, y = number % _COLUMNS * width, number // _COLUMNS * height
        found.paste(Image.fromarray(image), (x, y))
        for place, maps in enumerate(kinds, 1):
            depth = maps[number]
            levels = np.rint((depth - depth.min()) / np.ptp(depth) * 65535).astype(np.int64)
            found.paste(colour_depth(levels, True).convert("RGB"), (x + place * side, y))
    return found


def main() -> None:
    """Reads the flags and writes the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--foregrounds", required=True)
    parser.add_argument("--backgrounds", required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spec = DatasetSpec(
            options.foregrounds,
            options.backgrounds,
            folder,
            placements=2,
            max_samples=SAMPLES,
            depth_labels="layered",
        )
        predicted, layered = samples(spec)
    assert predicted.images is not None
    assert predicted.depth is not None and layered.depth is not None
    found = sheet(predicted.images, predicted.depth, layered.depth)
    found.save(options.output, quality=80, optimize=True)


if __name__ == "__main__":
    main()
