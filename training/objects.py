"""Furniture, trees and vehicles, built of boxes and ellipsoids."""

from collections.abc import Sequence

import numpy as np

from training.materials import Painter
from training.solids import Box, Ellipsoid, Material

Part = tuple[float, float, float, float, float, float]
"""x, y, z of the foot's middle, then width, height and depth."""


def box(
    x: float,
    y: float,
    z: float,
    size: tuple[float, float, float],
    turn: float,
    material: Material,
) -> Box:
    """A box whose foot's middle is at x, y, z; `size` is its width, height and depth."""
    half = np.array(size) / 2
    return Box(np.array([x, y + half[1], z]), half, turn, material)


def group(
    x: float,
    z: float,
    turn: float,
    parts: Sequence[Part],
    material: Material,
) -> list[Box]:
    """Boxes whose places are given from x, z and that turn together about it."""
    cosine, sine = np.cos(turn), np.sin(turn)
    return [
        box(x + a * cosine + c * sine, b, z - a * sine + c * cosine, (w, h, d), turn, material)
        for a, b, c, w, h, d in parts
    ]


def table(paint: Painter, x: float, z: float, turn: float) -> list[Box]:
    """A table with things on it, sometimes a screen."""
    u = paint.draw.uniform
    wide, deep, tall = u(0.5, 2.2), u(0.45, 1.1), u(0.35, 1.05)
    legs = [
        (sx * (wide / 2 - 0.05), 0.0, sz * (deep / 2 - 0.05), 0.06, tall, 0.06)
        for sx in (-1, 1)
        for sz in (-1, 1)
    ]
    top = group(x, z, turn, [(0, tall, 0, wide, 0.05, deep)], paint.furniture())
    things = [
        (
            u(-0.4, 0.4) * wide,
            tall + 0.05,
            u(-0.4, 0.4) * deep,
            u(0.05, 0.5),
            u(0.02, 0.5),
            u(0.05, 0.4),
        )
        for _ in range(paint.draw.integers(0, 5))
    ]
    stuff = [part for thing in things for part in group(x, z, turn, [thing], paint.furniture())]
    if paint.draw.random() < 0.4:
        screen = (u(-0.3, 0.3) * wide, tall + 0.12, 0.0, u(0.4, 0.9), u(0.3, 0.5), 0.04)
        stuff += group(x, z, turn, [screen], paint.picture(u(0, 2.5)))
    return [*top, *group(x, z, turn, legs, paint.furniture()), *stuff]


def seat(paint: Painter, x: float, z: float, turn: float) -> list[Box]:
    """A chair or a sofa."""
    u = paint.draw.uniform
    wide = u(0.4, 0.6) if paint.draw.random() < 0.6 else u(1.2, 2.4)
    foot, material = (u(0.0, 0.1) if wide > 1 else 0.4), paint.furniture()
    parts: list[Part] = [
        (0, foot, 0, wide, 0.47 - foot, 0.6),
        (0, 0.4, 0.3, wide, u(0.3, 0.7), 0.14),
    ]
    if wide > 1:
        parts += [(s * wide / 2, 0.0, 0, 0.18, 0.65, 0.7) for s in (-1, 1)]
    else:
        parts += [(sx * 0.18, 0.0, sz * 0.2, 0.04, 0.4, 0.04) for sx in (-1, 1) for sz in (-1, 1)]
    return group(x, z, turn, parts, material)


def shelf(paint: Painter, x: float, z: float, turn: float) -> list[Box]:
    """A cupboard, or a shelf with books."""
    u = paint.draw.uniform
    wide, tall, deep = u(0.5, 2), u(0.6, 2.3), u(0.3, 0.6)
    if paint.draw.random() < 0.5:
        return group(x, z, turn, [(0, 0, 0, wide, tall, deep)], paint.furniture())
    boards = int(tall / u(0.3, 0.5)) + 1
    parts: list[Part] = [(0, i * tall / boards, 0, wide, 0.03, deep) for i in range(boards + 1)]
    parts += [(s * wide / 2, 0.0, 0, 0.03, tall, deep) for s in (-1, 1)]
    parts += [(0, 0.0, deep / 2, wide, tall, 0.02)]
    books = [
        (
            u(-0.4, 0.4) * wide,
            paint.draw.integers(boards) * tall / boards + 0.03,
            -0.05,
            u(0.1, 0.5) * wide,
            u(0.1, 0.25),
            deep * 0.6,
        )
        for _ in range(paint.draw.integers(0, 6))
    ]
    stuff = [part for book in books for part in group(x, z, turn, [book], paint.furniture())]
    return [*group(x, z, turn, parts, paint.furniture()), *stuff]


def figure(paint: Painter, x: float, y: float, z: float) -> list[Box | Ellipsoid]:
    """A person-like figure of head, trunk, arms and legs."""
    u, normal = paint.draw.uniform, paint.draw.normal
    tall, turn = u(1.1, 1.95), u(-np.pi, np.pi)
    sx, sz = np.cos(turn), np.sin(turn)
    shirt, trousers = paint.furniture(), paint.furniture()
    skin = paint.plain(np.array([0.6, 0.4, 0.3]) * u(0.2, 1.3))
    parts: list[Box | Ellipsoid] = [
        Ellipsoid(np.array([x, y + tall * 0.93, z]), tall * np.array([0.055, 0.07, 0.055]), skin),
        Ellipsoid(np.array([x, y + tall * 0.66, z]), tall * np.array([0.12, 0.21, 0.09]), shirt),
    ]
    for side in (-1, 1):
        arm, leg, step = side * 0.14 * tall, side * 0.06 * tall, normal(0, 0.08) * tall
        place = np.array([x + arm * sx, y + tall * u(0.58, 0.68), z + arm * sz])
        parts.append(Ellipsoid(place, tall * np.array([0.04, 0.19, 0.04]), shirt))
        place = np.array([x + leg * sx + step * sz, y + tall * 0.24, z + leg * sz - step * sx])
        parts.append(Ellipsoid(place, tall * np.array([0.055, 0.25, 0.055]), trousers))
    return parts


def tree(
    paint: Painter, x: float, y: float, z: float, tall: float | None = None
) -> list[Box | Ellipsoid]:
    """A trunk with round crowns."""
    u = paint.draw.uniform
    tall = u(1.5, 7) if tall is None else tall
    green = np.array([0.12, 0.25, 0.06]) * u(0.5, 2)
    leaves = paint.mottled(green, green * u(0.2, 0.6), u(0.5, 2))
    trunk = box(x, y, z, (0.12 * tall / 3, tall * 0.6, 0.12 * tall / 3), 0.0, paint.plain())
    crowns = [
        Ellipsoid(
            np.array([x, y + tall * u(0.5, 1), z]) + paint.draw.normal(0, 0.12 * tall, 3),
            tall * paint.draw.uniform(0.14, 0.32, 3),
            leaves,
        )
        for _ in range(paint.draw.integers(1, 5))
    ]
    return [trunk, *crowns]


def car(paint: Painter, x: float, z: float, turn: float) -> list[Box]:
    """A car, a van or a bus."""
    u = paint.draw.uniform
    long, wide, tall = (u(3.4, 5), u(1.6, 1.9), u(0.7, 1)) if paint.draw.random() < 0.75 else (
        u(5, 11), u(2, 2.5), u(2, 3))  # fmt: skip
    body = group(x, z, turn, [(0, 0.3, 0, wide, tall, long)], paint.plain(rough=0.05))
    glass = paint.plain(paint.colour(0.02, 0.2))
    cabin = (0, 0.3 + tall, u(-0.1, 0.1) * long, wide * 0.88, 0.5, long * u(0.4, 0.6))
    wheels = [
        (sx * wide / 2, 0.0, sz * long * 0.32, 0.2, 0.6, 0.6) for sx in (-1, 1) for sz in (-1, 1)
    ]
    dark = paint.plain(np.full(3, 0.03))
    return [*body, *group(x, z, turn, [cabin], glass), *group(x, z, turn, wheels, dark)]
