"""Pictures of solids under sun, sky and haze, by tracing rays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.samples.solids import Group, Hit, Solid, Vector, first_meeting, flatten, noise

_ROWS = 12


@dataclass(frozen=True)
class Camera:
    """Where a picture is taken from: place, target, and vertical field of view in degrees."""

    place: Vector
    target: Vector
    view: float = 45.0


@dataclass(frozen=True)
class Light:
    """What lights a picture. Colours are linear red, green and blue.

    towards: direction to the sun, of any length; `lamp` instead puts a lamp at a place.
    sky, horizon: the colours above and along the horizon, also of the light from all around.
    clouds: share of the sky that is covered, 0..1.
    haze: distance in metres at which two thirds of a thing's colour have become the horizon's.
    reach: how far things dim the light from all around, in metres.
    """

    towards: Vector = (-0.6, 1.0, -0.5)
    lamp: Vector | None = None
    sun: Vector = (1.25, 1.15, 0.95)
    sky: Vector = (0.16, 0.34, 0.75)
    horizon: Vector = (0.72, 0.8, 0.88)
    clouds: float = 0.5
    around: float = 0.75
    haze: float = 400.0
    reach: float = 2.0


@dataclass(frozen=True)
class Scene:
    """What is drawn: solids, from where, in which light."""

    items: tuple[Solid | Group, ...]
    camera: Camera
    light: Light


def render(
    scene: Scene, size: tuple[int, int], *, samples: int = 2, backdrop: bool = True
) -> np.ndarray:
    """Draws a scene with samples x samples rays a pixel.

    size: width and height in pixels.
    backdrop: whether the sky is painted where nothing is met; else those rays are transparent.
    Returns uint8 [height, width, 4], sRGB with straight alpha; always the same bytes.
    """
    items, camera, light = scene.items, scene.camera, scene.light
    rng = np.random.default_rng(0)
    width, height = size
    solids = flatten(items)
    rays = _rays(camera, size, samples)
    pixels = np.empty((height, width, 4), np.uint8)
    # A few rows at a time: the arrays stay small, and most solids are out of sight of most rows.
    for top in range(0, height, _ROWS):
        rows = rays[top * samples : (top + _ROWS) * samples]
        directions = np.ascontiguousarray(rows.reshape(-1, 3).T, np.float32)
        origins = np.repeat(np.array([camera.place], np.float32).T, directions.shape[1], axis=1)
        distances, owner = first_meeting(items, origins, directions)
        met = np.flatnonzero(owner >= 0)
        colours = _sky(directions, light) if backdrop else np.zeros_like(directions)
        if met.size:
            points = origins[:, met] + distances[met] * directions[:, met]
            rays_met = (points, directions[:, met], distances[met], owner[met])
            colours[:, met] = _shade(items, solids, *rays_met, light, rng)
        block = (rows.shape[0] // samples, samples, width, samples)
        alpha = ((owner >= 0) | backdrop).reshape(block).mean(axis=(1, 3))
        total = colours.reshape(3, *block).mean(axis=(2, 4))
        straight = _to_srgb(np.moveaxis(total / np.maximum(alpha, 1e-6), 0, -1))
        strip = np.concatenate([straight, alpha[..., None]], axis=-1)
        pixels[top : top + _ROWS] = np.rint(strip * 255).astype(np.uint8)
    return pixels


def _rays(camera: Camera, size: tuple[int, int], samples: int) -> np.ndarray:
    """Directions [height * samples, width * samples, 3] of length 1."""
    width, height = size[0] * samples, size[1] * samples
    forward = np.subtract(camera.target, camera.place).astype(float)
    forward /= np.linalg.norm(forward)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    up = np.cross(forward, right)
    half = np.tan(np.radians(camera.view / 2))
    x = ((np.arange(width) + 0.5) / width * 2 - 1) * half * width / height
    y = (1 - (np.arange(height) + 0.5) / height * 2) * half
    grid = forward + x[None, :, None] * right + y[:, None, None] * up
    return grid / np.linalg.norm(grid, axis=-1, keepdims=True)


def _shade(
    items: Sequence[Solid | Group],
    solids: Sequence[Solid],
    points: np.ndarray,
    directions: np.ndarray,
    distances: np.ndarray,
    owner: np.ndarray,
    light: Light,
    rng: np.random.Generator,
) -> np.ndarray:
    """Colours [3, n] of points on the solids that `owner` [n] names, seen along `directions`."""
    normals, albedo = np.empty_like(points), np.empty_like(points)
    gloss = np.array([solid.gloss for solid in solids], np.float32)[owner]
    for index in np.unique(owner):
        at = np.flatnonzero(owner == index)
        bent = solids[index].normals(points[:, at])
        away = (bent * directions[:, at]).sum(axis=0) > 0
        normals[:, at] = np.where(away, -bent, bent)
        albedo[:, at] = solids[index].paint(Hit(points[:, at], normals[:, at], distances[at]))
    start = points + 2e-3 * normals
    # One ray to a spot of the sun or lamp, one anywhere: a pixel's rays average to soft shade.
    spread = rng.standard_normal(points.shape, np.float32)
    if light.lamp is None:
        towards = _unit(np.array([light.towards], np.float32).T) + 0.03 * spread
        far = np.full(points.shape[1], np.inf)
    else:
        towards = np.array([light.lamp], np.float32).T + 0.1 * spread - start
        far = np.linalg.norm(towards, axis=0) * 0.999
    towards = _unit(towards)
    lit = first_meeting(items, start, towards)[0] >= far
    direct = np.maximum((towards * normals).sum(axis=0), 0) * lit
    anywhere = _unit(normals + 0.999 * _unit(rng.standard_normal(points.shape, np.float32)))
    openness = np.clip(first_meeting(items, start, anywhere)[0] / light.reach, 0.25, 1)
    ambient = light.around * openness * (0.65 + 0.35 * normals[1])
    sun, sky, horizon = (np.array([c]).T for c in (light.sun, light.sky, light.horizon))
    around = 0.35 * sky + 0.65 * horizon
    colours = albedo * (sun * direct + around * ambient)
    glossy = np.flatnonzero(gloss)
    if glossy.size:
        g, view, normal = gloss[glossy], directions[:, glossy], normals[:, glossy]
        slant = -(view * normal).sum(axis=0)
        mirrored = view + 2 * slant * normal
        share = g + (1 - g) * 0.6 * (1 - np.clip(slant, 0, 1)) ** 5
        seen = _sky(mirrored, light) if light.lamp is None else around
        highlight = np.maximum((mirrored * towards[:, glossy]).sum(axis=0), 0) ** 60 * lit[glossy]
        colours[:, glossy] *= 1 - share
        colours[:, glossy] += seen * share * openness[glossy] + sun * highlight * g * 6
    veil = 1 - np.exp(-distances / light.haze)
    return colours * (1 - veil) + horizon * veil


def _sky(directions: np.ndarray, light: Light) -> np.ndarray:
    """Colours [3, n] of the sky: a gradient, whiter by the horizon, with flat clouds."""
    up = np.clip(directions[1], 0, 1)
    sky, horizon = np.array([light.sky]).T, np.array([light.horizon]).T
    colours = horizon + (sky - horizon) * (1 - np.exp(-4 * up))
    if light.clouds:
        plane = directions / np.maximum(up, 0.02) * [[1.0], [0.0], [1.0]]
        cover = np.clip((noise(plane, 1.6, octaves=5) - (0.72 - 0.4 * light.clouds)) * 6, 0, 1)
        cover *= np.clip((up - 0.03) * 8, 0, 1)
        colours = colours * (1 - cover) + (0.55 + 0.5 * horizon) * cover
    return colours


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=0)


def _to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB in 0..1; what is brighter than white rolls off."""
    linear = np.clip(linear, 0, None)
    linear = np.where(linear < 0.6, linear, 1 - 0.4 * np.exp(-(linear - 0.6) / 0.4))
    curve = 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    return np.clip(np.where(linear < 0.0031308, 12.92 * linear, curve), 0, 1)
