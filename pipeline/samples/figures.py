"""The drawn foregrounds, built of solids."""

import numpy as np

from pipeline.samples.paints import bands, dotted, plain, sectors
from pipeline.samples.props import DARK, ball
from pipeline.samples.solids import Group, Paint, Solid, Vector


def beach_ball(centre: Vector, radius: float) -> Group:
    """A ball in six colours."""
    colours = ((0.8, 0.05, 0.04), (0.9, 0.9, 0.88), (0.05, 0.2, 0.7), (0.9, 0.9, 0.88))
    more = ((0.95, 0.6, 0.03), (0.9, 0.9, 0.88))
    skin = sectors(colours + more, centre, tilt=42.0)
    return Group((Solid("sphere", centre, (radius,) * 3, skin, gloss=0.05),))


def traffic_cone(foot: Vector, height: float) -> Group:
    """An orange cone with two white bands on a dark foot."""
    x, y, z = foot
    orange, white = (0.9, 0.16, 0.02), (0.88, 0.88, 0.86)
    skin = bands(
        (orange, orange, white, orange, white, orange), height / 6, start=y + height * 0.04
    )
    cone = Solid(
        "frustum",
        (x, y + height * 0.52, z),
        (height * 0.25, height * 0.48, height * 0.25),
        skin,
        taper=0.18,
        gloss=0.03,
    )
    plate = Solid(
        "box",
        (x, y + height * 0.03, z),
        (height * 0.33, height * 0.03, height * 0.33),
        DARK,
        (0.0, 25.0, 0.0),
    )
    return Group((plate, cone))


def snowman(foot: Vector, height: float) -> Group:
    """Three balls of snow with a hat, a scarf, coal and a carrot; it looks towards -z."""
    x, y, z = foot
    h = height
    snow = plain((0.9, 0.92, 0.95), 0.06, 0.05 * h)
    cloth = bands(((0.7, 0.03, 0.04), (0.85, 0.7, 0.1)), 0.022 * h, start=y)

    def at(dx: float, dy: float, dz: float) -> Vector:
        return (x + dx * h, y + dy * h, z + dz * h)

    balls = [
        Solid(
            "sphere",
            at(0, 0.2, 0),
            (0.225 * h, 0.205 * h, 0.225 * h),
            snow,
            bump=0.04,
            grain=0.04 * h,
        ),
        ball(at(0, 0.49, 0), 0.16 * h, snow, bump=0.04, grain=0.04 * h),
        ball(at(0, 0.71, 0), 0.115 * h, snow, bump=0.03, grain=0.03 * h),
    ]
    coal = [ball(at(dx, 0.735, -0.104), 0.016 * h, DARK) for dx in (-0.042, 0.042)]
    coal += [
        ball(at(0, dy, dz), 0.016 * h, DARK)
        for dy, dz in ((0.56, -0.15), (0.49, -0.16), (0.42, -0.15))
    ]
    coal += [
        ball(at(dx, 0.672 + 9 * dx * dx, -0.108 + 2 * abs(dx) ** 2), 0.009 * h, DARK)
        for dx in (-0.04, -0.02, 0.0, 0.02, 0.04)
    ]
    carrot = Solid(
        "frustum",
        at(0.01, 0.705, -0.17),
        (0.02 * h, 0.07 * h, 0.02 * h),
        plain((0.9, 0.3, 0.03)),
        (-82.0, 0.0, -8.0),
        taper=0.1,
    )
    hat = [
        Solid("frustum", at(0, 0.808, 0), (0.135 * h, 0.009 * h, 0.135 * h), DARK),
        Solid("frustum", at(0, 0.885, 0), (0.083 * h, 0.08 * h, 0.083 * h), DARK, taper=1.08),
        Solid("frustum", at(0, 0.833, 0), (0.086 * h, 0.018 * h, 0.086 * h), cloth),
    ]
    scarf = [
        Solid("frustum", at(0, 0.612, 0), (0.125 * h, 0.026 * h, 0.125 * h), cloth),
        Solid(
            "box", at(0.06, 0.53, -0.145), (0.032 * h, 0.09 * h, 0.012 * h), cloth, (8.0, 12.0, 6.0)
        ),
    ]
    twig = plain((0.14, 0.08, 0.04))
    arms = [
        Solid(
            "frustum",
            at(side * 0.25, 0.54, 0),
            (0.011 * h, 0.13 * h, 0.011 * h),
            twig,
            (0.0, 0.0, -side * 62.0),
            taper=0.6,
        )
        for side in (-1, 1)
    ]
    return Group((*balls, *coal, carrot, *hat, *scarf, *arms))


def mushroom(foot: Vector, height: float) -> Group:
    """A red toadstool with white dots."""
    x, y, z = foot
    rng = np.random.default_rng(4)
    half = np.array([height * 0.46, height * 0.34, height * 0.46])
    top = np.array([x, y + height * 0.62, z])
    ways = rng.standard_normal((400, 3))
    ways = ways[ways[:, 1] > 0.12]
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    kept: list[np.ndarray] = []
    for way in ways:
        if all(np.linalg.norm(way - other) > 0.42 for other in kept):
            kept.append(way)
    skin = dotted(
        (0.68, 0.03, 0.02), (0.92, 0.88, 0.8), top + np.array(kept) * half, height * 0.052
    )
    cap = Solid("sphere", tuple(top), tuple(half), skin, gloss=0.06)
    below = Solid(
        "frustum",
        (x, y + height * 0.56, z),
        (height * 0.42, height * 0.035, height * 0.42),
        plain((0.82, 0.74, 0.6)),
        taper=1.09,
    )
    stem = Solid(
        "frustum",
        (x, y + height * 0.3, z),
        (height * 0.15, height * 0.3, height * 0.15),
        plain((0.88, 0.83, 0.72), 0.15, height * 0.05),
        taper=0.72,
    )
    return Group((cap, below, stem))


def robot(foot: Vector, height: float) -> Group:
    """A tin robot; it looks towards -z."""
    x, y, z = foot
    h = height
    tin, blue = plain((0.45, 0.5, 0.53), 0.1, 0.1 * h), plain((0.04, 0.28, 0.5))
    lamp, red = plain((1.0, 0.85, 0.3)), plain((0.8, 0.05, 0.03))

    def part(
        shape: str, at: Vector, size: Vector, paint: Paint, turn: Vector = (0.0, 0.0, 0.0)
    ) -> Solid:
        place = (x + at[0] * h, y + at[1] * h, z + at[2] * h)
        sides = (size[0] * h, size[1] * h, size[2] * h)
        return Solid(shape, place, sides, paint, turn, gloss=0.12)  # type: ignore[arg-type]

    parts = [
        part("box", (0, 0.43, 0), (0.16, 0.17, 0.11), tin),
        part("box", (0, 0.44, -0.112), (0.11, 0.09, 0.006), blue),
        part("box", (0, 0.735, 0), (0.125, 0.105, 0.1), tin),
        part("box", (0, 0.675, -0.102), (0.07, 0.018, 0.004), DARK),
        part("frustum", (0, 0.61, 0), (0.05, 0.03, 0.05), DARK),
        part("frustum", (0, 0.88, 0), (0.009, 0.05, 0.009), tin),
        part("sphere", (0, 0.945, 0), (0.028, 0.028, 0.028), red),
    ]
    for index, dx in enumerate((-0.06, 0.0, 0.06)):
        parts.append(
            part("sphere", (dx, 0.47, -0.118), (0.02, 0.02, 0.012), (red, lamp, red)[index])
        )
    for side in (-1, 1):
        parts += [
            part("sphere", (side * 0.052, 0.76, -0.1), (0.034, 0.034, 0.02), lamp),
            part("sphere", (side * 0.052, 0.76, -0.117), (0.014, 0.014, 0.008), DARK),
            part("frustum", (side * 0.135, 0.735, 0), (0.03, 0.02, 0.03), blue, (0.0, 0.0, 90.0)),
            part("sphere", (side * 0.19, 0.56, 0), (0.05, 0.05, 0.05), blue),
            part(
                "frustum",
                (side * 0.235, 0.45, -0.01),
                (0.032, 0.1, 0.032),
                tin,
                (0.0, 0.0, side * 14.0),
            ),
            part("sphere", (side * 0.262, 0.33, -0.015), (0.045, 0.045, 0.045), blue),
            part("frustum", (side * 0.085, 0.17, 0), (0.045, 0.1, 0.045), tin),
            part("box", (side * 0.09, 0.04, -0.03), (0.068, 0.04, 0.105), blue),
        ]
    return Group(tuple(parts))
