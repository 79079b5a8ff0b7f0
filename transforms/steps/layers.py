"""Layers step: each sample's depth is composed of its background's and its object's."""

from dataclasses import replace

import numpy as np

from transforms.elements import PREPARE, Block, Failure
from transforms.pixels.input_cache import input_cache
from transforms.pixels.layers import stack
from transforms.plan.plan import load_plan
from transforms.prepared import Refused
from transforms.recipe import Recipe
from transforms.scenes.depth import scene_depth
from transforms.scenes.inputs import scene_inputs
from transforms.scenes.labels import SceneLabels
from transforms.steps.arrange import ground_of
from transforms.steps.background_depth import background_depth


def is_layered(recipe: Recipe) -> bool:
    """Whether depth is composed of layers."""
    return recipe.layered


def add_layers(block: Block, recipe: Recipe) -> Block:
    """Adds `depth` and `object_depth` to a block.

    Samples whose background could not be prepared become failures.
    """
    plan, assets = load_plan(recipe.plan_path), input_cache(recipe.plan_path)
    count = len(block.placements)
    depth = np.zeros((count, *recipe.image_size.shape), np.float32)
    values = np.zeros(count, np.float32)
    failed: dict[int, Failure] = {}
    scenes: list[SceneLabels] = []
    for i, sample in enumerate(block.placements):
        source = plan.background_by_id[sample.bg_id]
        crop = block.scenes[i].crop if recipe.scenes is not None else None
        try:
            background = background_depth(source, recipe, crop)
        except Refused as error:
            failed[i] = Failure(sample.key, PREPARE, f"{source.path}: {error}")
            continue
        if recipe.scenes is not None:
            ground = None
            if recipe.scenes.occlude:
                ground = ground_of(source, recipe, scene_inputs(recipe.plan_path), crop)
            depth[i], labels = scene_depth(background, ground, block.scenes[i])
            scenes.append(labels)
            continue
        cutout = assets.cutout(sample.fg_id, sample.flip, sample.width, sample.height)
        depth[i], [values[i]] = stack(background, [(cutout.shape, sample.x, sample.y)])
    block = replace(block, depth=depth, object_depth=values)
    if recipe.scenes is not None:
        return replace(block.without(failed), object_depth=None, scenes=tuple(scenes))
    return block.without(failed)
