"""A sheet of unseen photographs and composites with their depth, to be looked at.

    python -m training.sheet builtin --pairs=DIR --foregrounds=DIR --backgrounds=DIR \\
        --output=SHEET.png

It shows 24 frames of the held-out sources and 24 composites of inputs that are not trained on.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from training.evaluate import frames, test_composites
from training.sources import HELD_OUT
from transforms.models import load_model

_PICTURES = 24
_COLUMNS = 6


def sheet(pictures: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Pictures and their depth side by side, six pairs a row, near bright.

    Args:
        pictures: uint8 [n, side, side, 3].
        depth: float32 [n, side, side], relative inverse depth.

    Returns:
        uint8 [rows * side, 12 * side, 3].
    """
    low, high = depth.min(axis=(1, 2), keepdims=True), depth.max(axis=(1, 2), keepdims=True)
    grey = ((depth - low) / (high - low) * 255).astype(np.uint8)
    pairs = np.concatenate([pictures, np.repeat(grey[..., None], 3, axis=-1)], axis=2)
    rows = [np.hstack(list(pairs[i : i + _COLUMNS])) for i in range(0, len(pairs), _COLUMNS)]
    return np.vstack(rows)


def main() -> None:
    """Reads the flags and writes the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--foregrounds", type=Path, required=True)
    parser.add_argument("--backgrounds", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    model = load_model(options.model)
    found = [frames(options.pairs / source.name, 4)[0] for source in HELD_OUT]
    photographs = np.concatenate(found)[:_PICTURES]
    composites = test_composites(options.foregrounds, options.backgrounds)[0][:_PICTURES]
    parts = [sheet(p, model.predict(p)) for p in (photographs, composites)]
    Image.fromarray(np.vstack(parts)).save(options.output)


if __name__ == "__main__":
    main()
