"""How good depth labels are: predicted from the composite, and composed of layers.

    python -m benchmarks.depth_labels --pairs=DIR --foregrounds=DIR [--fastdepth=FILE] \\
        [--depth_model=builtin] [--passes=1,4,8,12] [--composites=N] [--trained=DIR ...] \\
        [--json=FILE]

Foregrounds are pasted at random places over pictures with measured depth, of those sources that the
built-in model is not trained on (DIR as for `training.evaluate`). For each kind of label stand

* borders: share of pixel pairs three pixels apart across the object's border in which it is nearer,
* edge: pixels that the map takes there for the middle 80 % of the way between both sides,
* the background's agreement with measured depth, outside the object and within ten pixels of it:
  rank correlation, rank correlation within rows, and mean relative error after scale and shift are
  fitted outside the object.

A network that `examples.train_torch` has trained on a set (DIR is its `--output`) is scored in the
same way, so that sets with different labels are compared by what a network learns of them.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from training.data import Pair, read_pairs
from training.evaluate import SIDE, Predictor
from training.metrics import rank_correlation, scale_and_shift, score_borders
from training.rivals import FastDepth
from training.sources import HELD_OUT, Source
from transforms.models import load_model
from transforms.models.depth.base import DepthModel
from transforms.models.depth.passes import predict_in_passes
from transforms.pixels.cutout import Cutout
from transforms.pixels.images import crop_background, fit_foreground, to_rgba
from transforms.pixels.layers import Background, stack
from transforms.pixels.shape import Shape
from transforms.pixels.size import Size
from transforms.steps.composite import paste
from transforms.steps.mask import paste_mask

FRAMES = 25
NEAR = 10
_CLEAR = 5
_FEWEST_IN_ROW = 10
_PROFILE = 8
_FINE = 20
_LEAST_CONTRAST = 0.05


@dataclass(frozen=True, eq=False)
class Case:
    """A composite over a picture with measured depth.

    Attributes:
        picture: the whole picture.
        image: uint8 [side, side, 3], the composite.
        mask: uint8 [side, side].
        shape: the object's outline.
        x: its left column.
        y: its top row.
        inverse: float32 [side, side], measured inverse depth of the background, NaN for no value.
    """

    picture: Image.Image
    image: np.ndarray
    mask: np.ndarray
    shape: Shape
    x: int
    y: int
    inverse: np.ndarray


@dataclass(frozen=True)
class Agreement:
    """Agreement of background pixels with measured depth.

    Attributes:
        spearman: rank correlation.
        row_spearman: mean rank correlation within rows.
        abs_rel: mean of |predicted - true| / true in depth.
    """

    spearman: float
    row_spearman: float
    abs_rel: float


@dataclass(frozen=True)
class LabelScore:
    """All figures of one kind of label.

    Attributes:
        label: its name.
        ordinal: share of border pairs in which the object is nearer.
        edge: width of the object's edge in pixels.
        outside: agreement outside the object.
        near: agreement within ten pixels of it.
        milliseconds: of CPU time a sample; what is made once for a background is not counted.
    """

    label: str
    ordinal: float
    edge: float
    outside: Agreement
    near: Agreement
    milliseconds: float


def cases(pairs: Path, foregrounds: Path, source: Source, composites: int) -> Iterator[Case]:
    """Composites over evenly chosen frames of a source, `composites` over each."""
    draw = np.random.default_rng(7)
    cutouts = sorted(path for path in foregrounds.iterdir() if path.suffix.lower() == ".png")
    folder = pairs / source.name
    names = [path.stem for path in sorted((folder / "rgb").glob("*.jpg"))]
    chosen = set(names[:: max(1, len(names) // FRAMES)][:FRAMES])
    for pair in read_pairs(folder, source):
        if pair.name not in chosen:
            continue
        inverse = _square(pair)
        for _ in range(composites):
            rgba = to_rgba(Image.open(cutouts[draw.integers(len(cutouts))]))
            cutout = Cutout.from_rgba(fit_foreground(rgba, SIDE // 2))
            cutout = cutout.mirrored() if draw.random() < 0.5 else cutout
            height, width = cutout.alpha.shape
            x, y = int(draw.integers(SIDE - width + 1)), int(draw.integers(SIDE - height + 1))
            image, mask = (
                crop_background(pair.picture, Size.square(SIDE)),
                np.zeros((SIDE, SIDE), np.uint8),
            )
            paste(image, cutout, x, y)
            paste_mask(mask, cutout.alpha, x, y)
            yield Case(pair.picture, image, mask, Shape(cutout.alpha), x, y, inverse)


def _square(pair: Pair) -> np.ndarray:
    """The measured inverse depth of the centred square."""
    height, width = pair.inverse.shape
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    square = Image.fromarray(pair.inverse.astype(np.float32))
    square = square.crop((left, top, left + side, top + side))
    # Nearest: between a value and a hole there is nothing.
    return np.asarray(square.resize((SIDE, SIDE), Image.Resampling.NEAREST))


def agreement(depth: np.ndarray, case: Case) -> tuple[Agreement, Agreement] | None:
    """Agreement outside the object and near it; None where too little is measured.

    Args:
        depth: float [side, side], relative inverse depth.
        case: the composite.
    """
    outside = np.isfinite(case.inverse) & (case.mask < _CLEAR)
    near = outside & dilated(case.mask >= _CLEAR, NEAR)
    if near.sum() < 100 or np.ptp(case.inverse[near]) == 0:
        return None
    true = case.inverse[outside].astype(np.float64)
    scale, shift = scale_and_shift(depth[outside], true)
    fitted = np.maximum(depth * scale + shift, true.min() / 2 + 1e-9)
    error = np.abs(np.maximum(case.inverse, 1e-9) / fitted - 1)

    def over(pixels: np.ndarray) -> Agreement:
        rows = [
            rank_correlation(depth[row][pixels[row]], case.inverse[row][pixels[row]])
            for row in range(0, SIDE, 4)
            if pixels[row].sum() >= _FEWEST_IN_ROW and np.ptp(case.inverse[row][pixels[row]]) > 0
        ]
        return Agreement(
            rank_correlation(depth[pixels], case.inverse[pixels]),
            float(np.mean(rows)) if rows else float("nan"),
            float(np.mean(error[pixels])),
        )

    return over(outside), over(near)


def dilated(pixels: np.ndarray, by: int) -> np.ndarray:
    """Pixels and all within a square of `by` pixels around them. `pixels` is bool [h, w]."""
    padded = np.pad(pixels, by)
    rows = np.any(
        [padded[i : i + pixels.shape[0]] for i in range(2 * by + 1)], axis=0
    )  # [h, w + 2 by]
    return np.any([rows[:, i : i + pixels.shape[1]] for i in range(2 * by + 1)], axis=0)


def edge_widths(depth: np.ndarray, mask: np.ndarray) -> list[float]:
    """Widths in pixels of a map's edges along rows and columns that cross an object's border.

    A profile runs eight pixels to both sides, over the object and over clear background.
    Its width is the length over which the map, taken as straight from pixel to pixel, is between
    10 % and 90 % of the way from one end to the other; a step from one pixel to the next has 0.8.

    Args:
        depth: float [side, side].
        mask: uint8 [side, side].
    """
    widths: list[float] = []
    span = float(np.ptp(depth))
    fine = np.arange(0, 2 * _PROFILE - 1, 1 / _FINE)
    for values, alpha in ((depth, mask), (depth.T, mask.T)):
        for row, line in zip(values, alpha, strict=True):
            solid = line >= 128
            for at in np.flatnonzero(solid[1:] != solid[:-1]) + 1:
                if at < _PROFILE or at + _PROFILE > len(line):
                    continue
                before, after = line[at - _PROFILE : at - 2], line[at + 2 : at + _PROFILE]
                inner, outer = (after, before) if solid[at] else (before, after)
                if inner.min() < 250 or outer.max() >= _CLEAR:
                    continue
                profile = row[at - _PROFILE : at + _PROFILE].astype(np.float64)
                first, last = profile[:2].mean(), profile[-2:].mean()
                if abs(last - first) <= _LEAST_CONTRAST * span:
                    continue
                way = (np.interp(fine, np.arange(2 * _PROFILE), profile) - first) / (last - first)
                widths.append(float(np.count_nonzero((way > 0.1) & (way < 0.9)) / _FINE))
    return widths


def score(label: str, maps: np.ndarray, found: list[list[Case]], milliseconds: float) -> LabelScore:
    """Scores one kind of label; every source counts the same in agreement.

    Args:
        label: its name.
        maps: float32 [n, side, side], relative inverse depth of all cases in order.
        found: the cases by source.
        milliseconds: for a sample.
    """
    together = [case for group in found for case in group]
    masks = np.stack([case.mask for case in together])
    widths = [w for depth, mask in zip(maps, masks, strict=True) for w in edge_widths(depth, mask)]
    means: list[list[np.ndarray]] = [[], []]
    number = 0
    for group in found:
        values: list[list[tuple[float, ...]]] = [[], []]
        for case in group:
            both = agreement(maps[number], case)
            number += 1
            for place, one in zip(values, both or (), strict=False):
                place.append((one.spearman, one.row_spearman, one.abs_rel))
        for mean, place in zip(means, values, strict=True):
            if place:
                mean.append(np.nanmean(place, axis=0))
    outside, near = (Agreement(*np.nanmean(mean, axis=0).tolist()) for mean in means)
    borders = score_borders(maps, masks)
    return LabelScore(label, borders.ordinal, float(np.mean(widths)), outside, near, milliseconds)


def predicted(model: Predictor, images: np.ndarray) -> tuple[np.ndarray, float]:
    """Maps of composites in batches of 40, and CPU milliseconds a sample."""
    begin = time.process_time()
    maps = np.concatenate([model.predict(images[i : i + 40]) for i in range(0, len(images), 40)])
    return maps, (time.process_time() - begin) * 1000 / len(images)


def layered(model: DepthModel, together: list[Case], passes: int) -> tuple[np.ndarray, float]:
    """Maps composed of layers, and CPU milliseconds a sample without those of the background."""
    backgrounds: dict[int, Background] = {}
    maps, seconds = [], 0.0
    for case in together:
        key = id(case.picture)
        if key not in backgrounds:
            depth = predict_in_passes(case.picture, Size.square(SIDE), model, passes)
            backgrounds[key] = Background(depth, model.meaning.near_is_large)
        begin = time.process_time()
        maps.append(stack(backgrounds[key], [(case.shape, case.x, case.y)])[0])
        seconds += time.process_time() - begin
    return np.stack(maps), seconds * 1000 / len(together)


def of_network(weights: Path, together: list[Case]) -> tuple[np.ndarray, float]:
    """Maps of a network that `examples.train_torch` has trained, and CPU milliseconds a sample."""
    import torch

    from examples.train_torch import UNet

    network = UNet()
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.eval()
    maps = []
    begin = time.process_time()
    with torch.inference_mode():
        for case in together:
            pair = (crop_background(case.picture, Size.square(SIDE)), case.image)
            planes = (torch.from_numpy(image).permute(2, 0, 1)[None] / 255 for image in pair)
            maps.append(network(*planes)[1][0, 0].numpy())
    return np.stack(maps), (time.process_time() - begin) * 1000 / len(together)


def markdown(scores: list[LabelScore]) -> str:
    """The table."""
    lines = [
        "| labels | object nearer at its border | edge, px | Spearman | within rows | AbsRel"
        " | Spearman, 10 px | within rows, 10 px | AbsRel, 10 px | CPU ms a sample |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in scores:
        numbers = " | ".join(
            f"{value:.3f}"
            for place in (one.outside, one.near)
            for value in (place.spearman, place.row_spearman, place.abs_rel)
        )
        lines.append(
            f"| {one.label} | {one.ordinal:.3f} | {one.edge:.2f} | {numbers}"
            f" | {one.milliseconds:.3f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Reads the flags, measures and prints a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--foregrounds", type=Path, required=True)
    parser.add_argument("--fastdepth", type=Path, help="ONNX file of FastDepth")
    parser.add_argument("--depth_model", default="builtin")
    parser.add_argument(
        "--passes", default="1,4,8,12", help="passes of layered labels, with commas"
    )
    parser.add_argument("--composites", type=int, default=3, help="composites over each picture")
    parser.add_argument(
        "--trained",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="results of examples.train_torch, whose network is scored as well; may be repeated",
    )
    parser.add_argument("--json", type=Path, help="file for the figures as JSON")
    options = parser.parse_args()
    model = load_model(options.depth_model)
    if not model.meaning.near_is_large:
        raise SystemExit(
            f"{options.depth_model}: the program compares inverse depth; this is depth"
        )
    found = [
        list(cases(options.pairs, options.foregrounds, source, options.composites))
        for source in HELD_OUT
        if (options.pairs / source.name).is_dir()
    ]
    together = [case for group in found for case in group]
    images = np.stack([case.image for case in together])
    scores = [score(f"predicted, {model.name}", *_pair(predicted(model, images), found))]
    if options.fastdepth:
        rival = FastDepth(options.fastdepth)
        scores.append(score(f"predicted, {rival.name}", *_pair(predicted(rival, images), found)))
    for count in map(int, options.passes.split(",")):
        made = layered(model, together, count)
        name = f"layered, {count} pass{'es' if count > 1 else ''}"
        scores.append(score(name, *_pair(made, found)))
    for folder in options.trained:
        made = of_network(folder / "model.pt", together)
        scores.append(score(f"network, {folder.name}", *_pair(made, found)))
    print(f"{len(together)} composites over pictures of {len(found)} sources\n")
    print(markdown(scores))
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in scores], indent=1) + "\n")


def _pair(
    made: tuple[np.ndarray, float], found: list[list[Case]]
) -> tuple[np.ndarray, list[list[Case]], float]:
    return made[0], found, made[1]


if __name__ == "__main__":
    main()
