"""The ground of a background: where an object could stand, from the background's depth map.

A floor or road seen by a level camera grows nearer from its horizon downwards, is equally near
along a row, and is the farthest surface of its row. Walls do not grow nearer downwards; tables and
other raised things are nearer than the floor in the same row. And it reaches the camera: tops of
hedges and trees that rise away behind something do not count.
"""

import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np

LEAST_AREA = 0.03
"""Share of a picture that is ground at least where objects are put on it."""

_HORIZON_SHARE = 0.15  # The less, the nearer to the horizon of a plane; under it maps are vague.
_SLOPE_SHARE = 0.3
_SIDEWAYS = 1.0
_TOLERANCE = 0.12
_FAR_TOLERANCE = 0.25  # Of the rise of the floor above the farthest of the picture.
_LOW_QUANTILE = 0.4
_FOREGROUND_PART = 3  # Ground reaches the lowest third of the rows below the horizon.
_LEAST_ROWS = 12
_NEAREST = 1e-6  # Metric models may say 0, which has no inverse.


@dataclass(frozen=True, eq=False)
class Ground:
    """Where objects can stand in a picture.

    Attributes:
        horizon: row in which the ground ends; the ground lies below it. In a part of a picture it
            may be above the part.
        mask: bool [height, width], the pixels of the ground.
        nearness: uint8 [height, width], relative inverse depth of the background, 255 nearest.
        floor: uint8 [height], nearness of the ground in each row.
        found: whether there is ground at all.
    """

    horizon: int
    mask: np.ndarray
    nearness: np.ndarray
    floor: np.ndarray
    found: bool

    @cached_property
    def first(self) -> int:
        """The farthest row with ground; the height where there is none."""
        rows = np.flatnonzero(self.mask.any(axis=1))
        return int(rows[0]) if len(rows) else len(self.mask)

    @cached_property
    def _columns(self) -> dict[int, np.ndarray]:
        return {}

    def columns(self, row: int) -> np.ndarray:
        """Columns of the ground in a row, remembered: int32 [n]."""
        found = self._columns.get(row)
        if found is None:
            found = self._columns[row] = np.flatnonzero(self.mask[row]).astype(np.int32)
        return found

    def to_bytes(self) -> bytes:
        """The ground as an `.npz` file, equal for equal grounds."""
        file = io.BytesIO()
        np.savez(
            file,
            horizon=self.horizon,
            mask=self.mask,
            nearness=self.nearness,
            floor=self.floor,
            found=self.found,
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Ground":
        """Reads what `to_bytes` has made. Raises an exception when it is damaged."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(
                int(arrays["horizon"]),
                arrays["mask"],
                arrays["nearness"],
                arrays["floor"],
                bool(arrays["found"]),
            )


def find_ground(depth: np.ndarray, near_is_large: bool = True) -> Ground:
    """Finds the ground in a depth map.

    Args:
        depth: float32 [height, width], finite: inverse depth at any scale and shift, or depth.
        near_is_large: whether larger values are nearer, as in inverse depth.

    Returns:
        The ground; `found` is False where nothing looks like one.
    """
    inverse = depth if near_is_large else 1 / np.maximum(depth, np.float32(_NEAREST))
    low, high = float(inverse.min()), float(inverse.max())
    nearness = (inverse - np.float32(low)) / np.float32(high - low if high > low else 1.0)
    height, width = nearness.shape
    smooth = _box(nearness, max(1, min(height, width) // 80))
    medians = np.median(smooth, axis=1)
    span = float(medians.max() - medians.min())
    below = medians < medians.min() + _HORIZON_SHARE * span
    horizon = int(np.flatnonzero(below)[-1]) if below.any() else 0
    levels = np.rint(nearness * 255).astype(np.uint8)
    nothing = Ground(
        horizon, np.zeros((height, width), bool), levels, np.zeros(height, np.uint8), False
    )
    if span < 0.1 or height - horizon < _LEAST_ROWS:
        return nothing
    slope = span * (1 - _HORIZON_SHARE) / (height - horizon)
    down = np.gradient(smooth, axis=0)
    across = np.abs(np.gradient(smooth, axis=1))
    candidate = (down > _SLOPE_SHARE * slope) & (across < _SIDEWAYS * np.maximum(down, slope / 2))
    candidate[: horizon + 1] = False
    floor = _floor_of_rows(smooth, candidate, horizon)
    # Far ground rises little, and so may what still counts as ground.
    rise = floor - medians.min()
    most = np.minimum(_TOLERANCE * span, _FAR_TOLERANCE * rise)
    mask = candidate & (np.abs(smooth - floor[:, None]) < most[:, None])
    # Single pixels go, small holes close.
    mask = _box(mask.astype(np.float32), max(1, min(height, width) // 50)) > 0.5
    mask[: horizon + 1] = False
    mask = _connected(mask, height - (height - horizon) // _FOREGROUND_PART)
    found = np.count_nonzero(mask) >= LEAST_AREA * mask.size
    if not found:
        return nothing
    floor = np.rint(np.clip(floor, 0, 1) * 255).astype(np.uint8)
    return Ground(horizon, mask, levels, floor, True)


def _connected(mask: np.ndarray, row: int) -> np.ndarray:
    """The parts of a mask that reach the rows from `row` on, side by side or one above another."""
    found = mask.copy()
    found[:row] = False
    count = -1
    while count != (count := int(np.count_nonzero(found))):
        for rows in (range(len(mask) - 1, 0, -1), range(len(mask) - 1)):
            step = rows.step
            for start in rows:
                after = start + step
                _spread(found[start], found[after], mask[after])
    return found


def _spread(before: np.ndarray, found: np.ndarray, row: np.ndarray) -> None:
    """Adds to `found` all runs of a row that touch it or the row before, in place."""
    touched = (before | found) & row
    if not touched.any():
        return
    # Runs and gaps between them are numbered from left to right.
    numbers = np.cumsum(np.diff(row, prepend=row[:1]))
    reached = np.zeros(int(numbers[-1]) + 1, bool)
    reached[numbers[touched]] = True
    found |= reached[numbers] & row


def _floor_of_rows(smooth: np.ndarray, candidate: np.ndarray, horizon: int) -> np.ndarray:
    """Nearness of the floor in each row: the far candidates, never falling downwards."""
    height, width = smooth.shape
    counts = candidate.sum(axis=1)
    ordered = np.sort(np.where(candidate, smooth, np.float32(np.inf)), axis=1)
    middle = (_LOW_QUANTILE * np.maximum(counts - 1, 0)).astype(np.int64)
    floor = ordered[np.arange(height), middle].astype(np.float64)
    floor[(counts < 0.05 * width) | (np.arange(height) <= horizon)] = np.nan
    known = np.flatnonzero(~np.isnan(floor))
    if not len(known):
        return np.full(height, np.inf)
    filled = np.interp(np.arange(height), known, floor[known])
    return np.maximum.accumulate(filled)


def _box(values: np.ndarray, radius: int) -> np.ndarray:
    """Mean over a square of side 2 * radius + 1, with repeated borders: float32, same shape."""
    padded = np.pad(values.astype(np.float64), radius + 1, mode="edge").cumsum(0).cumsum(1)
    side = 2 * radius + 1
    total = (
        padded[side:-1, side:-1]
        - padded[: -side - 1, side:-1]
        - padded[side:-1, : -side - 1]
        + padded[: -side - 1, : -side - 1]
    )
    return (total / side**2).astype(np.float32)
