"""Seeded numbers without a state: every value is a pure function of the seed and what it is for.

The mixer is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
number generators", OOPSLA 2014). It uses 64-bit integers alone, so values are the same on every
machine and with every version of NumPy.
"""

import numpy as np

_STEP = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = 8
_SORTED = 256


def _mix(values: np.ndarray) -> np.ndarray:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _uint64(values: int | np.ndarray) -> np.ndarray:
    return np.atleast_1d(np.asarray(values)).astype(np.uint64)


def random_key(seed: int, *words: int | np.ndarray) -> np.ndarray:
    """Hashes a seed and any number of integers into 64 random bits.

    Args:
        seed: the data set's seed, any integer of 64 bits.
        words: what the number is for; integers or arrays of them, broadcast together.

    Returns:
        uint64 array of the broadcast shape, at least one-dimensional.
    """
    key = _mix(_uint64(np.array(seed & 0xFFFFFFFFFFFFFFFF, np.uint64)) + _STEP)
    for word in words:
        key = _mix((key ^ _mix(_uint64(word) + _STEP)) + _STEP)
    return key


def uniform(key: np.ndarray) -> np.ndarray:
    """Maps random bits to float64 in [0, 1)."""
    return (key >> np.uint64(11)).astype(np.float64) * 2.0**-53


def permuted(index: int | np.ndarray, size: int | np.ndarray, key: np.ndarray) -> np.ndarray:
    """The image of `index` under a random permutation of 0..size-1, one permutation for each key.

    Small ranges are sorted by hash. Large ones pass a Feistel network over the smallest even number
    of bits that holds them, walked until the value falls inside (Black and Rogaway, "Ciphers with
    arbitrary finite domains", CT-RSA 2002), so that one value costs the same at any size. On
    small ranges such a network is visibly far from random.

    Args:
        index: integers in 0..size-1.
        size: lengths of the permuted ranges, 1 to 2**62.
        key: uint64, from `random_key`.

    Returns:
        int64 array of the broadcast shape of the three; for one key and size, distinct indices have
        distinct images in 0..size-1.
    """
    values, sizes, keys = np.broadcast_arrays(_uint64(index), _uint64(size), key)
    image = np.empty(values.shape, np.int64)
    small = sizes <= _SORTED
    image[small] = _sorted_image(values[small], sizes[small], keys[small])
    image[~small] = _walked_image(values[~small], sizes[~small], keys[~small])
    return image


def _sorted_image(values: np.ndarray, sizes: np.ndarray, keys: np.ndarray) -> np.ndarray:
    if not values.size:
        return values.astype(np.int64)
    distinct, which = np.unique(np.stack([keys, sizes]), axis=1, return_inverse=True)
    which = which.reshape(-1)
    columns = np.arange(int(sizes.max()), dtype=np.uint64)
    ranks = _mix(_mix(columns + _STEP) ^ distinct[0][:, None])
    # Columns beyond a range's size sort behind all others.
    outside = columns >= distinct[1][:, None]
    order = np.lexsort((ranks, outside), axis=1)
    return order[which, values.astype(np.int64)]


def _walked_image(values: np.ndarray, sizes: np.ndarray, keys: np.ndarray) -> np.ndarray:
    values = values.copy()
    half = np.full(sizes.shape, 5, np.uint64)
    while (short := np.left_shift(np.uint64(1), half * np.uint64(2)) < sizes).any():
        half[short] += np.uint64(1)
    todo = np.ones(values.shape, bool)
    while todo.any():
        values[todo] = _feistel(values[todo], half[todo], keys[todo])
        todo = values >= sizes
    return values.astype(np.int64)


def _feistel(values: np.ndarray, half: np.ndarray, keys: np.ndarray) -> np.ndarray:
    ones = np.left_shift(np.uint64(1), half) - np.uint64(1)
    left, right = values >> half, values & ones
    for _ in range(_ROUNDS):
        keys = keys + _STEP
        left, right = right, left ^ (_mix(_mix(right + _STEP) ^ keys) & ones)
    return (left << half) | right
