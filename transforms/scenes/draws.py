"""The random numbers of a scene: each is a pure function of the seed, the sample and its use."""

from enum import IntEnum

import numpy as np

from transforms.plan.seeding import random_key, uniform

_SCENE = 21

ATTEMPTS = 4
"""Places that are tried for one object."""

MOST_LABELLED = 8
"""Labelled objects of a picture at most."""

MOST_DISTRACTORS = 2
"""Distractors of a picture at most."""

_OBJECTS = MOST_LABELLED + MOST_DISTRACTORS


class PictureUse(IntEnum):
    """What a number of a whole picture is for."""

    NEGATIVE = 0
    OBJECTS = 1
    DISTRACTED = 2
    DISTRACTORS = 3
    CROP = 4
    SLANT = 5
    LENGTH = 6
    EFFECTS = 7
    BLUR = 8
    NOISE = 9
    QUALITY = 10


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


_PER_OBJECT = len(ObjectUse) + ATTEMPTS * len(PlaceUse)


class Draws:
    """The numbers of one sample, uniform in [0, 1).

    Args:
        seed: the data set's seed.
        fg_id: id of the sample's main foreground.
        bg_id: id of its background.
        flip: 1 for the mirror image of the main foreground.
        seq: number of the placement, from 1.
    """

    def __init__(self, seed: int, fg_id: int, bg_id: int, flip: int, seq: int) -> None:
        count = len(PictureUse) + _OBJECTS * _PER_OBJECT
        key = random_key(seed, _SCENE, fg_id, bg_id, flip, seq, np.arange(count))
        self._values = uniform(key).tolist()
        self.key = key

    def picture(self, use: PictureUse) -> float:
        """A number of the whole picture."""
        return self._values[use]

    def object(self, number: int, use: ObjectUse) -> float:
        """A number of an object: labelled ones from 0, distractors from `MOST_LABELLED`."""
        return self._values[len(PictureUse) + number * _PER_OBJECT + use]

    def place(self, number: int, attempt: int, use: PlaceUse) -> float:
        """A number of one attempt, from 0, to place an object."""
        first = len(PictureUse) + number * _PER_OBJECT + len(ObjectUse)
        return self._values[first + attempt * len(PlaceUse) + use]


def between(share: float, low: float, high: float) -> float:
    """The number at a share of the way from low to high."""
    return low + (high - low) * share
