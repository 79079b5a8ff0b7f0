"""Things that stand in the scenes, built of solids."""

import numpy as np

from pipeline.samples.paints import bands, plain, sectors
from pipeline.samples.solids import Group, Paint, Solid, Vector

DARK = plain((0.03, 0.03, 0.035))


def ground(paint: Paint, height: float = 0.0) -> Solid:
    """The earth up to a height."""
    return Solid("box", (0, height - 50, 0), (900, 50, 900), paint)


def block(low: Vector, high: Vector, paint: Paint) -> Solid:
    """A box from its lowest to its highest corner."""
    centre = tuple((a + b) / 2 for a, b in zip(low, high, strict=True))
    size = tuple((b - a) / 2 for a, b in zip(low, high, strict=True))
    return Solid("box", centre, size, paint)  # type: ignore[arg-type]


def stone(foot: Vector, radius: float, colour: Vector = (0.32, 0.31, 0.29)) -> Solid:
    """A boulder, half in the ground."""
    size = (radius * 1.3, radius * 0.8, radius)
    return Solid(
        "sphere",
        foot,
        size,
        plain(colour, 0.5, radius * 0.4),
        (0, 70 * foot[0], 0),
        bump=0.5,
        grain=radius * 0.5,
    )


def mound(place: tuple[float, float], wide: float, high: float, paint: Paint) -> Solid:
    """A hill around a place (x, z)."""
    return Solid(
        "sphere",
        (place[0], 0, place[1]),
        (wide, high, wide * 0.6),
        paint,
        bump=0.25,
        grain=wide / 12,
    )


def parasol(foot: Vector, colours: tuple[Vector, Vector]) -> Group:
    """A beach parasol in twelve slices."""
    x, y, z = foot
    pole = Solid("frustum", (x, y + 1.0, z), (0.025, 1.1, 0.025), plain((0.7, 0.68, 0.6)))
    cloth = sectors(6 * colours, (x, 0.0, z))
    roof = Solid("frustum", (x, y + 1.9, z), (1.15, 0.3, 1.15), cloth, taper=0.03)
    return Group((pole, roof))


def tree(foot: Vector, height: float, seed: int, colour: Vector = (0.09, 0.24, 0.04)) -> Group:
    """A broad-leaved tree: a trunk and a crown of leafy balls."""
    rng = np.random.default_rng(seed)
    x, y, z = foot
    trunk = Solid(
        "frustum",
        (x, y + height * 0.25, z),
        (height * 0.05, height * 0.25, height * 0.05),
        plain((0.12, 0.08, 0.05), 0.4, 0.1 * height),
        taper=0.6,
    )
    balls = []
    for _ in range(22):
        way = rng.standard_normal(3)
        way *= rng.random() ** 0.4 / np.linalg.norm(way) * height * np.array([0.27, 0.23, 0.27])
        radius = height * rng.uniform(0.1, 0.17)
        centre = (x + way[0], y + height * 0.66 + way[1], z + way[2])
        tint = rng.uniform(0.75, 1.25)
        leaves = plain(tuple(tint * c for c in colour), 0.7, height * 0.02)
        balls.append(ball(centre, radius, leaves, bump=0.5, holes=0.42, grain=height * 0.02))
    return Group((trunk, *balls))


def fir(foot: Vector, height: float, colour: Vector = (0.03, 0.12, 0.05), snow: float = 0) -> Group:
    """A conifer: a trunk and tiers of needles, white from above by a share `snow`."""
    x, y, z = foot
    parts = [
        Solid(
            "frustum",
            (x, y + height * 0.1, z),
            (height * 0.035, height * 0.1, height * 0.035),
            plain((0.1, 0.06, 0.04)),
        )
    ]
    tiers = 7
    for tier in range(tiers):
        share = tier / tiers
        radius = height * 0.25 * (1 - 0.86 * share)
        half = height * 0.1 * (1.15 - 0.4 * share)
        needles = plain(tuple(c * (1 - snow) + 0.8 * snow for c in colour), 0.7, height * 0.02)
        parts.append(
            Solid(
                "frustum",
                (x, y + height * (0.16 + 0.76 * share) + half, z),
                (radius, half, radius),
                needles,
                taper=0.06,
                bump=0.4,
                holes=0.22,
                grain=height * 0.022,
            )
        )
    return Group(tuple(parts))


def chair(
    foot: Vector, height: float, turn: float = 0.0, colour: Vector = (0.4, 0.19, 0.07)
) -> Group:
    """A wooden chair with a slatted back; unturned it faces -z."""
    h = height
    wood = plain(colour, 0.35, 0.05 * h)
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    boxes: list[tuple[Vector, Vector]] = [((0, 0.47, 0), (0.22, 0.02, 0.21))]
    boxes += [((sx * 0.19, 0.225, -0.18), (0.022, 0.225, 0.022)) for sx in (-1, 1)]
    boxes += [((sx * 0.19, 0.5, 0.19), (0.022, 0.5, 0.022)) for sx in (-1, 1)]
    boxes += [((0, y, 0.19), (0.18, 0.035, 0.012)) for y in (0.64, 0.78, 0.93)]
    boxes += [((sx * 0.19, 0.2, 0), (0.012, 0.014, 0.17)) for sx in (-1, 1)]
    solids = []
    for (dx, dy, dz), (sx, sy, sz) in boxes:
        place = (
            foot[0] + (dx * cosine + dz * sine) * h,
            foot[1] + dy * h,
            foot[2] + (dz * cosine - dx * sine) * h,
        )
        solids.append(
            Solid("box", place, (sx * h, sy * h, sz * h), wood, (0.0, turn, 0.0), gloss=0.03)
        )
    return Group(tuple(solids))


def lighthouse(foot: Vector, height: float) -> Group:
    """A banded tower with a lantern room."""
    x, y, z = foot
    h = height
    red, white = (0.65, 0.04, 0.03), (0.88, 0.87, 0.83)
    rock = plain((0.3, 0.27, 0.24), 0.5, 0.06 * h)
    skin = bands((white, red), 0.13 * h, start=y + 0.06 * h)

    def ring(
        at: float, radius: float, half: float, paint: Paint, taper: float = 1.0, gloss: float = 0.0
    ) -> Solid:
        return Solid(
            "frustum",
            (x, y + at * h, z),
            (radius * h, half * h, radius * h),
            paint,
            taper=taper,
            gloss=gloss,
        )

    return Group(
        (
            Solid(
                "sphere",
                (x, y + 0.01 * h, z),
                (0.25 * h, 0.07 * h, 0.2 * h),
                rock,
                bump=0.5,
                grain=0.05 * h,
            ),
            ring(0.4, 0.125, 0.36, skin, 0.62),
            ring(0.765, 0.112, 0.012, DARK),
            ring(0.795, 0.1, 0.004, plain((0.85, 0.85, 0.83))),
            ring(0.825, 0.056, 0.05, plain((0.9, 0.8, 0.45)), gloss=0.3),
            ring(0.885, 0.085, 0.01, DARK),
            ring(0.925, 0.078, 0.035, plain(red), 0.15),
            ball((x, y + 0.97 * h, z), 0.016 * h, DARK),
            Solid("box", (x, y + 0.13 * h, z - 0.118 * h), (0.026 * h, 0.05 * h, 0.012 * h), DARK),
            Solid("box", (x, y + 0.4 * h, z - 0.098 * h), (0.014 * h, 0.025 * h, 0.012 * h), DARK),
            Solid("box", (x, y + 0.6 * h, z - 0.087 * h), (0.014 * h, 0.025 * h, 0.012 * h), DARK),
        )
    )


def car(foot: Vector, length: float, colour: Vector, turn: float = 0.0) -> Group:
    """A small car; unturned it drives towards -x."""
    x, y, z = foot
    m = length
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))

    def at(dx: float, dy: float, dz: float) -> Vector:
        return (x + (dx * cosine + dz * sine) * m, y + dy * m, z + (dz * cosine - dx * sine) * m)

    body, glass = plain(colour), plain((0.06, 0.09, 0.12))
    chrome, tyre = plain((0.6, 0.6, 0.62)), plain((0.025, 0.025, 0.028))

    def part(shape: str, place: Vector, size: Vector, paint: Paint, gloss: float = 0.1) -> Solid:
        sides = (size[0] * m, size[1] * m, size[2] * m)
        return Solid(shape, place, sides, paint, (0.0, turn, 0.0), gloss=gloss)  # type: ignore[arg-type]

    parts = [
        part("sphere", at(0, 0.165, 0), (0.5, 0.085, 0.2), body),
        part("box", at(0, 0.15, 0), (0.4, 0.06, 0.185), body),
        part("sphere", at(0.04, 0.21, 0), (0.29, 0.155, 0.165), glass, 0.25),
        part("sphere", at(0.05, 0.24, 0), (0.255, 0.135, 0.155), body),
        part("box", at(0, 0.095, 0), (0.42, 0.012, 0.19), DARK),
        part("box", at(0.03, 0.27, 0), (0.012, 0.07, 0.163), body),
        part("sphere", at(-0.46, 0.165, -0.11), (0.035, 0.03, 0.045), plain((0.95, 0.93, 0.8))),
        part("sphere", at(0.47, 0.165, -0.11), (0.03, 0.025, 0.045), plain((0.6, 0.02, 0.02))),
        part("box", at(0.13, 0.185, -0.188), (0.03, 0.006, 0.008), chrome),
    ]
    for dx in (-0.28, 0.28):
        for dz in (-0.16, 0.16):
            for radius, width, paint in ((0.1, 0.04, tyre), (0.06, 0.043, chrome)):
                sides = (radius * m, width * m, radius * m)
                parts.append(Solid("frustum", at(dx, 0.1, dz), sides, paint, (90.0, turn, 0.0)))
    return Group(tuple(parts))


def ball(
    centre: Vector,
    radius: float,
    paint: Paint,
    bump: float = 0.0,
    holes: float = 0.0,
    grain: float = 0.1,
) -> Solid:
    """A sphere."""
    size = (radius, radius, radius)
    return Solid("sphere", centre, size, paint, bump=bump, holes=holes, grain=grain)
