"""Cut-outs of any size and angle, drawn from a pyramid of each foreground."""

from math import ceil, cos, radians, sin, sqrt

from PIL import Image

from transforms.scenes.edges import edged
from transforms.scenes.look import LabStatistics, Sprite, foreground_statistics
from transforms.scenes.scene import Edge

_STEP = sqrt(0.5)
_LEAST = 4


class Pyramid:
    """A foreground at falling sizes, each a factor of the square root of two smaller.

    Args:
        rgba: the foreground, straight colour, RGBA.
        side: longest side that is kept in pixels.
    """

    def __init__(self, rgba: Image.Image, side: int) -> None:
        self.colours: LabStatistics = foreground_statistics(rgba)
        self.size = rgba.size
        self._levels: list[Image.Image] = []
        # Premultiplied: a filter must not mix in the colours of transparent pixels.
        base = rgba.convert("RGBa")
        factor = min(1.0, side / max(rgba.size))
        while True:
            width, height = (max(1, round(length * factor)) for length in rgba.size)
            level = base
            if (width, height) != base.size:
                level = base.resize((width, height), Image.Resampling.BILINEAR)
            self._levels.append(level)
            if max(width, height) <= _LEAST:
                break
            factor *= _STEP

    @property
    def nbytes(self) -> int:
        """Bytes that its levels take."""
        return sum(4 * level.width * level.height for level in self._levels)

    def sprite(self, flip: int, width: int, height: int, angle: float, edge: Edge) -> Sprite:
        """The foreground as it is pasted.

        Args:
            flip: 1 for the mirror image.
            width: width in pixels before it is turned.
            height: its height.
            angle: degrees, anticlockwise; the canvas grows so that nothing is cut off.
            edge: treatment of the border.
        """
        level = self._level(width, height)
        if angle:
            drawn = _turned(level, flip, width, height, angle)
        else:
            drawn = level
            if level.size != (width, height):
                drawn = level.resize((width, height), Image.Resampling.BILINEAR)
            if flip:
                drawn = drawn.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        rgba = drawn.convert("RGBA")
        return Sprite(rgba.convert("RGB"), edged(rgba.getchannel("A"), edge), self.colours)

    def _level(self, width: int, height: int) -> Image.Image:
        """The smallest level that is at least as large as a size, else the largest."""
        for level in reversed(self._levels):
            if level.width >= width and level.height >= height:
                return level
        return self._levels[0]


def _turned(level: Image.Image, flip: int, width: int, height: int, angle: float) -> Image.Image:
    """Sizes, mirrors and turns a premultiplied picture in one pass."""
    cosine, sine = cos(radians(angle)), sin(radians(angle))
    # Rounded, so that a last bit of a sine cannot make another size.
    columns = max(1, ceil(round(abs(width * cosine) + abs(height * sine), 6)))
    rows = max(1, ceil(round(abs(width * sine) + abs(height * cosine), 6)))
    across = level.width / width * (-1 if flip else 1)
    down = level.height / height
    a, b, d, e = across * cosine, -across * sine, down * sine, down * cosine
    c = level.width / 2 - a * columns / 2 - b * rows / 2
    f = level.height / 2 - d * columns / 2 - e * rows / 2
    return level.transform(
        (columns, rows),
        Image.Transform.AFFINE,
        (a, b, c, d, e, f),
        Image.Resampling.BILINEAR,
    )
