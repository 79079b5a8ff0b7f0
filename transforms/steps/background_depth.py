"""Depth of each clean background, prepared once: the far end of layered depth."""

import io
import threading
from collections import OrderedDict

import numpy as np

from transforms.models.depth.passes import predict_in_passes, predict_whole
from transforms.pixels.input_cache import decode_background, read_checked
from transforms.pixels.layers import Background
from transforms.plan.inputs import InputImage
from transforms.prepared import Refused, Thing
from transforms.recipe import Recipe
from transforms.scenes.crops import box_in, centred, cut_map
from transforms.scenes.scene import Crop
from transforms.steps.depth import loaded_model

_CACHE_BYTES = 64 * 2**20


def predict_background(source: InputImage, recipe: Recipe) -> bytes:
    """Predicts the depth of a clean background, as composites show it.

    Returns:
        The bytes of an `.npz` file that holds `depth`, float32 [height, width], all finite: of the
        middle, at the composites' size, or where samples show parts of backgrounds, of the whole.

    Raises:
        Refused: the model cannot handle the picture.
        BadImage: the file has changed since it was catalogued.
        ModelError: the model cannot be loaded.
    """
    assert recipe.depth is not None and recipe.depth.passes is not None
    picture = decode_background(read_checked(source.path, source.sha256))
    model = loaded_model(recipe.depth)
    try:
        predict = predict_whole if recipe.random_crops else predict_in_passes
        depth = predict(picture, recipe.image_size, model, recipe.depth.passes)
    except Exception as error:  # Whatever a model raises on a picture costs that picture.
        raise Refused(f"no depth: {type(error).__name__}: {error}") from None
    if not np.isfinite(depth).all():
        raise Refused("no depth: the depth map has values that are not finite")
    file = io.BytesIO()
    np.savez(file, depth=depth)
    return file.getvalue()


def load_depth(data: bytes) -> np.ndarray:
    """The map in a file of `predict_background`. Raises an exception when it is damaged."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        depth: np.ndarray = arrays["depth"]
    return depth


def _wanted(recipe: Recipe) -> bool:
    return recipe.layered


def _settings(recipe: Recipe) -> tuple[str, ...]:
    assert recipe.depth is not None
    return (
        f"model {recipe.depth.digest}",
        f"passes {recipe.depth.passes}",
        f"side {recipe.image_size.spelt}",
        *(("whole",) if recipe.random_crops else ()),
    )


DEPTH = Thing("depth", "npz", _wanted, _settings, predict_background, load_depth)
"""Depth maps of backgrounds."""


class _Maps:
    """Prepared maps by their path, the least recently used dropped first; safe for threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._lock = threading.Lock()
        self._maps: OrderedDict[str, Background] = OrderedDict()

    def get(self, source: InputImage, recipe: Recipe) -> Background:
        assert recipe.depth is not None
        path = recipe.folder.path(DEPTH.path(source, recipe))
        with self._lock:
            if found := self._maps.get(path):
                self._maps.move_to_end(path)
                return found
        depth = load_depth(DEPTH.read(source, recipe))
        made = Background(depth, recipe.depth.meaning.near_is_large)
        with self._lock:
            if path not in self._maps:
                self._maps[path] = made
                self._held += depth.nbytes
            while self._held > self._limit and len(self._maps) > 1:
                self._held -= self._maps.popitem(last=False)[1].depth.nbytes
        return made

    def clear(self) -> None:
        with self._lock:
            self._maps.clear()
            self._held = 0


_MAPS = _Maps(_CACHE_BYTES)


def background_depth(source: InputImage, recipe: Recipe, crop: Crop | None = None) -> Background:
    """The prepared depth of a background; a worker keeps those that it has read lately.

    Args:
        source: the background.
        recipe: how depth was prepared.
        crop: what is shown of it; None for its middle.

    Raises:
        Refused: there is none; the message says why.
    """
    background = _MAPS.get(source, recipe)
    if not recipe.random_crops:
        return background
    size = (source.width, source.height)
    height, width = background.depth.shape
    shown = crop or centred(*size, recipe.image_size)
    box = box_in(shown, size, (width, height), recipe.image_size)
    return background.part(cut_map(background.depth, box, recipe.image_size))


def forget_backgrounds() -> None:
    """Empties this process's cache: a file of the same path may be another one by now."""
    _MAPS.clear()
