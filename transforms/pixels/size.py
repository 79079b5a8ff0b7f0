"""How large a picture is: one type, so that width and height are never taken for each other."""

import re
from dataclasses import dataclass

Area = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of a picture, in its pixels."""


@dataclass(frozen=True)
class Size:
    """Width and height of a picture in pixels, both at least 1.

    Pillow takes `pair`, width first; arrays have `shape`, height first.
    """

    width: int
    height: int

    @classmethod
    def square(cls, side: int) -> "Size":
        """The size of a square."""
        return cls(side, side)

    @classmethod
    def of(cls, spelt: int | str) -> "Size":
        """Reads `160` or `208x160`, as `spelt` gives them.

        Raises:
            ValueError: it is neither; limits are not checked.
        """
        found = re.fullmatch(r"([+-]?[0-9]{1,40})(?:x([+-]?[0-9]{1,40}))?", f"{spelt}".strip())
        if found is None:
            raise ValueError(f"{spelt!r} is no size; give 160 or 208x160, which is WIDTHxHEIGHT")
        width, height = found.groups()
        return cls(int(width), int(height or width))

    @property
    def spelt(self) -> int | str:
        """As options and files spell it: the side of a square, else `208x160`."""
        return self.width if self.width == self.height else f"{self}"

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def pair(self) -> tuple[int, int]:
        """(width, height), as Pillow takes it."""
        return self.width, self.height

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), the shape of an array."""
        return self.height, self.width

    @property
    def short(self) -> int:
        """The shorter side."""
        return min(self.pair)

    @property
    def long(self) -> int:
        """The longer side."""
        return max(self.pair)

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    def is_like(self, other: "Size") -> bool:
        """Whether both have one aspect, but for what whole pixels leave open."""
        return (
            abs(self.width - self.height * other.width / other.height) <= 0.5
            or abs(self.height - self.width * other.height / other.width) <= 0.5
        )

    def scale_on(self, width: int, height: int) -> tuple[int, int]:
        """The factor by which a picture of such a size just covers this one, as a fraction.

        Args:
            width: width of the picture in pixels.
            height: its height.

        Returns:
            A side of this size, and the side of the picture that becomes it.
        """
        if self.width * height >= self.height * width:
            return self.width, width
        return self.height, height

    def centred_in(self, width: int, height: int) -> Area:
        """The largest area of this aspect in the middle of a picture.

        It is what `ImageOps.fit` of Pillow cuts out.

        Args:
            width: width of the picture in pixels.
            height: its height.
        """
        across, down = float(width), float(height)
        if self.width * height < self.height * width:
            across = self.width / self.height * height
        elif self.width * height > self.height * width:
            down = width / (self.width / self.height)
        left, top = (width - across) / 2, (height - down) / 2
        return left, top, min(width, left + across), min(height, top + down)
