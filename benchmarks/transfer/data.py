"""Pictures with what is to be learnt of them: from data sets, and real ones from folders."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.readers.torch import MaskDepthDataset

UNJUDGED = 255
"""Value of a label that is neither learnt nor scored."""

DEPTH_SIDE = 192
"""Shorter side of measured depth at most; larger maps are thinned out."""

_NEAREST = 1e-6  # Metric models may say 0, which has no inverse.
_LEAST_MEASURED = 0.05


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture and what is to be learnt of it.

    Attributes:
        image: uint8 [height, width, 3], RGB.
        target: float32 [height, width], NaN where it is unknown: share of the objects in a pixel,
            or inverse depth, about 1 where it is nearest. Measured depth may have fewer pixels than
            the image.
        source: the folder that a real picture comes from.
    """

    image: np.ndarray
    target: np.ndarray
    source: str = ""


def holds_depth(folder: Path) -> bool:
    """Whether a folder of real pictures has measured depth, and no objects."""
    objects = (folder / "labels").is_dir() or (folder / "masks").is_dir()
    return not objects and any((folder / name).is_dir() for name in ("depth", "disparity"))


def read_set(folder: Path, most: int, depth: bool = False) -> Iterator[Picture]:
    """Samples of the split `train` of a data set in Parquet, evenly chosen, `most` at most.

    Args:
        folder: of the data set.
        most: samples.
        depth: whether the target is the depth; else it is the mask.

    Raises:
        FileNotFoundError: the folder has no such split in Parquet.
        ValueError: depth is wanted, and the data set has none.
    """
    samples = MaskDepthDataset(folder)
    if depth and not samples.has_depth:
        raise ValueError(f"{folder}: the data set has no depth")
    near_is_large = not depth or _near_is_large(folder)
    count = min(most, len(samples))
    for number in range(count):
        sample = samples[number * len(samples) // count]
        pixels = np.rint(sample["fg_bg"].numpy() * 255).astype(np.uint8)
        target = sample["depth" if depth else "mask"][0].numpy()
        if depth:
            target = scaled(target if near_is_large else 1 / np.maximum(target, _NEAREST))
        yield Picture(np.ascontiguousarray(np.moveaxis(pixels, 0, 2)), target)


def _near_is_large(folder: Path) -> bool:
    depth = json.loads((folder / "manifest.json").read_text())["depth"]
    return bool(depth["near_is_large"])


def scaled(inverse: np.ndarray) -> np.ndarray:
    """Inverse depth, NaN where it is unknown, times what makes its 99th percentile 1: float32."""
    return (inverse / max(float(np.nanpercentile(inverse, 99)), 1e-9)).astype(np.float32)


def read_real(folder: Path) -> list[Picture]:
    """Real pictures in the order of their names.

    `images/`, or `rgb/`, has the pictures. The rest has files of equal names: `labels/` one PNG for
    each, 0 where there is no object, 255 where nobody knows, everything else an object; or
    `masks/`, from 0 to 255 the share of the object; or `depth/`, larger is farther, or
    `disparity/`, larger is nearer, both at any scale and 0 where nothing is measured. Pictures of
    which less than a twentieth is measured are left out.

    Raises:
        FileNotFoundError: a folder or a picture's label is missing.
        ValueError: a label's size is not that of its picture, or there are no pictures.
    """
    images = next((folder / n for n in ("images", "rgb") if (folder / n).is_dir()), None)
    kinds = ("labels", "masks", "depth", "disparity")
    truth = next((folder / n for n in kinds if (folder / n).is_dir()), None)
    if images is None or truth is None:
        raise FileNotFoundError(
            f"{folder}: needs images/ or rgb/, and labels/, masks/, depth/ or disparity/"
        )
    by_name = {path.stem: path for path in truth.iterdir()}
    found = []
    for path in sorted(images.iterdir()):
        if path.stem not in by_name:
            raise FileNotFoundError(f"{path}: there is no {truth / path.stem}.png")
        image = np.asarray(Image.open(path).convert("RGB"))
        values = np.asarray(Image.open(by_name[path.stem]))
        if values.shape != image.shape[:2]:
            raise ValueError(f"{by_name[path.stem]}: {values.shape}, its picture {image.shape[:2]}")
        if truth.name not in ("depth", "disparity") or np.mean(values > 0) >= _LEAST_MEASURED:
            found.append(Picture(image, _TARGETS[truth.name](values), str(folder)))
    if not found:
        raise ValueError(f"{images}: there are no pictures")
    return found


def _of_labels(values: np.ndarray) -> np.ndarray:
    target = (values > 0).astype(np.float32)
    target[values == UNJUDGED] = np.nan
    return target


def _of_masks(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32) / np.float32(255)


def _of_disparity(values: np.ndarray) -> np.ndarray:
    values = _thinned(values)
    return scaled(np.where(values > 0, values, np.nan))


def _of_depth(values: np.ndarray) -> np.ndarray:
    return _of_disparity(np.divide(1.0, values, out=np.zeros(values.shape), where=values > 0))


def _thinned(values: np.ndarray) -> np.ndarray:
    """Depth with a shorter side of `DEPTH_SIDE` at most, float64: between two depths is none."""
    height, width = values.shape
    scale = min(1, DEPTH_SIDE / min(height, width))
    rows, columns = (
        ((np.arange(round(n * scale)) + 0.5) * n / round(n * scale)).astype(int)
        for n in (height, width)
    )
    return values[np.ix_(rows, columns)].astype(np.float64)


_TARGETS = {
    "labels": _of_labels,
    "masks": _of_masks,
    "depth": _of_depth,
    "disparity": _of_disparity,
}
