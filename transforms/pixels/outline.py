"""The outline of a mask as one polygon, for formats that hold no masks.

The outline is where the mask, seen as a surface through the centres of its pixels, passes the value
that decides whether a pixel is solid. So the centre of a pixel is inside the polygon where its mask
is solid, but for what is left out: parts and holes of less than a pixel, and vertices that stand
out from their neighbours' line by less than a sixteenth of one.

A polygon has one ring. Holes and further parts are joined to it by a line there and back between
the two points that are nearest to each other, which encloses nothing.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from contourpy import FillType, contour_generator

UNITS = 256
"""Units of a coordinate in a pixel. With 8-bit masks no crossing falls half-way between two."""

_THRESHOLD = 127.5
_TOO_FAR_OUT = UNITS / 16
_PASSES = 4


def outline(mask: np.ndarray) -> np.ndarray:
    """The outline of the pixels with mask >= 128.

    Args:
        mask: uint8 [height, width].

    Returns:
        int64 [n, 2], x and y of the vertices in 1/256 of a pixel from the upper left corner of the
        picture; empty where there is no such pixel.
    """
    height, width = mask.shape
    rows, columns = (np.flatnonzero((mask >= 128).any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return np.zeros((0, 2), np.int64)
    top, left = max(0, rows[0] - 1), max(0, columns[0] - 1)
    # Beyond the border the mask is 0: outlines are closed.
    part = np.pad(mask[top : rows[-1] + 2, left : columns[-1] + 2], 1).astype(np.float64)
    contours = contour_generator(z=part, fill_type=FillType.OuterOffset)
    filled: tuple[Any, ...] = contours.filled(_THRESHOLD, 256.0)
    points, offsets = filled
    corner = np.array([left, top]) - 0.5  # Of the pad's pixels, whose centres are at integers.
    parts = []
    for vertices, ends in zip(points, offsets, strict=True):
        exact = np.rint((vertices + corner) * UNITS).astype(np.int64)
        exact = np.clip(exact, 0, np.array([width, height]) * UNITS)
        rings = [_thinned(exact[a : b - 1]) for a, b in pairwise(ends)]
        holes = [ring for ring in rings[1:] if _area(ring) >= UNITS**2]
        parts.append((_area(rings[0]), rings[0], holes))
    parts.sort(key=lambda each: -each[0])
    kept = [each for each in parts if each[0] >= UNITS**2] or parts[:1]
    return _joined([_joined([ring, *holes]) for _, ring, holes in kept])


def _area(ring: np.ndarray) -> float:
    x, y = ring.T
    return abs(int(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2


def _thinned(ring: np.ndarray) -> np.ndarray:
    """Without vertices on the line between their neighbours, or very near to it."""
    for _ in range(_PASSES):
        if len(ring) < 8:
            break
        # Every other vertex may go, so that the neighbours of those that go stay.
        even = ring[: len(ring) // 2 * 2]
        before, middle = even[0::2], even[1::2]
        after = np.concatenate([even[2::2], ring[-1:] if len(ring) % 2 else ring[:1]])
        along, out = after - before, middle - before
        cross = np.abs(along[:, 0] * out[:, 1] - along[:, 1] * out[:, 0])
        length = np.sqrt((along**2).sum(axis=1).astype(np.float64))
        keep = np.ones(len(ring), bool)
        keep[1 : len(even) : 2] = cross > _TOO_FAR_OUT * length
        if keep.all():
            break
        ring = ring[keep]
    return ring


def _joined(rings: Sequence[np.ndarray]) -> np.ndarray:
    """One ring through all, the nearest first: what stands behind another is joined to that."""
    chain, others = rings[0], list(rings[1:])
    links = [_link(chain, ring) for ring in others]
    while others:
        nearest = min(range(len(others)), key=lambda i: links[i][0])
        (_, here, there), ring = links.pop(nearest), others.pop(nearest)
        [at, *_] = np.flatnonzero((chain == here).all(axis=1))
        start = int(np.flatnonzero((ring == there).all(axis=1))[0])
        way = np.concatenate([ring[start:], ring[: start + 1]])
        chain = np.concatenate([chain[: at + 1], way, chain[at:]])
        links = [
            min(link, _link(ring, other), key=lambda each: each[0])
            for link, other in zip(links, others, strict=True)
        ]
    return chain


def _link(ring: np.ndarray, other: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """The shortest way from a vertex to one of another ring: its square, and both ends."""
    best = (np.iinfo(np.int64).max, ring[0], other[0])
    for start in range(0, len(ring), 1024):  # A matrix of all distances may be large.
        some = ring[start : start + 1024]
        squares = ((some[:, None] - other[None]) ** 2).sum(axis=2)
        i, j = np.unravel_index(int(squares.argmin()), squares.shape)
        if squares[i, j] < best[0]:
            best = (int(squares[i, j]), some[i], other[j])
    return best
