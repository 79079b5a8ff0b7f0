"""Materials: plain, mottled and tiled surfaces, fronts of houses, and pieces of photographs."""

import numpy as np
from scipy import ndimage

from training.solids import Material

_TEXTURE = 128


class Painter:
    """Draws materials.

    Args:
        pictures: uint8 [height, width, 3] each, for posters, screens and odd surfaces.
        draw: source of all that is random.
    """

    def __init__(self, pictures: list[np.ndarray], draw: np.random.Generator) -> None:
        self._pictures = pictures
        self.draw = draw

    def colour(self, low: float = 0.05, high: float = 0.9, grey: float = 0.3) -> np.ndarray:
        """A reflected share of each colour, float [3]; with `grey` as its chance of no hue."""
        level = self.draw.uniform(low, high)
        spread = 0.06 if self.draw.random() < grey else 0.45
        return np.clip(level * (1 + self.draw.uniform(-spread, spread, 3)), 0.02, 0.95)

    def plain(self, colour: np.ndarray | None = None, rough: float = 0.15) -> Material:
        """A colour with a little uneven dirt."""
        base = self.colour() if colour is None else colour
        dirt = 1 - rough * noise(self.draw, _TEXTURE, self.draw.random())[..., None]
        return Material((base * dirt).astype(np.float32), self.draw.uniform(1, 4))

    def mottled(self, colour: np.ndarray, other: np.ndarray, period: float) -> Material:
        """Two colours mixed by noise: grass, leaves, rock, carpet."""
        mix = noise(self.draw, _TEXTURE, self.draw.uniform(0.5, 1))[..., None]
        return Material((colour * mix + other * (1 - mix)).astype(np.float32), period)

    def tiled(self, period: float) -> Material:
        """Tiles, boards or bricks with joints."""
        colour, joint = self.colour(0.15), self.colour(0.1, 0.6)
        rows, columns = self.draw.integers(1, 9), self.draw.integers(1, 5)
        v, u = np.mgrid[:_TEXTURE, :_TEXTURE] / _TEXTURE
        row = np.floor(v * rows)
        shifted = u * columns + row * self.draw.choice([0, 0.5])
        edge = (v * rows % 1 < 0.08) | (shifted % 1 < 0.05)
        tone = self.draw.uniform(0.75, 1.1, (64, 64))
        tone = tone[row.astype(int), np.floor(shifted).astype(int)]
        texture = np.where(edge[..., None], joint, colour * tone[..., None])
        grain = 1 - 0.2 * noise(self.draw, _TEXTURE, 0.9)[..., None]
        return Material((texture * grain).astype(np.float32).clip(0, 1), period)

    def facade(self) -> Material:
        """A wall with rows of windows; covers about three storeys."""
        wall = self.tiled(1).texture if self.draw.random() < 0.4 else self.plain().texture
        texture = wall.copy()
        count, wide, tall = self.draw.integers(2, 5), *self.draw.uniform(0.35, 0.7, 2)
        pane = self.colour(0.02, 0.4)
        v, u = np.mgrid[:_TEXTURE, :_TEXTURE] / _TEXTURE * count % 1
        texture[(np.abs(u - 0.5) < wide / 2) & (np.abs(v - 0.5) < tall / 2)] = pane
        return Material(texture, count * self.draw.uniform(2.6, 3.6))

    def picture(self, glow: float = 0.0) -> Material:
        """A square piece of a photograph, stretched over the face."""
        picture = self._pictures[self.draw.integers(len(self._pictures))]
        side = min(*picture.shape[:2], _TEXTURE)
        y = self.draw.integers(0, picture.shape[0] - side + 1)
        x = self.draw.integers(0, picture.shape[1] - side + 1)
        piece = picture[y : y + side, x : x + side].astype(np.float32) / 255
        return Material(piece**2.2, 0.0, glow)

    def furniture(self) -> Material:
        """What a piece of furniture is made of."""
        kind = self.draw.random()
        if kind < 0.6:
            return self.plain(rough=self.draw.uniform(0, 0.5))
        if kind < 0.78:
            return self.mottled(self.colour(), self.colour(), self.draw.uniform(0.3, 2))
        return self.tiled(self.draw.uniform(0.4, 2)) if kind < 0.9 else self.picture()

    def mark(self) -> Material:
        """What is flat on a surface: a poster, paint, paper, a sign or a bright patch."""
        kind = self.draw.random()
        if kind < 0.5:
            return self.picture()
        if kind < 0.8:
            return self.plain(rough=self.draw.uniform(0, 0.3))
        if kind < 0.9:
            return self.facade()
        return self.mottled(self.colour(), self.colour(), self.draw.uniform(0.3, 2))


def noise(draw: np.random.Generator, side: int, rough: float) -> np.ndarray:
    """Noise that repeats: float32 [side, side] in 0..1, smoother the smaller `rough` (0 to 1)."""
    total = np.zeros((side, side), np.float32)
    cells, weight = 4, 1.0
    while cells <= side:
        grid = draw.random((cells, cells)).astype(np.float32)
        zoomed = ndimage.zoom(grid, side // cells, order=1, mode="grid-wrap", grid_mode=True)
        total += weight * zoomed
        cells, weight = cells * 2, weight * (0.3 + 0.6 * rough)
    return (total - total.min()) / max(float(np.ptp(total)), 1e-6)
