"""Depth of a scene: its background's map, and each object flat over it, from far to near."""

from dataclasses import replace

import numpy as np

from transforms.pixels.cutout import SOLID
from transforms.pixels.layers import Background, object_depth
from transforms.pixels.shape import REACH, Shape
from transforms.scenes.ground import Ground
from transforms.scenes.hidden import STEP
from transforms.scenes.labels import SceneLabels, SceneLayer


def scene_depth(
    background: Background, ground: Ground | None, labels: SceneLabels
) -> tuple[np.ndarray, SceneLabels]:
    """Composes the depth map of a scene.

    An object that things of the background may hide is as near as its ground, and nearer than all
    that it covers or touches but those things. Any other is put in front of all that it covers.
    A pixel has the value of the object that `instances` names.

    Args:
        background: depth of the clean background.
        ground: of the background; None where nothing of it hides objects.
        labels: the scene's objects.

    Returns:
        float32 [height, width], and the labels with the depth of each object.
    """
    depth = background.depth.copy()
    values: list[float | None] = []
    for layer in labels.layers:
        if not (layer.alpha >= SOLID).any():
            values.append(None)
            continue
        value = _value(background, ground, depth, layer)
        height, width = layer.alpha.shape
        region = depth[layer.y : layer.y + height, layer.x : layer.x + width]
        region[layer.alpha >= SOLID] = value
        values.append(value)
    objects = tuple(replace(found, depth=values[found.layer]) for found in labels.objects)
    for number, found in enumerate(objects, 1):
        x, y, width, height = found.box
        own = labels.instances[y : y + height, x : x + width] == number
        depth[y : y + height, x : x + width][own] = found.depth
    return depth, replace(labels, objects=objects)


def _value(
    background: Background, ground: Ground | None, behind: np.ndarray, layer: SceneLayer
) -> float:
    shape = Shape(layer.alpha)
    if ground is None or layer.nearness < 0:
        return object_depth(background, behind, shape, layer.x, layer.y)
    # What hides the object is not behind it; farther objects that stand there are.
    hiding = (ground.nearness > layer.nearness + STEP) & (behind == background.depth)
    covered = _covered(shape, behind, layer.x, layer.y, ~hiding)
    own = _standing(background, layer.nearness)
    if covered.size:
        nearest = float(covered.max() if background.near_is_large else covered.min())
        own = max(own, background.inverse(nearest))
    return background.value(own + background.step)


def _standing(background: Background, nearness: int) -> float:
    """Inverse depth of a nearness of the ground, 0 to 255 over the background's range."""
    low, high = background.range
    return low + (high - low) * nearness / 255


def _covered(shape: Shape, behind: np.ndarray, x: int, y: int, counted: np.ndarray) -> np.ndarray:
    """Depth of what an object covers or touches, of the pixels that count: float32 [n]."""
    tall, wide = shape.reach.shape
    top, left = y - REACH, x - REACH
    rows = slice(max(top, 0), min(top + tall, behind.shape[0]))
    columns = slice(max(left, 0), min(left + wide, behind.shape[1]))
    reach = shape.reach[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return behind[rows, columns][reach & counted[rows, columns]]
