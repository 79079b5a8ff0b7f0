"""Placement: where each foreground is pasted, as a pure function of the seed and the ids."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from transforms.elements import Placement
from transforms.pixels.images import fitted_size
from transforms.pixels.size import Size
from transforms.plan.seeding import permuted, random_key, uniform

_PLACE, _SCALE = 11, 12


@dataclass(frozen=True)
class Canvas:
    """Geometry of a placement.

    Attributes:
        image_size: size of the composite.
        foreground_size: side of the square that a pasted foreground fits into, in pixels.
        scale_jitter: lowest and highest factor on `foreground_size`, or None for 1.
    """

    image_size: Size
    foreground_size: int
    scale_jitter: tuple[float, float] | None

    @property
    def largest_box(self) -> int:
        """Side of the largest square that a foreground is fitted into."""
        return self._box(self.scale_jitter[1]) if self.scale_jitter else self.foreground_size

    @property
    def smallest_box(self) -> int:
        """Side of the smallest square that a foreground is fitted into."""
        return self._box(self.scale_jitter[0]) if self.scale_jitter else self.foreground_size

    def _box(self, factor: float) -> int:
        return max(1, round(self.foreground_size * factor))

    def fewest_places(self, width: int, height: int) -> int:
        """Places of a foreground of the given original size at its largest scale."""
        fitted_width, fitted_height = fitted_size(width, height, self.largest_box)
        columns = self.image_size.width - fitted_width + 1
        return columns * (self.image_size.height - fitted_height + 1)


def place(
    canvas: Canvas,
    seed: int,
    fg_ids: np.ndarray,
    fg_sizes: list[tuple[int, int]],
    bg_ids: np.ndarray,
    flips: np.ndarray,
    seqs: np.ndarray,
    prefix: str = "",
) -> Iterator[Placement]:
    """Draws the places of samples; each is uniform over all places where the foreground is inside.

    The places of one foreground, background and flip are distinct: without scale jitter as
    positions, with it as positions and sizes.

    Args:
        canvas: the geometry.
        seed: the data set's seed.
        fg_ids: int64 [n].
        fg_sizes: original (width, height) of each sample's foreground.
        bg_ids: int64 [n].
        flips: int64 [n], 0 or 1.
        seqs: int64 [n], from 1.
        prefix: what the keys of the samples begin with.

    Yields:
        The n placements, in order.
    """
    boxes = np.full(len(fg_ids), canvas.foreground_size)
    if canvas.scale_jitter:
        low, high = canvas.scale_jitter
        share = uniform(random_key(seed, _SCALE, fg_ids, bg_ids, flips, seqs))
        boxes = np.maximum(
            1, np.rint(canvas.foreground_size * (low + (high - low) * share))
        ).astype(int)
    sizes = np.array(
        [
            fitted_size(width, height, box)
            for (width, height), box in zip(fg_sizes, boxes.tolist(), strict=True)
        ]
    ).reshape(-1, 2)
    columns, rows = (np.array(canvas.image_size.pair) - sizes + 1).T
    key = random_key(seed, _PLACE, fg_ids, bg_ids, flips, boxes)
    position = permuted(seqs - 1, columns * rows, key)
    table = zip(
        fg_ids.tolist(),
        bg_ids.tolist(),
        flips.tolist(),
        seqs.tolist(),
        (position % columns).tolist(),
        (position // columns).tolist(),
        sizes[:, 0].tolist(),
        sizes[:, 1].tolist(),
        [prefix] * len(fg_ids),
        strict=True,
    )
    return (Placement(*row) for row in table)
