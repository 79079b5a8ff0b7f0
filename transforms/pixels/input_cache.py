"""The worker's side of the inputs: each is decoded and resized once and kept in a bounded cache."""

import hashlib
import threading
from collections import OrderedDict
from functools import lru_cache

import numpy as np
from PIL import Image

from transforms import storage
from transforms.pixels.cutout import Cutout
from transforms.pixels.foregrounds import decode_cutout, decode_foreground
from transforms.pixels.images import (
    BadImage,
    crop_background,
    fit_foreground,
    open_image,
    resized_foreground,
    to_rgb,
)
from transforms.pixels.size import Size
from transforms.plan.identity import forget_identities
from transforms.plan.inputs import InputImage
from transforms.plan.plan import Plan, load_plan

CACHE_BYTES = 256 * 2**20

_CUTOUT_SHARE = 4
"""Cut-outs as they are pasted take this part of the bytes of the inputs they are made from."""


def decode_background(data: bytes) -> Image.Image:
    """Decodes a background to upright RGB. Raises BadImage when it cannot be decoded."""
    return to_rgb(open_image(data))


def read_checked(path: str, sha256: str) -> bytes:
    """Reads an input and checks that it is still the file that was catalogued.

    Raises:
        BadImage: the contents have changed.
    """
    data = storage.read_bytes(path)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise BadImage(
            f"{path}: the file has changed while the data set is being made"
            f" (SHA-256 {found}, catalogued as {sha256}); restore it or start a new data set"
        )
    return data


def read_foreground(asset: InputImage, box: int, ringing: bool = False) -> np.ndarray:
    """Reads a foreground to fit a square: uint8 [height, width, 4], straight colour.

    Args:
        asset: the foreground.
        box: side of the square in pixels.
        ringing: see `fit_foreground`.

    Raises:
        BadImage: the file has changed since it was catalogued.
    """
    return fit_foreground(read_whole(asset), box, ringing)


def read_whole(asset: InputImage) -> Image.Image:
    """Reads a foreground at its own size, its margins cut off: straight colour, RGBA.

    Raises:
        BadImage: the file has changed since it was catalogued.
    """
    if asset.cutout is not None:
        return decode_cutout(read_checked(asset.cutout.path, asset.cutout.sha256))
    data = read_checked(asset.path, asset.sha256)
    mask = asset.mask_path and read_checked(asset.mask_path, asset.mask_sha256 or "")
    image = decode_foreground(data, mask or None)
    return image.crop(asset.crop) if asset.crop else image


def read_background(asset: InputImage, size: Size) -> np.ndarray:
    """Reads the middle of a background at a size: uint8 [height, width, 3].

    Raises:
        BadImage: the file has changed since it was catalogued.
    """
    return crop_background(decode_background(read_checked(asset.path, asset.sha256)), size)


class InputCache:
    """Resized inputs by id, decoded on first use, the least recently used dropped first.

    Any number of threads may use it: runners work on several bundles in one process.

    Args:
        plan: names the inputs and the sizes.
        limit: bytes of inputs to keep at most; cut-outs as they are pasted take a quarter of it
            more.
    """

    def __init__(self, plan: Plan, limit: int = CACHE_BYTES) -> None:
        self.plan = plan
        self._limit = limit
        self._held = 0
        self._cutouts_held = 0
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[str, int], np.ndarray] = OrderedDict()
        self._cutouts: OrderedDict[tuple[int, int, int, int], Cutout] = OrderedDict()

    def foreground(self, fg_id: int) -> np.ndarray:
        """A foreground at its largest pasted size: uint8 [height, width, 4], straight colour."""
        return self._get("foreground", self.plan.foreground_by_id[fg_id])

    def background(self, bg_id: int) -> np.ndarray:
        """A background at the composite's size: uint8 [height, width, 3]."""
        return self._get("background", self.plan.background_by_id[bg_id])

    def cutout(self, fg_id: int, flip: int, width: int, height: int) -> Cutout:
        """A foreground in the form and at the size at which it is pasted."""
        key = (fg_id, flip, width, height)
        with self._lock:
            if found := self._cutouts.get(key):
                self._cutouts.move_to_end(key)
                return found
        rgba = self.foreground(fg_id)
        made = Cutout.from_rgba(resized_foreground(rgba, (width, height), self.plan.ringing))
        if flip:
            made = made.mirrored()
        with self._lock:
            if key not in self._cutouts:
                self._cutouts[key] = made
                self._cutouts_held += made.nbytes
            limit = self._limit // _CUTOUT_SHARE
            while self._cutouts_held > limit and len(self._cutouts) > 1:
                self._cutouts_held -= self._cutouts.popitem(last=False)[1].nbytes
        return made

    def _get(self, kind: str, asset: InputImage) -> np.ndarray:
        key = (kind, asset.id)
        with self._lock:
            found = self._cache.get(key)
            if found is not None:
                self._cache.move_to_end(key)
                return found
        # Outside the lock: reading takes long, and two threads rarely want the same input first.
        if kind == "background":
            pixels = read_background(asset, self.plan.image_size)
        else:
            pixels = read_foreground(asset, self.plan.canvas.largest_box, self.plan.ringing)
        with self._lock:
            if key not in self._cache:
                self._cache[key] = pixels
                self._held += pixels.nbytes
            while self._held > self._limit and len(self._cache) > 1:
                self._held -= self._cache.popitem(last=False)[1].nbytes
        return pixels


@lru_cache(maxsize=2)
def input_cache(plan_path: str) -> InputCache:
    """The process's store for a plan."""
    return InputCache(load_plan(plan_path))


def forget_plans() -> None:
    """Empties this process's caches: a plan of the same path may be another one by now."""
    load_plan.cache_clear()
    forget_identities()
    input_cache.cache_clear()
