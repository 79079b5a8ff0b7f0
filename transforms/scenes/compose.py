"""Folding a scene from far to near: composite, mask, instances, and what is visible of each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from transforms.pixels.cutout import Cutout
from transforms.scenes.arrange import SOLID, overlap
from transforms.scenes.edges import edged, poisson
from transforms.scenes.effects import photographed
from transforms.scenes.ground import Ground
from transforms.scenes.look import Sprite, around, coloured
from transforms.scenes.scene import Edge, Paste, Scene
from transforms.scenes.shadow import darken, shadow_map
from transforms.steps.composite import paste as blend

_OCCLUDER_STEP = 0.06  # Of the range of nearness: what is this much nearer hides an object.
_OCCLUDER_RAMP = 0.03


@dataclass(frozen=True)
class SceneObject:
    """A labelled object as it is seen.

    Attributes:
        fg_id: id of its foreground.
        flip: 1 for the mirror image.
        box: x, y, width, height of its visible pixels.
        area: number of its visible pixels with alpha >= 128.
        visible: share of its pixels with alpha >= 128 that are seen, 0 to 1.
        layer: number of its layer, from 0, the farthest.
    """

    fg_id: int
    flip: int
    box: tuple[int, int, int, int]
    area: int
    visible: float
    layer: int


@dataclass(frozen=True, eq=False)
class Layer:
    """One pasted object in the picture.

    Attributes:
        x: left column of the part inside the picture.
        y: its top row.
        alpha: uint8 [h, w], its alpha inside the picture, after occlusion by the background.
        contact: row of the picture on which it stands.
        labelled: whether it is in the labels.
    """

    x: int
    y: int
    alpha: np.ndarray
    contact: int
    labelled: bool


@dataclass(frozen=True, eq=False)
class Composed:
    """A finished scene.

    Attributes:
        image: uint8 [height, width, 3].
        mask: uint8 [height, width], alpha of all that is labelled.
        instances: uint8 [height, width], 0 is background, k the k-th object.
        objects: labelled objects that are visible enough, from far to near.
        layers: all pastes, from far to near.
    """

    image: np.ndarray
    mask: np.ndarray
    instances: np.ndarray
    objects: tuple[SceneObject, ...]
    layers: tuple[Layer, ...]


def compose(
    scene: Scene,
    background: np.ndarray,
    lab: np.ndarray,
    sprite: Callable[[Paste], Sprite],
    ground: Ground | None,
    key: np.ndarray,
    min_visible: float,
) -> Composed:
    """Makes a scene.

    Args:
        scene: the layers.
        background: uint8 [height, width, 3], the crop that the scene shows.
        lab: uint8 [height, width, 3], the same in CIE Lab, see `lab_of`.
        sprite: the cut-out of a paste, sized and turned.
        ground: of the background; where given, its nearer things hide objects.
        key: uint64 [n], the sample's key, for the noise.
        min_visible: share of an object that must be seen for it to count.
    """
    image = background.copy()
    height, width = image.shape[:2]
    layers: list[Layer] = []
    full: list[int] = []
    for paste in scene.pastes:
        drawn = sprite(paste)
        rows, columns, inner = overlap(paste, drawn.rgba.shape, width, height)
        full.append(int(np.count_nonzero(drawn.rgba[..., 3] >= SOLID)))
        alpha = edged(drawn.rgba[..., 3], paste.look.edge)
        if paste.look.shadow:
            found = shadow_map(paste, alpha, scene.light, scene.grounded, width, height)
            if found is not None:
                darken(image, *found)
        alpha = np.ascontiguousarray(alpha[inner])
        if ground is not None and scene.grounded:
            alpha = _hidden(alpha, paste, ground, rows, columns)
        theirs = None
        if paste.look.harmonise and alpha.size:
            theirs = around(lab, paste.x, paste.y, drawn.rgba.shape[1], drawn.rgba.shape[0])
        colour = coloured(drawn.rgba[..., :3][inner], paste.look, drawn.colours, theirs)
        region = image[rows, columns]
        if paste.look.edge is Edge.POISSON and min(region.shape[:2]) >= 3:
            colour = poisson(region, colour, alpha)
        cutout = Cutout.from_rgba(np.dstack([colour, alpha]))
        blend(image, cutout, columns.start, rows.start)
        layers.append(Layer(columns.start, rows.start, alpha, paste.contact, paste.labelled))
    mask, instances, objects = _labels(scene, layers, full, (height, width), min_visible)
    image = photographed(image, scene.effects, key)
    return Composed(image, mask, instances, objects, tuple(layers))


def _hidden(
    alpha: np.ndarray, paste: Paste, ground: Ground, rows: slice, columns: slice
) -> np.ndarray:
    """The alpha where nearer things of the background have been taken from it, softly."""
    nearness = ground.nearness[rows, columns]
    row = min(paste.contact, ground.nearness.shape[0]) - 1
    own = float(np.median(ground.nearness[row, columns])) if nearness.size else 0.0
    over = (nearness - np.float32(own + _OCCLUDER_STEP)) / np.float32(_OCCLUDER_RAMP)
    kept = np.rint(255 * np.clip(1 - over, 0, 1)).astype(np.uint16)
    return ((alpha * kept + 127) // 255).astype(np.uint8)


def _labels(
    scene: Scene, layers: list[Layer], full: list[int], size: tuple[int, int], min_visible: float
) -> tuple[np.ndarray, np.ndarray, tuple[SceneObject, ...]]:
    numbers = np.zeros(size, np.uint8)
    for number, layer in enumerate(layers, 1):
        h, w = layer.alpha.shape
        numbers[layer.y : layer.y + h, layer.x : layer.x + w][layer.alpha >= SOLID] = number
    seen = np.bincount(numbers.reshape(-1), minlength=len(layers) + 1)
    mask = np.zeros(size, np.uint8)
    instances = np.zeros(size, np.uint8)
    objects: list[SceneObject] = []
    for number, (layer, paste) in enumerate(zip(layers, scene.pastes, strict=True), 1):
        counted = layer.labelled and seen[number] >= max(1, min_visible * full[number - 1])
        h, w = layer.alpha.shape
        region = mask[layer.y : layer.y + h, layer.x : layer.x + w]
        alpha = layer.alpha.astype(np.uint16)
        under = region * (255 - alpha) + (255 * alpha if counted else 0) + 128
        region[...] = (under + (under >> 8)) >> 8
        if counted:
            own = numbers == number
            instances[own] = len(objects) + 1
            objects.append(
                SceneObject(
                    paste.fg_id,
                    paste.flip,
                    _box(own),
                    int(seen[number]),
                    int(seen[number]) / full[number - 1],
                    number - 1,
                )
            )
    return mask, instances, tuple(objects)


def _box(own: np.ndarray) -> tuple[int, int, int, int]:
    columns, rows = np.flatnonzero(own.any(axis=0)), np.flatnonzero(own.any(axis=1))
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1
