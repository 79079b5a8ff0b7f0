"""Surfaces: what colour a solid has at each point, as linear red, green and blue in 0..1."""

from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
from scipy import ndimage
from skimage import data

from pipeline.samples.solids import Hit, Paint, Vector, noise

Colour = Sequence[float]


def plain(colour: Colour, variation: float = 0.0, grain: float = 0.3) -> Paint:
    """One colour, lighter and darker by up to `variation` in blobs of `grain` metres."""

    def paint(hit: Hit) -> np.ndarray:
        shade = 1 + variation * 2 * (noise(hit.points, grain, octaves=3) - 0.5)
        return _column(colour) * shade

    return paint


def mixed(one: Colour, two: Colour, grain: float, sharpness: float = 3.0) -> Paint:
    """Patches of two colours, of `grain` metres."""

    def paint(hit: Hit) -> np.ndarray:
        share = (noise(hit.points, grain, octaves=4) - 0.5) * sharpness + 0.5
        return _blend(_column(one), _column(two), np.clip(share, 0, 1))

    return paint


def photographed(
    name: Literal["grass", "gravel"], colour: Colour, width: float, fade: float = 25.0
) -> Paint:
    """The brightness of a photographed ground, repeated every `width` metres in x and z, tinted.

    From `fade` metres on it goes over into its mean, which keeps the distance calm.
    """

    def paint(hit: Hit) -> np.ndarray:
        texture = _photograph(name)
        at = hit.points[[2, 0]] / width * texture.shape[0]
        seen = ndimage.map_coordinates(texture, at, order=1, mode="grid-wrap")
        large = 0.75 + 0.5 * noise(hit.points, 4 * width, octaves=3)
        return _column(colour) * (1 + (seen - 1) * np.exp(-hit.distances / fade)) * large

    return paint


def bands(colours: Sequence[Colour], width: float, axis: int = 1, start: float = 0.0) -> Paint:
    """Stripes of `width` metres along an axis, the colours in turn from `start` on."""

    def paint(hit: Hit) -> np.ndarray:
        index = np.floor((hit.points[axis] - start) / width).astype(int) % len(colours)
        return np.array(colours).T[:, index]

    return paint


def sectors(colours: Sequence[Colour], centre: Vector, tilt: float = 0.0) -> Paint:
    """Slices around an upright axis through `centre`, which leans right and forward by `tilt`
    degrees."""

    def paint(hit: Hit) -> np.ndarray:
        x, y, z = hit.points - _column(centre)
        lean = np.radians(tilt)
        x, y = x * np.cos(lean) - y * np.sin(lean), x * np.sin(lean) + y * np.cos(lean)
        y, z = y * np.cos(lean) - z * np.sin(lean), y * np.sin(lean) + z * np.cos(lean)
        turn = np.arctan2(z, x) / (2 * np.pi) % 1
        index = np.minimum((turn * len(colours)).astype(int), len(colours) - 1)
        cap = np.abs(y) > 0.97 * np.sqrt(x * x + y * y + z * z)
        return np.where(cap, 0.9, np.array(colours).T[:, index])

    return paint


def tiles(one: Colour, two: Colour, size: float, joint: float = 0.02, grey: float = 0.25) -> Paint:
    """A chequered floor of tiles of `size` metres with joints between them."""

    def paint(hit: Hit) -> np.ndarray:
        x, z = hit.points[0] / size, hit.points[2] / size
        odd = (np.floor(x) + np.floor(z)) % 2
        worn = 0.9 + 0.2 * noise(hit.points, size / 2, octaves=3)
        colours = _blend(_column(one), _column(two), odd) * worn
        edge = np.minimum(np.abs(x - np.rint(x)), np.abs(z - np.rint(z))) * size
        return np.where(edge < joint / 2, grey, colours)

    return paint


def bricks(colour: Colour, mortar: Colour, length: float = 0.5, height: float = 0.16) -> Paint:
    """A wall of bricks, each of its own shade."""

    def paint(hit: Hit) -> np.ndarray:
        along = np.where(np.abs(hit.normals[0]) > 0.5, hit.points[2], hit.points[0])
        row = np.floor(hit.points[1] / height)
        column = along / length + 0.5 * (row % 2)
        shade = 0.7 + 0.6 * noise(np.stack([np.floor(column) * 7.7, row * 3.3, 0 * row]), 1.0, 1)
        y = hit.points[1] / height - row
        x = column - np.floor(column)
        joint = (y < 0.12) | (x < 0.05)
        faded = np.exp(-hit.distances / 25)
        joints = joint * faded + 0.16 * (1 - faded)
        return _blend(_column(colour) * shade, _column(mortar), joints)

    return paint


def planks(colour: Colour, width: float, axis: int = 0, grain_axis: int = 2) -> Paint:
    """Boards of `width` metres side by side along an axis, with grain along another."""

    def paint(hit: Hit) -> np.ndarray:
        board = np.floor(hit.points[axis] / width)
        stretched = hit.points.copy()
        stretched[grain_axis] *= 0.06
        stretched = stretched + board * 5.7
        streaks = noise(stretched, width / 4, octaves=3)
        shade = (0.75 + 0.5 * noise(np.stack([board * 9.1, board, board]), 1.0, 1)) * (
            0.6 + 0.8 * streaks
        )
        edge = np.abs(hit.points[axis] / width - np.rint(hit.points[axis] / width)) * width
        faded = np.exp(-hit.distances / 20)
        return _column(colour) * shade * np.where(edge < 0.006, 1 - 0.65 * faded, 1)

    return paint


def windows(wall: Paint, pitch: tuple[float, float], opening: tuple[float, float]) -> Paint:
    """A facade: dark panes with light frames, every `pitch` metres across and up, in a wall."""

    def paint(hit: Hit) -> np.ndarray:
        along = np.where(np.abs(hit.normals[0]) > 0.5, hit.points[2], hit.points[0])
        x = np.abs(along / pitch[0] - np.rint(along / pitch[0])) * pitch[0] / (opening[0] / 2)
        storey = hit.points[1] / pitch[1] - 0.5
        y = np.abs(storey - np.rint(storey)) * pitch[1] / (opening[1] / 2)
        facade = np.abs(hit.normals[1]) < 0.5
        pane = facade & (x < 0.82) & (y < 0.88) & (x > 0.05)
        frame = facade & (x < 1) & (y < 1) & ~pane
        shine = 0.05 + 0.16 * noise(hit.points, 2.5)
        glass = np.array([[0.8], [1.0], [1.25]]) * shine
        return np.where(pane, glass, np.where(frame, 0.75, wall(hit)))

    return paint


def dotted(colour: Colour, dot: Colour, places: np.ndarray, radius: float) -> Paint:
    """A colour with round dots of `radius` metres at places [k, 3]."""

    def paint(hit: Hit) -> np.ndarray:
        away = np.full(hit.points.shape[1], np.inf)
        for place in places:
            away = np.minimum(away, np.linalg.norm(hit.points - place[:, None], axis=0))
        return np.where(away < radius, _column(dot), _column(colour))

    return paint


@cache
def _photograph(name: str) -> np.ndarray:
    """A photograph's linear brightness [512, 512], its mean 1 and its slow changes taken out."""
    grey = (data.gravel() if name == "gravel" else data.grass()).astype(np.float32) ** 2.2
    return np.clip(grey / ndimage.gaussian_filter(grey, 60, mode="wrap"), 0, 2.5)


def _column(colour: Colour) -> np.ndarray:
    return np.array(colour, np.float32)[:, None]


def _blend(one: np.ndarray, two: np.ndarray, share: np.ndarray) -> np.ndarray:
    return one * (1 - share) + two * share
