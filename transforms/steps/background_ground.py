"""Ground of each clean background, prepared once: where the objects of scenes can stand."""

import contextlib

import numpy as np

from transforms import models
from transforms.models.depth.base import RELATIVE_INVERSE_DEPTH
from transforms.models.depth.passes import predict_in_passes, predict_whole
from transforms.pixels.input_cache import decode_background, read_checked
from transforms.plan.inputs import InputError, InputImage
from transforms.plan.plan import Plan
from transforms.prepared import Refused, Thing
from transforms.recipe import DepthSettings, Recipe
from transforms.scenes.ground import Ground, find_ground
from transforms.steps.background_depth import DEPTH, load_depth
from transforms.steps.depth import loaded_model

BUILTIN = DepthSettings("builtin", RELATIVE_INVERSE_DEPTH)
"""The model that sees the ground where depth is not layered."""

_PASSES = 4
_VERSION = "ground 3"
_NO_GROUND = "no ground is seen; objects are placed anywhere"


def make_ground(source: InputImage, recipe: Recipe) -> bytes:
    """Finds the ground of a clean background, as composites show it.

    With layered depth it is found in the map that was prepared, else in one of the built-in model.

    Returns:
        The bytes of an `.npz` file, as `Ground.from_bytes` reads it.

    Raises:
        Refused: there is no depth.
        BadImage: the file has changed since it was catalogued.
    """
    if recipe.layered:
        assert recipe.depth is not None
        depth = load_depth(DEPTH.read(source, recipe))
        return find_ground(depth, recipe.depth.meaning.near_is_large).to_bytes()
    picture = decode_background(read_checked(source.path, source.sha256))
    predict = predict_whole if recipe.random_crops else predict_in_passes
    depth = predict(picture, recipe.image_size, loaded_model(BUILTIN), _PASSES)
    if not np.isfinite(depth).all():
        raise Refused("no ground: the depth map has values that are not finite")
    return find_ground(depth).to_bytes()


def is_grounded(recipe: Recipe) -> bool:
    """Whether objects stand on the ground of backgrounds."""
    return recipe.scenes is not None and recipe.scenes.grounded


def without_ground(plan: Plan, recipe: Recipe) -> tuple[InputError, ...]:
    """The backgrounds on which no ground was found, by path; none where no ground is wanted."""
    if not is_grounded(recipe):
        return ()
    found = []
    for source in plan.backgrounds:
        with contextlib.suppress(Refused):  # Named as an input that was left out.
            if not Ground.from_bytes(GROUND.read(source, recipe)).found:
                found.append(InputError(source.path, _NO_GROUND))
    return tuple(sorted(found, key=lambda error: error.path))


def _settings(recipe: Recipe) -> tuple[str, ...]:
    if recipe.layered:
        return (_VERSION, *DEPTH.settings(recipe))
    digest = models.digest(BUILTIN.model)
    return (
        _VERSION,
        f"model {digest}",
        f"passes {_PASSES}",
        f"side {recipe.image_size.spelt}",
        *(("whole",) if recipe.random_crops else ()),
    )


GROUND = Thing("ground", "npz", is_grounded, _settings, make_ground, Ground.from_bytes)
"""Grounds of backgrounds."""
