"""What is trained and scored: arms, each with several seeds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from benchmarks.transfer.data import Picture, read_real
from benchmarks.transfer.network import (
    Decoder,
    Encoder,
    Features,
    FromScratch,
    Views,
    predict,
    train,
)
from benchmarks.transfer.scores import DepthScores, Scores
from benchmarks.transfer.tasks import TASKS, Objects, Task

_MOST_VIEWS = 16


@dataclass(frozen=True)
class Protocol:
    """How every arm is trained; results of different protocols are not compared.

    Attributes:
        side: of the squares that the network sees.
        pictures: of a data set, at most.
        steps: of training.
        batch: pictures of a step.
        few: real pictures that are mixed in; others for each seed.
        scratch: whether the network starts from nothing, for comparison.
        task: what it is trained for, a name of `TASKS`.
    """

    side: int = 256
    pictures: int = 3200
    steps: int = 300
    batch: int = 16
    few: int = 20
    scratch: bool = False
    task: str = Objects.name


@dataclass(frozen=True)
class Run:
    """One training and its scores.

    Attributes:
        arm: what it was trained on.
        seed: of the first weights, the order, and the choice of few real pictures.
        scores: on the real pictures.
    """

    arm: str
    seed: int
    scores: Scores | DepthScores


@dataclass(frozen=True)
class Arm:
    """What is trained on.

    Attributes:
        name: in the tables.
        data: folder of a data set, or None for real pictures alone.
        real: real pictures that belong to it: None for none, 0 for all, else how many.
    """

    name: str
    data: Path | None
    real: int | None


def arms(data: Sequence[Path], mixed: Sequence[str], few: int, real_train: bool) -> list[Arm]:
    """The arms in the order in which they run: those of a data set together.

    Args:
        data: folders of data sets; an arm bears the folder's name.
        mixed: names of those that are mixed with few real pictures too.
        few: how many real pictures that is.
        real_train: whether there are real pictures to be trained on.

    Raises:
        ValueError: two data sets have one name, or one to be mixed is none of them.
    """
    names = [folder.resolve().name for folder in data]
    if len(set(names)) < len(names):
        raise ValueError(f"--data: the folders' names must differ, these are {', '.join(names)}")
    unknown = sorted(set(mixed) - set(names))
    if unknown:
        raise ValueError(f"--mixed={unknown[0]}: the data sets are {', '.join(names)}")
    found = []
    if real_train:
        found += [Arm("all real", None, 0), Arm(f"{few} real", None, few)]
    for name, folder in zip(names, data, strict=True):
        found.append(Arm(name, folder, None))
        if real_train and name in mixed:
            found.append(Arm(f"{name} + {few} real", folder, few))
    return found


class Judge:
    """Scores a decoder on real pictures, whose features are computed once.

    Args:
        task: what is scored.
        encoder: makes the features.
        real: what is scored.
        select: what chooses the threshold; empty for none.
    """

    def __init__(
        self, task: Task, encoder: Encoder, real: Sequence[Picture], select: Sequence[Picture]
    ) -> None:
        self._task = task
        self._real, self._select = real, select
        self._features, self._others = (
            [encoder.whole(picture) for picture in pictures] for pictures in (real, select)
        )

    def scores(self, decoder: nn.Module) -> tuple[Scores | DepthScores, list[np.ndarray]]:
        """Scores, and what is predicted of each picture, float32 of its target's size."""
        predicted = _predicted(decoder, self._features, self._real)
        others = _predicted(decoder, self._others, self._select)
        return self._task.score(predicted, self._real, (others, self._select)), predicted


def _predicted(
    decoder: nn.Module, features: Sequence[Features], pictures: Sequence[Picture]
) -> list[np.ndarray]:
    return [
        predict(decoder, one, picture.target.shape)
        for one, picture in zip(features, pictures, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class Photographs:
    """Real pictures.

    Attributes:
        real: to be scored on.
        select: to choose thresholds on.
        train: to be trained on.
    """

    real: list[Picture]
    select: list[Picture]
    train: list[Picture]

    @classmethod
    def read(
        cls, real: Sequence[Path], select: Sequence[Path], train: Sequence[Path]
    ) -> "Photographs":
        """From folders as `read_real` takes them; raises what it raises."""
        return cls(
            *(
                [picture for folder in folders for picture in read_real(folder)]
                for folders in (real, select, train)
            )
        )


def choose(count: int, wanted: int, seed: int) -> list[int]:
    """Which of `count` pictures a run is trained on: `wanted` of them, 0 for all."""
    order = np.random.default_rng(seed).permutation(count)
    return [int(number) for number in order[: wanted or count]]


def runs(
    wanted: Sequence[Arm],
    seeds: int,
    done: set[tuple[str, int]],
    photographs: Photographs,
    protocol: Protocol,
) -> Iterator[tuple[Run, list[np.ndarray]]]:
    """Trains and scores every arm with every seed.

    Args:
        wanted: the arms; those of a data set follow one another.
        seeds: of each, from 0.
        done: arm and seed of what is left out.
        photographs: real pictures.
        protocol: how it is trained.

    Yields:
        Each run, and what it predicts of the pictures that are scored.
    """
    missing = [
        (arm, seed) for arm in wanted for seed in range(seeds) if (arm.name, seed) not in done
    ]
    if not missing:
        return
    task = TASKS[protocol.task]
    encoder = Encoder(protocol.side, pretrained=not protocol.scratch)
    judge = Judge(task, encoder, photographs.real, photographs.select)
    many = min(_MOST_VIEWS, max(1, protocol.pictures // max(1, len(photographs.train))))
    real = None
    if any(arm.real is not None for arm, _ in missing):
        real = encoder.views(task, photographs.train, many, 0)
    held: tuple[Path, Views] | None = None
    for arm, seed in missing:
        sources = []
        if arm.data is not None:
            if held is None or held[0] != arm.data:
                held = None  # Two data sets at a time would take twice the memory.
                pictures = task.read_set(arm.data, protocol.pictures)
                held = arm.data, encoder.views(task, pictures, 1, 0)
            sources.append(held[1])
        if arm.real is not None and real is not None:
            chosen = choose(len(photographs.train), arm.real, seed)
            sources.append(real.of(chosen, many))
        make = FromScratch if protocol.scratch else Decoder
        decoder = train(task, sources, protocol.steps, protocol.batch, seed, make)
        scores, predicted = judge.scores(decoder)
        yield Run(arm.name, seed, scores), predicted
