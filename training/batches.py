"""Training batches: random crops, composites with the object nearest, colour changes."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from training.cutouts import random_shape
from training.data import Labelled
from training.sources import FREE_PHOTOGRAPHS, PHOTOGRAPHS, Source
from training.surfaces import marked, postered
from transforms.pixels.cutout import Cutout
from transforms.pixels.images import fit_foreground
from transforms.steps.composite import paste

SIDE = 160
_COMPOSITES = 0.6
_SECOND_OBJECT = 0.15
_SHAPES = 0.04
_MARKS = 0.3
_POSTERS_INDOORS, _POSTERS = 0.5, 0.15
_MARGIN = 6


@dataclass(frozen=True, eq=False)
class Batch:
    """A training batch.

    Attributes:
        pictures: uint8 [n, 160, 160, 3].
        inverse: float32 [n, 160, 160], NaN where there is no label.
        masks: float32 [n, 160, 160], alpha of the pasted object, 0 without one.
    """

    pictures: np.ndarray
    inverse: np.ndarray
    masks: np.ndarray


class Batches:
    """Draws training batches.

    Args:
        data: labelled pictures by source.
        cutouts: uint8 [height, width, 4] each.
        size: samples in a batch.
        seed: seed of everything that is drawn.
    """

    def __init__(
        self,
        data: dict[Source, list[Labelled]],
        cutouts: list[np.ndarray],
        size: int,
        seed: int,
    ) -> None:
        self._data = list(data.items())
        weights = np.array([source.weight * np.sqrt(len(found)) for source, found in data.items()])
        self._weights = weights / weights.sum()
        self._cutouts = cutouts
        every = [labelled for found in data.values() for labelled in found]
        textures = [*data.get(PHOTOGRAPHS, ()), *data.get(FREE_PHOTOGRAPHS, ())] or every
        self._textures = [labelled.picture for labelled in textures]
        self._size = size
        self._draw = np.random.default_rng(seed)

    def draw(self) -> Batch:
        """The next batch."""
        pictures = np.empty((self._size, SIDE, SIDE, 3), np.uint8)
        inverse = np.empty((self._size, SIDE, SIDE), np.float32)
        masks = np.zeros((self._size, SIDE, SIDE), np.float32)
        for i in range(self._size):
            source, found = self._data[self._draw.choice(len(self._data), p=self._weights)]
            picture, label = self._crop(found[self._draw.integers(len(found))])
            if self._draw.random() < (_POSTERS_INDOORS if source.indoors else _POSTERS):
                picture = postered(picture, label, self._textures, self._draw, source.indoors)
            if self._draw.random() < _MARKS:
                picture = marked(picture, self._draw)
            if self._draw.random() < _COMPOSITES:
                for _ in range(1 + (self._draw.random() < _SECOND_OBJECT)):
                    label, masks[i] = self._paste(picture, label, masks[i])
            pictures[i], inverse[i] = recoloured(picture, self._draw), label
        return Batch(pictures, inverse, masks)

    def _crop(self, labelled: Labelled) -> tuple[np.ndarray, np.ndarray]:
        draw = self._draw
        height, width = labelled.inverse.shape
        short = int(min(height, width) * draw.uniform(0.72, 1.0))
        long = int(short * draw.uniform(1, 1.25))
        across, down = min(width, long), short
        if height > width and draw.random() < 0.5:
            across, down = short, min(height, long)
        y, x = draw.integers(0, height - down + 1), draw.integers(0, width - across + 1)
        window = np.s_[y : y + down, x : x + across]
        picture = Image.fromarray(labelled.picture[window])
        label = Image.fromarray(labelled.inverse[window].astype(np.float32))
        whole = bool(np.isfinite(labelled.inverse[window]).all())
        smooth = Image.Resampling.BILINEAR if whole else Image.Resampling.NEAREST
        pixels = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
        values = np.asarray(label.resize((SIDE, SIDE), smooth))
        if draw.random() < 0.5:
            pixels, values = pixels[:, ::-1], values[:, ::-1]
        return pixels.copy(), values.copy()

    def _paste(
        self, picture: np.ndarray, label: np.ndarray, mask: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pastes an object into the picture in place; returns the new label and mask."""
        draw = self._draw
        if draw.random() < _SHAPES or not self._cutouts:
            rgba = random_shape(self._textures, draw)
        else:
            rgba = self._cutouts[draw.integers(len(self._cutouts))]
        if draw.random() < 0.5:
            rgba = rgba[:, ::-1]
        fitted = fit_foreground(
            Image.fromarray(np.ascontiguousarray(rgba)), int(draw.uniform(36, 100))
        )
        brightness = draw.uniform(0.7, 1.25)
        fitted[..., :3] = np.clip(fitted[..., :3] * brightness, 0, 255)
        height, width = fitted.shape[:2]
        x = int(draw.integers(0, SIDE - width + 1))
        y = int(draw.integers(0, SIDE - height + 1))
        paste(picture, Cutout.from_rgba(fitted), x, y)
        alpha = np.zeros((SIDE, SIDE), np.float32)
        alpha[y : y + height, x : x + width] = fitted[..., 3] / 255.0
        # The object stands a little nearer than anything it covers or touches, slightly slanted.
        around = label[
            max(0, y - _MARGIN) : y + height + _MARGIN, max(0, x - _MARGIN) : x + width + _MARGIN
        ]
        around = around[np.isfinite(around)]
        nearest = np.percentile(around, 97) if around.size else 0.8
        spread = 1.0
        if np.isfinite(label).any():
            spread = float(np.nanpercentile(label, 95) - np.nanpercentile(label, 5))
        rows, columns = np.mgrid[:SIDE, :SIDE]
        slant = draw.normal(0, 0.0006, 2)
        value = nearest + spread * draw.uniform(0.08, 0.22)
        surface = value + slant[0] * (rows - y - height / 2) + slant[1] * (columns - x - width / 2)
        return np.where(alpha > 0.5, surface, label), np.maximum(mask * (alpha < 0.5), alpha)


def recoloured(picture: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A picture with random contrast, brightness, tint, gamma, darkness, noise and blur."""
    pixels = (picture.astype(np.float32) - 128) * draw.uniform(0.75, 1.3) + 128
    pixels = (pixels + draw.uniform(-25, 25)) * draw.uniform(0.9, 1.1, 3)
    if draw.random() < 0.25:
        pixels = 255 * (np.clip(pixels, 0, 255) / 255) ** draw.uniform(0.6, 1.6)
    if draw.random() < 0.2:  # Night and unlit rooms.
        pixels = pixels * draw.uniform(0.25, 0.7)
    if draw.random() < 0.08:
        pixels[...] = pixels.mean(axis=-1, keepdims=True)
    if draw.random() < 0.3:
        pixels = pixels + draw.normal(0, draw.uniform(1, 6), pixels.shape)
    result = np.clip(pixels, 0, 255).astype(np.uint8)
    if draw.random() < 0.15:
        blur = ImageFilter.GaussianBlur(draw.uniform(0.3, 1.2))
        result = np.asarray(Image.fromarray(result).filter(blur))
    return result
