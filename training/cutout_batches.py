"""Batches for the cut-out network: crops of photographs, and composites with exact alpha."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from training.batches import recoloured
from training.cutout_data import Taught
from transforms.pixels.cutout import Cutout
from transforms.pixels.images import fit_foreground
from transforms.steps.composite import paste

_COMPOSITES = 0.35
_SECOND_OBJECT = 0.12
_TRIES = 4
_LOST = 0.25


@dataclass(frozen=True, eq=False)
class CutoutBatch:
    """A training batch.

    Attributes:
        pictures: uint8 [n, side, side, 3].
        alpha: float32 [n, side, side], the share of the object in a pixel, 0..1.
    """

    pictures: np.ndarray
    alpha: np.ndarray


class CutoutBatches:
    """Draws training batches.

    Args:
        photographs: photographs with a teacher's map.
        cutouts: objects, uint8 [height, width, 4] each.
        scenes: pictures to paste on, uint8 [height, width, 3] each.
        size: samples in a batch.
        side: side of a sample.
        seed: seed of everything that is drawn.
    """

    def __init__(
        self,
        photographs: list[Taught],
        cutouts: list[np.ndarray],
        scenes: list[np.ndarray],
        size: int,
        side: int,
        seed: int,
    ) -> None:
        self._photographs = photographs
        self._cutouts = cutouts
        self._scenes = scenes
        self._size, self._side = size, side
        self._draw = np.random.default_rng(seed)
        self._order: list[int] = []

    def draw(self) -> CutoutBatch:
        """The next batch."""
        pictures = np.empty((self._size, self._side, self._side, 3), np.uint8)
        alpha = np.empty((self._size, self._side, self._side), np.float32)
        for i in range(self._size):
            made = self._composite if self._draw.random() < _COMPOSITES else self._crop
            picture, alpha[i] = made()
            pictures[i] = recoloured(picture, self._draw)
        return CutoutBatch(pictures, alpha)

    def _next(self) -> Taught:
        if not self._order:
            self._order = self._draw.permutation(len(self._photographs)).tolist()
        return self._photographs[self._order.pop()]

    def _crop(self) -> tuple[np.ndarray, np.ndarray]:
        """Most of a photograph, with most of its object."""
        draw, taught = self._draw, self._next()
        height, width = taught.chance.shape
        object_pixels = int((taught.chance > 127).sum())
        window = np.s_[0:height, 0:width]
        for _ in range(_TRIES):
            down, across = (int(side * draw.uniform(0.65, 1)) for side in (height, width))
            y, x = draw.integers(0, height - down + 1), draw.integers(0, width - across + 1)
            tried = np.s_[y : y + down, x : x + across]
            if (taught.chance[tried] > 127).sum() >= (1 - _LOST) * object_pixels:
                window = tried
                break
        return self._resized(taught.picture[window], taught.chance[window])

    def _resized(self, picture: np.ndarray, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        size = (self._side, self._side)
        pixels = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
        grey = np.asarray(Image.fromarray(chance).resize(size, Image.Resampling.BILINEAR))
        if self._draw.random() < 0.5:
            pixels, grey = pixels[:, ::-1], grey[:, ::-1]
        return pixels.copy(), grey / np.float32(255)

    def _composite(self) -> tuple[np.ndarray, np.ndarray]:
        """One object, seldom two, on a background without one."""
        side, draw = self._side, self._draw
        picture = self._background()
        alpha = np.zeros((side, side), np.float32)
        for _ in range(1 + (draw.random() < _SECOND_OBJECT)):
            rgba = self._cutouts[draw.integers(len(self._cutouts))]
            if draw.random() < 0.5:
                rgba = rgba[:, ::-1]
            image = Image.fromarray(np.ascontiguousarray(rgba))
            if draw.random() < 0.4:
                turned = image.rotate(draw.uniform(-25, 25), Image.Resampling.BICUBIC, expand=True)
                image = turned.crop(turned.getbbox())
            fitted = fit_foreground(image, int(side * draw.uniform(0.35, 0.95)))
            fitted[..., :3] = np.clip(fitted[..., :3] * draw.uniform(0.75, 1.2), 0, 255)
            height, width = fitted.shape[:2]
            x, y = (
                round((side - length) * float(np.clip(draw.normal(0.5, 0.22), 0, 1)))
                for length in (width, height)
            )
            paste(picture, Cutout.from_rgba(fitted), x, y)
            share = fitted[..., 3] / np.float32(255)
            under = alpha[y : y + height, x : x + width]
            alpha[y : y + height, x : x + width] = share + under * (1 - share)
        return picture, alpha

    def _background(self) -> np.ndarray:
        """uint8 [side, side, 3]: plain, table-like or a photograph, sometimes out of focus."""
        side, draw = self._side, self._draw
        kind = draw.random()
        if kind < 0.25:
            return _plain(side, draw)
        if kind < 0.4:
            wall, table = _plain(side, draw), _plain(side, draw)
            edge = int(side * draw.uniform(0.3, 0.8))
            wall[edge:] = table[edge:]
            return wall
        texture = self._scenes[draw.integers(len(self._scenes))]
        height, width = texture.shape[:2]
        cut = int(min(height, width) * draw.uniform(0.3, 1))
        y, x = draw.integers(0, height - cut + 1), draw.integers(0, width - cut + 1)
        image = Image.fromarray(texture[y : y + cut, x : x + cut])
        image = image.resize((side, side), Image.Resampling.BILINEAR)
        if draw.random() < 0.3:
            image = image.filter(ImageFilter.GaussianBlur(draw.uniform(0.5, 4)))
        return np.asarray(image).copy()


def _plain(side: int, draw: np.random.Generator) -> np.ndarray:
    """One colour that changes slowly: uint8 [side, side, 3]."""
    colour = draw.uniform(0, 255, 3) if draw.random() < 0.6 else np.full(3, draw.uniform(60, 255))
    change = draw.normal(0, 25, (2, 1)) * np.ones(3)
    rows, columns = np.mgrid[-0.5 : 0.5 : side * 1j, -0.5 : 0.5 : side * 1j]
    shade = colour + rows[..., None] * change[0] + columns[..., None] * change[1]
    return np.clip(shade, 0, 255).astype(np.uint8)
