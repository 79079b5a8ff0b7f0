"""Evaluates cut-out models on photographs with masks and on composites with exact alpha.

    python -m training.evaluate_cutout MODEL [MODEL ...] --pairs=DIR \\
        [--foregrounds=DIR --backgrounds=DIR]

PAIRS has `images/NAME.jpg` and `masks/NAME.png`. Each model's map stands beside what becomes of it
step by step: small parts dropped, edges filtered, alpha stretched. Foregrounds (RGBA files, numbers
above those of training) are pasted on plain colours, on a wall above a table, and on backgrounds.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.stats import spearmanr

from training.cutout_metrics import CutoutScore, edge_colour_error, maximum_f, score_cutout
from training.data import number
from training.sources import HELD_OUT_NUMBER
from transforms.models.base import Running
from transforms.models.cutout import CUTOUT_MODELS
from transforms.models.cutout.base import CutoutModel
from transforms.pixels.cutout import Cutout
from transforms.pixels.cutting import (
    MOST_UNSURE,
    STRETCH,
    filtered_map,
    guide_size,
    large_parts,
    unsure_share,
)
from transforms.pixels.images import crop_background, fit_foreground, to_rgb, to_rgba
from transforms.pixels.matting import enlarged, foreground_colours, stretched
from transforms.pixels.size import Size
from transforms.steps.composite import paste

STEPS = ("map", "parts", "filter", "stretch")
GROUNDS = ("plain", "table", "photograph")
COMPOSITE_SIDE = 320
COMPOSITES = 20
_OPAQUE, _FRINGE = 250, 2


@dataclass(frozen=True, eq=False)
class Pair:
    """A picture with its true alpha, float [height, width], and the object's true colours."""

    name: str
    picture: np.ndarray
    alpha: np.ndarray
    colours: np.ndarray | None = None


def read_pairs(folder: Path, limit: int | None) -> Iterator[Pair]:
    """The pairs of a folder, or an even choice of them."""
    paths = sorted((folder / "images").glob("*.jpg"))
    for path in paths[:: max(1, len(paths) // limit)][:limit] if limit else paths:
        mask = Image.open(folder / "masks" / f"{path.stem}.png").convert("L")
        picture = np.asarray(Image.open(path).convert("RGB"))
        yield Pair(path.stem, picture, np.asarray(mask) / 255)


def composites(foregrounds: Path, backgrounds: Path, ground: str, seed: int = 0) -> Iterator[Pair]:
    """Held-out foregrounds on one kind of ground, with exact alpha."""
    files = [path for path in sorted(foregrounds.glob("*.png")) if number(path) > HELD_OUT_NUMBER]
    scenes = [path for path in sorted(backgrounds.glob("*.png")) if number(path) > HELD_OUT_NUMBER]
    draw = np.random.default_rng([seed, GROUNDS.index(ground)])
    side = COMPOSITE_SIDE
    for path in files[:COMPOSITES]:
        picture = np.empty((side, side, 3), np.uint8)
        picture[:] = draw.integers(40, 256, 3)
        if ground == "table":
            picture[int(side * draw.uniform(0.4, 0.7)) :] = draw.integers(40, 256, 3)
        elif ground == "photograph":
            scene = to_rgb(Image.open(scenes[draw.integers(len(scenes))]))
            picture = crop_background(scene, Size.square(side))
        fitted = fit_foreground(to_rgba(Image.open(path)), int(side * draw.uniform(0.4, 0.8)))
        fitted[..., :3] = _without_fringe(fitted)
        height, width = fitted.shape[:2]
        x, y = int(draw.integers(0, side - width + 1)), int(draw.integers(0, side - height + 1))
        paste(picture, Cutout.from_rgba(fitted), x, y)
        window = np.s_[y : y + height, x : x + width]
        alpha, colours = np.zeros((side, side)), np.zeros((side, side, 3), np.uint8)
        alpha[window], colours[window] = fitted[..., 3] / 255, fitted[..., :3]
        yield Pair(path.stem, picture, alpha, colours)


def _without_fringe(rgba: np.ndarray) -> np.ndarray:
    """Colours of a cut-out whose outline has those of the nearest pixel well inside.

    Cut-outs from the web have fringes of the background that they were cut from.
    """
    solid = ndimage.binary_erosion(rgba[..., 3] >= _OPAQUE, iterations=_FRINGE)
    if not solid.any():
        return rgba[..., :3]
    rows, columns = ndimage.distance_transform_edt(
        ~solid, return_distances=False, return_indices=True
    )
    return rgba[rows, columns, :3]


@dataclass(frozen=True, eq=False)
class Found:
    """Results of a model, and of each step after it, for a pair.

    Attributes:
        scores: by step, in the order of STEPS.
        unsure: unsure share of the map.
        seconds: of the model and of all steps after it, processor time.
        colours: error at the edge of: the picture as it is and blur fusion with the true alpha, and
            the same two with the alpha that was found; NaN without true colours.
    """

    scores: tuple[CutoutScore, ...]
    unsure: float
    seconds: tuple[float, float]
    colours: tuple[float, float, float, float]


def evaluate(model: CutoutModel, pair: Pair) -> Found:
    """Cuts one picture out, step by step."""
    begin = time.process_time()
    found = model.alpha(pair.picture)
    middle = time.process_time()
    height, width = found.shape
    chance = np.clip(enlarged(found, guide_size(width, height)), 0, 1)
    parts = large_parts(chance)
    filtered = filtered_map(pair.picture, parts)
    alpha = stretched(filtered, *STRETCH)
    colours = foreground_colours(pair.picture, alpha)
    end = time.process_time()
    steps = (found, enlarged(parts, (width, height)), np.clip(filtered, 0, 1), alpha)
    errors = (float("nan"),) * 4
    if pair.colours is not None:
        exact = foreground_colours(pair.picture, pair.alpha)
        shown = pair.colours * pair.alpha[..., None]
        errors = (
            edge_colour_error(pair.picture, pair.colours, pair.alpha),
            edge_colour_error(exact, pair.colours, pair.alpha),
            edge_colour_error(pair.picture * alpha[..., None], shown, pair.alpha),
            edge_colour_error(colours * alpha[..., None], shown, pair.alpha),
        )
    scores = tuple(score_cutout(step, pair.alpha) for step in steps)
    return Found(scores, unsure_share(chance), (middle - begin, end - middle), errors)


def rows(name: str, every: list[Found]) -> list[str]:
    """A line for each step: IoU, MAE, edge MAE, maximum F, boundary F."""
    lines = []
    for i, step in enumerate(STEPS):
        scores = [found.scores[i] for found in every]
        means = [
            float(np.mean([getattr(score, key) for score in scores]))
            for key in ("iou", "mae", "edge_mae", "boundary_f")
        ]
        lines.append(
            f"| {name} | {step} | {means[0]:.3f} | {means[1]:.3f} | {means[2]:.3f}"
            f" | {maximum_f(scores):.3f} | {means[3]:.3f} |"
        )
    return lines


def honesty(every: list[Found]) -> str:
    """How well the unsure share tells bad cut-outs from good ones."""
    unsure = np.array([found.unsure for found in every])
    iou = np.array([found.scores[-1].iou for found in every])
    doubtful = unsure > MOST_UNSURE
    rank = float(spearmanr(unsure, iou).statistic)
    kept = iou[~doubtful].mean() if (~doubtful).any() else float("nan")
    flagged = iou[doubtful].mean() if doubtful.any() else float("nan")
    return (
        f"rank correlation of unsure share and IoU {rank:.2f}; {doubtful.mean():.0%} above"
        f" {MOST_UNSURE:g}, mean IoU {flagged:.2f}, the others {kept:.2f}"
    )


def main() -> None:
    """Reads the flags and prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", metavar="MODEL", help="as --cutout_model takes it")
    parser.add_argument("--pairs", type=Path, help="folder with images and masks")
    parser.add_argument("--limit", type=int, help="number of pairs, evenly chosen (default: all)")
    parser.add_argument("--foregrounds", type=Path, help="folder of numbered RGBA files")
    parser.add_argument("--backgrounds", type=Path, help="folder of numbered pictures")
    parser.add_argument("--json", type=Path, help="write the figures of each picture there")
    options = parser.parse_args()
    sets: dict[str, list[Pair]] = {}
    if options.pairs:
        sets["photographs"] = list(read_pairs(options.pairs, options.limit))
    if options.foregrounds and options.backgrounds:
        for ground in GROUNDS:
            sets[ground] = list(composites(options.foregrounds, options.backgrounds, ground))
    models = [CUTOUT_MODELS.load(name, Running()) for name in options.models]
    details: dict[str, dict[str, list[list[float]]]] = {}
    for title, pairs in sets.items():
        print(f"\n{title}, {len(pairs)} pictures\n")
        print("| model | step | IoU | MAE | edge MAE | max F | boundary F |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        notes = []
        for model in models:
            every = [evaluate(model, pair) for pair in pairs]
            print("\n".join(rows(model.name, every)), flush=True)
            times = 1000 * np.mean([found.seconds for found in every], axis=0)
            notes.append(f"{model.name}: {times[0]:.0f} ms the model, {times[1]:.0f} ms the steps")
            notes.append(f"{model.name}: {honesty(every)}")
            if pairs[0].colours is not None:
                errors = np.nanmean([found.colours for found in every], axis=0)
                notes.append(
                    f"{model.name}: colour error at edges {errors[0]:.1f} -> {errors[1]:.1f} with"
                    f" true alpha, {errors[2]:.1f} -> {errors[3]:.1f} end to end (times alpha)"
                )
            details.setdefault(title, {})[model.name] = [
                [found.unsure, found.scores[0].iou, found.scores[-1].iou] for found in every
            ]
        print("\n" + "\n".join(notes), flush=True)
    if options.json:
        options.json.write_text(json.dumps(details) + "\n")


if __name__ == "__main__":
    main()
