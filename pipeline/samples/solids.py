"""Spheres, boxes and frustums in any place, size and turn, and the rays that meet them.

Vectors are float32 arrays [3, n], one column a ray or a point; lengths are in metres; x points
right, y up and z away from the camera.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import ndimage, spatial

Vector = tuple[float, float, float]
_NEAR = 1e-3


@dataclass(frozen=True)
class Hit:
    """Where rays meet one surface: points and normals [3, n], distances from the camera [n]."""

    points: np.ndarray
    normals: np.ndarray
    distances: np.ndarray


Paint = Callable[[Hit], np.ndarray]
"""The share of red, green and blue light [3, n] that a surface throws back at each point."""


@dataclass(frozen=True)
class Solid:
    """One body and its surface.

    shape: a sphere of radius 1, a box of half side 1, or a frustum around y from -1 to 1 whose
        radius goes from 1 at the bottom to `taper` at the top; then stretched by `size` (half
        extents), turned by `turn` (degrees about x, y, z) and moved to `centre`.
    gloss: share of the sky that a head-on look sees mirrored, 0..1; more at a grazing angle.
    bump: how much noise of `grain` metres bends the normals.
    holes: the surface is missing, as in foliage, where noise of `grain` metres, in 0..1 and mostly
        near 0.5, lies below this.
    """

    shape: Literal["sphere", "box", "frustum"]
    centre: Vector
    size: Vector
    paint: Paint
    turn: Vector = (0.0, 0.0, 0.0)
    taper: float = 1.0
    gloss: float = 0.0
    bump: float = 0.0
    holes: float = 0.0
    grain: float = 0.1

    @cached_property
    def _to_local(self) -> np.ndarray:
        turn = spatial.transform.Rotation.from_euler("xyz", self.turn, degrees=True).as_matrix()
        return np.linalg.inv(turn * np.array(self.size)).astype(np.float32)

    @cached_property
    def bound(self) -> tuple[np.ndarray, float]:
        """Centre [3] and radius of a sphere around it."""
        stretch = {"sphere": max(self.size), "box": float(np.linalg.norm(self.size))}
        wide = max(1.0, self.taper)
        frustum = float(np.hypot(max(self.size[0], self.size[2]) * wide, self.size[1]))
        return np.array(self.centre, np.float32), stretch.get(self.shape, frustum)

    def local(self, points: np.ndarray) -> np.ndarray:
        """Points [3, n] in the body's own frame, where it has half extents of 1."""
        return self._to_local @ (points - np.array(self.centre, np.float32)[:, None])

    def distances(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Distances [n] to the first meeting in front of each origin; infinite where none is."""
        o, d = self.local(origins), self._to_local @ directions
        with np.errstate(divide="ignore", invalid="ignore"):
            meet = {"sphere": _meet_sphere, "box": _meet_box}.get(self.shape)
            t = meet(o, d) if meet else _meet_frustum(o, d, self.taper)
        t = np.where(t > _NEAR, t, np.inf).astype(np.float32)
        if self.holes:
            met = np.flatnonzero(np.isfinite(t))
            flecks = noise(origins[:, met] + t[met] * directions[:, met], self.grain)
            t[met[flecks < self.holes]] = np.inf
        return t

    def normals(self, points: np.ndarray) -> np.ndarray:
        """Unit normals [3, n] at points of the surface."""
        p = self.local(points)
        if self.shape == "box":
            p = np.where(np.abs(p) >= np.abs(p).max(axis=0), np.sign(p), 0.0)
        elif self.shape == "frustum":
            slope = (self.taper - 1) / 2
            radius = (1 + self.taper) / 2 + slope * p[1]
            cap = np.abs(p[1]) > 0.9999
            p = np.where(cap, [[0.0], [1.0], [0.0]] * np.sign(p[1]), [p[0], -slope * radius, p[2]])
        normals = self._to_local.T @ p.astype(np.float32)
        if self.bump:
            shift = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
            here = noise(points, self.grain)
            step = 0.3 * self.grain
            slopes = [noise(points + np.array([s]).T * step, self.grain) - here for s in shift]
            normals = normals / np.linalg.norm(normals, axis=0) - self.bump * np.array(slopes) / 0.3
        return (normals / np.linalg.norm(normals, axis=0)).astype(np.float32)


@dataclass(frozen=True)
class Group:
    """Solids that stand together: rays that pass by the sphere around them are tried no more."""

    solids: tuple[Solid, ...]
    bound: tuple[np.ndarray, float] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        centre = np.mean([solid.centre for solid in self.solids], axis=0).astype(np.float32)
        radius = max(float(np.linalg.norm(s.bound[0] - centre)) + s.bound[1] for s in self.solids)
        object.__setattr__(self, "bound", (centre, radius))


def first_meeting(
    items: Sequence[Solid | Group], origins: np.ndarray, directions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The first solid in the way of each ray.

    origins, directions: float32 [3, n]; directions have length 1.
    Returns distances [n], infinite where nothing is met, and the indices [n] of the solids, counted
    through the groups, -1 where nothing is met.
    """
    best = np.full(origins.shape[1], np.inf, np.float32)
    owner = np.full(origins.shape[1], -1)
    count = 0
    for item in items:
        centre, radius = item.bound
        away = centre[:, None] - origins
        along = np.einsum("ij,ij->j", away, directions)
        beside = np.einsum("ij,ij->j", away, away) - along * along
        near = np.flatnonzero(
            (beside < radius * radius) & (along > -radius) & (along - radius < best)
        )
        if isinstance(item, Group):
            if near.size:
                t, index = first_meeting(item.solids, origins[:, near], directions[:, near])
        elif near.size:
            t = item.distances(origins[:, near], directions[:, near])
            index = np.zeros(near.size, int)
        if near.size:
            closer = t < best[near]
            best[near[closer]] = t[closer]
            owner[near[closer]] = count + index[closer]
        count += len(item.solids) if isinstance(item, Group) else 1
    return best, owner


def flatten(items: Sequence[Solid | Group]) -> list[Solid]:
    """All solids in the order in which `first_meeting` counts them."""
    return [s for item in items for s in (item.solids if isinstance(item, Group) else (item,))]


_TABLE = np.random.default_rng(1).random((64, 64, 64), np.float32)


def noise(points: np.ndarray, grain: float, octaves: int = 2) -> np.ndarray:
    """Smooth noise [n] in 0..1 at points [3, n], in blobs of `grain` metres and finer ones."""
    total, weight = np.zeros(points.shape[1], np.float32), 0.0
    for octave in range(octaves):
        at = points / (grain / 2**octave) + 17.3 * octave
        total += ndimage.map_coordinates(_TABLE, at, order=1, mode="grid-wrap") / 2**octave
        weight += 1 / 2**octave
    return total / weight


def _meet_sphere(o: np.ndarray, d: np.ndarray) -> np.ndarray:
    a, b, c = (d * d).sum(axis=0), (o * d).sum(axis=0), (o * o).sum(axis=0) - 1
    root = np.sqrt(b * b - a * c)
    first = (-b - root) / a
    return np.where(first > _NEAR, first, (-b + root) / a)


def _meet_box(o: np.ndarray, d: np.ndarray) -> np.ndarray:
    one, two = (-1 - o) / d, (1 - o) / d
    enter, leave = np.minimum(one, two).max(axis=0), np.maximum(one, two).min(axis=0)
    return np.where(leave >= enter, np.where(enter > _NEAR, enter, leave), np.inf)


def _meet_frustum(o: np.ndarray, d: np.ndarray, taper: float) -> np.ndarray:
    slope, middle = (taper - 1) / 2, (1 + taper) / 2
    radius = middle + slope * o[1]
    a = d[0] ** 2 + d[2] ** 2 - (slope * d[1]) ** 2
    b = o[0] * d[0] + o[2] * d[2] - slope * d[1] * radius
    c = o[0] ** 2 + o[2] ** 2 - radius**2
    root = np.sqrt(b * b - a * c)
    best = np.full(o.shape[1], np.inf)
    for t in ((-b - root) / a, (-b + root) / a):
        y = o[1] + t * d[1]
        best = np.where((t > _NEAR) & (t < best) & (np.abs(y) <= 1), t, best)
    for y, r in ((-1.0, 1.0), (1.0, taper)):
        t = (y - o[1]) / d[1]
        inside = (o[0] + t * d[0]) ** 2 + (o[2] + t * d[2]) ** 2 <= r * r
        best = np.where((t > _NEAR) & (t < best) & inside, t, best)
    return best
