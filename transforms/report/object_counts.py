"""Counts over the objects of scenes, merged without loss in any order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from transforms.scenes.labels import SceneObject

MOST = 32
_SIZES = 40
_PERCENT = 101


@dataclass(frozen=True, eq=False)
class ObjectCounts:
    """Counts over labelled objects.

    Attributes:
        pictures: int64 [33], pictures by their number of objects.
        sizes: int64 [40], objects by the number of binary digits of their area: 2**(n-1) to
            2**n - 1 pixels.
        visible: int64 [101], objects by the share of them that is seen, in percent.
        contacts: int64 [101], objects by the lower end of their box, in percent of the height.
        classes: int64 [n], objects by the number of their class.
    """

    pictures: np.ndarray
    sizes: np.ndarray
    visible: np.ndarray
    contacts: np.ndarray
    classes: np.ndarray

    @classmethod
    def of(
        cls,
        pictures: Sequence[Sequence[SceneObject]],
        height: int,
        classes: dict[int, int],
        of: int,
    ) -> "ObjectCounts":
        """Counts the objects of pictures.

        Args:
            pictures: the objects of each picture.
            height: height of the pictures in pixels.
            classes: number of the class of each foreground, by its id.
            of: number of classes.
        """
        objects = [found for each in pictures for found in each]

        def counts(values: list[int], length: int) -> np.ndarray:
            return np.bincount(np.array(values, np.int64), minlength=length).astype(np.int64)

        return cls(
            counts([min(len(each), MOST) for each in pictures], MOST + 1),
            counts([found.area.bit_length() for found in objects], _SIZES),
            counts([min(100, int(found.visible * 100)) for found in objects], _PERCENT),
            counts([(found.box[1] + found.box[3]) * 100 // height for found in objects], _PERCENT),
            counts([classes[found.fg_id] for found in objects], of),
        )

    def __add__(self, other: "ObjectCounts") -> "ObjectCounts":
        return ObjectCounts(
            self.pictures + other.pictures,
            self.sizes + other.sizes,
            self.visible + other.visible,
            self.contacts + other.contacts,
            self.classes + other.classes,
        )

    @property
    def count(self) -> int:
        """Number of objects."""
        return int(self.sizes.sum())

    def summary(self) -> dict[str, Any]:
        """For `statistics.json`: the counts; the names of the classes are in the manifest."""
        return {
            "count": self.count,
            "pictures_by_objects": _trimmed(self.pictures),
            "objects_by_binary_digits_of_area": _trimmed(self.sizes),
            "objects_by_percent_visible": tuple(self.visible.tolist()),
            "objects_by_percent_of_height_of_lower_end": tuple(self.contacts.tolist()),
            "objects_by_class": tuple(self.classes.tolist()),
        }

    def note(self) -> str:
        """What they say, in a sentence or two."""
        pictures = int(self.pictures.sum())
        if not pictures:
            return "There are no objects."
        whole = int(self.visible[100])
        return (
            f"{self.count:,} labelled objects, {self.count / pictures:.2f} a composite on average;"
            f" {int(self.pictures[0]):,} composites have none; {whole:,} objects are seen whole."
        )


def _trimmed(counts: np.ndarray) -> tuple[int, ...]:
    last = np.flatnonzero(counts)
    return tuple(counts[: last[-1] + 1].tolist()) if len(last) else ()
