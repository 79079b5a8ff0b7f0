"""The worker's side of a scene's inputs: pyramids, cut-outs, colours and grounds, kept for a while.

Each cache is bounded; what it holds is a pure function of the inputs and what was prepared.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, TypeVar

import numpy as np
from PIL import Image

from transforms.pixels.codecs import decode_png, encode_rgb
from transforms.pixels.input_cache import (
    CACHE_BYTES,
    InputCache,
    decode_background,
    input_cache,
    read_background,
    read_checked,
    read_whole,
)
from transforms.pixels.size import Area
from transforms.scenes.crops import box_in, cut_picture, shown_part
from transforms.scenes.ground import Ground
from transforms.scenes.look import LabField, Sprite
from transforms.scenes.scene import Crop, Paste
from transforms.scenes.sprites import Pyramid

_PYRAMID_BYTES = 192 * 2**20
_SPRITE_BYTES = 16 * 2**20
_FIELD_BYTES = 32 * 2**20
_GROUND_BYTES = 32 * 2**20
_LARGEST = 2.0
"""Longest side of a kept foreground, times the longest of the composite."""

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values by key, the least recently used dropped first; safe for threads.

    Args:
        limit: bytes to keep at most, one value apart.
        size: bytes of a value.
    """

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self._limit = limit
        self._size = size
        self._held = 0
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key, made where it is not there."""
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
                return found
        made = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = made
                self._held += self._size(made)
            while self._held > self._limit and len(self._values) > 1:
                self._held -= self._size(self._values.popitem(last=False)[1])
        return made


class SceneInputs:
    """What scenes of a plan are made of.

    Args:
        assets: the inputs at their sizes.

    Attributes:
        grounds: grounds of backgrounds by id, as they were prepared.
    """

    def __init__(self, assets: InputCache) -> None:
        self._plan = assets.plan
        self._pyramids: Kept[Pyramid] = Kept(_PYRAMID_BYTES, lambda made: made.nbytes)
        self._sprites: Kept[Sprite] = Kept(_SPRITE_BYTES, lambda made: made.nbytes)
        self.grounds: Kept[Ground] = Kept(_GROUND_BYTES, lambda made: 6 * made.mask.size)
        # Samples of a plan show the middles of all backgrounds, or parts of all.
        self._middles: Kept[Image.Image] = Kept(CACHE_BYTES, _picture_bytes)
        self._wholes: Kept[Image.Image] = Kept(CACHE_BYTES // 4, _picture_bytes)
        self._packed: Kept[bytes] = Kept(CACHE_BYTES - CACHE_BYTES // 4, len)
        self._fields: Kept[LabField] = Kept(_FIELD_BYTES, lambda made: made.nbytes)

    def background(self, bg_id: int, crop: Crop | None = None) -> Image.Image:
        """A background as the scene shows it, RGB; without a crop, its middle."""
        shown = self._whole(bg_id, crop is not None)
        if crop is None:
            return shown
        return cut_picture(shown, self._box(bg_id, crop, shown), self._plan.image_size)

    def colours(self, bg_id: int, crop: Crop | None = None) -> LabField:
        """Colours of a background as the scene shows it."""
        shown = self._whole(bg_id, crop is not None)
        field = self._fields.get(bg_id, lambda: LabField(shown))
        if crop is None:
            return field
        return field.part(self._box(bg_id, crop, shown), self._plan.image_size)

    def _whole(self, bg_id: int, cropped: bool) -> Image.Image:
        """What is kept of a background: its middle, or all that crops are cut from.

        Of the latter a few are kept as they are and many as PNG files: of large photographs, which
        take a hundred times as long to read again, twice as many fit into the same bytes.
        """
        source, size = self._plan.background_by_id[bg_id], self._plan.image_size

        def packed() -> bytes:
            photo = decode_background(read_checked(source.path, source.sha256))
            return encode_rgb(np.asarray(shown_part(photo, size)), level=1)

        if not cropped:
            return self._middles.get(bg_id, lambda: Image.fromarray(read_background(source, size)))
        return self._wholes.get(
            bg_id, lambda: Image.fromarray(decode_png(self._packed.get(bg_id, packed)))
        )

    def _box(self, bg_id: int, crop: Crop, shown: Image.Image) -> Area:
        source = self._plan.background_by_id[bg_id]
        return box_in(crop, (source.width, source.height), shown.size, self._plan.image_size)

    def sprite(self, paste: Paste) -> Sprite:
        """The cut-out of a paste."""
        shape = (paste.flip, paste.width, paste.height, paste.angle, paste.look.edge)
        return self._sprites.get(
            (paste.labelled, paste.fg_id, *shape), lambda: self._pyramid(paste).sprite(*shape)
        )

    def _pyramid(self, paste: Paste) -> Pyramid:
        by_id = self._plan.foreground_by_id if paste.labelled else self._plan.distractor_by_id
        asset = by_id[paste.fg_id]
        side = round(_LARGEST * self._plan.image_size.long)
        return self._pyramids.get(
            (paste.labelled, paste.fg_id), lambda: Pyramid(read_whole(asset), side)
        )


def _picture_bytes(picture: Image.Image) -> int:
    """What Pillow takes for an RGB picture."""
    return 4 * picture.width * picture.height


def scene_inputs(plan_path: str) -> SceneInputs:
    """The process's store for a plan."""
    return _store(input_cache(plan_path))


@lru_cache(maxsize=2)
def _store(assets: InputCache) -> SceneInputs:
    """The store beside a store of inputs, with which it is forgotten."""
    return SceneInputs(assets)
