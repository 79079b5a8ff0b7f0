"""Layered depth is composed again, from what was prepared and the mask that was written."""

import numpy as np

from transforms.elements import Placement
from transforms.pixels.layers import Background, stack
from transforms.pixels.shape import Shape
from transforms.plan.inputs import InputImage
from transforms.plan.plan import Plan
from transforms.prepared import Refused
from transforms.recipe import Recipe
from transforms.scenes.scene import Crop
from transforms.steps.background_depth import background_depth
from transforms.steps.encode import QuantisedDepth, quantise

EVERY = 16
"""One in this number of samples is composed again."""


def label_fault(
    sample: Placement,
    mask: np.ndarray,
    stored: QuantisedDepth,
    object_depth: float,
    plan: Plan,
    recipe: Recipe,
) -> str | None:
    """What is wrong with the depth of a sample, or None.

    Args:
        sample: the sample.
        mask: uint8 [height, width], as it was written.
        stored: its one depth map, as it was written.
        object_depth: the object's value, as it was written.
        plan: the data set's plan.
        recipe: says how depth was prepared.
    """
    background = prepared_background(plan.background_by_id[sample.bg_id], recipe)
    if isinstance(background, str):
        return background
    rows, columns = slice(sample.y, sample.y + sample.height), slice(sample.x, None)
    alpha = mask[rows, columns][:, : sample.width]
    depth, [value] = stack(background, [(Shape(alpha), sample.x, sample.y)])
    if value != object_depth:
        return f"object_depth is {object_depth:g}, not {value:g}"
    return map_fault(depth, stored, recipe)


def prepared_background(
    source: InputImage, recipe: Recipe, crop: Crop | None = None
) -> Background | str:
    """The prepared depth of a background, or of a part of it; what is wrong where there is none."""
    try:
        return background_depth(source, recipe, crop)
    except Refused as error:
        return f"its background has no prepared depth: {error}"
    except Exception as error:  # A damaged file may contain anything.
        return f"the prepared depth of its background cannot be read: {type(error).__name__}"


def map_fault(depth: np.ndarray, stored: QuantisedDepth, recipe: Recipe) -> str | None:
    """What is wrong with a stored map beside the one of its layers, float [height, width]."""
    wanted = quantise(depth[None], recipe.depth_bits)
    same = (
        np.array_equal(wanted.pixels, stored.pixels)
        and np.array_equal(wanted.scale, stored.scale)
        and np.array_equal(wanted.offset, stored.offset)
    )
    return None if same else "the depth map is not what its layers give"
