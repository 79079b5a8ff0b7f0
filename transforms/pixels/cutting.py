"""From a photograph and a model's map to cut-outs with clean edges and colours, and a report."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from transforms.pixels.images import BadImage
from transforms.pixels.matting import (
    box_mean,
    enlarged,
    foreground_colours,
    guided_filter,
    stretched,
)
from transforms.pixels.parts import connected_parts

PARTS = ("all", "largest", "separate")
"""What becomes of several objects in one photograph."""

DOUBT = ("keep", "skip")
"""What becomes of a cut-out that is likely to be wrong."""

MOST_UNSURE = 0.6
"""A cut-out whose unsure share is larger is doubtful."""

LEAST_PART = 0.05
"""Parts smaller than this share of the largest are dropped."""

LEAST_AREA, MOST_AREA = 0.002, 0.95
"""Shares of the picture: a smaller object counts as none, a larger one is the whole picture."""

GUIDE_SIDE = 384
"""Longer side, in pixels, of the picture that guides the filter, and of the map it filters."""

FILTER_RADIUS, FILTER_SMOOTHNESS = 5, 1e-4
STRETCH = (0.15, 0.85)
"""Alpha below the first becomes 0 and above the second 1."""

_UNSURE = (0.1, 0.9)
_REACH = 6
_SOLID = 1 / 255


@dataclass(frozen=True)
class CutoutRules:
    """How cut-outs are made of a model's map.

    Attributes:
        parts: `all` keeps the parts of a photograph together, `largest` keeps one of them, and
            `separate` makes a cut-out of each.
        doubt: `skip` refuses doubtful cut-outs, `keep` keeps them.
        crop: whether a cut-out is cropped to its object.
    """

    parts: str = "all"
    doubt: str = "skip"
    crop: bool = True


@dataclass(frozen=True)
class CutoutReport:
    """What is known of a cut-out.

    Attributes:
        unsure: pixels with a probability between 0.1 and 0.9, per pixel above 0.5.
        area: share of the photograph that the object covers, 0..1.
        touches: sides of the photograph that the object touches, of `top`, `right`, `bottom` and
            `left`.
        parts: parts that were kept.
        dropped: parts that were dropped.
        doubt: why it is likely to be wrong, or the empty string.
    """

    unsure: float
    area: float
    touches: tuple[str, ...]
    parts: int
    dropped: int
    doubt: str

    @property
    def note(self) -> str:
        """The report in a few words, such as `unsure 0.12, 31% of the picture, touches left`."""
        words = [f"unsure {self.unsure:.2f}", f"{self.area:.0%} of the picture"]
        words += [f"touches {' and '.join(self.touches)}"] if self.touches else []
        words += [f"{self.parts} parts"] if self.parts > 1 else []
        words += [f"{self.dropped} dropped"] if self.dropped else []
        words += [f"doubtful: {self.doubt}"] if self.doubt else []
        return ", ".join(words)


@dataclass(frozen=True, eq=False)
class CutOut:
    """An object cut out of a photograph.

    Attributes:
        rgba: uint8 [height, width, 4], straight colour.
        left: column of the photograph at which it begins.
        top: row of the photograph at which it begins.
        report: what is known of it.
    """

    rgba: np.ndarray
    left: int
    top: int
    report: CutoutReport


def cut_out(picture: np.ndarray, chance: np.ndarray, rules: CutoutRules) -> list[CutOut]:
    """Cuts the object, or each object, out of a photograph.

    Args:
        picture: uint8 [height, width, 3].
        chance: float [rows, columns] in 0..1, the probability that a pixel belongs to an object;
            a map of the whole picture at any size.
        rules: what becomes of several parts, and of doubtful cut-outs.

    Returns:
        One cut-out, or with `separate` one for each part, the largest first.

    Raises:
        BadImage: nothing was found, or the cut-out is doubtful and `rules.doubt` is `skip`.
    """
    size = guide_size(picture.shape[1], picture.shape[0])
    chance = np.clip(enlarged(chance, size), 0, 1)
    labels = connected_parts(chance > 0.5)
    sizes = np.bincount(labels.ravel())[1:]
    if not len(sizes) or sizes.sum() < LEAST_AREA * labels.size:
        raise BadImage("the cut-out model finds no object in it")
    kept = int((sizes >= LEAST_PART * sizes[0]).sum())
    used = 1 if rules.parts == "largest" else kept
    dropped = len(sizes) - used
    wanted = [[n + 1] for n in range(used)] if rules.parts == "separate" else [range(1, used + 1)]
    found = []
    for numbers in wanted:
        own = chance * _share(labels, numbers)
        report = _report(own, len(numbers), dropped)
        if report.doubt and rules.doubt == "skip":
            raise BadImage(f"its cut-out is doubtful: {report.doubt}; --cutout_doubt=keep keeps it")
        alpha = stretched(filtered_map(picture, own), *STRETCH)
        found.append(_cropped(picture, alpha, report, rules.crop))
    return found


def large_parts(chance: np.ndarray) -> np.ndarray:
    """A map without the parts that `cut_out` drops: float32 [height, width] in 0..1."""
    labels = connected_parts(chance > 0.5)
    sizes = np.bincount(labels.ravel())[1:]
    if not len(sizes):
        return chance
    kept = int((sizes >= LEAST_PART * sizes[0]).sum())
    return chance * _share(labels, range(1, kept + 1))


def filtered_map(picture: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """A map at the size of its picture, its edges along those of the picture.

    Args:
        picture: uint8 [height, width, 3].
        chance: float [rows, columns] in 0..1, at most as large as the picture.

    Returns:
        float32 [height, width], about 0..1.
    """
    height, width = picture.shape[:2]
    small = Image.fromarray(picture).resize(
        (chance.shape[1], chance.shape[0]), Image.Resampling.BOX
    )
    slopes, offsets = guided_filter(
        np.asarray(small) / np.float32(255), chance, FILTER_RADIUS, FILTER_SMOOTHNESS
    )
    filtered = enlarged(offsets, (width, height))
    for channel in range(3):
        slope = enlarged(slopes[..., channel], (width, height))
        filtered = filtered + slope * (picture[..., channel] / np.float32(255))
    return filtered


def unsure_share(chance: np.ndarray) -> float:
    """Pixels with a probability between 0.1 and 0.9, per pixel above 0.5; infinite without any."""
    inside = int((chance > 0.5).sum())
    between = int(((chance > _UNSURE[0]) & (chance < _UNSURE[1])).sum())
    return between / inside if inside else float("inf")


def guide_size(width: int, height: int) -> tuple[int, int]:
    """The (width, height) at which a map of a picture is judged and filtered."""
    return fitted_within(width, height, GUIDE_SIDE)


def fitted_within(width: int, height: int, side: int) -> tuple[int, int]:
    """The (width, height) of a picture whose longer side is made at most `side`."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _share(labels: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
    """1 near the parts that are wanted, 0 near the others and between where both are near."""
    own = np.isin(labels, list(numbers))
    others = (labels > 0) & ~own
    if not others.any():
        return np.ones(labels.shape, np.float32)
    near = box_mean(own, _REACH)
    far = box_mean(others, _REACH)
    return (near >= far).astype(np.float32) * ~others


def _report(chance: np.ndarray, parts: int, dropped: int) -> CutoutReport:
    inside = chance > 0.5
    unsure = unsure_share(chance)
    area = float(inside.mean())
    sides = {
        "top": inside[0],
        "right": inside[:, -1],
        "bottom": inside[-1],
        "left": inside[:, 0],
    }
    touches = tuple(side for side, pixels in sides.items() if pixels.any())
    doubt = ""
    if unsure > MOST_UNSURE:
        doubt = f"the model is unsure of it ({unsure:.2f}, more than {MOST_UNSURE:g})"
    elif area > MOST_AREA:
        doubt = f"it is {area:.0%} of the picture"
    return CutoutReport(unsure, area, touches, parts, dropped, doubt)


def _cropped(picture: np.ndarray, alpha: np.ndarray, report: CutoutReport, crop: bool) -> CutOut:
    top, left = 0, 0
    if crop and (solid := alpha >= _SOLID).any():
        rows, columns = np.flatnonzero(np.any(solid, axis=1)), np.flatnonzero(np.any(solid, axis=0))
        top, left = int(rows[0]), int(columns[0])
        picture = picture[top : rows[-1] + 1, left : columns[-1] + 1]
        alpha = alpha[top : rows[-1] + 1, left : columns[-1] + 1]
    colours = foreground_colours(np.ascontiguousarray(picture), alpha)
    rgba = np.dstack([colours, np.rint(alpha * 255).astype(np.uint8)])
    return CutOut(rgba, left, top, report)
