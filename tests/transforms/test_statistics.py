import json
from fractions import Fraction

import numpy as np
import pytest

from transforms.report.statistics import (
    DepthCounts,
    PictureCounts,
    Statistics,
    fixed,
    mean_and_deviation,
)
from transforms.steps.encode import quantise

RANDOM = np.random.default_rng(0)  # Test data only.


def some_statistics(count: int, with_depth: bool = True) -> Statistics:
    images = RANDOM.integers(0, 256, (count, 8, 8, 3)).astype(np.uint8)
    masks = RANDOM.integers(0, 256, (count, 8, 8)).astype(np.uint8)
    depth = RANDOM.normal(size=(count, 8, 8)).astype(np.float32)
    q = quantise(depth, 12)
    counts = DepthCounts.of(q.pixels, q.scale, q.offset, 5 * count) if with_depth else None
    return Statistics.of_samples(images, masks, 10 * count, 3 * count, counts)


def test_picture_counts_equal_numpy():
    pictures = RANDOM.integers(0, 256, (5, 9, 7, 3)).astype(np.uint8)
    counts = PictureCounts.of(pictures, 123)
    for channel in range(3):
        histogram = counts.histogram[channel]
        values = np.arange(256)
        pixels = pictures[..., channel].astype(np.float64)
        total, squares = int((values * histogram).sum()), int((values**2 * histogram).sum())
        mean, deviation = mean_and_deviation(total, squares, int(histogram.sum()))
        assert mean == pytest.approx(pixels.mean(), rel=1e-14)
        assert deviation == pytest.approx(pixels.std(), rel=1e-12)


def test_a_fourth_channel_does_not_count():
    pictures = RANDOM.integers(0, 256, (3, 5, 7, 4)).astype(np.uint8)
    with_it, without = PictureCounts.of(pictures, 1), PictureCounts.of(pictures[..., :3], 1)
    assert with_it.sizes == without.sizes == (7, 5, 7, 5)
    assert np.array_equal(with_it.histogram, without.histogram)
    assert with_it.histogram.shape == (3, 256)


def test_deviation_does_not_cancel():
    # Nearly constant data with a large mean: a float sum of squares would lose all digits.
    value, count = 2**50, 1000
    total, squares = value * count + 1, value**2 * count + 2 * value + 1
    assert mean_and_deviation(total, squares, count)[1] == pytest.approx(np.sqrt(999) / 1000)


def test_squares_of_a_large_map_are_summed_exactly():
    # 1501 * 1501 * 65535**2 is above 2**53 and odd: no float64 number.
    pixels = np.full((2, 1501, 1501), 65535, np.uint16)
    pixels[1, 700:, 3] = 2
    one = np.ones(2, np.float32)
    counts = DepthCounts.of(pixels, one, 0 * one, 0)
    first, second = 1501**2 * 65535**2, (1501**2 - 801) * 65535**2 + 801 * 2**2
    assert counts.sum_squares == first + second
    assert counts.value_sum_squares == counts.sum_squares << 298


def test_depth_values_are_summed_exactly():
    depth = RANDOM.normal(size=(7, 6, 5)).astype(np.float32) * 1e-3 + 5
    q = quantise(depth, 10)
    counts = DepthCounts.of(q.pixels, q.scale, q.offset, 0)
    values = [
        int(pixel) * Fraction(float(scale)) + Fraction(float(offset))
        for pixels, scale, offset in zip(q.pixels, q.scale, q.offset, strict=True)
        for pixel in pixels.ravel()
    ]
    assert Fraction(counts.value_sum, 2**149) == sum(values)
    assert Fraction(counts.value_sum_squares, 2**298) == sum(v * v for v in values)
    assert Fraction(counts.value_low, 2**149) == min(values)
    assert Fraction(counts.value_high, 2**149) == max(values)
    assert counts.sum == int(q.pixels.sum(dtype=np.int64))


@pytest.mark.parametrize(
    "value", [0.0, 1.0, -2.5, float(np.float32(1e-45)), float(np.float32(3e38))]
)
def test_fixed_point_is_exact(value):
    assert Fraction(fixed(value), 2**149) == Fraction(value)


@pytest.mark.parametrize("bits", [1, 8, 10, 12, 16])
def test_quantised_depth_is_within_half_a_step(bits):
    depth = RANDOM.normal(size=(3, 20, 20)).astype(np.float32)
    q = quantise(depth, bits)
    values = q.pixels * q.scale[:, None, None].astype(np.float64) + q.offset[:, None, None]
    step = (depth.max(axis=(1, 2)) - depth.min(axis=(1, 2))) / (2**bits - 1)
    assert (np.abs(values - depth).max(axis=(1, 2)) <= step * 0.501 + 1e-6).all()
    assert (q.pixels.min(axis=(1, 2)) == 0).all()
    assert (q.pixels & ((1 << (16 - bits)) - 1) == 0).all()


def test_sums_do_not_depend_on_the_order():
    parts = [some_statistics(n) for n in (1, 4, 2, 3)]
    forward = sum(parts, start=Statistics())
    backward = parts[3] + (parts[2] + (parts[1] + parts[0]))
    assert json.dumps(forward.to_record()) == json.dumps(backward.to_record())
    assert forward.fg_bg.count == 10 and forward.coverage.sum() == 10


@pytest.mark.parametrize("with_depth", [True, False])
def test_record_round_trip(with_depth):
    statistics = some_statistics(3, with_depth) + Statistics(failed=2)
    record = json.loads(json.dumps(statistics.to_record()))
    back = Statistics.from_record(record)
    assert json.dumps(back.to_record()) == json.dumps(statistics.to_record())
    assert back.failed == 2 and (back.depth is None) != with_depth


@pytest.mark.parametrize("bits", [1, 10, 16])
def test_quantised_depth_has_both_ends_of_its_range_at_any_scale(bits):
    random = np.random.default_rng(2)
    scale = 10.0 ** random.uniform(-25, 30, (500, 1, 1))
    depth = (random.standard_normal((500, 3, 3)) * scale).astype(np.float32)
    pixels = quantise(depth, bits).pixels
    assert (pixels.min(axis=(1, 2)) == 0).all()
    assert (pixels.max(axis=(1, 2)) == (2**bits - 1) << (16 - bits)).all()
