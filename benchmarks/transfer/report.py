"""What the benchmark leaves behind: figures, table, plot, and a sheet of predictions."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from benchmarks.transfer.data import Picture
from benchmarks.transfer.protocol import Protocol, Run
from benchmarks.transfer.scores import DepthScores, Scores
from benchmarks.transfer.tasks import TASKS, Task

_SHOWN = 8
_SHOWN_HEIGHT = 96


class OtherProtocol(ValueError):
    """The results in a folder were made in another way."""


def load(path: Path, protocol: Protocol) -> list[Run]:
    """The runs of `results.json`; none where there is no such file.

    Raises:
        OtherProtocol: they were trained in another way.
    """
    if not path.exists():
        return []
    content = json.loads(path.read_text())
    if content["protocol"] != asdict(protocol):
        raise OtherProtocol(f"{path} has results of {content['protocol']}; give another --output")
    scores = TASKS[protocol.task].scores
    return [Run(run["arm"], run["seed"], scores(**run["scores"])) for run in content["runs"]]


def save(path: Path, protocol: Protocol, runs: Sequence[Run]) -> None:
    """Writes `results.json`."""
    content = {"protocol": asdict(protocol), "runs": [asdict(run) for run in runs]}
    path.write_text(json.dumps(content, indent=1) + "\n")


def by_arm(runs: Iterable[Run]) -> dict[str, list[Scores | DepthScores]]:
    """Scores by arm, in the order in which the arms appear."""
    found: dict[str, list[Scores | DepthScores]] = {}
    for run in runs:
        found.setdefault(run.arm, []).append(run.scores)
    return found


def table(task: Task, runs: Sequence[Run]) -> str:
    """A Markdown table: mean and standard deviation over the runs of each arm."""
    lines = [
        f"| trained on | runs | {' | '.join(task.figures.values())} |",
        f"| --- | ---: |{' ---: |' * len(task.figures)}",
    ]
    for arm, scores in by_arm(runs).items():
        cells = (_cell([getattr(one, name) for one in scores]) for name in task.figures)
        lines.append(f"| {arm} | {len(scores)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(values: Sequence[float | None]) -> str:
    numbers = [value for value in values if value is not None]
    if not numbers:
        return ""
    mean = f"{np.mean(numbers):.3f}"
    return mean if len(numbers) == 1 else f"{mean} ± {np.std(numbers, ddof=1):.3f}"


def plot(task: Task, runs: Sequence[Run], picture: Path) -> None:
    """Draws a dot for each run and a line at the mean of each arm, as PNG."""
    arms = by_arm(runs)
    figure = Figure(figsize=(9, 0.9 + 0.3 * len(arms)), layout="constrained")
    panels = figure.subplots(1, len(task.plotted), sharey=True)
    for axes, name in zip(panels, task.plotted, strict=True):
        for row, scores in enumerate(arms.values()):
            values = [getattr(one, name) for one in scores]
            axes.plot(values, [row] * len(values), "o", markersize=4, alpha=0.5, color="tab:blue")
            axes.plot([np.mean(values)] * 2, [row - 0.35, row + 0.35], color="tab:red")
        axes.set(title=task.figures[name], xlim=(0, 1))
        axes.grid(alpha=0.3)
    panels[0].set_yticks(range(len(arms)), list(arms))
    panels[0].invert_yaxis()
    FigureCanvasAgg(figure).print_png(str(picture))


class Sheet:
    """Predictions of each arm's first run, side by side; a column is kept as a file of its own.

    Args:
        task: what is predicted.
        folder: of the columns.
        pictures: real pictures, of which some are shown.
    """

    def __init__(self, task: Task, folder: Path, pictures: Sequence[Picture]) -> None:
        self._task = task
        self._folder = folder
        count = min(_SHOWN, len(pictures))
        self._shown = [number * len(pictures) // count for number in range(count)]
        self._pictures = [pictures[number] for number in self._shown]

    def add(self, arm: str, predicted: Sequence[np.ndarray]) -> None:
        """Keeps an arm's predictions for all pictures."""
        self._folder.mkdir(exist_ok=True)
        shown = [self._task.shown(predicted[number]) for number in self._shown]
        _column(shown).save(self._path(arm))

    def write(self, arms: Iterable[str], path: Path) -> None:
        """Picture, truth and the arms that there are, from left to right, as JPEG."""
        truth = [self._task.shown(picture.target) for picture in self._pictures]
        columns = [_column([picture.image / 255 for picture in self._pictures]), _column(truth)]
        columns += [Image.open(self._path(arm)) for arm in arms if self._path(arm).exists()]
        tiles = np.hstack([np.asarray(column.convert("RGB")) for column in columns])
        Image.fromarray(tiles).save(path, quality=85)

    def _path(self, arm: str) -> Path:
        return self._folder / f"{arm.replace(' ', '_')}.png"


def _column(maps: Sequence[np.ndarray]) -> Image.Image:
    tiles = []
    width = max(round(one.shape[1] * _SHOWN_HEIGHT / one.shape[0]) for one in maps)
    for one in maps:
        tile = Image.fromarray(np.rint(one * 255).astype(np.uint8))
        fitted = tile.resize((round(tile.width * _SHOWN_HEIGHT / tile.height), _SHOWN_HEIGHT))
        pixels = np.asarray(fitted)
        pad = ((1, 1), (1, 1 + width - fitted.width), (0, 0))
        tiles.append(np.pad(pixels, pad[: pixels.ndim], constant_values=128))
    return Image.fromarray(np.vstack(tiles))
