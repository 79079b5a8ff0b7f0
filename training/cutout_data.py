"""Training data of the cut-out network: photographs with a teacher's maps, and cut-outs."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from training.cutouts import stored_cutouts
from training.sources import HELD_OUT_NUMBER
from transforms.pixels.matting import foreground_colours, stretched

SHORT_SIDE, LONG_SIDE = 232, 320
_TEACHER_SIDE = 320
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_UNSURE = 0.2
_SMALLEST, _LARGEST = 0.04, 0.6
_TOUCHED = 0.04


@dataclass(frozen=True, eq=False)
class Taught:
    """A photograph with its teacher's map.

    Attributes:
        picture: uint8 [height, width, 3].
        chance: uint8 [height, width], the teacher's probability of the object, 255 is 1.
    """

    picture: np.ndarray
    chance: np.ndarray


class Teacher:
    """U2-Net's small variant (Qin et al., Pattern Recognition 2020) as an ONNX file.

    Args:
        path: file with one input, float [1, 3, 320, 320], and the finest map as first output.
    """

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def chance(self, picture: Image.Image) -> np.ndarray:
        """Probability of the object: uint8 [320, 320], 255 is 1."""
        size = (_TEACHER_SIDE, _TEACHER_SIDE)
        pixels = np.asarray(picture.resize(size, Image.Resampling.LANCZOS)).astype(np.float32)
        planes = (pixels / max(float(pixels.max()), 1e-6) - _MEAN) / _DEVIATION
        found = self._session.run([self._output], {self._input: planes.transpose(2, 0, 1)[None]})
        return np.rint(found[0][0, 0] * 255).clip(0, 255).astype(np.uint8)


def taught_photographs(paths: Iterable[Path], maps: Path, teacher: Path) -> Iterator[Taught]:
    """Photographs with their maps, which are made where they are missing.

    Args:
        paths: the photographs.
        maps: folder of the maps, one PNG for each photograph.
        teacher: ONNX file of the teacher.
    """
    maps.mkdir(parents=True, exist_ok=True)
    model: Teacher | None = None
    for path in paths:
        picture = Image.open(path).convert("RGB")
        stored = maps / f"{path.stem}.png"
        if not stored.exists():
            model = model or Teacher(teacher)
            part = stored.with_suffix(".part")
            Image.fromarray(model.chance(picture)).save(part, "PNG")
            os.replace(part, stored)
        size = _training_size(picture)
        pixels = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
        chance = Image.open(stored).resize(size, Image.Resampling.BILINEAR)
        yield Taught(pixels, np.asarray(chance))


def scenes(paths: Iterable[Path]) -> list[np.ndarray]:
    """Pictures to paste on, at training size: uint8 [height, width, 3] each."""
    found = []
    for path in paths:
        picture = Image.open(path).convert("RGB")
        found.append(np.asarray(picture.resize(_training_size(picture), Image.Resampling.BILINEAR)))
    return found


def _training_size(picture: Image.Image) -> tuple[int, int]:
    scale = SHORT_SIDE / min(picture.size)
    width, height = (max(SHORT_SIDE, min(LONG_SIDE, round(side * scale))) for side in picture.size)
    return width, height


def taught_cutouts(photographs: list[Taught]) -> list[np.ndarray]:
    """Objects of which the teacher is sure, with clean colours: uint8 [height, width, 4] each."""
    found = (_cut(taught) for taught in photographs)
    return [cutout for cutout in found if cutout is not None]


def vehicles(folder: Path) -> list[np.ndarray]:
    """Stored RGBA files up to the last number that training may see; larger ones are held out."""
    return stored_cutouts(folder, HELD_OUT_NUMBER)


def _cut(taught: Taught) -> np.ndarray | None:
    chance = taught.chance / np.float32(255)
    inside = chance > 0.5
    edge = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
    if not _SMALLEST < inside.mean() < _LARGEST or edge.mean() > _TOUCHED:
        return None
    if ((chance > 0.1) & (chance < 0.9)).sum() > _UNSURE * inside.sum():
        return None
    alpha = stretched(chance, 0.1, 0.9)
    colours = foreground_colours(taught.picture, alpha)
    rows, columns = np.nonzero(alpha > 0)
    rgba = np.dstack([colours, np.rint(alpha * 255).astype(np.uint8)])
    return rgba[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
