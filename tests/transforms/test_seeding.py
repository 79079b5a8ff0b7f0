import numpy as np
import pytest

from transforms.plan.seeding import permuted, random_key, uniform


def test_known_values_never_change():
    # A change here changes every data set that was ever made.
    assert random_key(0).tolist() == [16294208416658607535]
    assert random_key(7, 1, np.array([2, 3])).tolist() == [
        17454042800205077828, 3218176057848452656
    ]  # fmt: skip
    assert random_key(-5, 11, 2**40).tolist() == [1164168570533189440]
    assert uniform(random_key(3, np.arange(3))).tolist() == [
        0.47384628863934786, 0.5435286838442793, 0.8494248237241687
    ]  # fmt: skip
    key = random_key(7, 1)
    assert permuted(np.arange(6), 6, key).tolist() == [2, 0, 4, 5, 1, 3]
    assert permuted(np.arange(4), 257, key).tolist() == [127, 49, 113, 16]
    assert permuted(np.arange(4), 10**6, key).tolist() == [494453, 673024, 552622, 784520]
    assert permuted(np.arange(3), 2**40, random_key(1)).tolist() == [
        480878189247, 78591065461, 747813867432
    ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 16, 17, 100, 256, 257, 6561])
def test_permuted_is_a_bijection(size):
    for seed in range(5):
        image = permuted(np.arange(size), size, random_key(seed, 99))
        assert sorted(image.tolist()) == list(range(size))


def test_permuted_is_uniform():
    # Image of index 3 under 60,000 permutations of 20: chi-square with 19 degrees of freedom.
    image = permuted(3, 20, random_key(1, np.arange(60_000)))
    counts = np.bincount(image, minlength=20)
    chi_square = ((counts - 3000) ** 2 / 3000).sum()
    assert chi_square < 43.8  # 99.9 %


@pytest.mark.parametrize("size, bins", [(6, 6), (200, 8), (300, 10), (6561, 9)])
def test_pairs_of_images_are_independent(size, bins):
    keys = random_key(2, np.arange(60_000))
    first, second = permuted(0, size, keys), permuted(1, size, keys)
    assert (first != second).all()
    edges = np.arange(bins + 1) * size / bins
    counts = np.histogram2d(first, second, bins=(edges, edges))[0]
    width = size / bins
    # Within a diagonal bin one value is taken, so pairs are a little rarer there.
    expected = np.full((bins, bins), width * width)
    np.fill_diagonal(expected, width * (width - 1))
    expected *= 60_000 / expected.sum()
    seen = expected > 0
    chi_square = ((counts[seen] - expected[seen]) ** 2 / expected[seen]).sum()
    degrees = seen.sum() - 1
    assert chi_square < degrees + 3.3 * np.sqrt(2 * degrees) + 4


def test_uniform_covers_the_unit_interval():
    values = uniform(random_key(3, np.arange(100_000)))
    assert values.min() >= 0 and values.max() < 1
    assert abs(values.mean() - 0.5) < 0.005
    assert abs(values.var() - 1 / 12) < 0.002


def test_keys_depend_on_every_word_and_on_their_order():
    keys = {
        random_key(*words).item()
        for words in [(0, 1, 2), (0, 2, 1), (1, 1, 2), (0, 1), (0, 1, 2, 0)]
    }
    assert len(keys) == 5
