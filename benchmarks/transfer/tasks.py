"""What a network is trained for: finding objects, or relative depth."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch.nn import functional

from benchmarks.transfer.data import Picture, holds_depth, read_set
from benchmarks.transfer.scores import (
    DepthScores,
    Scores,
    best_threshold,
    depth_scores,
    score,
)
from training.losses import depth_loss


class Task(ABC):
    """What is learnt and scored; it has no state.

    Attributes:
        name: in `results.json`.
        start: log odds of what a network predicts before training.
        scores: the class of a run's scores.
        figures: what the table calls each of them.
        plotted: those that are plotted.
    """

    name: ClassVar[str]
    start: ClassVar[float]
    scores: ClassVar[type[Scores] | type[DepthScores]]
    figures: ClassVar[Mapping[str, str]]
    plotted: ClassVar[tuple[str, ...]]

    @abstractmethod
    def read_set(self, folder: Path, most: int) -> Iterator[Picture]:
        """Samples of a data set; arguments and errors as of `data.read_set`."""

    @abstractmethod
    def reduced(self, target: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """A target, float32 [height, width], with fewer pixels: float32 of `size`."""

    @abstractmethod
    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """What training makes small: a number.

        Args:
            logits: float [n, height, width], log odds of what is predicted in 0..1.
            targets: float [n, height, width], NaN where it is unknown.
        """

    @abstractmethod
    def score(
        self,
        predicted: Sequence[np.ndarray],
        pictures: Sequence[Picture],
        chosen_on: tuple[Sequence[np.ndarray], Sequence[Picture]],
    ) -> Scores | DepthScores:
        """Scores of what is predicted of pictures, float32 in 0..1 of each target's size.

        Args:
            predicted: of the pictures.
            pictures: that are scored.
            chosen_on: the same of other pictures, on which thresholds are chosen; empty for none.
        """

    @abstractmethod
    def shown(self, target: np.ndarray) -> np.ndarray:
        """A target or prediction as it is drawn, float in 0..1."""


class Objects(Task):
    """Where the objects are."""

    name = "objects"
    start = -3.0  # Objects are rare. Else they become what nothing speaks against, all alike.
    scores = Scores
    figures: ClassVar[Mapping[str, str]] = {
        "precision": "average precision",
        "small": "small objects",
        "large": "large objects",
        "best_iou": "best IoU",
        "iou": "IoU, threshold chosen elsewhere",
    }
    plotted = ("precision", "small", "large")

    def read_set(self, folder: Path, most: int) -> Iterator[Picture]:
        """Samples with their masks."""
        return read_set(folder, most)

    def reduced(self, target: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """The mean of what becomes one pixel."""
        return functional.adaptive_avg_pool2d(target[None, None], size)[0, 0]

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Cross entropy and overlap of a batch where the target is known."""
        known = (~torch.isnan(targets)).float()
        targets = torch.nan_to_num(targets)
        entropies = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        entropy = (entropies * known).sum() / known.sum().clamp(min=1)
        chance = torch.sigmoid(logits) * known
        both = (chance * targets).sum()
        overlap = (both + 1) / (chance.sum() + targets.sum() - both + 1)
        return entropy + 1 - overlap

    def score(
        self,
        predicted: Sequence[np.ndarray],
        pictures: Sequence[Picture],
        chosen_on: tuple[Sequence[np.ndarray], Sequence[Picture]],
    ) -> Scores:
        """Scores over all pixels of all pictures."""
        chances, others = chosen_on
        threshold = None
        if others:
            threshold = best_threshold(chances, [picture.target for picture in others])
        return score(predicted, [picture.target for picture in pictures], threshold)

    def shown(self, target: np.ndarray) -> np.ndarray:
        """As it is, what is unknown grey."""
        return np.nan_to_num(target, nan=0.5)


class Depth(Task):
    """Relative inverse depth."""

    name = "depth"
    start = 0.0
    scores = DepthScores
    figures: ClassVar[Mapping[str, str]] = {
        "within_rows": "order within rows",
        "spearman": "order in a picture",
        "abs_rel": "AbsRel",
        "edge_order": "order across edges",
        "edge_step": "step at edges",
    }
    plotted = ("within_rows", "edge_order", "edge_step")

    def read_set(self, folder: Path, most: int) -> Iterator[Picture]:
        """Samples with their depth."""
        return read_set(folder, most, depth=True)

    def reduced(self, target: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """The nearest value: between two depths there is none."""
        return functional.interpolate(target[None, None], size, mode="nearest-exact")[0, 0]

    def loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of the built-in model, without its part for the borders of what was pasted."""
        return depth_loss(torch.sigmoid(logits), targets, torch.zeros_like(logits)).total

    def score(
        self,
        predicted: Sequence[np.ndarray],
        pictures: Sequence[Picture],
        chosen_on: tuple[Sequence[np.ndarray], Sequence[Picture]],
    ) -> DepthScores:
        """Scores of each picture, their mean of each source, and the mean of these."""
        targets = [picture.target for picture in pictures]
        return depth_scores(predicted, targets, [picture.source for picture in pictures])

    def shown(self, target: np.ndarray) -> np.ndarray:
        """Stretched from the farthest to the nearest, what is unknown black."""
        low, high = np.nanpercentile(target, [1, 99])
        return np.nan_to_num(((target - low) / max(high - low, 1e-9)).clip(0, 1))


TASKS: dict[str, Task] = {task.name: task for task in (Objects(), Depth())}


def task_of(folders: Sequence[Path]) -> Task:
    """The task that folders of real pictures are for.

    Raises:
        ValueError: they are for different ones.
    """
    depth = {holds_depth(folder) for folder in folders}
    if len(depth) > 1:
        raise ValueError("some folders of real pictures hold depth, others objects")
    return TASKS[Depth.name if depth == {True} else Objects.name]
