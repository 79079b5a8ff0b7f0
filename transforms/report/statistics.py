"""Statistics of a data set as exact integer counts, merged without loss in any order.

An 8-bit picture is counted as a histogram of each channel, from which mean, standard deviation,
minimum and maximum follow exactly. A depth map is counted in fixed point: its scale and offset are
float32 numbers, hence integers times 2**-149, and all sums are Python integers.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from transforms.report.lossless_json import pack, unpack
from transforms.report.object_counts import ObjectCounts

COVERAGE_BINS = 100
_FIXED = 149  # Every float32 is an integer times 2**-149.
_EXACT = 2**21  # So many squares of 16-bit pixels add up to less than 2**53: exact in float64.


def fixed(value: float) -> int:
    """A float32 number as an integer in units of 2**-149."""
    mantissa, denominator = float(value).as_integer_ratio()
    return (mantissa << _FIXED) // denominator


@dataclass(frozen=True, eq=False)
class PictureCounts:
    """Counts over 8-bit pictures of one kind.

    Attributes:
        count: number of pictures.
        bytes: their encoded size.
        sizes: smallest width, smallest height, largest width, largest height; zeros when none.
        histogram: int64 [channels, 256], pixels of each value.
    """

    count: int
    bytes: int
    sizes: tuple[int, int, int, int]
    histogram: np.ndarray

    @classmethod
    def empty(cls, channels: int) -> "PictureCounts":
        """Counts over nothing."""
        return cls(0, 0, (0, 0, 0, 0), np.zeros((channels, 256), np.int64))

    @classmethod
    def of(cls, pictures: np.ndarray, encoded_bytes: int) -> "PictureCounts":
        """Counts pictures of one size.

        Args:
            pictures: uint8 [n, height, width] or [n, height, width, 3 or 4]; a fourth channel does
                not count.
            encoded_bytes: their encoded size together.
        """
        count, height, width = pictures.shape[:3]
        channels = 1 if pictures.ndim == 3 else 3
        if not pictures.size:
            return cls.empty(channels)
        tall = Image.fromarray(pictures.reshape(count * height, *pictures.shape[2:]))
        histogram = np.array(tall.histogram(), np.int64).reshape(-1, 256)[:channels]
        return cls(count, encoded_bytes, (width, height, width, height), histogram)

    def __add__(self, other: "PictureCounts") -> "PictureCounts":
        sizes = [counts.sizes for counts in (self, other) if counts.count]
        return PictureCounts(
            self.count + other.count,
            self.bytes + other.bytes,
            (
                min((s[0] for s in sizes), default=0),
                min((s[1] for s in sizes), default=0),
                max((s[2] for s in sizes), default=0),
                max((s[3] for s in sizes), default=0),
            ),
            self.histogram + other.histogram,
        )


@dataclass(frozen=True, eq=False)
class DepthCounts:
    """Counts over depth maps.

    Attributes:
        count: number of maps.
        bytes: their encoded size.
        pixels: number of pixels.
        sum: sum of the 16-bit pixels.
        sum_squares: sum of their squares.
        low: smallest pixel.
        high: largest pixel.
        histogram: int64 [256], pixels by their upper byte.
        value_sum: sum of the model's values, pixel * scale + offset, in units of 2**-149.
        value_sum_squares: sum of their squares, in units of 2**-298.
        value_low: smallest value, in units of 2**-149.
        value_high: largest value, in the same.
    """

    count: int
    bytes: int
    pixels: int
    sum: int
    sum_squares: int
    low: int
    high: int
    histogram: np.ndarray
    value_sum: int
    value_sum_squares: int
    value_low: int
    value_high: int

    @classmethod
    def empty(cls) -> "DepthCounts":
        """Counts over nothing."""
        return cls(0, 0, 0, 0, 0, 0, 0, np.zeros(256, np.int64), 0, 0, 0, 0)

    @classmethod
    def of(
        cls, pixels: np.ndarray, scale: np.ndarray, offset: np.ndarray, encoded_bytes: int
    ) -> "DepthCounts":
        """Counts depth maps.

        Args:
            pixels: uint16 [n, height, width].
            scale: float32 [n].
            offset: float32 [n].
            encoded_bytes: their encoded size together.
        """
        total = cls.empty()
        if not pixels.size:
            return total
        flat = pixels.reshape(len(pixels), -1)
        sums = flat.sum(axis=1, dtype=np.int64).tolist()
        squares = _sums_of_squares(flat)
        lows, highs = flat.min(axis=1).tolist(), flat.max(axis=1).tolist()
        size = flat.shape[1]
        value_sum = value_sum_squares = 0
        value_low: list[int] = []
        value_high: list[int] = []
        for i, (s1, s2) in enumerate(zip(sums, squares, strict=True)):
            a, b = fixed(scale[i]), fixed(offset[i])
            value_sum += a * s1 + b * size
            value_sum_squares += a * a * s2 + 2 * a * b * s1 + b * b * size
            ends = sorted((a * lows[i] + b, a * highs[i] + b))
            value_low.append(ends[0])
            value_high.append(ends[1])
        upper = (flat >> 8).astype(np.uint8)
        return cls(
            len(flat),
            encoded_bytes,
            flat.size,
            sum(sums),
            sum(squares),
            min(lows),
            max(highs),
            np.array(Image.fromarray(upper).histogram(), np.int64),
            value_sum,
            value_sum_squares,
            min(value_low),
            max(value_high),
        )

    def __add__(self, other: "DepthCounts") -> "DepthCounts":
        if not self.count:
            return other
        if not other.count:
            return self
        return DepthCounts(
            self.count + other.count,
            self.bytes + other.bytes,
            self.pixels + other.pixels,
            self.sum + other.sum,
            self.sum_squares + other.sum_squares,
            min(self.low, other.low),
            max(self.high, other.high),
            self.histogram + other.histogram,
            self.value_sum + other.value_sum,
            self.value_sum_squares + other.value_sum_squares,
            min(self.value_low, other.value_low),
            max(self.value_high, other.value_high),
        )


@dataclass(frozen=True, eq=False)
class Statistics:
    """Counts over a data set or a part of it.

    Attributes:
        fg: clean foregrounds.
        bg: clean backgrounds.
        mask: their masks.
        fg_bg: composites.
        fg_bg_mask: masks of the composites.
        depth: depth maps, None without depth.
        coverage: int64 [101], samples by the share of their pixels with mask >= 128, in percent.
        heat: int64 [height, width], how many masks have >= 128 at each pixel; None over no samples.
        failed: samples that could not be made.
        objects: the objects of scenes; None where samples are no scenes.
    """

    fg: PictureCounts = field(default_factory=lambda: PictureCounts.empty(3))
    bg: PictureCounts = field(default_factory=lambda: PictureCounts.empty(3))
    mask: PictureCounts = field(default_factory=lambda: PictureCounts.empty(1))
    fg_bg: PictureCounts = field(default_factory=lambda: PictureCounts.empty(3))
    fg_bg_mask: PictureCounts = field(default_factory=lambda: PictureCounts.empty(1))
    depth: DepthCounts | None = None
    coverage: np.ndarray = field(default_factory=lambda: np.zeros(COVERAGE_BINS + 1, np.int64))
    heat: np.ndarray | None = None
    failed: int = 0
    objects: ObjectCounts | None = None

    @classmethod
    def of_samples(
        cls,
        images: np.ndarray,
        masks: np.ndarray,
        image_bytes: int,
        mask_bytes: int,
        depth: DepthCounts | None,
        objects: ObjectCounts | None = None,
    ) -> "Statistics":
        """Counts composites as a reader sees them.

        Args:
            images: uint8 [n, height, width, 3 or 4], decoded from what was written; a fourth
                channel does not count.
            masks: uint8 [n, height, width].
            image_bytes: encoded size of the composites.
            mask_bytes: encoded size of the masks.
            depth: counts over their depth maps.
            objects: counts over the objects of scenes.
        """
        solid = masks >= 128
        area = np.array([np.count_nonzero(mask) for mask in solid], np.int64)
        percent = area * COVERAGE_BINS // max(1, masks[0].size if len(masks) else 1)
        return cls(
            fg_bg=PictureCounts.of(images, image_bytes),
            fg_bg_mask=PictureCounts.of(masks, mask_bytes),
            depth=depth,
            coverage=np.bincount(percent, minlength=COVERAGE_BINS + 1).astype(np.int64),
            heat=solid.view(np.uint8).sum(axis=0, dtype=np.uint32).astype(np.int64),
            objects=objects,
        )

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(
            self.fg + other.fg,
            self.bg + other.bg,
            self.mask + other.mask,
            self.fg_bg + other.fg_bg,
            self.fg_bg_mask + other.fg_bg_mask,
            _sum(self.depth, other.depth),
            self.coverage + other.coverage,
            _sum(self.heat, other.heat),
            self.failed + other.failed,
            _sum(self.objects, other.objects),
        )

    def to_record(self) -> dict[str, Any]:
        """Lossless JSON-ready form."""
        fields = {name: pack(getattr(self, name)) for name in self.__dataclass_fields__}
        if self.objects is None:
            del fields["objects"]  # As in data sets of older versions.
        return fields

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Statistics":
        """Reads what `to_record` has made."""
        values = {name: unpack(value) for name, value in record.items()}
        depth = values["depth"]
        pictures = {
            name: PictureCounts(**{**values[name], "sizes": tuple(values[name]["sizes"])})
            for name in ("fg", "bg", "mask", "fg_bg", "fg_bg_mask")
        }
        if (objects := values.get("objects")) is not None:
            values["objects"] = ObjectCounts(**objects)
        return cls(
            **{**values, **pictures, "depth": None if depth is None else DepthCounts(**depth)}
        )


def _sums_of_squares(rows: np.ndarray) -> list[int]:
    """The exact sum of squares of each row of uint16 [n, size]."""
    sums = [0] * len(rows)
    for start in range(0, rows.shape[1], _EXACT):
        wide = rows[:, start : start + _EXACT].astype(np.float64)
        sums = [
            s + int(more) for s, more in zip(sums, np.einsum("ij,ij->i", wide, wide), strict=True)
        ]
    return sums


def mean_and_deviation(total: int, total_squares: int, count: int) -> tuple[float, float]:
    """Mean and population standard deviation from exact integer sums."""
    if not count:
        return math.nan, math.nan
    # n * sum(x^2) - sum(x)^2 is a non-negative integer: nothing cancels.
    return total / count, math.sqrt(total_squares * count - total * total) / count


def _sum(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return right if left is None else left
    return left + right
