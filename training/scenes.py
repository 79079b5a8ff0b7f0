"""Random rooms, streets and landscapes, drawn with exact depth, and single things as cut-outs.

A scene teaches what pictures with measured depth are short of: bare and dark rooms, corners that
are turned to the camera, open land, and distances that are exact up to the horizon.
"""

from collections.abc import Callable

import numpy as np

from training.materials import Painter, noise
from training.objects import box, car, figure, seat, shelf, table, tree
from training.rendering import Camera, Drawing, Light, Scene, render
from training.solids import Box, Ellipsoid, Hills

WIDTH, HEIGHT = 208, 176
THINGS = "things"
THING_SIDE = 144
_SHAPES = ((WIDTH, HEIGHT), (HEIGHT, HEIGHT), (HEIGHT, WIDTH))
_SHAPE_SHARES = (0.6, 0.25, 0.15)
_FLAT = 0.004
"""Metres that a mark on a surface is thick: nothing at the scale of a picture."""


def room(paint: Painter) -> Scene:
    """A furnished or bare room, bright or dark, from within."""
    draw, u = paint.draw, paint.draw.uniform
    half = np.array([u(1.2, 4.5), u(1.15, 1.8), u(1.5, 6)])
    corridor = draw.random() < 0.15
    if corridor:
        half = np.array([u(0.7, 1.4), u(1.15, 1.6), u(4, 14)])
    wall = paint.plain(paint.colour(0.1, 0.95, 0.6), u(0, 0.25))
    if draw.random() < 0.25:
        wall = paint.tiled(u(0.6, 3))
    centre = np.array([0, half[1], 0])
    solids: list[Box | Ellipsoid] = [Box(centre, half, 0.0, wall, hollow=True)]
    floor = paint.tiled(u(0.5, 3)) if draw.random() < 0.5 else paint.furniture()
    full = 2 * half
    solids.append(box(0, 0.0, 0, (full[0], 0.01, full[2]), 0.0, floor))
    if draw.random() < 0.7:
        ceiling = paint.plain(paint.colour(0.4, 0.95, 0.8))
        solids.append(box(0, full[1] - 0.02, 0, (full[0], 0.02, full[2]), 0.0, ceiling))
    for _ in range(draw.integers(0, 6)):  # Doors, windows, posters and boards on the walls.
        wide, tall, thick = u(0.3, 2.2), u(0.3, 2.1), u(0.01, 0.12)
        look = paint.picture(u(0, 1.5)) if draw.random() < 0.5 else paint.plain()
        foot, sign = u(0, max(0.05, full[1] - tall)), draw.choice([-1.0, 1.0])
        if draw.random() < 0.5:
            x, z, size = u(-1, 1) * half[0], sign * half[2], (wide, tall, thick)
        else:
            x, z, size = sign * half[0], u(-1, 1) * half[2], (thick, tall, wide)
        solids.append(box(x, foot, z, size, 0.0, look))
    solids += marks_in_room(paint, half, int(draw.choice([0, 2, 4, 6, 9])))
    for _ in range(0 if corridor else int(draw.choice([0, 2, 4, 6, 8, 10]))):
        make: Callable[..., list[Box]] = (table, seat, shelf)[draw.integers(3)]
        turn = float(draw.integers(4)) * np.pi / 2 + draw.normal(0, 0.15)
        solids += make(paint, u(-0.9, 0.9) * half[0], u(-0.9, 0.9) * half[2], float(turn))
    for _ in range(draw.integers(0, 3)):
        radius = u(0.06, 0.3)
        place = np.array([u(-0.8, 0.8) * half[0], u(0.1, 1.2), u(-0.8, 0.8) * half[2]])
        radii = radius * draw.uniform(0.6, 1.6, 3)
        solids.append(Ellipsoid(place, radii, paint.furniture()))
    for _ in range(int(draw.choice([0, 0, 1, 2]))):
        solids += figure(paint, u(-0.9, 0.9) * half[0], 0.0, u(-0.9, 0.9) * half[2])
    lights = []
    for _ in range(draw.integers(1, 3)):
        place = draw.uniform(-0.8, 0.8, 3) * half + centre
        place[1] = u(0.6, 0.95) * full[1]
        lights.append(Light(place, paint.colour(0.4, 0.9, 0.7) * u(0.5, 2.5), u(1, 5)))
    place = draw.uniform(0.2, 0.85, 3) * draw.choice([-1, 1], 3) * half
    place[1] = min(full[1] - 0.3, u(0.5, 1.9))
    # Mostly towards the middle, sometimes anywhere.
    yaw = np.arctan2(-place[0], -place[2]) + draw.normal(0, 0.2 if corridor else 0.9)
    if not corridor and draw.random() < 0.35:  # The back of a chair, or a table, close by.
        make = (seat, seat, table, shelf)[draw.integers(4)]
        away, aside = u(0.7, 1.8), draw.normal(0, 0.35)
        x, z = place[0] + away * np.sin(yaw + aside), place[2] + away * np.cos(yaw + aside)
        solids += make(paint, x, z, float(draw.integers(4)) * np.pi / 2 + draw.normal(0, 0.3))
    camera = Camera(place, float(yaw), draw.normal(-0.25, 0.25), draw.normal(0, 0.06),
                    u(0.6, 1.3), float(np.exp(draw.normal(-0.4, 0.7))))  # fmt: skip
    return Scene(_around(camera, solids), lights, paint.colour(0.1, 0.6, 0.7), camera)


def marks_in_room(paint: Painter, half: np.ndarray, count: int) -> list[Box | Ellipsoid]:
    """Posters, paper and patches of paint on the walls, rugs and paper on the floor: all flat.

    Args:
        paint: what draws.
        half: float [3], half of the room's sides.
        count: how many.
    """
    draw, u = paint.draw, paint.draw.uniform
    marks: list[Box | Ellipsoid] = []
    for _ in range(count):
        look, wide, tall = paint.mark(), u(0.15, 1.8), u(0.15, 1.4)
        foot, side = u(0.1, max(0.15, 2 * half[1] - tall - 0.1)), draw.choice([-1.0, 1.0])
        where = draw.random()
        if where < 0.25:
            x, z = u(-0.9, 0.9) * half[0], u(-0.9, 0.9) * half[2]
            marks.append(box(x, 0.01, z, (wide, _FLAT, tall), draw.choice([0.0, u(0, 3)]), look))
        elif where < 0.6:
            x, z = u(-0.8, 0.8) * half[0], side * (half[2] - _FLAT / 2)
            marks.append(box(x, foot, z, (wide, tall, _FLAT), 0.0, look))
        else:
            x, z = side * (half[0] - _FLAT / 2), u(-0.8, 0.8) * half[2]
            marks.append(box(x, foot, z, (_FLAT, tall, wide), 0.0, look))
    return marks


def marks_on_road(paint: Painter, road: float, foot: float = 0.0) -> list[Box | Ellipsoid]:
    """Stop lines, zebra crossings, arrows, patches, puddles and bright light: all flat.

    Args:
        paint: what draws.
        road: half of the road's width in metres.
        foot: height of the road.
    """
    draw, u = paint.draw, paint.draw.uniform
    marks: list[Box | Ellipsoid] = []
    white = paint.plain(np.full(3, u(0.5, 0.95)), u(0, 0.4))
    if draw.random() < 0.5:
        z, turn = u(1.5, 15), draw.normal(0, 0.1)
        marks.append(box(0, foot, z, (road * u(0.8, 2), _FLAT, u(0.2, 0.6)), turn, white))
    if draw.random() < 0.5:  # A zebra crossing, across the road or along it.
        z, deep, step = u(1.5, 14), u(2, 4), u(0.7, 1.2)
        for i in range(int(2 * road / step)):
            x = -road + (i + 0.5) * step
            marks.append(box(x, foot, z, (step * 0.5, _FLAT, deep), 0.0, white))
    for _ in range(draw.integers(0, 5)):
        size = (u(0.15, 0.25 * road + 0.5), _FLAT, u(0.3, 6))
        turn = float(draw.choice([0.0, u(0, 3)]))
        look = white if draw.random() < 0.4 else paint.mark()
        marks.append(box(u(-1, 1) * road, foot, u(1.2, 18), size, turn, look))
    return marks


def branches(paint: Painter, camera: Camera) -> list[Box | Ellipsoid]:
    """Leaves and twigs that hang into the upper part of the picture, close to the camera."""
    draw, u = paint.draw, paint.draw.uniform
    green = np.array([0.12, 0.25, 0.06]) * u(0.4, 2)
    leaves = paint.mottled(green, green * u(0.2, 0.6), u(0.2, 0.8))
    away, side = u(1.5, 5), u(-0.7, 0.7)
    found: list[Box | Ellipsoid] = []
    for _ in range(draw.integers(12, 40)):
        turn, near = camera.yaw + side + draw.normal(0, 0.25), away * u(0.7, 1.4)
        up = camera.pitch + u(0.1, 0.6)
        towards = np.array([np.sin(turn), np.tan(up), np.cos(turn)])
        radii = near * draw.uniform(0.015, 0.08, 3)
        found.append(Ellipsoid(camera.place + near * towards, radii, leaves))
    return found


def _around(camera: Camera, solids: list[Box | Ellipsoid]) -> list[Box | Ellipsoid]:
    """The solids that the camera does not stand in; a room is one that it does."""

    def kept(solid: Box | Ellipsoid) -> bool:
        hollow = isinstance(solid, Box) and solid.hollow
        return hollow or not solid.contains(camera.place, 0.25)

    return [solid for solid in solids if kept(solid)]


def _outdoors(paint: Painter) -> tuple[list[Light], np.ndarray, np.ndarray]:
    """Sun, ambient light and sky."""
    u = paint.draw.uniform
    bright = u(0.3, 1)
    above = np.array([0.35, 0.5, 0.8]) * bright
    if paint.draw.random() < 0.4:
        above = np.full(3, u(0.4, 0.9)) * bright
    horizon = np.clip(above * u(0.9, 1.6) + 0.1, 0, 1)
    sun = np.array([u(-1, 1), u(0.25, 1.2), u(-1, 1)])
    lights = [Light(sun, np.array([1.0, 0.95, 0.85]) * u(0, 1.4) * bright, 0.0)]
    return lights, above * 0.5 + 0.2 * bright, np.stack([horizon, above])


def street(paint: Painter) -> Scene:
    """A road with houses, trees, posts and vehicles, or a yard with walls and bushes."""
    draw, u = paint.draw, paint.draw.uniform
    lights, ambient, sky = _outdoors(paint)
    ground = paint.mottled(paint.colour(0.08, 0.4, 0.9), paint.colour(0.08, 0.4, 0.9), u(1, 6))
    if draw.random() < 0.3:
        ground = paint.tiled(u(0.5, 3))
    road = u(2.5, 8)
    solids: list[Box | Ellipsoid] = [box(0, -1.0, 0, (3000, 1.0, 3000), 0.0, ground)]
    if draw.random() < 0.6:  # Pavements or grass on both sides, a kerb above the road.
        verge = paint.plain(paint.colour(0.15, 0.6, 0.8))
        if draw.random() < 0.5:
            verge = paint.mottled(np.array([0.1, 0.2, 0.04]), np.array([0.2, 0.3, 0.1]), u(0.5, 3))
        solids += [box(s * (road + 30), 0.0, 0, (60, 0.12, 800), 0.0, verge) for s in (-1, 1)]
    if draw.random() < 0.7:
        white, gap = paint.plain(np.full(3, u(0.5, 0.9))), u(4, 12)
        for i in range(8):
            solids.append(box(0, 0.0, 3 + i * gap, (0.15, 0.006, gap * 0.4), 0.0, white))
    solids += marks_on_road(paint, road)
    back = road + u(1, 12)
    for side in (-1, 1):
        z, look = u(-10, 10), paint.facade()
        while z < 130 and draw.random() < 0.93:
            deep, tall = u(6, 25), u(3, 18)
            if draw.random() < 0.7:
                look = paint.facade() if draw.random() < 0.4 else look
                width = u(6, 14)
                x = side * (back + width / 2 + u(0, 2))
                solids.append(box(x, 0.0, z + deep / 2, (width, tall, deep), 0.0, look))
                for _ in range(int(draw.choice([0, 1, 3]))):  # Signs, banners and paint on it.
                    size = (2 * _FLAT, u(0.5, 3), u(0.5, 4))
                    face = x - side * width / 2
                    solids.append(box(face, u(0.3, 4), z + u(0, deep), size, 0.0, paint.mark()))
            z += deep + draw.choice([0.0, 0.0, u(2, 20)])
        for _ in range(draw.integers(0, 5)):
            solids += tree(paint, side * (road + u(0.5, 5)), 0.0, u(2, 60))
        post = paint.plain(paint.colour(0.05, 0.5))
        for _ in range(draw.integers(0, 4)):
            x, z = side * (road + u(0.2, 1)), u(2, 50)
            solids.append(box(x, 0.0, z, (0.12, u(1, 7), 0.12), 0.0, post))
            solids.append(box(x, u(1.8, 5), z, (u(0.3, 1.2), u(0.3, 0.9), 0.1), 0.0, paint.plain()))
        for _ in range(draw.integers(0, 4)):
            turn = draw.normal(0, 0.05) + draw.choice([0, np.pi])
            solids += car(paint, side * (road - u(0.8, 2)), u(3, 60), float(turn))
    for _ in range(draw.integers(0, 3)):
        solids += car(paint, u(-0.6, 0.6) * road, u(5, 70), float(draw.normal(0, 0.3)))
    if draw.random() < 0.35:  # Something closes the view.
        far = u(12, 90)
        solids.append(box(u(-10, 10), 0.0, far, (u(10, 60), u(2, 25), 8.0), 0.0, paint.facade()))
    for _ in range(draw.integers(0, 4)):
        solids += figure(paint, u(-1, 1) * (road + 2), 0.0, u(2, 25))
    for _ in range(draw.integers(0, 4)):  # Bollards, bins and bushes.
        tall = u(0.4, 1.9)
        place = np.array([u(-1, 1) * (road + 2), tall / 2, u(2, 25)])
        radii = np.array([u(0.15, 0.5), tall / 2, u(0.15, 0.5)])
        solids.append(Ellipsoid(place, radii, paint.furniture()))
    place = np.array([u(-0.8, 0.8) * road, u(0.9, 2.4), 0.0])
    camera = Camera(place, draw.normal(0, 0.3), draw.normal(-0.03, 0.09), draw.normal(0, 0.02),
                    u(0.6, 1.7), float(np.exp(draw.normal(0.1, 0.5))))  # fmt: skip
    solids += branches(paint, camera) if draw.random() < 0.12 else []
    return Scene(_around(camera, solids), lights, ambient, camera, sky=sky, fog=u(0, 0.012))


def landscape(paint: Painter) -> Scene:
    """Hills with rocks, bushes and trees, from eye height or from the air."""
    draw, u = paint.draw, paint.draw.uniform
    lights, ambient, sky = _outdoors(paint)
    period, flat = u(60, 400), u(0.01, 0.12)
    heights = noise(draw, 256, u(0.05, 0.5)) * period * flat
    first, second = paint.colour(0.08, 0.5), np.array([0.12, 0.2, 0.05]) * u(0.6, 2.2)
    # The texture's period must divide that of the heights: both repeat together.
    ground = paint.mottled(first, second, period / draw.integers(4, 40))
    hills = Hills(heights, period, ground)
    solids: list[Box | Ellipsoid] = []
    aerial = draw.random() < 0.3
    above = u(4, 25) if aerial else u(0.5, 2.2)
    yaw = u(-np.pi, np.pi)

    def spot(low: float, high: float) -> tuple[float, float, float]:
        away, aside = u(low, high), draw.normal(0, 0.45)
        x, z = away * np.sin(yaw + aside), away * np.cos(yaw + aside)
        return x, float(hills.height(np.array([x]), np.array([z]))[0]), z

    rock = paint.mottled(paint.colour(0.1, 0.5, 0.7), paint.colour(0.05, 0.3, 0.7), u(0.5, 3))
    for _ in range(draw.integers(0, 12)):
        x, y, z = spot(2 + above * 0.3, 45)
        radii = u(0.15, 1.6) * draw.uniform(0.5, 1.5, 3)
        solids.append(Ellipsoid(np.array([x, y, z]), radii, rock))
    if not aerial and draw.random() < 0.25:  # Within a wood, perhaps on a path through it.
        path = draw.choice([0.5, 2.0])
        for _ in range(draw.integers(12, 30)):
            away, aside = np.exp(u(0.7, 3.7)), draw.normal(0, 6)
            aside += np.sign(aside) * path
            x = away * np.sin(yaw) + aside * np.cos(yaw)
            z = away * np.cos(yaw) - aside * np.sin(yaw)
            y = float(hills.height(np.array([x]), np.array([z]))[0])
            solids += tree(paint, x, y - 0.2, z, u(5, 14))
    else:
        for _ in range(draw.integers(0, 6)):
            solids += tree(paint, *spot(4 + above * 0.3, 60))
    for _ in range(int(draw.choice([0, 0, 1, 3]))):
        solids += figure(paint, *spot(2.5 + above * 0.3, 25))
    if draw.random() < 0.3:
        x, y, z = spot(8, 60)
        size = (u(3, 12), u(2, 8), u(3, 12))
        solids.append(box(x, y - 1, z, size, u(0, 3.0), paint.facade()))
    place = np.array([0, float(hills.height(np.zeros(1), np.zeros(1))[0]) + above, 0])
    pitch = draw.normal(-0.5, 0.25) if aerial else draw.normal(-0.12, 0.14)
    camera = Camera(place, yaw, float(pitch), draw.normal(0, 0.04), u(0.6, 1.3),
                    float(np.exp(draw.normal(0.2, 0.4))))  # fmt: skip
    solids += branches(paint, camera) if not aerial and draw.random() < 0.25 else []
    return Scene(_around(camera, solids), lights, ambient, camera, hills, sky, u(0, 0.01))


def thing(paint: Painter) -> Scene:
    """A single piece of furniture, vehicle, tree, person or rock before nothing: a cut-out."""
    draw, u = paint.draw, paint.draw.uniform
    turn = u(-np.pi, np.pi)
    kind = draw.integers(7)
    solids: list[Box | Ellipsoid] = []
    if kind < 4:
        make: Callable[..., list[Box]] = (table, seat, shelf, car)[kind]
        solids += make(paint, 0.0, 0.0, turn)
    elif kind == 4:
        solids += tree(paint, 0.0, 0.0, 0.0)
    elif kind == 5:
        solids += figure(paint, 0.0, 0.0, 0.0)
    else:  # Round parts on top of each other.
        look, foot = paint.furniture(), 0.0
        for _ in range(draw.integers(1, 5)):
            radii = draw.uniform(0.1, 0.6, 3)
            place = np.array([draw.normal(0, 0.15), foot + radii[1], draw.normal(0, 0.15)])
            solids.append(Ellipsoid(place, radii, look))
            foot += radii[1] * u(1, 1.9)
            look = paint.furniture() if draw.random() < 0.5 else look
    lights, ambient, _ = _outdoors(paint)
    high = max(solid.centre[1] + solid.half[1] for solid in solids)
    far = max(float(np.abs(solid.centre[[0, 2]]).max() + solid.half.max()) for solid in solids)
    away = 2.3 * max(high, far) + 0.5
    pitch = u(-0.5, 0.05)
    place = np.array([0, high / 2 - np.sin(pitch) * away, -np.cos(pitch) * away])
    camera = Camera(place, 0.0, float(pitch), draw.normal(0, 0.05), 1.1, float(u(0.7, 2)))
    return Scene(_around(camera, solids), lights, ambient, camera)


KINDS = {"rooms": room, "streets": street, "landscapes": landscape, THINGS: thing}


def drawn(kind: str, pictures: list[np.ndarray], draw: np.random.Generator) -> Drawing:
    """A random scene of a kind that is neither black nor flat.

    Args:
        kind: one of KINDS.
        pictures: uint8 [height, width, 3] each, for posters, screens and odd surfaces.
        draw: source of all that is random.
    """
    paint = Painter(pictures, draw)
    while True:
        width, height = (
            (THING_SIDE, THING_SIDE)
            if kind == THINGS
            else _SHAPES[draw.choice(len(_SHAPES), p=_SHAPE_SHARES)]
        )
        drawing = render(KINDS[kind](paint), width, height)
        near, far = np.percentile(drawing.inverse, [95, 5])
        if drawing.picture.std() > 6 and near > 1.15 * far and drawing.alpha.any():
            return drawing
