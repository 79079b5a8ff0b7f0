"""Arrange step: each placement becomes a scene, from which composite, mask and objects are made."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

import numpy as np
from PIL import Image, ImageFilter

from transforms.elements import PREPARE, Block, Failure, Placement
from transforms.plan.inputs import InputImage
from transforms.plan.plan import Plan, load_plan
from transforms.plan.seeding import permuted, random_key
from transforms.prepared import Refused
from transforms.recipe import Recipe
from transforms.scenes.arrange import Candidate, MainPlace, arrange
from transforms.scenes.compose import Composed, changes_of, compose
from transforms.scenes.crops import box_in, cut_ground, random_crop
from transforms.scenes.draws import Draws, draws_of
from transforms.scenes.ground import Ground
from transforms.scenes.inputs import SceneInputs, scene_inputs
from transforms.scenes.look import Change, Sprite, colour_tables
from transforms.scenes.scene import Crop, Scene
from transforms.steps.background_ground import GROUND, is_grounded

_DISTRACTORS = 23
_MOST_DISTRACTORS = 12


def has_scenes(recipe: Recipe) -> bool:
    """Whether samples are scenes."""
    return recipe.scenes is not None


def has_single_objects(recipe: Recipe) -> bool:
    """Whether a sample is one object as the plan has placed it."""
    return recipe.scenes is None


def add_scenes(block: Block, recipe: Recipe) -> Block:
    """Adds `images`, `masks` and `scenes` to a block.

    Samples whose background could not be prepared become failures.
    """
    plan = load_plan(recipe.plan_path)
    inputs = scene_inputs(recipe.plan_path)
    arranged: list[_Arranged] = []
    failed: dict[int, Failure] = {}
    draws = draws_of(plan.seed, block.placements)
    for i, (sample, numbers) in enumerate(zip(block.placements, draws, strict=True)):
        source = plan.background_by_id[sample.bg_id]
        crop = crop_of(numbers, source, recipe)
        try:
            ground = ground_of(source, recipe, inputs, crop)
        except Refused as error:
            failed[i] = Failure(sample.key, PREPARE, f"{source.path}: {error}")
            continue
        arranged.append(_arranged(sample, numbers, plan, recipe, inputs, ground, crop))
    block = block.without(failed)
    # The tables of a block together cost little more than those of one scene.
    tables = iter(colour_tables([change for each in arranged for change in each.changes]))
    made = [_composed(each, list(islice(tables, len(each.changes))), recipe) for each in arranged]
    shape = recipe.image_size.shape
    images = np.empty((len(made), *shape, 3), np.uint8)
    masks = np.empty((len(made), *shape), np.uint8)
    for i, scene in enumerate(made):
        images[i], masks[i] = scene.image, scene.mask
    return replace(block, images=images, masks=masks, scenes=tuple(each.labels for each in made))


@dataclass(frozen=True, eq=False)
class _Arranged:
    """A scene before it is composed.

    Attributes:
        scene: its layers.
        sprites: the cut-out of each.
        changes: of the colours of each.
        background: what it shows of its background.
        nearness: what of the background may hide objects; None where nothing does.
        noise: random bits of the noise.
    """

    scene: Scene
    sprites: tuple[Sprite, ...]
    changes: tuple[Change, ...]
    background: Image.Image
    nearness: np.ndarray | None
    noise: int


def _arranged(
    sample: Placement,
    draws: Draws,
    plan: Plan,
    recipe: Recipe,
    inputs: SceneInputs,
    ground: Ground | None,
    crop: Crop | None,
) -> _Arranged:
    """Arranges the scene of one sample.

    Args:
        sample: the sample.
        draws: its numbers.
        plan: the data set's plan.
        recipe: says which scenes are wanted.
        inputs: where the pictures come from.
        ground: of what is shown of the background; None where objects are placed anywhere.
        crop: what is shown of the background; None for its middle.
    """
    options = recipe.scenes
    assert options is not None
    companions = _companions(plan, sample.fg_id) if options.objects[1] > 1 else ()
    distractors = _distractors(plan, sample.fg_id) if options.distractor_share else ()
    scene = arrange(
        draws,
        options,
        _candidate(plan.foreground_by_id[sample.fg_id]),
        MainPlace(sample.flip, sample.x, sample.y, sample.width, sample.height),
        companions,
        distractors,
        ground,
        inputs.sprite,
        crop,
    )
    background = inputs.background(sample.bg_id, crop)
    colours = inputs.colours(sample.bg_id, crop) if options.harmonise else None
    sprites = tuple(inputs.sprite(paste) for paste in scene.pastes)
    return _Arranged(
        scene,
        sprites,
        changes_of(scene, sprites, colours),
        background,
        ground.nearness if ground is not None and options.occlude else None,
        draws.noise,
    )


def _composed(
    arranged: _Arranged, tables: Sequence[ImageFilter.Color3DLUT | None], recipe: Recipe
) -> Composed:
    assert recipe.scenes is not None
    return compose(
        arranged.scene,
        arranged.background,
        arranged.sprites,
        tables,
        arranged.nearness,
        arranged.noise,
        recipe.scenes.min_visible,
    )


def crop_of(draws: Draws, source: InputImage, recipe: Recipe) -> Crop | None:
    """What a sample shows of its background; None for its middle."""
    if not recipe.random_crops:
        return None
    return random_crop(draws, recipe.image_size, source.width, source.height)


def ground_of(
    source: InputImage, recipe: Recipe, inputs: SceneInputs, crop: Crop | None
) -> Ground | None:
    """The prepared ground of what is shown of a background; None for placing anywhere.

    Raises:
        Refused: it could not be prepared; the message says why.
    """
    if not is_grounded(recipe):
        return None
    ground = inputs.grounds.get(source.id, lambda: Ground.from_bytes(GROUND.read(source, recipe)))
    if crop is None:
        return ground
    height, width = ground.mask.shape
    box = box_in(crop, (source.width, source.height), (width, height), recipe.image_size)
    return cut_ground(ground, box, recipe.image_size)


def _candidate(asset: InputImage, labelled: bool = True) -> Candidate:
    return Candidate(asset.id, asset.width, asset.height, labelled)


def _companions(plan: Plan, fg_id: int) -> Sequence[Candidate]:
    return [
        _candidate(plan.foreground_by_id[other])
        for other in plan.companions[fg_id]
        if other != fg_id
    ]


def _distractors(plan: Plan, fg_id: int) -> Sequence[Candidate]:
    """Some distractors, the same for all foregrounds of a strip, so that few are read at a time."""
    strip = plan.companions[fg_id]
    chosen = _drawn(len(plan.distractors), plan.seed, strip[0])
    return [_candidate(plan.distractors[number], labelled=False) for number in chosen]


@lru_cache(maxsize=64)
def _drawn(count: int, seed: int, strip: int) -> tuple[int, ...]:
    if not count:
        return ()
    key = random_key(seed, _DISTRACTORS, strip)
    first = np.arange(min(count, _MOST_DISTRACTORS))
    return tuple(permuted(first, count, key).tolist())
