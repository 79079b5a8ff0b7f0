"""Boxes, ellipsoids and hills that rays meet. Lengths are metres; x right, y up, z forward."""

from dataclasses import dataclass

import numpy as np

NEVER = np.float32(1e9)
"""Distance of a ray that meets nothing."""

_AHEAD = 1e-3
_LEAST = np.float32(1e-9)
_MARCH_STEPS = 110
_MARCH_START, _MARCH_GROWTH = 0.25, 1.065


@dataclass(frozen=True, eq=False)
class Material:
    """What a surface looks like.

    Attributes:
        texture: float32 [side, side, 3], reflected share of each colour.
        period: metres that the texture covers before it repeats; 0 stretches it over the face.
        glow: light that the surface sends out itself, as a factor on the texture.
    """

    texture: np.ndarray
    period: float = 1.0
    glow: float = 0.0

    def colours(self, places: np.ndarray, spans: np.ndarray, pixel: np.ndarray) -> np.ndarray:
        """Reflected share of each colour, float [n, 3].

        Args:
            places: float [n, 2], metres on the surface.
            spans: float [n, 2], size of the face in metres.
            pixel: float [n], metres that a pixel covers there.
        """
        side = len(self.texture)
        period = spans if self.period == 0 else np.full_like(spans, self.period)
        texel = np.floor(places / period * side).astype(np.int64) % side
        # Far texture is smaller than a pixel: it fades into its mean.
        sharp = np.clip(period[:, 0] / side * 3 / np.maximum(pixel, 1e-6), 0, 1)[:, None]
        mean = self.texture.mean((0, 1))
        return self.texture[texel[:, 1], texel[:, 0]] * sharp + mean * (1 - sharp)


@dataclass(frozen=True, eq=False)
class Surface:
    """What points of a surface are like.

    Attributes:
        normals: float [n, 3], of length 1.
        places: float [n, 2], metres along the surface.
        spans: float [n, 2], size of the face in metres.
    """

    normals: np.ndarray
    places: np.ndarray
    spans: np.ndarray


@dataclass(frozen=True, eq=False)
class Box:
    """A box that is turned about the vertical axis.

    Attributes:
        centre: float [3].
        half: float [3], half of its sides.
        turn: radians about y.
        material: its look.
        hollow: whether it is seen from within: a room.
    """

    centre: np.ndarray
    half: np.ndarray
    turn: float
    material: Material
    hollow: bool = False

    def local(self, points: np.ndarray) -> np.ndarray:
        """Points float [n, 3] in the box's own axes, from its centre."""
        return _turned(points - self.centre.astype(np.float32), self.turn)

    def distance(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Where rays meet it, float [n], in units of their directions; NEVER if they miss."""
        origin = self.local(origins)
        rays = _turned(directions, self.turn)
        inverse = 1 / np.where(np.abs(rays) < _LEAST, _LEAST, rays)
        reach, middle = np.abs(inverse) * self.half.astype(np.float32), -origin * inverse
        enter, leave = (middle - reach).max(1), (middle + reach).min(1)
        if self.hollow:
            return np.where(leave > _AHEAD, leave, NEVER)
        return np.where((enter < leave) & (enter > _AHEAD), enter, NEVER)

    def passing(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Numbers of the rays that may meet it."""
        if self.hollow:
            return np.arange(len(origins))
        ball = float(np.linalg.norm(self.half))
        return _through_ball(self.centre, ball, origins, directions)

    def surface(self, points: np.ndarray) -> Surface:
        """The faces that points on the box, float [n, 3], lie on."""
        local = self.local(points)
        half = self.half.astype(np.float32)
        axis = np.abs(local / half).argmax(1)
        rows = np.arange(len(local))
        normals = np.zeros_like(local)
        normals[rows, axis] = np.sign(local[rows, axis])
        first, second = np.where(axis == 0, 2, 0), np.where(axis == 1, 2, 1)
        along = local[rows, first] + half[first], half[second] - local[rows, second]
        spans = 2 * np.stack([half[first], half[second]], 1)
        return Surface(_turned(normals, -self.turn), np.stack(along, 1), spans)

    def contains(self, place: np.ndarray, margin: float) -> bool:
        """Whether a place, float [3], is in the box or closer than `margin` to it."""
        return bool((np.abs(self.local(place[None]))[0] < self.half + margin).all())


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """An ellipsoid with upright axes.

    Attributes:
        centre: float [3].
        half: float [3], its radii.
        material: its look.
    """

    centre: np.ndarray
    half: np.ndarray
    material: Material

    def distance(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Where rays meet it, float [n], in units of their directions; NEVER if they miss."""
        radii = self.half.astype(np.float32)
        origin, ray = (origins - self.centre.astype(np.float32)) / radii, directions / radii
        a, b = (ray * ray).sum(1), (origin * ray).sum(1)
        inner = b * b - a * ((origin * origin).sum(1) - 1)
        distance = (-b - np.sqrt(np.maximum(inner, 0))) / a
        return np.where((inner > 0) & (distance > _AHEAD), distance, NEVER)

    def passing(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Numbers of the rays that may meet it."""
        return _through_ball(self.centre, float(self.half.max()), origins, directions)

    def surface(self, points: np.ndarray) -> Surface:
        """The skin at points, float [n, 3]."""
        local: np.ndarray = points - self.centre.astype(np.float32)
        normals = local / (self.half**2).astype(np.float32)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        around = np.arctan2(local[:, 0], local[:, 2]) * self.half[0]
        places = np.stack([around, local[:, 1]], 1)
        return Surface(normals, places, np.full_like(places, 4 * self.half[0]))

    def contains(self, place: np.ndarray, margin: float) -> bool:
        """Whether a place, float [3], is in the box around it or closer than `margin` to it."""
        return bool((np.abs(place - self.centre) < self.half + margin).all())


@dataclass(frozen=True, eq=False)
class Hills:
    """Ground whose height is a map that repeats.

    Attributes:
        heights: float32 [side, side].
        period: metres that the map covers.
        material: its look.
    """

    heights: np.ndarray
    period: float
    material: Material

    def height(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Height at places, interpolated."""
        side = len(self.heights)
        u, v = x * (side / self.period), z * (side / self.period)
        i, j = np.floor(u), np.floor(v)
        a, b = u - i, v - j
        i, j = i.astype(np.int32) % side, j.astype(np.int32) % side
        k, m = (i + 1) % side, (j + 1) % side
        near = self.heights[j, i] * (1 - a) + self.heights[j, k] * a
        far = self.heights[m, i] * (1 - a) + self.heights[m, k] * a
        return near * (1 - b) + far * b

    def distance(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Where rays meet the ground: marches with growing steps to the first point under it."""
        found = np.full(len(origins), NEVER, np.float32)
        going = np.flatnonzero(directions[:, 1] < 0.25 * np.abs(directions[:, [0, 2]]).max(1))
        before, above_before = 0.0, np.full(len(going), 1.0, np.float32)
        for step in range(_MARCH_STEPS):
            distance = _MARCH_START * _MARCH_GROWTH**step
            points = origins[going] + directions[going] * np.float32(distance)
            above = points[:, 1] - self.height(points[:, 0], points[:, 2]).astype(np.float32)
            under = above < 0
            share = above_before[under] / np.maximum(above_before[under] - above[under], 1e-6)
            found[going[under]] = before + share * (distance - before)
            going, above_before, before = going[~under], above[~under], distance
            if not going.size:
                break
        return found

    def surface(self, points: np.ndarray) -> Surface:
        """The ground at points, float [n, 3]."""
        step = np.float32(self.period / len(self.heights))
        here = self.height(points[:, 0], points[:, 2])
        across = self.height(points[:, 0] + step, points[:, 2]) - here
        along = self.height(points[:, 0], points[:, 2] + step) - here
        normals = np.stack([-across / step, np.ones_like(here), -along / step], 1)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        places = points[:, [0, 2]]
        return Surface(normals, places, np.full_like(places, self.period))


def _turned(vectors: np.ndarray, turn: float) -> np.ndarray:
    """Vectors in the axes of something that is turned about y."""
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    x, z = vectors[:, 0], vectors[:, 2]
    return np.stack([x * cosine - z * sine, vectors[:, 1], x * sine + z * cosine], 1)


def _through_ball(
    centre: np.ndarray, radius: float, origins: np.ndarray, directions: np.ndarray
) -> np.ndarray:
    """Numbers of the rays that start in a ball or enter it."""
    square = np.einsum("ij,ij->i", directions, directions)
    if len(origins) and origins.strides[0] == 0:  # All rays start at the camera.
        start = centre.astype(np.float32) - origins[0]
        along, outside = directions @ start, start @ start - np.float32(radius**2)
    else:
        offset = centre.astype(np.float32) - origins
        along = np.einsum("ij,ij->i", offset, directions)
        outside = np.einsum("ij,ij->i", offset, offset) - radius**2
    return np.flatnonzero((outside < 0) | ((along > 0) & (outside * square < along * along)))
