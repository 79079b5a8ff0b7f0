"""The random numbers of a scene: each is a pure function of the seed, the sample and its use."""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np

from transforms.elements import Placement
from transforms.plan.seeding import random_key, uniform
from transforms.scenes.scene import MOST_OBJECTS

_SCENE = 21

ATTEMPTS = 4
"""Places that are tried for one object."""

MOST_LABELLED = MOST_OBJECTS

MOST_DISTRACTORS = 2
"""Distractors of a picture at most."""

_OBJECTS = MOST_LABELLED + MOST_DISTRACTORS


class PictureUse(IntEnum):
    """What a number of a whole picture is for."""

    NEGATIVE = 0
    OBJECTS = 1
    DISTRACTED = 2
    DISTRACTORS = 3
    CROP_SIZE = 4
    SLANT = 5
    LENGTH = 6
    EFFECTS = 7
    BLUR = 8
    NOISE = 9
    QUALITY = 10
    CROP_COLUMN = 11
    CROP_ROW = 12


class ObjectUse(IntEnum):
    """What a number of one object is for."""

    FOREGROUND = 0
    FLIP = 1
    BRIGHTNESS = 2
    CONTRAST = 3
    SATURATION = 4
    HARMONISE = 5
    EDGE = 6
    SHADOW = 7
    DARKNESS = 8


class PlaceUse(IntEnum):
    """What a number of one attempt to place an object is for."""

    DISTANCE = 0
    SIZE = 1
    COLUMN = 2
    ROW = 3
    ANGLE = 4


# Counted once: the length of an enumeration is a call in Python, and a scene takes 50 numbers.
_OF_PICTURE, _OF_OBJECT, _OF_PLACE = len(PictureUse), len(ObjectUse), len(PlaceUse)
_PER_OBJECT = _OF_OBJECT + ATTEMPTS * _OF_PLACE


class Draws:
    """The numbers of one sample, uniform in [0, 1).

    Args:
        values: the numbers, `COUNT` of them.
        noise: random bits of the noise, 0 to 2**63 - 1.
    """

    def __init__(self, values: list[float], noise: int) -> None:
        self._values = values
        self.noise = noise

    def picture(self, use: PictureUse) -> float:
        """A number of the whole picture."""
        return self._values[use]

    def object(self, number: int, use: ObjectUse) -> float:
        """A number of an object: labelled ones from 0, distractors from `MOST_LABELLED`."""
        return self._values[_OF_PICTURE + number * _PER_OBJECT + use]

    def place(self, number: int, attempt: int, use: PlaceUse) -> float:
        """A number of one attempt, from 0, to place an object."""
        first = _OF_PICTURE + number * _PER_OBJECT + _OF_OBJECT
        return self._values[first + attempt * _OF_PLACE + use]


COUNT = _OF_PICTURE + _OBJECTS * _PER_OBJECT
"""Numbers of one sample."""


def draws_of(seed: int, placements: Sequence[Placement]) -> list[Draws]:
    """The numbers of samples, each a pure function of the seed and its placement's ids.

    Args:
        seed: the data set's seed.
        placements: the samples.
    """
    ids = np.array([(p.fg_id, p.bg_id, p.flip, p.seq) for p in placements], np.int64)
    columns = ids.reshape(-1, 4, 1)
    words = (columns[:, number] for number in range(4))
    keys = random_key(seed, _SCENE, *words, np.arange(COUNT))
    shares = uniform(keys)
    return [
        Draws(values, noise >> 1)
        for values, noise in zip(shares.tolist(), keys[:, 0].tolist(), strict=True)
    ]


def between(share: float, low: float, high: float) -> float:
    """The number at a share of the way from low to high."""
    return low + (high - low) * share
