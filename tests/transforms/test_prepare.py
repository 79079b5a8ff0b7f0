"""What is prepared once for each background: made once, kept, and refused by name."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.catalog import build_catalog
from pipeline.run import make_plan, make_recipe
from tests.conftest import make_spec
from transforms.models.depth import passes
from transforms.models.depth.base import METRIC_DEPTH, RELATIVE_INVERSE_DEPTH
from transforms.pixels.input_cache import forget_plans
from transforms.pixels.layers import Background, stack
from transforms.pixels.shape import Shape
from transforms.pixels.size import Size
from transforms.plan.inputs import InputImage
from transforms.recipe import Recipe
from transforms.steps import background_depth as module
from transforms.steps.background_depth import DEPTH, forget_backgrounds, load_depth
from transforms.steps.place import place
from transforms.steps.prepare import (
    PrepareError,
    prepare_input,
    read_preparation,
    store_preparation,
)
from transforms.steps.sequence import make_block, steps_of


class Red:
    """A model whose depth is the red channel; pictures without any red have none."""

    name = "red"
    device = "cpu"
    meaning = RELATIVE_INVERSE_DEPTH

    def __init__(self) -> None:
        self.seen = 0

    def predict(self, images: np.ndarray) -> np.ndarray:
        self.seen += 1
        if images[..., 0].max() < 8:
            raise RuntimeError("there is\nno red")
        return images[..., 0].astype(np.float32)


@pytest.fixture
def recipe(inputs, tmp_path) -> Recipe:
    spec = make_spec(
        inputs, tmp_path / "set", depth_model="builtin", depth_labels="layered", depth_passes=2
    )
    plan = make_plan(spec, build_catalog(spec))
    forget_plans()
    forget_backgrounds()
    made = make_recipe(spec, plan, RELATIVE_INVERSE_DEPTH, weights="0" * 64)
    made.folder.write("state/plan.json", plan.to_json().encode())
    return made


@pytest.fixture
def model(monkeypatch) -> Red:
    red = Red()
    monkeypatch.setattr(module, "loaded_model", lambda settings: red)
    return red


def sources(recipe: Recipe) -> tuple[InputImage, ...]:
    return module_plan(recipe).backgrounds


def module_plan(recipe: Recipe):
    from transforms.plan.plan import load_plan

    return load_plan(recipe.plan_path)


def test_a_background_is_predicted_once(recipe, model):
    source = sources(recipe)[0]
    [first] = prepare_input(source, recipe)
    assert model.seen == recipe.depth.passes == 2 and first.refused is None
    [again] = prepare_input(source, recipe)
    assert model.seen == 2 and again == first
    depth = load_depth(Path(recipe.folder.path(first.path)).read_bytes())
    assert depth.shape == (64, 64) and depth.dtype == np.float32
    assert first.path == DEPTH.path(source, recipe) and first.path.startswith("state/prepared/")


@pytest.mark.parametrize("damage", ["cut", "changed", "emptied"])
def test_a_damaged_file_is_made_again(recipe, model, damage):
    source = sources(recipe)[0]
    [first] = prepare_input(source, recipe)
    file = Path(recipe.folder.path(first.path))
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.write_bytes(
        {
            "cut": whole[:middle],
            "changed": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "emptied": b"",
        }[damage]
    )
    assert list(prepare_input(source, recipe)) == [first]
    assert model.seen == 4 and file.read_bytes() == whole


def test_the_name_says_what_decides_the_map(recipe):
    source = sources(recipe)[0]
    path = DEPTH.path(source, recipe)
    others = [
        replace(recipe, image_size=Size.square(32)),
        replace(recipe, depth=replace(recipe.depth, passes=3)),
        replace(recipe, depth=replace(recipe.depth, digest="1" * 64)),
    ]
    assert len({path, *(DEPTH.path(source, other) for other in others)}) == 4
    assert DEPTH.path(replace(source, sha256="2" * 64), recipe) != path
    assert DEPTH.path(replace(source, id=77, path="elsewhere"), recipe) == path


def test_what_is_refused_is_named_and_not_tried_again(recipe, model, monkeypatch):
    good, bad = sources(recipe)[:2]
    results = [*prepare_input(good, recipe)]
    monkeypatch.setattr(model, "predict", lambda images: 1 / 0)
    [refused] = prepare_input(bad, recipe)
    assert refused.refused == "no depth: ZeroDivisionError: division by zero"
    monkeypatch.undo()
    monkeypatch.setattr(module, "loaded_model", lambda settings: model)
    assert list(prepare_input(bad, recipe)) == [refused]
    assert store_preparation([*results, refused], recipe) == 2
    stored = read_preparation(recipe.folder)
    assert [(error.path, error.reason) for error in stored.errors] == [(bad.path, refused.refused)]
    assert {file.path for file in stored.files} == {results[0].path, refused.path}
    with pytest.raises(PrepareError, match="stopped by --on_error=fail"):
        store_preparation([*results, refused], replace(recipe, strict=True))
    with pytest.raises(PrepareError, match="no background could be prepared"):
        store_preparation([refused], recipe)


def test_values_that_are_not_finite_are_refused(recipe, model, monkeypatch):
    monkeypatch.setattr(
        model, "predict", lambda images: np.full(images.shape[:3], np.nan, np.float32)
    )
    [refused] = prepare_input(sources(recipe)[0], recipe)
    assert refused.refused is not None and "not finite" in refused.refused


def test_a_model_that_cannot_be_loaded_costs_no_input(recipe, monkeypatch):
    from transforms.models import ModelError

    def absent(settings):
        raise ModelError("there is none")

    monkeypatch.setattr(module, "loaded_model", absent)
    with pytest.raises(ModelError):
        list(prepare_input(sources(recipe)[0], recipe))


@pytest.mark.parametrize("metric", [False, True])
def test_samples_are_composed_of_what_was_prepared(recipe, model, metric):
    if metric:
        recipe = replace(recipe, depth=replace(recipe.depth, meaning=METRIC_DEPTH))
        model.meaning = METRIC_DEPTH
    assert [step.name for step in steps_of(recipe)] == ["Composite", "Mask", "Layers", "Encode"]
    plan = module_plan(recipe)
    for source in plan.backgrounds:
        list(prepare_input(source, recipe))
    block = next(iter(place(next(plan.shards()), recipe)))
    for step in [*steps_of(recipe)][:3]:
        block = step.run(block, recipe)
    assert block.depth is not None and block.masks is not None and block.object_depth is not None
    for i, sample in enumerate(block.placements):
        source = plan.background_by_id[sample.bg_id]
        depth = load_depth(Path(recipe.folder.path(DEPTH.path(source, recipe))).read_bytes())
        solid = block.masks[i] >= 128
        np.testing.assert_array_equal(block.depth[i][~solid], depth[~solid])
        assert (block.depth[i][solid] == block.object_depth[i]).all()
        if metric:
            assert 0 < block.object_depth[i] < depth[solid].min()
        else:
            assert block.object_depth[i] > depth[solid].max()


def test_samples_of_a_refused_background_fail_and_name_it(recipe, model, monkeypatch):
    plan = module_plan(recipe)
    for source in plan.backgrounds:
        if source.id == 3:
            monkeypatch.setattr(model, "predict", lambda images: 1 / 0)
        list(prepare_input(source, recipe))
        monkeypatch.undo()
        monkeypatch.setattr(module, "loaded_model", lambda settings: model)
    block = next(iter(place(next(plan.shards()), recipe)))
    wanted = [sample for sample in block.placements if sample.bg_id == 3]
    made = make_block(block, recipe)
    assert wanted and [failure.key for failure in made.failures] == [s.key for s in wanted]
    assert all(f.of_input and "bg_img_3.png: no depth" in f.reason for f in made.failures)
    assert len(made.samples) == len(block.placements) - len(wanted)


def test_the_options_and_the_passes_agree():
    from pipeline.spec import MOST_PASSES

    assert passes.MOST_PASSES == MOST_PASSES


def test_an_object_of_one_pixel_has_a_depth():
    background = Background(np.random.default_rng(1).random((9, 9), np.float32), True)
    depth, [value] = stack(background, [(Shape(np.full((1, 1), 255, np.uint8)), 4, 4)])
    assert depth[4, 4] == np.float32(value) > background.depth[1:8, 1:8].max()
