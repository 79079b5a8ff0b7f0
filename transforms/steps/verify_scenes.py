"""The objects of a scene are held against what was written of them."""

from typing import Any

import numpy as np

from transforms.elements import SOLID, Placement
from transforms.plan.plan import Plan
from transforms.recipe import Recipe
from transforms.scenes.draws import draws_of
from transforms.scenes.labels import SceneObject
from transforms.steps.arrange import crop_of
from transforms.steps.encode import QuantisedDepth
from transforms.steps.mask import bounding_box
from transforms.steps.verify_layers import map_fault, prepared_background


def objects_of(values: dict[str, Any], plan: Plan, recipe: Recipe) -> tuple[SceneObject, ...]:
    """The objects that a record tells of, as far as its columns are equally long.

    Args:
        values: the record's fields by name.
        plan: the data set's plan.
        recipe: how the data set was made.
    """
    columns = [values[name] for name in ("object_fg_ids", "object_flips", "object_boxes")]
    columns += [values["object_areas"], values["object_visible"]]
    depths = values.get("object_depths") or (None,) * len(columns[0])
    return tuple(
        SceneObject(fg_id, flip, box, area, visible, 0, depth)
        for fg_id, flip, box, area, visible, depth in zip(*columns, depths, strict=False)
    )


def scene_fault(
    values: dict[str, Any],
    objects: tuple[SceneObject, ...],
    sample: Placement,
    instances: np.ndarray,
    mask: np.ndarray,
    stored: QuantisedDepth | None,
    plan: Plan,
    recipe: Recipe,
) -> str | None:
    """What is wrong with the objects of a sample, or None.

    Args:
        values: the record's fields by name.
        objects: its objects.
        sample: the sample.
        instances: uint8 [height, width], as it was written.
        mask: uint8 [height, width], as it was written.
        stored: its one depth map, None without depth.
        plan: the data set's plan.
        recipe: how the data set was made.
    """
    options = recipe.scenes
    assert options is not None
    columns = {name: value for name, value in values.items() if name.startswith("object_")}
    for name, value in columns.items():
        if len(value) != len(objects):
            return f"{name} has {len(value)} entries, not {len(objects)}"
    source = plan.background_by_id[sample.bg_id]
    crop = crop_of(draws_of(plan.seed, [sample])[0], source, recipe)
    if crop is not None and values["background_box"] != crop.box:
        return f"background_box is {values['background_box']}, not {crop.box}"
    if not np.array_equal(instances > 0, mask >= SOLID):
        return "its instances are not where its mask is 128 or more"
    if (most := int(instances.max())) > len(objects):
        return f"its instances have an object {most}, and it tells of {len(objects)}"
    if len(objects) > options.objects[1]:
        return f"it has {len(objects)} objects, and the data set at most {options.objects[1]}"
    companions = plan.companions[sample.fg_id]
    for number, found in enumerate(objects, 1):
        own = instances == number
        box, area = bounding_box(own.view(np.uint8) * np.uint8(255))
        if (box.x, box.y, box.width, box.height) != tuple(found.box):
            return f"the box of object {number} is {found.box}, not that of its pixels"
        if area != found.area or not area:
            return f"the area of object {number} is {found.area}, and it has {area} pixels"
        if not np.float32(options.min_visible) <= found.visible <= 1:
            return f"object {number} is visible to {found.visible:g}"
        if found.fg_id not in companions or found.flip not in (0, 1):
            return f"object {number} is foreground {found.fg_id}, which its split does not have"
        category = plan.category_of(found.fg_id)
        if category is not None:
            label = plan.categories.index(category)
            told = (columns["object_categories"][number - 1], columns["object_labels"][number - 1])
            if told != (category, label):
                return f"object {number} is {told[0]} {told[1]}, not {category} {label}"
        if stored is not None and recipe.layered:
            fault = _depth_fault(number, found, own, stored, recipe.depth_bits)
            if fault is not None:
                return fault
    return None


def _depth_fault(
    number: int, found: SceneObject, own: np.ndarray, stored: QuantisedDepth, bits: int
) -> str | None:
    pixels = stored.pixels[0][own]
    if int(pixels.min()) != int(pixels.max()):
        return f"the depth map is not flat over object {number}"
    scale = float(stored.scale[0])
    value = int(pixels[0]) * scale + float(stored.offset[0])
    # Half a level, and what float32 numbers leave open.
    most = scale * (1 << (16 - bits)) * 0.5 + 1e-4 * (abs(value) + scale * 65535)
    if found.depth is None or abs(value - found.depth) > most:
        return f"object {number} has depth {found.depth}, and the map {value:g}"
    return None


def scene_depth_fault(
    objects: tuple[SceneObject, ...],
    sample: Placement,
    instances: np.ndarray,
    stored: QuantisedDepth,
    plan: Plan,
    recipe: Recipe,
) -> str | None:
    """What is wrong with the layered depth of a scene, or None.

    It is composed again from what was prepared, the instances and the objects' values. Where there
    are distractors it cannot be: they are in no label.

    Args:
        objects: the objects that its record tells of.
        sample: the sample.
        instances: uint8 [height, width], as it was written.
        stored: its one depth map, as it was written.
        plan: the data set's plan.
        recipe: says how depth was prepared.
    """
    assert recipe.scenes is not None
    if recipe.scenes.distractor_share:
        return None
    source = plan.background_by_id[sample.bg_id]
    [draws] = draws_of(plan.seed, [sample])
    background = prepared_background(source, recipe, crop_of(draws, source, recipe))
    if isinstance(background, str):
        return background
    depth = background.depth.copy()
    for number, found in enumerate(objects, 1):
        depth[instances == number] = found.depth
    return map_fault(depth, stored, recipe)
