"""Pictures with relative inverse depth, read from folders."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from training.metrics import scale_and_shift
from training.sources import (
    DRAWN,
    FREE_PAIRS,
    FREE_PHOTOGRAPHS,
    HELD_OUT_NUMBER,
    PHOTOGRAPHS,
    ROOM_TEACHER,
    TEACHERS,
    Source,
)

SHORT_SIDE = 176
LONG_SIDE = 256
_TEACHER_SHARES = (0.65, 0.35)
_AGREEMENT = 0.5
_ROAD_AGREEMENT = 0.4
_ROOM_TEACHER_SHARE = 0.4


@dataclass(frozen=True, eq=False)
class Labelled:
    """A picture with its label.

    Attributes:
        picture: uint8 [height, width, 3].
        inverse: float16 [height, width], inverse depth up to scale and shift, its 1st and 99th
            percentile at 0 and 1; NaN where there is no value.
        agreement: correlation of the two teachers, 1 for measured depth.
    """

    picture: np.ndarray
    inverse: np.ndarray
    agreement: float = 1.0


@dataclass(frozen=True, eq=False)
class Pair:
    """A picture with measured depth, as it is stored.

    Attributes:
        name: name of the frame.
        picture: the picture.
        inverse: float64 [height, width], inverse depth; NaN where there is no value.
    """

    name: str
    picture: Image.Image
    inverse: np.ndarray


def read_pairs(folder: Path, source: Source) -> Iterator[Pair]:
    """Reads `rgb/NAME.jpg` with `depth/NAME.png` or `disparity/NAME.png` (16-bit, 0 is a hole)."""
    for path in sorted((folder / "rgb").glob("*.jpg")):
        depth = folder / "depth" / f"{path.stem}.png"
        stored = depth if depth.exists() else folder / "disparity" / f"{path.stem}.png"
        values = np.asarray(Image.open(stored)).astype(np.float64)
        valid = np.ones(values.shape, bool) if source.zero_is_value else values > 0
        if stored == depth:
            if source.farthest is not None:
                valid &= values < source.farthest
            values = 1.0 / np.maximum(values, 1.0)
        elif source.zero_is_value:
            values = values + 1.0
        yield Pair(path.stem, Image.open(path).convert("RGB"), np.where(valid, values, np.nan))


def labelled_pairs(folder: Path, source: Source) -> list[Labelled]:
    """The pairs of a source at training size; frames with hardly a value are left out."""
    found: list[Labelled] = []
    for pair in read_pairs(folder, source):
        valid = np.isfinite(pair.inverse)
        if valid.mean() < 0.05:
            continue
        size = training_size(*pair.picture.size)
        resize = _scatter if source.sparse else _resize_with_holes
        label = resize(pair.inverse, size)
        picture = np.asarray(pair.picture.resize(size, Image.Resampling.BILINEAR))
        found.append(Labelled(picture, normalised(label)))
    return found


def labelled_photographs(root: Path) -> list[Labelled]:
    """Photographs whose two teachers agree, with the mean of their maps."""
    found = [
        labelled
        for path in sorted((root / "photos").glob("*.jpg"))
        if (labelled := taught(root, path, "photos")) and labelled.agreement > _AGREEMENT
    ]
    for path in sorted((root / "eva4_s15a" / "backgrounds").glob("*.png")):
        if number(path) <= HELD_OUT_NUMBER:
            labelled = taught(root, path, "eva4_backgrounds")
            if labelled and labelled.agreement > _ROAD_AGREEMENT:
                found.append(labelled)
    return found


def free_photographs(root: Path) -> list[Labelled]:
    """Photographs that anyone may use, with the map of the first teacher.

    Where there is a map of the teacher of rooms, it has a share of two fifths.
    """
    found: list[Labelled] = []
    for path in sorted((root / FREE_PHOTOGRAPHS.name).glob("*.jpg")):
        picture = Image.open(path).convert("RGB")
        size = training_size(*picture.size)
        label = taught_by(TEACHERS[0], root, path, FREE_PHOTOGRAPHS.name, size)
        room = taught_by(ROOM_TEACHER, root, path, FREE_PHOTOGRAPHS.name, size)
        if label is not None:
            if room is not None:
                aligned = (room - room.mean()) / max(float(room.std()), 1e-6) * label.std()
                label = label + _ROOM_TEACHER_SHARE * (label.mean() + aligned - label)
            pixels = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
            found.append(Labelled(pixels, normalised(label)))
    return found


def taught_by(
    teacher: str, root: Path, path: Path, place: str, size: tuple[int, int]
) -> np.ndarray | None:
    """A teacher's map of a photograph at a size, float32 in 0..1; None without one."""
    stored = root / "teachers" / teacher / place / f"{path.stem}.png"
    if not stored.exists():
        return None
    grey = Image.open(stored).convert("L").resize(size, Image.Resampling.BILINEAR)
    return np.asarray(grey).astype(np.float32) / 255


def taught(root: Path, path: Path, place: str) -> Labelled | None:
    """A photograph with the teachers' mean, the second aligned to the first; None without maps."""
    picture = Image.open(path).convert("RGB")
    size = training_size(*picture.size)
    first, second = (taught_by(teacher, root, path, place, size) for teacher in TEACHERS)
    if first is None or second is None:
        return None
    scale, shift = scale_and_shift(second.ravel(), first.ravel())
    agreement, label = 0.0, first
    if scale > 0:
        agreement = max(0.0, float(np.corrcoef(first.ravel(), second.ravel())[0, 1]))
        label = _TEACHER_SHARES[0] * first + _TEACHER_SHARES[1] * (second * scale + shift)
    pixels = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
    return Labelled(pixels, normalised(label), agreement)


def load_training(
    root: Path, scenes: Path, sources: tuple[Source, ...]
) -> dict[Source, list[Labelled]]:
    """All labelled pictures by source.

    Args:
        root: folder with those of `free_photos`, `free_rgbd`, `rgbd`, `photos`, `teachers` and
            `eva4_s15a` that the sources need.
        scenes: folder of `training.draw_scenes`.
        sources: what to read.
    """

    def read(source: Source) -> list[Labelled]:
        if source == PHOTOGRAPHS:
            return labelled_photographs(root)
        if source == FREE_PHOTOGRAPHS:
            return free_photographs(root)
        pairs = root / ("free_rgbd" if source in FREE_PAIRS else "rgbd")
        return labelled_pairs((scenes if source in DRAWN else pairs) / source.name, source)

    return {source: read(source) for source in sources}


def number(path: Path) -> int:
    """The last number in a file's name, 0 without one."""
    found = re.findall(r"\d+", path.stem)
    return int(found[-1]) if found else 0


def training_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) with the short side at 176 and the long one at most 256."""
    scale = SHORT_SIDE / min(width, height)
    fitted = [max(SHORT_SIDE, min(LONG_SIDE, round(side * scale))) for side in (width, height)]
    return fitted[0], fitted[1]


def normalised(label: np.ndarray) -> np.ndarray:
    """A label with its 1st percentile at 0 and its 99th at 1, clipped to -0.3..1.5, as float16."""
    low, high = np.nanpercentile(label, [1, 99])
    return ((label - low) / max(high - low, 1e-9)).clip(-0.3, 1.5).astype(np.float16)


def _resize_with_holes(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    valid = np.isfinite(values)

    def resized(array: np.ndarray) -> np.ndarray:
        image = Image.fromarray(array.astype(np.float32))
        return np.asarray(image.resize(size, Image.Resampling.BILINEAR))

    weight, total = resized(valid), resized(np.where(valid, values, 0.0))
    return np.where(weight > 0.5, total / np.maximum(weight, 1e-6), np.nan).astype(np.float32)


def _scatter(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    label = np.full((height, width), np.nan, np.float32)
    rows, columns = np.nonzero(np.isfinite(values))
    scaled = rows * height // values.shape[0], columns * width // values.shape[1]
    label[scaled] = values[rows, columns]
    return label
