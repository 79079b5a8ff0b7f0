"""The connected parts of a mask."""

import numpy as np


def connected_parts(inside: np.ndarray) -> np.ndarray:
    """Numbers the connected parts of a mask; pixels that touch at a corner are connected.

    Args:
        inside: bool [height, width].

    Returns:
        int32 [height, width]: 0 outside, and 1, 2, ... from the largest part to the smallest; parts
        of one size in the order of their first pixels, row by row.
    """
    height, width = inside.shape
    edges = np.zeros((height, width + 2), np.int8)
    edges[:, 1:-1] = inside
    steps = np.diff(edges, axis=1)
    rows, starts = np.nonzero(steps > 0)
    stops = np.nonzero(steps < 0)[1]
    parents = _joined(rows, starts, stops)
    labels = np.zeros((height, width), np.int32)
    if not len(rows):
        return labels
    roots, numbers = np.unique(parents, return_inverse=True)
    sizes = np.bincount(numbers, stops - starts, len(roots))
    rank = np.empty(len(roots), np.int32)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(1, len(roots) + 1)
    labels[inside] = np.repeat(rank[numbers], stops - starts)
    return labels


def _joined(rows: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """For each run of pixels the first run of its part; runs are in the order of rows, columns."""
    parents = list(range(len(rows)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]
            run = parents[run]
        return run

    row, start, stop = rows.tolist(), starts.tolist(), stops.tolist()
    above = 0
    for run in range(len(row)):
        while row[above] < row[run] - 1:
            above += 1
        candidate = above
        while row[candidate] == row[run] - 1 and start[candidate] <= stop[run]:
            if stop[candidate] >= start[run]:
                a, b = root(candidate), root(run)
                parents[max(a, b)] = min(a, b)
            else:
                # Runs to the right of this one lie to the right of it too.
                above = candidate + 1
            candidate += 1
    return np.array([root(run) for run in range(len(row))], np.int64)
