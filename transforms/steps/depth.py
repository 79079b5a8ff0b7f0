"""Depth step: a depth model under RunInference, one a process, one block a batch."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from transforms import models
from transforms.elements import Block, Failure
from transforms.models.depth.base import DepthModel
from transforms.models.inference import ModelHandler
from transforms.recipe import DepthSettings, Recipe

_LOG = logging.getLogger(__name__)


def fault(depth: np.ndarray) -> str | None:
    """Why a depth map is useless, or None if it is fine.

    Args:
        depth: float32 [height, width].
    """
    low, high = float(depth.min()), float(depth.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        return "the depth map has values that are not finite"
    if low == high and depth.size > 1:
        return f"the depth map is {low:g} everywhere"
    return None


def useless(depth: np.ndarray) -> list[int]:
    """The numbers of the depth maps that `fault` finds something in.

    Args:
        depth: float32 [n, height, width].
    """
    low, high = depth.min(axis=(1, 2)), depth.max(axis=(1, 2))
    flat = (low == high) & (depth[:1].size > 1)
    return np.flatnonzero(~np.isfinite(low) | ~np.isfinite(high) | flat).tolist()


def predict_block(model: DepthModel, block: Block) -> Block:
    """Adds depth to a block; when the batch fails, its samples are tried one by one.

    Args:
        model: the depth model.
        block: with images uint8 [n, height, width, 3].

    Returns:
        The block with depth; samples without a usable map have become failures.
    """
    assert block.images is not None
    failed: dict[int, Failure] = {}
    shape = block.images.shape[:3]
    if not block.placements:  # Models need not take batches of none.
        return replace(block, depth=np.zeros(shape, np.float32))
    try:
        depth = np.asarray(model.predict(block.images), np.float32)
        if depth.shape != shape:
            raise ValueError(f"the model's depth has shape {depth.shape}, not {shape}")
        todo = useless(depth)
    except Exception as error:  # Whatever a model raises is a failure of this batch only.
        _LOG.warning("Depth: a batch failed (%s); its samples are retried one by one", error)
        depth, todo = np.zeros(shape, np.float32), list(range(len(block.images)))
    if todo:
        depth = depth.copy()  # It may be the model's own, for reading only.
    for i in todo:
        try:
            depth[i] = model.predict(block.images[i : i + 1])[0]
            reason = fault(depth[i])
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
        if reason:
            failed[i] = Failure(block.placements[i].key, "Depth", reason)
    return replace(block, depth=depth).without(failed)


def is_predicted(recipe: Recipe) -> bool:
    """Whether depth is predicted from the composites."""
    return recipe.depth is not None and not recipe.layered


def load_model(settings: DepthSettings) -> DepthModel:
    """Loads a depth model.

    Raises:
        ModelError: it cannot be loaded, or its weights are not those of the data set.
    """
    if settings.digest is not None:
        found = models.digest(settings.model)
        if found != settings.digest:
            raise models.ModelError(
                f"{settings.model}: the weights have SHA-256 {found}, the data set is made with"
                f" {settings.digest}; restore them or start a new data set"
            )
    model = models.load_model(
        settings.model,
        threads=settings.threads,
        device=settings.device,
        half_precision=settings.half_precision,
    )
    _LOG.info("Depth: %s runs on %s", model.name, model.device)
    return model


@lru_cache(maxsize=1)
def loaded_model(settings: DepthSettings) -> DepthModel:
    """The process's depth model outside RunInference. Raises ModelError as `load_model` does."""
    return load_model(settings)


def add_depth(block: Block, recipe: Recipe) -> Block:
    """Adds `depth` to a block that has images; see `predict_block`."""
    assert recipe.depth is not None
    return predict_block(loaded_model(recipe.depth), block)


class DepthHandler(ModelHandler[Block, Block, DepthModel]):
    """Runs a depth model on whole blocks; a prediction is the block with its depth added.

    Args:
        recipe: names the model and how it runs.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(min_batch_size=1, max_batch_size=1)
        assert recipe.depth is not None
        self._settings = recipe.depth

    def load_model(self) -> DepthModel:
        """Loads the model; called once per process. Raises ModelError when it cannot be loaded."""
        return load_model(self._settings)

    def run_inference(
        self,
        batch: Sequence[Block],
        model: DepthModel,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterator[Block]:
        """Adds depth to each block of a batch."""
        return (predict_block(model, block) for block in batch)

    def get_num_bytes(self, batch: Sequence[Block]) -> int:
        """Bytes of pixels in a batch."""
        return sum(block.images.nbytes for block in batch if block.images is not None)

    def get_metrics_namespace(self) -> str:
        """Namespace of RunInference's own metrics."""
        return "Depth"

    def share_model_across_processes(self) -> bool:
        """Whether one copy serves all processes of a machine."""
        return self._settings.share_model
