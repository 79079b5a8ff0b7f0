"""Pictures with the objects in them: from data sets of this program, and real ones from folders."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.readers.torch import MaskDepthDataset

UNJUDGED = 255
"""Value of a label that is neither learnt nor scored."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture and where its objects are.

    Attributes:
        image: uint8 [height, width, 3], RGB.
        target: float32 [height, width], share of the objects in a pixel, NaN where it is unknown.
    """

    image: np.ndarray
    target: np.ndarray


def read_set(folder: Path, most: int) -> Iterator[Picture]:
    """Samples of the split `train` of a data set in Parquet, evenly chosen, `most` at most.

    Raises:
        FileNotFoundError: the folder has no such split in Parquet.
    """
    samples = MaskDepthDataset(folder)
    count = min(most, len(samples))
    for number in range(count):
        sample = samples[number * len(samples) // count]
        pixels = np.rint(sample["fg_bg"].numpy() * 255).astype(np.uint8)
        yield Picture(np.ascontiguousarray(np.moveaxis(pixels, 0, 2)), sample["mask"][0].numpy())


def read_real(folder: Path) -> list[Picture]:
    """Real pictures in the order of their names.

    `images/` has the pictures. `labels/` has one PNG for each, 0 where there is no object, 255
    where nobody knows, everything else an object; or `masks/`, from 0 to 255 the share of the
    object.

    Raises:
        FileNotFoundError: a folder or a picture's label is missing.
        ValueError: a label's size is not that of its picture, or there are no pictures.
    """
    masks = folder / "masks"
    labels = folder / "labels"
    truth = labels if labels.is_dir() else masks
    if not (folder / "images").is_dir() or not truth.is_dir():
        raise FileNotFoundError(f"{folder}: needs images/ and labels/ or masks/")
    by_name = {path.stem: path for path in truth.iterdir()}
    found = []
    for path in sorted((folder / "images").iterdir()):
        if path.stem not in by_name:
            raise FileNotFoundError(f"{path}: there is no {truth / path.stem}.png")
        image = np.asarray(Image.open(path).convert("RGB"))
        values = np.asarray(Image.open(by_name[path.stem]))
        if values.shape != image.shape[:2]:
            raise ValueError(f"{by_name[path.stem]}: {values.shape}, its picture {image.shape[:2]}")
        if truth == masks:
            target = values.astype(np.float32) / np.float32(255)
        else:
            target = (values > 0).astype(np.float32)
            target[values == UNJUDGED] = np.nan
        found.append(Picture(image, target))
    if not found:
        raise ValueError(f"{folder / 'images'}: there are no pictures")
    return found
