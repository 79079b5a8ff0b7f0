"""The list of steps, and all that is made from it."""

import pickle
from dataclasses import replace

import apache_beam as beam
import numpy as np
import pytest

from pipeline import graph
from pipeline.catalog import build_catalog
from pipeline.output import claim
from pipeline.run import make_plan, make_recipe
from tests.conftest import make_spec
from transforms.elements import Block
from transforms.models.depth.base import RELATIVE_INVERSE_DEPTH
from transforms.pixels.size import Size
from transforms.plan.plan import load_plan
from transforms.recipe import DepthSettings, Recipe
from transforms.report.manifest import Origin
from transforms.steps import sequence
from transforms.steps.place import place
from transforms.steps.remake import make_shard
from transforms.steps.sequence import STEPS, Step, make_block, steps_of

DEPTH = DepthSettings("builtin", RELATIVE_INVERSE_DEPTH)


@pytest.fixture
def recipe(inputs, tmp_path):
    """The recipe of a claimed output folder without depth, composites as PNG files."""
    spec = make_spec(inputs, tmp_path / "set", image_encoding="png")
    plan = make_plan(spec, build_catalog(spec))
    claim(spec, plan)
    return make_recipe(spec, plan)


def some_recipe(**changes: object) -> Recipe:
    whole = Recipe("out", ("tfrecord",), Size.square(160), "jpeg", 90, DEPTH, 10, 0)
    return replace(whole, **changes)  # type: ignore[arg-type]


def names(recipe: Recipe) -> list[str]:
    return [step.name for step in steps_of(recipe)]


def blacken(block: Block, recipe: Recipe) -> Block:
    """A step of this test only: black composites."""
    assert block.images is not None
    return replace(block, images=np.zeros_like(block.images))


@pytest.fixture
def one_more(monkeypatch):
    """The list with one more line."""
    steps = (*STEPS[:1], Step("Blacken", blacken), *STEPS[1:])
    monkeypatch.setattr(sequence, "STEPS", steps)


def test_a_recipe_has_the_steps_that_it_wants():
    assert names(some_recipe()) == ["Composite", "Mask", "Depth", "Encode"]
    assert names(some_recipe(depth=None)) == ["Composite", "Mask", "Encode"]


def test_steps_and_recipe_travel_by_name():
    for step in STEPS:
        assert pickle.loads(pickle.dumps(step)) == step
    assert pickle.loads(pickle.dumps(some_recipe())) == some_recipe()


def test_a_line_in_the_list_is_a_step_of_beam(recipe, one_more):
    pipeline = beam.Pipeline()
    graph.build(pipeline, recipe, Origin("{}", (), (), None, None))
    made = pipeline.to_runner_api().components.transforms
    [make] = [transform for transform in made.values() if transform.unique_name == "Make"]
    within = [made[name].unique_name.removeprefix("Make/") for name in make.subtransforms]
    assert within[:6] == ["Place", "Composite", "Blacken", "Mask", "Encode", "Write"]


def test_a_line_in_the_list_is_a_step_of_a_shard_that_is_made_again(recipe, one_more):
    shard = next(load_plan(recipe.plan_path).shards())
    counts = make_shard(shard, recipe).statistics.fg_bg.histogram
    assert counts[:, 0].tolist() == [shard.count * 64 * 64] * 3


def test_a_line_in_the_list_is_a_step_of_a_trial(recipe, one_more):
    block = make_block(next(place(next(load_plan(recipe.plan_path).shards()), recipe)), recipe)
    assert block.statistics is not None
    assert block.statistics.fg_bg.histogram[:, 1:].sum() == 0


@pytest.mark.parametrize(
    ("side", "batch", "size"),
    [(160, 32, 32), (160, 8, 8), (512, 32, 32), (513, 32, 31), (2048, 32, 2), (16384, 32, 1)],
)
def test_a_block_is_bounded_by_samples_and_by_bytes(side, batch, size):
    assert some_recipe(image_size=Size.square(side), batch_size=batch).block_size == size
