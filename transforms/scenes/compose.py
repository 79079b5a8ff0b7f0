"""Folding a scene from far to near: composite, mask, instances, and what is visible of each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from transforms.pixels.cutout import SOLID
from transforms.scenes.arrange import overlap
from transforms.scenes.edges import poisson
from transforms.scenes.effects import photographed
from transforms.scenes.hidden import seen
from transforms.scenes.labels import SceneLabels, SceneLayer, SceneObject
from transforms.scenes.look import Change, LabField, Sprite
from transforms.scenes.scene import Edge, Scene
from transforms.scenes.shadow import shadow_map


@dataclass(frozen=True, eq=False)
class Composed:
    """A finished scene.

    Attributes:
        image: uint8 [height, width, 3].
        mask: uint8 [height, width], alpha of all that is labelled.
        labels: its objects.
    """

    image: np.ndarray
    mask: np.ndarray
    labels: SceneLabels


def changes_of(
    scene: Scene, sprites: Sequence[Sprite], colours: LabField | None
) -> tuple[Change, ...]:
    """How the colours of a scene's cut-outs change.

    Args:
        scene: the layers.
        sprites: the cut-out of each.
        colours: of the background; None where objects are not harmonised.
    """
    found = []
    for paste, drawn in zip(scene.pastes, sprites, strict=True):
        theirs = None
        if paste.look.harmonise and colours is not None:
            theirs = colours.around(paste.x, paste.y, drawn.mask.width, drawn.mask.height)
        found.append(Change(paste.look, drawn.colours, theirs))
    return tuple(found)


def compose(
    scene: Scene,
    background: Image.Image,
    sprites: Sequence[Sprite],
    tables: Sequence[ImageFilter.Color3DLUT | None],
    nearness: np.ndarray | None,
    noise: int,
    min_visible: float,
) -> Composed:
    """Makes a scene.

    Args:
        scene: the layers.
        background: what the scene shows of it, RGB.
        sprites: the cut-out of each paste, sized and turned.
        tables: the table of each one's colours; None where they do not change.
        nearness: uint8 [height, width], of the background, 255 nearest; None where nothing of it
            hides objects.
        noise: random bits from which noise is drawn, 0 to 2**63 - 1.
        min_visible: share of an object that must be seen for it to count.
    """
    canvas = background.copy()
    width, height = canvas.size
    layers: list[SceneLayer] = []
    masks: list[Image.Image | None] = []
    for paste, drawn, table in zip(scene.pastes, sprites, tables, strict=True):
        if paste.look.shadow:
            x, y, dark = shadow_map(paste, drawn.mask, scene.light, scene.grounded)
            # Pillow pastes a black picture in a quarter of the time that a black colour takes.
            canvas.paste(Image.new("RGB", dark.size), (x, y), dark)
        rows, columns, inner = overlap(paste, drawn.alpha.shape, width, height)
        alpha, mask, colour = drawn.alpha, drawn.mask, drawn.rgb
        if inner != (slice(0, alpha.shape[0]), slice(0, alpha.shape[1])):
            alpha = np.ascontiguousarray(alpha[inner])
            part = (inner[1].start, inner[0].start, inner[1].stop, inner[0].stop)
            mask, colour = mask.crop(part), colour.crop(part)
        if nearness is not None:
            left = seen(alpha, nearness[rows, columns], paste.nearness)
            if left is not alpha:
                alpha, mask = left, Image.fromarray(left)
        layers.append(
            SceneLayer(
                columns.start, rows.start, alpha, paste.contact, paste.nearness, paste.labelled
            )
        )
        masks.append(mask if alpha.size else None)
        if not alpha.size:
            continue
        if table is not None:
            colour = colour.filter(table)
        box = (columns.start, rows.start, columns.stop, rows.stop)
        if paste.look.edge is Edge.POISSON and min(alpha.shape) >= 3:
            below = np.asarray(canvas.crop(box))
            colour = Image.fromarray(poisson(below, np.asarray(colour), alpha))
        canvas.paste(colour, box, mask)
    full = [drawn.full for drawn in sprites]
    size = (width, height)
    alpha, instances, objects = _labels(scene, layers, masks, full, size, min_visible)
    image = photographed(canvas, scene.effects, noise)
    labels = SceneLabels(instances, objects, tuple(layers), scene.crop)
    return Composed(image, alpha, labels)


def _labels(
    scene: Scene,
    layers: list[SceneLayer],
    masks: Sequence[Image.Image | None],
    full: list[int],
    size: tuple[int, int],
    min_visible: float,
) -> tuple[np.ndarray, np.ndarray, tuple[SceneObject, ...]]:
    owner = np.zeros(size[::-1], np.uint8)  # Number of the nearest layer, from 1.
    for number, layer in enumerate(layers, 1):
        np.copyto(_place(layer, owner), np.uint8(number), where=layer.alpha >= SOLID)
    counts = [
        np.count_nonzero(_place(layer, owner) == number) for number, layer in enumerate(layers, 1)
    ]
    counted = [
        number
        for number, layer in enumerate(layers)
        if layer.labelled and counts[number] >= max(1, min_visible * full[number])
    ]
    while True:
        mask, instances, objects = _instances(scene, layers, masks, owner, counted, size)
        gone = [number for number, found in zip(counted, objects, strict=True) if not found.area]
        if not gone:
            break
        # Half transparent things before it have taken its last pixels.
        counted = [number for number in counted if number not in gone]
    return (
        mask,
        instances,
        tuple(
            replace(found, visible=float(np.float32(counts[found.layer] / full[found.layer])))
            for found in objects
        ),
    )


def _instances(
    scene: Scene,
    layers: list[SceneLayer],
    masks: Sequence[Image.Image | None],
    owner: np.ndarray,
    counted: Sequence[int],
    size: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, list[SceneObject]]:
    picture = Image.new("L", size)
    numbers = np.zeros(len(layers) + 1, np.uint8)
    for number, (layer, alpha) in enumerate(zip(layers, masks, strict=True)):
        if alpha is not None:
            value = 255 if number in counted else 0
            box = (layer.x, layer.y, layer.x + alpha.width, layer.y + alpha.height)
            picture.paste(value, box, alpha)
    for position, number in enumerate(counted, 1):
        numbers[number + 1] = position
    mask = np.asarray(picture)
    solid = mask >= SOLID
    everything = len(counted) == len(layers)  # Then the numbers are those of the layers.
    instances = (owner if everything else numbers.take(owner)) * solid
    if np.count_nonzero(instances) < np.count_nonzero(solid):
        # Two half transparent borders make a solid pixel; the nearest object there takes it.
        _fill(instances, solid, [layers[number] for number in counted])
    objects = []
    for position, number in enumerate(counted, 1):
        paste, layer = scene.pastes[number], layers[number]
        own = _place(layer, instances) == position
        area = int(np.count_nonzero(own))
        box = _box(own, layer) if area else (0, 0, 0, 0)
        objects.append(SceneObject(paste.fg_id, paste.flip, box, area, 0.0, number))
    return mask, instances, objects


def _fill(instances: np.ndarray, solid: np.ndarray, layers: Sequence[SceneLayer]) -> None:
    """Gives each solid pixel without an object to the nearest one that touches it, in place."""
    free = solid & (instances == 0)
    for position in range(len(layers), 0, -1):
        layer = layers[position - 1]
        taken = _place(layer, free) & (layer.alpha > 0)
        _place(layer, instances)[taken] = position
        _place(layer, free)[taken] = False


def _place(layer: SceneLayer, picture: np.ndarray) -> np.ndarray:
    """The part of a picture that a layer covers, as a view."""
    height, width = layer.alpha.shape
    return picture[layer.y : layer.y + height, layer.x : layer.x + width]


def _box(own: np.ndarray, layer: SceneLayer) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return layer.x + left, layer.y + top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1
