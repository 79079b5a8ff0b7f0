"""The drawn backgrounds under the open sky."""

import numpy as np

from pipeline.samples.paints import bands, bricks, mixed, photographed, plain, tiles, windows
from pipeline.samples.props import block, car, fir, ground, lighthouse, mound, parasol, stone, tree
from pipeline.samples.render import Camera, Light, Scene
from pipeline.samples.solids import Group, Solid


def meadow() -> Scene:
    """Trees on a meadow before hills."""
    rng = np.random.default_rng(11)
    green = plain((0.1, 0.2, 0.05), 0.5, 30.0)
    places = (
        (-4.2, 9.0, 5.2),
        (5.6, 14.0, 6.5),
        (-9.5, 24.0, 7.0),
        (2.2, 31.0, 6.5),
        (13.0, 36.0, 8.0),
    )
    trees = [tree((x, 0, z), height, seed) for seed, (x, z, height) in enumerate(places)]
    rocks = [
        stone((rng.uniform(-5, 5), 0, rng.uniform(4, 16)), rng.uniform(0.15, 0.45))
        for _ in range(7)
    ]
    hills = [
        mound((x, z), wide, high, green)
        for x, z, wide, high in ((-160, 330, 260, 45), (120, 420, 300, 70), (330, 300, 200, 40))
    ]
    lawn = ground(photographed("grass", (0.13, 0.25, 0.05), 2.4))
    return Scene((lawn, *trees, *rocks, *hills), Camera((0, 1.6, -1), (0.4, 2.0, 12), 52), Light())


def street() -> Scene:
    """A street between houses of brick, with parked cars."""
    asphalt = photographed("gravel", (0.1, 0.1, 0.105), 1.2, fade=6.0)
    paving = tiles((0.36, 0.35, 0.33), (0.31, 0.3, 0.29), 0.6, 0.015, 0.16)
    lines = [
        block((-0.07, 0.0, z), (0.07, 0.006, z + 2.2), plain((0.8, 0.8, 0.76)))
        for z in range(2, 90, 5)
    ]
    walks = [block((x, 0, -5), (x + 2.2, 0.14, 200), paving) for x in (-5.7, 3.5)]
    colours = (
        (0.36, 0.13, 0.08),
        (0.5, 0.4, 0.27),
        (0.3, 0.1, 0.07),
        (0.42, 0.3, 0.22),
        (0.2, 0.2, 0.22),
    )
    houses: list[Solid | Group] = []
    for side in (-1, 1):
        z = -2.0
        for index in range(9):
            depth, height = 7.5 + (index * 5 + side) % 4, 8.0 + (index * 7 + 2 * side) % 9
            wall = windows(
                bricks(colours[(index + side) % 5], (0.42, 0.4, 0.37)), (2.4, 3.1), (1.25, 1.7)
            )
            near, far = sorted((side * 5.75, side * 14))
            houses.append(block((near, 0, z), (far, height, z + depth), wall))
            cornice = sorted((side * 5.55, side * 14))
            houses.append(
                block(
                    (cornice[0], height, z),
                    (cornice[1], height + 0.35, z + depth),
                    plain((0.5, 0.47, 0.42)),
                )
            )
            z += depth
    cars = [
        car((2.55, 0, 7.5), 4.2, (0.55, 0.05, 0.04), turn=90),
        car((2.55, 0, 21.0), 4.2, (0.1, 0.2, 0.42), turn=90),
        car((-2.6, 0, 14.0), 4.2, (0.6, 0.6, 0.58), turn=90),
    ]
    trees = [tree((-4.2, 0.1, z), 4.6, z) for z in (9, 22, 37)]
    light = Light(towards=(-0.35, 1.1, -0.55), clouds=0.4, haze=220)
    items: tuple[Solid | Group, ...] = (ground(asphalt), *lines, *walks, *houses, *cars, *trees)
    return Scene(items, Camera((0.6, 1.65, -1), (0.1, 1.9, 14), 52), light)


def beach() -> Scene:
    """A beach with the sea, rocks, parasols and a lighthouse."""
    sand = photographed("gravel", (0.62, 0.5, 0.32), 0.25, fade=5.0)
    sea = Solid(
        "box",
        (0, -0.62, 320),
        (900, 0.5, 308.5),
        plain((0.02, 0.16, 0.2), 0.2, 8.0),
        gloss=0.25,
        bump=0.07,
        grain=1.3,
    )
    shore = Solid("sphere", (-3, -2.4, 4), (34, 2.5, 11.5), sand, bump=0.03, grain=0.5)
    foam = Solid(
        "sphere",
        (-3, -2.44, 4.3),
        (34.5, 2.5, 12.1),
        plain((0.9, 0.92, 0.92)),
        holes=0.42,
        grain=0.7,
    )
    rng = np.random.default_rng(3)
    rocks = [
        stone((rng.uniform(4, 11), -0.3, rng.uniform(10, 19)), rng.uniform(0.5, 1.3))
        for _ in range(10)
    ]
    cape: list[Solid | Group] = [
        mound((70, 130), 55, 11, mixed((0.1, 0.16, 0.06), (0.32, 0.28, 0.22), 9.0)),
        lighthouse((52, 6.5, 118), 17),
    ]
    parasols = [
        parasol((-2.6, 0.05, 6.0), ((0.75, 0.06, 0.05), (0.9, 0.88, 0.82))),
        parasol((-6.0, -0.1, 10.5), ((0.05, 0.25, 0.5), (0.9, 0.88, 0.82))),
        parasol((1.6, -0.1, 10.0), ((0.85, 0.55, 0.05), (0.9, 0.88, 0.82))),
    ]
    towel = Solid(
        "box",
        (-1.2, 0.07, 4.6),
        (0.4, 0.02, 0.85),
        bands(((0.1, 0.4, 0.5), (0.85, 0.82, 0.7)), 0.12, axis=2),
        (4, 20, 0),
    )
    items: tuple[Solid | Group, ...] = (
        ground(plain((0.3, 0.25, 0.16)), -3.0),
        sea,
        foam,
        shore,
        *rocks,
        *cape,
        *parasols,
        towel,
    )
    return Scene(items, Camera((0, 1.7, -2.5), (0.3, 0.9, 10), 50), Light(clouds=0.45, haze=700))


def desert() -> Scene:
    """Stepped pyramids among dunes."""
    sand = mixed((0.6, 0.38, 0.2), (0.68, 0.47, 0.27), 3.0, 1.5)
    blocks = bricks((0.5, 0.36, 0.23), (0.3, 0.2, 0.12), 1.6, 0.8)
    pyramids = [
        Group(
            tuple(
                Solid(
                    "box",
                    (x, (step + 0.5) * high / 9, z),
                    ((1 - step / 9) * wide, high / 18, (1 - step / 9) * wide),
                    blocks,
                    (0, 30, 0),
                )
                for step in range(9)
            )
        )
        for x, z, wide, high in ((-6, 34, 9.5, 12), (21, 62, 13, 17), (-42, 110, 17, 22))
    ]
    dunes = [
        Solid(
            "sphere", (x, -1, z), (wide, high, wide * 0.5), sand, (0, turn, 0), bump=0.08, grain=1.2
        )
        for x, z, wide, high, turn in (
            (-9, 10, 9, 1.9, 20),
            (9, 14, 10, 2.4, -15),
            (2, 30, 16, 2.2, 8),
            (30, 40, 22, 5, -20),
            (-40, 60, 30, 7, 15),
            (60, 150, 90, 14, 0),
            (-120, 200, 110, 20, 5),
        )
    ]
    stones = [
        stone((x, 0, z), r, (0.45, 0.32, 0.22))
        for x, z, r in ((-1.7, 4.5, 0.4), (2.4, 6, 0.6), (3.1, 5.6, 0.3))
    ]
    light = Light(
        towards=(-1.0, 0.75, -0.3),
        sun=(1.5, 1.2, 0.85),
        sky=(0.12, 0.3, 0.66),
        horizon=(0.85, 0.72, 0.55),
        clouds=0.15,
        haze=260,
    )
    items: tuple[Solid | Group, ...] = (ground(sand), *pyramids, *dunes, *stones)
    return Scene(items, Camera((0, 1.7, -1), (0.5, 2.6, 14), 52), light)


def winter_forest() -> Scene:
    """A path through snowy firs."""
    rng = np.random.default_rng(21)
    snow = plain((0.82, 0.86, 0.92), 0.12, 1.5)
    field = Solid("box", (0, -50, 0), (600, 50, 600), snow, bump=0.09, grain=0.9)
    firs: list[Group] = []
    for row in range(11):
        z = 6.5 + row * 3.6
        for _ in range(4):
            side = -1 if rng.random() < 0.5 else 1
            x = side * rng.uniform(2.6 + 0.12 * row, 5 + 1.1 * row) + 0.06 * z
            firs.append(
                fir(
                    (x, 0, z + rng.uniform(-1.5, 1.5)),
                    rng.uniform(3, 6.5),
                    snow=rng.uniform(0.1, 0.4),
                )
            )
    peaks = [
        Solid(
            "frustum",
            (x, 30, z),
            (wide, high, wide),
            mixed((0.78, 0.82, 0.88), (0.2, 0.22, 0.27), 40, 5),
            taper=0.02,
            bump=0.6,
            grain=30,
        )
        for x, z, wide, high in ((-90, 420, 190, 85), (130, 480, 220, 105), (330, 520, 200, 80))
    ]
    drifts = [
        Solid("sphere", (x, 0, z), (w, h, w * 0.7), snow, bump=0.06, grain=0.4)
        for x, z, w, h in ((-2.3, 3.0, 1.1, 0.32), (2.9, 4.4, 1.5, 0.45), (-1.9, 8.5, 1.2, 0.3))
    ]
    light = Light(
        towards=(0.9, 0.6, -0.35),
        sun=(1.25, 0.98, 0.72),
        sky=(0.22, 0.36, 0.66),
        horizon=(0.78, 0.76, 0.8),
        clouds=0.35,
        haze=160,
    )
    return Scene(
        (field, *firs, *peaks, *drifts), Camera((0.2, 1.7, -1.5), (0.9, 2.2, 14), 52), light
    )
