"""A scene composed pixel by pixel, slowly and plainly, to hold the real one against."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from tests.scenes.making import WIDE, Made, background, size_of, sprite
from transforms.pixels.size import Size
from transforms.scenes.edges import poisson
from transforms.scenes.effects import photographed
from transforms.scenes.look import Change, colour_tables
from transforms.scenes.scene import Edge, Paste, SceneOptions
from transforms.scenes.shadow import shadow_map


@dataclass(frozen=True)
class Expected:
    """What a scene must be."""

    image: np.ndarray
    mask: np.ndarray
    instances: np.ndarray
    objects: list[tuple[int, int, tuple[int, int, int, int], int, float]]


def mixed(below: float, above: float, alpha: int) -> int:
    """A mean weighted by alpha, rounded; halves go up."""
    return int((below * (255 - alpha) + above * alpha) / 255 + 0.5)


def shown(made: Made, size: Size) -> Image.Image:
    """What a scene shows of its background."""
    crop = made.scene.crop
    if crop is None:
        return background(made.bg_id, size)
    box = (crop.left, crop.top, crop.left + crop.width, crop.top + crop.height)
    return WIDE[made.bg_id].resize(size.pair, Image.Resampling.LANCZOS, box=box)


def on_canvas(values: np.ndarray, paste: Paste, size: Size) -> np.ndarray:
    """A cut-out's values at their place in an empty picture."""
    full = np.zeros((*size.shape, *values.shape[2:]), values.dtype)
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            y, x = row + paste.y, column + paste.x
            if 0 <= y < size.height and 0 <= x < size.width:
                full[y, x] = values[row, column]
    return full


def left_of(alpha: int, nearness: int, ground: int) -> int:
    """The alpha that a nearer thing of the background leaves."""
    over = nearness - ground - 15
    if ground < 0 or over <= 0:
        return alpha
    return int(alpha * max(0, 255 - over * 255 // 8) / 255 + 0.5)


def each(array: np.ndarray) -> list[tuple[int, int]]:
    """Rows and columns of what is not 0."""
    return [(int(y), int(x)) for y, x in zip(*np.nonzero(array), strict=True)]


def expected(made: Made, options: SceneOptions) -> Expected:
    """Composes a scene."""
    size = size_of(options)
    picture = np.asarray(shown(made, size)).copy()
    mask_parts: list[np.ndarray] = []
    full: list[int] = []
    for paste in made.scene.pastes:
        drawn = sprite(paste)
        full.append(sum(int(value) >= 128 for value in drawn.alpha.reshape(-1)))
        if paste.look.shadow:
            left, top, dark = shadow_map(paste, drawn.mask, made.scene.light, made.scene.grounded)
            levels = np.asarray(dark)
            for y, x in each(levels):
                if 0 <= top + y < size.height and 0 <= left + x < size.width:
                    for c in range(3):
                        below = picture[top + y, left + x, c]
                        picture[top + y, left + x, c] = mixed(int(below), 0, int(levels[y, x]))
        alpha = on_canvas(drawn.alpha, paste, size)
        if options.occlude:
            for y, x in each(alpha):
                alpha[y, x] = left_of(
                    int(alpha[y, x]), int(made.ground.nearness[y, x]), paste.nearness
                )
        theirs = None
        if paste.look.harmonise:
            height, width = drawn.alpha.shape
            theirs = made.colours.around(paste.x, paste.y, width, height)
        [table] = colour_tables([Change(paste.look, drawn.colours, theirs)])
        changed = drawn.rgb if table is None else drawn.rgb.filter(table)
        colour = on_canvas(np.asarray(changed), paste, size)
        rows = slice(max(0, paste.y), min(size.height, paste.y + drawn.alpha.shape[0]))
        columns = slice(max(0, paste.x), min(size.width, paste.x + drawn.alpha.shape[1]))
        shape = picture[rows, columns].shape[:2]
        if paste.look.edge is Edge.POISSON and min(shape) >= 3:
            colour[rows, columns] = poisson(
                picture[rows, columns], colour[rows, columns], alpha[rows, columns]
            )
        for y, x in each(alpha):
            for c in range(3):
                picture[y, x, c] = mixed(
                    int(picture[y, x, c]), float(colour[y, x, c]), int(alpha[y, x])
                )
        mask_parts.append(alpha)
    image = photographed(Image.fromarray(picture), made.scene.effects, made.draws.noise)
    return Expected(image, *labels(made, options, mask_parts, full))


def labels(
    made: Made, options: SceneOptions, alphas: list[np.ndarray], full: list[int]
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, tuple[int, int, int, int], int, float]]]:
    """Mask, instances and objects, from the alpha of each layer in the whole picture."""
    size, pastes = size_of(options), made.scene.pastes
    seen = [0] * len(pastes)
    top = np.full(size.shape, -1)
    for y in range(size.height):
        for x in range(size.width):
            solid = [n for n, alpha in enumerate(alphas) if alpha[y, x] >= 128]
            if solid:
                top[y, x] = solid[-1]
                seen[solid[-1]] += 1
    counted = [
        n
        for n, paste in enumerate(pastes)
        if paste.labelled and seen[n] >= max(1, options.min_visible * full[n])
    ]
    mask = np.zeros(size.shape, np.uint8)
    instances = np.zeros(size.shape, np.uint8)
    for y in range(size.height):
        for x in range(size.width):
            value = 0
            for n, alpha in enumerate(alphas):
                value = mixed(value, 255 if n in counted else 0, int(alpha[y, x]))
            mask[y, x] = value
            if value >= 128:
                touching = [n for n in counted if alphas[n][y, x]]
                own = top[y, x] if top[y, x] in counted else touching[-1]
                instances[y, x] = counted.index(own) + 1
    objects = []
    for number, n in enumerate(counted, 1):
        ys, xs = np.nonzero(instances == number)
        box = (int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1)
        share = float(np.float32(seen[n] / full[n]))
        objects.append((pastes[n].fg_id, pastes[n].flip, box, len(xs), share))
    return mask, instances, objects
