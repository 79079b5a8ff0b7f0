"""Draws random scenes with exact depth, as folders of pairs.

    python -m training.draw_scenes --pictures=DIR_OR_GLOB --output=DIR [--count=500]

OUTPUT gets the folders `rooms`, `streets` and `landscapes`, each with `rgb/NNNN.jpg` and
`disparity/NNNN.png` (16-bit, larger is nearer, 0 is the sky), and `things` with cut-outs. A scene
depends on the seed, its kind, its number and the pictures only; scenes that are there already are
kept, so that a run that was stopped goes on.
"""

import argparse
import glob
import io
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from training.rendering import Drawing
from training.scenes import KINDS, THINGS, drawn
from transforms.storage import make_folder, write_bytes

_QUALITY = 92
_TOP = 65535


@dataclass(frozen=True)
class Task:
    """A scene to draw: the seed of all scenes, its kind and its number."""

    seed: int
    kind: str
    number: int


_pictures: list[np.ndarray] = []


def _load(paths: list[str]) -> None:
    """Each process reads the pictures once."""
    _pictures.extend(np.asarray(Image.open(path).convert("RGB")) for path in paths)


def _draw(task: Task) -> Drawing:
    draw = np.random.default_rng([task.seed, list(KINDS).index(task.kind), task.number])
    return drawn(task.kind, _pictures, draw)


def write(drawing: Drawing, output: Path, task: Task) -> None:
    """Writes a cut-out, or a pair; the file that says that a task is done comes last."""
    target = path(output, task)
    if task.kind == THINGS:
        rgba = np.dstack([drawing.picture, drawing.alpha])
        rows, columns = np.nonzero(drawing.alpha)
        rgba = rgba[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        _save(Image.fromarray(rgba), target)
        return
    levels = drawing.inverse / max(float(drawing.inverse.max()), 1e-9) * _TOP
    disparity = output / task.kind / "disparity" / f"{target.stem}.png"
    _save(Image.fromarray(levels.round().astype(np.uint16)), disparity)
    _save(Image.fromarray(drawing.picture), target)


def _save(image: Image.Image, target: Path) -> None:
    file = io.BytesIO()
    image.save(file, "jpeg" if target.suffix == ".jpg" else "png", quality=_QUALITY)
    make_folder(str(target.parent))
    write_bytes(str(target), file.getvalue())


def path(output: Path, task: Task) -> Path:
    """The file that says that a task is done."""
    if task.kind == THINGS:
        return output / task.kind / f"{task.number:04d}.png"
    return output / task.kind / "rgb" / f"{task.number:04d}.jpg"


def main() -> None:
    """Reads the flags and draws."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--pictures", required=True, nargs="+", help="folders or globs of pictures for surfaces"
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=500, help="scenes of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="processes that draw")
    options = parser.parse_args()
    found = [
        file
        for place in options.pictures
        for file in sorted(glob.glob(f"{place}/*" if Path(place).is_dir() else place))
    ]
    if not found:
        raise SystemExit(f"--pictures={options.pictures}: no file there")
    every = (Task(options.seed, kind, i) for i in range(options.count) for kind in KINDS)
    missing = [task for task in every if not path(options.output, task).exists()]
    with ProcessPoolExecutor(options.workers, initializer=_load, initargs=(found,)) as pool:
        for task, drawing in zip(missing, pool.map(_draw, missing), strict=True):
            write(drawing, options.output, task)


if __name__ == "__main__":
    main()
