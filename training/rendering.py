"""A small ray caster: scenes to pictures with exact depth. Colours are linear until exposure."""

from dataclasses import dataclass

import numpy as np

from training.solids import NEVER, Box, Ellipsoid, Hills

_CORNER_METRES = 0.35
_SKIN = np.float32(0.004)
_THINNEST = 0.005


@dataclass(frozen=True, eq=False)
class Light:
    """A lamp, or the sun where `reach` is 0.

    Attributes:
        place: float [3], where the lamp is, or the direction towards the sun.
        colour: float [3], strength.
        reach: metres at which it has lost half of its strength.
    """

    place: np.ndarray
    colour: np.ndarray
    reach: float


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera.

    Attributes:
        place: float [3].
        yaw: radians to the right.
        pitch: radians up.
        roll: radians.
        focal: focal length as a share of the picture's short side.
        exposure: factor on all light.
    """

    place: np.ndarray
    yaw: float
    pitch: float
    roll: float
    focal: float
    exposure: float


@dataclass(frozen=True, eq=False)
class Scene:
    """All that is drawn.

    Attributes:
        solids: boxes and ellipsoids.
        lights: lamps and the sun.
        ambient: float [3], light from everywhere.
        camera: who looks.
        hills: the ground, where it is not a box.
        sky: float [2, 3], colours at the horizon and above; None where there is none.
        fog: share of light that is lost to the sky's colour per metre.
    """

    solids: list[Box | Ellipsoid]
    lights: list[Light]
    ambient: np.ndarray
    camera: Camera
    hills: Hills | None = None
    sky: np.ndarray | None = None
    fog: float = 0.0


@dataclass(frozen=True, eq=False)
class Drawing:
    """A picture with exact depth.

    Attributes:
        picture: uint8 [height, width, 3].
        inverse: float32 [height, width], inverse depth along the camera's axis in 1 / metres;
            the sky is at 0.
        alpha: uint8 [height, width], share of the pixel that shows a solid or hills.
    """

    picture: np.ndarray
    inverse: np.ndarray
    alpha: np.ndarray


@dataclass(frozen=True, eq=False)
class _Hits:
    """Where rays end: distance in units of the direction, and number of the solid; -1 is none."""

    distance: np.ndarray
    solid: np.ndarray


def render(scene: Scene, width: int, height: int) -> Drawing:
    """Draws a scene with four rays a pixel: the picture has smooth edges, and so has its label."""
    directions = _rays(scene.camera, 2 * width, 2 * height)
    origins = np.broadcast_to(scene.camera.place.astype(np.float32), directions.shape)
    hits = _nearest(scene, origins, directions)
    colours = _shade(scene, origins, directions, hits, 2 * min(width, height))
    inverse = np.where(hits.distance < NEVER, 1 / np.maximum(hits.distance, 0.01), 0)
    picture = colours.reshape(height, 2, width, 2, 3).mean((1, 3))
    label = inverse.reshape(height, 2, width, 2).mean((1, 3)).astype(np.float32)
    covered = (hits.solid >= 0).reshape(height, 2, width, 2).mean((1, 3))
    if scene.sky is None:  # Without a background, edges have the object's colour.
        picture /= np.maximum(covered, 0.01)[..., None]
    encoded = (picture * scene.camera.exposure).clip(0, 1) ** (1 / 2.2)
    return Drawing((encoded * 255).astype(np.uint8), label, (covered * 255).astype(np.uint8))


def _rays(camera: Camera, width: int, height: int) -> np.ndarray:
    scale = 1 / (camera.focal * min(width, height))
    v, u = np.mgrid[:height, :width].astype(np.float32)
    x, y = (u + 0.5 - width / 2) * scale, -(v + 0.5 - height / 2) * scale
    rays = np.stack([x, y, np.ones_like(x)], -1).reshape(-1, 3)
    angles = [camera.yaw, camera.pitch, camera.roll]
    (sy, sp, sr), (cy, cp, cr) = np.sin(angles), np.cos(angles)
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return (rays @ (yaw @ pitch @ roll).T.astype(np.float32)).astype(np.float32)


def _nearest(scene: Scene, origins: np.ndarray, directions: np.ndarray) -> _Hits:
    best = np.full(len(origins), NEVER, np.float32)
    solid = np.full(len(origins), -1, np.int32)
    for number, thing in enumerate(scene.solids):
        rays = thing.passing(origins, directions)
        distance = thing.distance(origins[rays], directions[rays])
        nearer = distance < best[rays]
        best[rays] = np.where(nearer, distance, best[rays])
        solid[rays] = np.where(nearer, number, solid[rays])
    if scene.hills is not None:
        distance = scene.hills.distance(origins, directions)
        nearer = distance < best
        best = np.where(nearer, distance, best)
        solid = np.where(nearer, len(scene.solids), solid)
    return _Hits(best, solid)


def _shade(
    scene: Scene, origins: np.ndarray, directions: np.ndarray, hits: _Hits, short: int
) -> np.ndarray:
    """Light that comes along rays: float32 [n, 3]."""
    points = origins + directions * np.minimum(hits.distance, 1e6)[:, None]
    normals, albedo, glow = np.zeros_like(points), np.zeros_like(points), np.zeros_like(points)
    pixel = hits.distance / (scene.camera.focal * short)
    for number in np.unique(hits.solid[hits.solid >= 0]):
        chosen = np.flatnonzero(hits.solid == number)
        thing = scene.hills if number == len(scene.solids) else scene.solids[number]
        assert thing is not None
        surface = thing.surface(points[chosen])
        normals[chosen] = surface.normals
        colours = thing.material.colours(surface.places, surface.spans, pixel[chosen])
        albedo[chosen], glow[chosen] = colours, colours * thing.material.glow
    # A face seen from behind is lit from the side that is seen.
    normals *= -np.sign((normals * directions).sum(1, keepdims=True))
    light = scene.ambient.astype(np.float32) * _open_share(scene, points)[:, None]
    light = light * (0.75 + 0.25 * normals[:, 1:2])
    for lamp in scene.lights:
        light = light + _lit(scene, lamp, points, normals)
    seen = albedo * light + glow
    if scene.sky is not None:
        upward = directions[:, 1] / np.linalg.norm(directions, axis=1)
        mix = np.clip(upward * 2.2, 0, 1)[:, None]
        low, high = scene.sky.astype(np.float32)
        sky = low * (1 - mix) + high * mix
        kept = np.exp(-np.minimum(hits.distance, 1e6) * scene.fog)[:, None]
        seen = np.where(hits.solid[:, None] < 0, sky, seen * kept + low * (1 - kept))
    return seen.astype(np.float32)


def _open_share(scene: Scene, points: np.ndarray) -> np.ndarray:
    """Share of the light from everywhere that reaches a point: less in the corners of a room."""
    share = np.ones(len(points), np.float32)
    for thing in scene.solids:
        if isinstance(thing, Box) and thing.hollow:
            gaps = np.abs(np.abs(thing.local(points)) - thing.half.astype(np.float32))
            share *= 1 - 0.45 * np.exp(-np.sort(gaps, axis=1)[:, 1] / _CORNER_METRES)
    return share


def _lit(scene: Scene, lamp: Light, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Light of one lamp on points, float32 [n, 3], with hard shadows."""
    sun = lamp.reach == 0
    place = lamp.place.astype(np.float32)
    towards = np.broadcast_to(place, points.shape) if sun else place - points
    length = np.linalg.norm(towards, axis=1)
    slope = np.maximum((normals * towards).sum(1) / np.maximum(length, 1e-6), 0)
    strength = slope if sun else slope / (1 + (length / np.float32(lamp.reach)) ** 2)
    lit = np.flatnonzero(strength > 0)
    lifted, towards = (points + normals * _SKIN)[lit], towards[lit]
    for thing in scene.solids:
        if (isinstance(thing, Box) and thing.hollow) or thing.material.glow:
            continue
        if thing.half.min() < _THINNEST:  # A mark on a surface throws no shadow.
            continue
        rays = thing.passing(lifted, towards)
        kept = np.ones(len(lit), bool)
        kept[rays] = thing.distance(lifted[rays], towards[rays]) >= (NEVER if sun else 1)
        lit, lifted, towards = lit[kept], lifted[kept], towards[kept]
    reached = np.zeros_like(strength)
    reached[lit] = strength[lit]
    return reached[:, None] * lamp.colour.astype(np.float32)
