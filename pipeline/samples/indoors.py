"""The drawn backgrounds under a roof."""

import numpy as np

from pipeline.samples.paints import plain, planks, tiles
from pipeline.samples.props import block, chair
from pipeline.samples.render import Camera, Light, Scene
from pipeline.samples.solids import Group, Hit, Paint, Solid, Vector


def living_room() -> Scene:
    """A room with a window, a table, chairs, a shelf and a lamp."""
    wall, floor = plain((0.62, 0.58, 0.5), 0.05, 1.0), planks((0.36, 0.2, 0.1), 0.16, 0, 2)
    wood, white = plain((0.3, 0.16, 0.07), 0.3, 0.1), plain((0.8, 0.79, 0.76))
    shell = [
        block((-3, -0.2, -2), (3, 0, 6), floor),
        block((-3, 2.7, -2), (3, 2.9, 6), white),
        block((-3.2, 0, -2), (-3, 2.7, 6), wall),
        block((3, 0, -2), (3.2, 2.7, 6), plain((0.25, 0.36, 0.4), 0.05, 1.0)),
        block((-3, 0, 5.8), (3, 2.7, 6), wall),
        block((-3, 0, 5.77), (3, 0.1, 5.8), white),
        block((-3, 0, -2), (-2.97, 0.1, 5.8), white),
    ]
    view = [
        block((-1.9, 0.95, 5.75), (0.1, 2.25, 5.8), plain((0.82, 0.82, 0.8))),
        block((-1.82, 1.03, 5.7), (-0.95, 2.17, 5.76), _outside),
        block((-0.85, 1.03, 5.7), (0.02, 2.17, 5.76), _outside),
    ]
    table = [block((-0.9, 0.7, 2.7), (0.9, 0.75, 3.7), wood)]
    table += [
        block((x, 0, z), (x + 0.07, 0.7, z + 0.07), wood)
        for x in (-0.85, 0.78)
        for z in (2.75, 3.58)
    ]
    bowl = Solid("sphere", (0.1, 0.83, 3.2), (0.2, 0.09, 0.2), plain((0.1, 0.3, 0.42)), gloss=0.15)
    fruit = [
        Solid("sphere", (0.1 + dx, 0.92, 3.2 + dz), (0.06,) * 3, plain(colour), gloss=0.05)
        for dx, dz, colour in (
            (-0.08, 0, (0.8, 0.4, 0.02)),
            (0.06, -0.05, (0.6, 0.05, 0.02)),
            (0.03, 0.08, (0.4, 0.5, 0.05)),
        )
    ]
    books: list[Solid] = []
    rng = np.random.default_rng(5)
    for level in range(4):
        z = 3.1
        books.append(block((2.6, 0.4 + 0.5 * level, 3.0), (3.0, 0.43 + 0.5 * level, 5.0), wood))
        while z < 4.8:
            thick, high = rng.uniform(0.03, 0.07), rng.uniform(0.24, 0.38)
            colour = tuple(rng.uniform(0.04, 0.5, 3))
            books.append(
                block(
                    (2.66, 0.43 + 0.5 * level, z),
                    (2.92, 0.43 + 0.5 * level + high, z + thick),
                    plain(colour),
                )
            )
            z += thick + 0.004
    sofa = plain((0.12, 0.2, 0.16), 0.3, 0.04)
    seat = [
        block((-2.9, 0.1, 1.4), (-2.1, 0.45, 3.4), sofa),
        block((-2.98, 0.3, 1.4), (-2.7, 0.95, 3.4), sofa),
        block((-2.95, 0.2, 3.3), (-2.1, 0.65, 3.5), sofa),
    ]
    lamp = [
        Solid("frustum", (2.2, 0.75, 5.3), (0.02, 0.75, 0.02), wood),
        Solid("frustum", (2.2, 1.6, 5.3), (0.26, 0.2, 0.26), plain((1.0, 0.9, 0.62)), taper=0.6),
    ]
    rug = Solid(
        "frustum",
        (0, 0.005, 2.9),
        (1.7, 0.01, 1.3),
        _rings((0.4, 0.08, 0.06), (0.62, 0.5, 0.33), (0, 2.9)),
    )
    chairs = [
        chair((-0.75, 0, 2.5), 0.95, 200),
        chair((0.55, 0, 2.35), 0.95, 165),
        chair((0.4, 0, 4.0), 0.95, -10),
    ]
    light = Light(
        lamp=(-0.6, 2.45, 1.6),
        sun=(0.95, 0.9, 0.78),
        sky=(0.6, 0.66, 0.75),
        horizon=(0.6, 0.58, 0.55),
        around=0.6,
        haze=1e6,
        reach=1.5,
    )
    items: tuple[Solid | Group, ...] = (
        *shell,
        *view,
        Group(tuple(table)),
        bowl,
        *fruit,
        Group(tuple(books)),
        Group(tuple(seat)),
        *lamp,
        rug,
        *chairs,
    )
    return Scene(items, Camera((0.2, 1.5, -1.6), (0, 1.05, 3.2), 54), light)


def hall() -> Scene:
    """A long hall with columns and a chequered floor."""
    stone, pale = plain((0.6, 0.53, 0.42), 0.15, 0.5), plain((0.7, 0.66, 0.58), 0.1, 0.4)
    floor = tiles((0.08, 0.08, 0.09), (0.62, 0.6, 0.55), 1.0, 0.012, 0.2)
    shell = [
        Solid("box", (0, -0.5, 20), (6, 0.5, 30), floor, gloss=0.07),
        block((-6, 5.2, -6), (6, 5.6, 46), pale),
        block((-6.3, 0, -6), (-6, 5.2, 46), stone),
        block((6, 0, -6), (6.3, 5.2, 46), stone),
        block((-6, 0, 46), (6, 5.2, 46.3), plain((0.3, 0.14, 0.1))),
        block((-1.2, 0, 45.9), (1.2, 3.4, 46), plain((0.8, 0.76, 0.62))),
    ]
    columns: list[Group] = []
    for z in range(3, 45, 5):
        for x in (-3.4, 3.4):
            columns.append(
                Group(
                    (
                        Solid("frustum", (x, 2.5, z), (0.36, 2.3, 0.36), stone, taper=0.86),
                        block((x - 0.5, 0, z - 0.5), (x + 0.5, 0.25, z + 0.5), pale),
                        block((x - 0.46, 4.75, z - 0.46), (x + 0.46, 5.2, z + 0.46), pale),
                    )
                )
            )
        columns.append(Group((block((-6, 4.95, z - 0.3), (6, 5.2, z + 0.3), pale),)))
    light = Light(
        lamp=(-1.0, 4.6, 9.0),
        sun=(0.9, 0.8, 0.62),
        sky=(0.5, 0.5, 0.5),
        horizon=(0.58, 0.52, 0.44),
        around=0.6,
        haze=70,
        reach=2.5,
    )
    return Scene((*shell, *columns), Camera((0.7, 1.7, -2), (0, 2.0, 14), 55), light)


def _rings(one: Vector, two: Vector, centre: tuple[float, float]) -> Paint:
    def paint(hit: Hit) -> np.ndarray:
        away = np.hypot((hit.points[0] - centre[0]) / 1.7, (hit.points[2] - centre[1]) / 1.3)
        odd = np.floor(away * 6) % 2
        return np.array([one]).T * (1 - odd) + np.array([two]).T * odd

    return paint


def _outside(hit: Hit) -> np.ndarray:
    """What a window shows: bright sky over a green garden."""
    share = np.clip((hit.points[1] - 1.35) * 4, 0, 1)
    return np.array([[0.3], [0.5], [0.2]]) * (1 - share) + np.array([[1.5], [1.7], [1.9]]) * share
