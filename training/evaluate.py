"""Evaluates a depth model on RGB-D pairs and on composites.

    python -m training.evaluate builtin --pairs=DIR [--fastdepth=FILE] \\
        [--foregrounds=DIR --backgrounds=DIR]

DIR has a folder for each source with `rgb/NAME.jpg` and `depth/NAME.png` or `disparity/NAME.png`.
By default the sources are evaluated that the built-in model is not trained on; --sources names
others. Pictures are cropped to their centred square and scaled to 160x160. The vertical gradient
and, if its file is given, FastDepth are evaluated beside the model.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from training.data import number, read_pairs
from training.marks import MarkScore, mark_cases, score_marks
from training.metrics import (
    BorderScore,
    DepthScore,
    mean_score,
    score_borders,
    score_depth,
)
from training.rivals import FastDepth, VerticalGradient
from training.sources import HELD_OUT, HELD_OUT_NUMBER, by_name
from transforms.models import load_model
from transforms.pixels.cutout import Cutout
from transforms.pixels.images import crop_background, fit_foreground, to_rgb, to_rgba
from transforms.pixels.size import Size
from transforms.steps.composite import paste
from transforms.steps.mask import paste_mask

SIDE = 160
FRAMES = 25
COMPOSITES = 200
BATCH = 40
ROUNDS = 7


class Predictor(Protocol):
    """Anything that predicts inverse depth, near is large."""

    name: str

    def predict(self, images: np.ndarray) -> np.ndarray:
        """uint8 [n, height, width, 3] to float32 [n, height, width]."""
        ...


@dataclass(frozen=True)
class Evaluation:
    """All figures.

    Attributes:
        depth: by source, then by model.
        borders: by model.
        marks: by model.
        milliseconds: an image at batch 40 on one core, by model.
    """

    depth: dict[str, dict[str, DepthScore]]
    borders: dict[str, BorderScore]
    marks: dict[str, MarkScore]
    milliseconds: dict[str, float]


def frames(folder: Path, most: int = FRAMES) -> tuple[np.ndarray, np.ndarray]:
    """Frames of a source, evenly chosen, at 160x160.

    Returns:
        uint8 [n, 160, 160, 3] pictures and float32 [n, 160, 160] inverse depth, NaN for no value.
    """
    source = by_name(folder.name)
    paths = sorted((folder / "rgb").glob("*.jpg"))
    chosen = {path.stem for path in paths[:: max(1, len(paths) // most)][:most]}
    pictures, inverse = [], []
    for pair in read_pairs(folder, source):
        if pair.name not in chosen:
            continue
        pictures.append(crop_background(pair.picture, Size.square(SIDE)))
        height, width = pair.inverse.shape
        side = min(height, width)
        left, top = (width - side) // 2, (height - side) // 2
        square = Image.fromarray(pair.inverse.astype(np.float32)).crop(
            (left, top, left + side, top + side)
        )
        # Nearest: between a value and a hole there is nothing.
        inverse.append(np.asarray(square.resize((SIDE, SIDE), Image.Resampling.NEAREST)))
    return np.stack(pictures), np.stack(inverse)


def test_composites(foregrounds: Path, backgrounds: Path) -> tuple[np.ndarray, np.ndarray]:
    """Composites of inputs that are not trained on (numbers above 70), all where there are none.

    Returns:
        uint8 [200, 160, 160, 3] composites and uint8 [200, 160, 160] masks.
    """
    draw = np.random.default_rng(5)

    def kept(folder: Path) -> list[Path]:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png")
        return [path for path in paths if number(path) > HELD_OUT_NUMBER] or paths

    cutouts, photographs = kept(foregrounds), kept(backgrounds)
    images = np.empty((COMPOSITES, SIDE, SIDE, 3), np.uint8)
    masks = np.zeros((COMPOSITES, SIDE, SIDE), np.uint8)
    for image, mask in zip(images, masks, strict=True):
        photograph = Image.open(photographs[draw.integers(len(photographs))])
        image[...] = crop_background(to_rgb(photograph), Size.square(SIDE))
        rgba = to_rgba(Image.open(cutouts[draw.integers(len(cutouts))]))
        cutout = Cutout.from_rgba(fit_foreground(rgba, SIDE // 2))
        cutout = cutout.mirrored() if draw.random() < 0.5 else cutout
        height, width = cutout.alpha.shape
        x, y = int(draw.integers(0, SIDE - width + 1)), int(draw.integers(0, SIDE - height + 1))
        paste(image, cutout, x, y)
        paste_mask(mask, cutout.alpha, x, y)
    return images, masks


def predict_all(model: Predictor, images: np.ndarray) -> np.ndarray:
    """Predicts in batches of 40."""
    parts = [model.predict(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
    return np.concatenate(parts)


def time_models(models: list[Predictor]) -> dict[str, float]:
    """Milliseconds an image at batch 40; the models take turns, the best of seven rounds counts."""
    images = np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE, 3)).astype(np.uint8)
    best = {model.name: float("inf") for model in models}
    for _ in range(ROUNDS):
        for model in models:
            begin = time.perf_counter()
            model.predict(images)
            best[model.name] = min(best[model.name], time.perf_counter() - begin)
    return {name: seconds / BATCH * 1000 for name, seconds in best.items()}


def evaluate(
    models: list[Predictor],
    pairs: Path,
    sources: list[str],
    composites: tuple[np.ndarray, np.ndarray] | None,
    marks: bool = False,
) -> Evaluation:
    """Evaluates models side by side; `marks` draws the scenes with flat marks."""
    depth: dict[str, dict[str, DepthScore]] = {}
    for source in sources:
        pictures, inverse = frames(pairs / source)
        depth[source] = {
            model.name: mean_score(
                [
                    score_depth(p, t)
                    for p, t in zip(predict_all(model, pictures), inverse, strict=True)
                ]
            )
            for model in models
        }
    depth["mean of sources"] = {
        model.name: mean_score([by_model[model.name] for by_model in depth.values()])
        for model in models
    }
    borders: dict[str, BorderScore] = {}
    if composites is not None:
        images, masks = composites
        borders = {model.name: score_borders(predict_all(model, images), masks) for model in models}
    flat: dict[str, MarkScore] = {}
    if marks:
        cases = mark_cases()
        bare = np.stack([case.bare for case in cases])
        marked = np.stack([case.marked for case in cases])
        masks = np.stack([case.mask for case in cases])
        for model in models:
            maps = predict_all(model, bare), predict_all(model, marked)
            flat[model.name] = score_marks(*maps, masks)
    return Evaluation(depth, borders, flat, time_models(models))


def markdown(evaluation: Evaluation) -> str:
    """The figures as tables."""
    lines = [
        "| source | model | AbsRel | delta < 1.25 | Spearman | Spearman within rows |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for source, by_model in evaluation.depth.items():
        for name, score in by_model.items():
            cells = " | ".join(f"{value:.3f}" for value in score.values())
            lines.append(f"| {source} | {name} | {cells} |")
    if evaluation.borders:
        lines += ["", "| composites | object nearer at its border | sharpness |"]
        lines.append("| --- | ---: | ---: |")
        for name, border in evaluation.borders.items():
            lines.append(f"| {name} | {border.ordinal:.3f} | {border.sharpness:.3f} |")
    if evaluation.marks:
        lines += ["", "| flat marks, share of the range | rise | moved |"]
        lines.append("| --- | ---: | ---: |")
        for name, mark in evaluation.marks.items():
            lines.append(f"| {name} | {mark.rise:.3f} | {mark.moved:.3f} |")
    lines += ["", "| model | ms an image, batch 40, one core |", "| --- | ---: |"]
    lines += [f"| {name} | {ms:.2f} |" for name, ms in evaluation.milliseconds.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Reads the flags and evaluates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="builtin, onnx:PATH, hf:ID_OR_DIR or torchscript:PATH")
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--sources", help="names of folders in DIR, with commas; or all")
    parser.add_argument("--fastdepth", type=Path, help="ONNX file of FastDepth")
    parser.add_argument("--foregrounds", type=Path)
    parser.add_argument("--backgrounds", type=Path)
    parser.add_argument(
        "--marks", action="store_true", help="draw walls and roads with flat marks, and measure"
    )
    parser.add_argument("--json", type=Path, help="file for the figures as JSON")
    options = parser.parse_args()
    held_out = [source.name for source in HELD_OUT]
    there = sorted(path.name for path in options.pairs.iterdir() if (path / "rgb").is_dir())
    if options.sources == "all":
        sources = there
    elif options.sources:
        sources = options.sources.split(",")
    else:
        sources = [name for name in held_out if name in there] or there
    model = load_model(options.model)
    if not model.meaning.near_is_large:
        raise SystemExit(f"{options.model}: the program compares inverse depth; this is depth")
    models: list[Predictor] = [model]
    if options.fastdepth:
        models.append(FastDepth(options.fastdepth))
    models.append(VerticalGradient())
    composites = None
    if options.foregrounds and options.backgrounds:
        composites = test_composites(options.foregrounds, options.backgrounds)
    evaluation = evaluate(models, options.pairs, sources, composites, options.marks)
    print(markdown(evaluation))
    if options.json:
        options.json.write_text(json.dumps(asdict(evaluation), indent=1) + "\n")


if __name__ == "__main__":
    main()
