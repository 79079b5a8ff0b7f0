"""Connected parts, held against a flood fill pixel by pixel."""

import numpy as np
import pytest

from transforms.pixels.parts import connected_parts


def flooded(inside: np.ndarray) -> list[set[tuple[int, int]]]:
    left = set(zip(*(side.tolist() for side in np.nonzero(inside)), strict=True))
    parts = []
    while left:
        part, queue = set(), [min(left)]
        while queue:
            pixel = queue.pop()
            if pixel in left:
                left.remove(pixel)
                part.add(pixel)
                queue += [(pixel[0] + i, pixel[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        parts.append(part)
    return sorted(parts, key=lambda part: (-len(part), min(part)))


@pytest.mark.parametrize("share", [0.15, 0.4, 0.5, 0.65, 0.95])
def test_parts_are_those_of_a_flood_fill_in_order(share):
    draw = np.random.default_rng(int(share * 100))
    for _ in range(25):
        inside = draw.random(draw.integers(1, 24, 2)) < share
        labels = connected_parts(inside)
        expected = np.zeros(inside.shape, np.int32)
        for number, part in enumerate(flooded(inside), 1):
            for pixel in part:
                expected[pixel] = number
        np.testing.assert_array_equal(labels, expected)


def test_a_ring_is_one_part_and_its_hole_stays_empty():
    inside = np.ones((9, 9), bool)
    inside[3:6, 3:6] = False
    labels = connected_parts(inside)
    assert labels.max() == 1 and (labels == 0).sum() == 9


def test_nothing_has_no_parts():
    assert connected_parts(np.zeros((4, 5), bool)).max() == 0
