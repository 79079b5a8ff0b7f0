"""How good predictions are on samples of a split, and a picture of some of them."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image


class NoDepth(ValueError):
    """A data set has no depth maps."""


@dataclass(frozen=True)
class DepthScale:
    """Mean and standard deviation of a data set's depth values, from its `statistics.json`.

    Networks learn `(depth - mean) / std`, and errors are said in standard deviations: that is fair
    to depth models of any unit.
    """

    mean: float
    std: float

    @classmethod
    def read(cls, data: Path) -> "DepthScale":
        """Raises NoDepth when it has no depth, FileNotFoundError when there is no data set."""
        depth = json.loads((data / "statistics.json").read_text()).get("depth")
        if not depth or not depth["count"]:
            raise NoDepth(f"{data} has no depth maps; make it with a --depth_model")
        return cls(depth["values"]["mean"], depth["values"]["std"])


@dataclass(frozen=True)
class Scores:
    """Scores over the samples of a split.

    Attributes:
        samples: how many there are.
        mask_iou: mean over the samples of the intersection of predicted and true mask by their
            union, both from one half on.
        depth_error: mean absolute error in standard deviations of the data set's depth.
        depth_error_inside: the same over the pixels of the pasted foregrounds alone.
    """

    samples: int
    mask_iou: float
    depth_error: float
    depth_error_inside: float

    def text(self) -> str:
        """One line for people."""
        return (
            f"mask IoU {self.mask_iou:.3f}, depth error {self.depth_error:.3f} standard deviations"
            f" ({self.depth_error_inside:.3f} on the foregrounds), {self.samples:,} samples"
        )


@dataclass(eq=False)
class Scorer:
    """Adds up scores batch by batch."""

    _ious: list[float] = field(default_factory=list)
    _error: float = 0.0
    _pixels: int = 0
    _error_inside: float = 0.0
    _pixels_inside: int = 0

    def add(
        self,
        mask: np.ndarray,
        depth: np.ndarray,
        true_mask: np.ndarray,
        true_depth: np.ndarray,
    ) -> None:
        """Adds a batch.

        Args:
            mask: predicted share of foreground, [samples, height, width] in 0..1.
            depth: predicted depth in standard deviations, of the same shape.
            true_mask: the mask, of the same shape.
            true_depth: the depth in standard deviations, of the same shape.
        """
        found, inside = mask >= 0.5, true_mask >= 0.5
        both = (found & inside).sum(axis=(1, 2))
        either = (found | inside).sum(axis=(1, 2))
        self._ious += np.where(either > 0, both / np.maximum(either, 1), 1.0).tolist()
        error = np.abs(depth - true_depth)
        self._error += float(error.sum())
        self._pixels += error.size
        self._error_inside += float(error[inside].sum())
        self._pixels_inside += int(inside.sum())

    def scores(self) -> Scores:
        """The scores of all that has been added."""
        return Scores(
            len(self._ious),
            float(np.mean(self._ious)),
            self._error / self._pixels,
            self._error_inside / max(1, self._pixels_inside),
        )


@dataclass(frozen=True)
class Report:
    """What a training has come to, scored on a split whose foregrounds it has never seen.

    Attributes:
        epochs: how often it went through the samples.
        train_samples: samples of an epoch.
        parameters: numbers that the network learns.
        seconds: processor time of the training alone, on all cores together.
        untrained: scores of the first weights.
        trained: scores of the last weights.
    """

    epochs: int
    train_samples: int
    parameters: int
    seconds: float
    untrained: Scores
    trained: Scores

    def save(self, path: Path) -> None:
        """Writes it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    def text(self) -> str:
        """A few lines for people."""
        return (
            f"untrained: {self.untrained.text()}\n"
            f"trained:   {self.trained.text()}\n"
            f"{self.parameters:,} parameters, {self.epochs} x {self.train_samples:,} samples in"
            f" {self.seconds:.0f} s of processor time"
        )


@dataclass(frozen=True, eq=False)
class Prediction:
    """A sample and a network's predictions; floats in 0..1, depth in standard deviations."""

    bg: np.ndarray
    fg_bg: np.ndarray
    mask: np.ndarray
    predicted_mask: np.ndarray
    depth: np.ndarray
    predicted_depth: np.ndarray


def draw(predictions: list[Prediction], path: Path) -> None:
    """Saves a picture with a row for each prediction.

    From left to right: background, composite, mask, predicted mask, depth, predicted depth; both
    depth maps of a row in the greys of the true one.
    """
    rows = []
    for p in predictions:
        low, high = p.depth.min(), p.depth.max()
        maps = [(d - low) / max(high - low, 1e-6) for d in (p.depth, p.predicted_depth)]
        greys = [p.mask, p.predicted_mask, *maps]
        tiles = [p.bg, p.fg_bg, *(np.repeat(grey[..., None], 3, axis=2) for grey in greys)]
        rows.append(
            np.concatenate(
                [np.pad(t, ((2, 2), (2, 2), (0, 0)), constant_values=1) for t in tiles], 1
            )
        )
    pixels = np.clip(np.concatenate(rows) * 255 + 0.5, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path)
