"""Foregrounds and backgrounds to try the program on: `python -m pipeline.sample_inputs DIR`.

The package holds ten foregrounds and nine backgrounds as files. With `--photographs`, photographs
that scikit-image and scikit-learn carry under free licences join them (extra `sample`).
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from transforms.extras import needs

# Two folders, `foregrounds` and `backgrounds`.
PICTURES = Path(__file__).parent / "sample_pictures"

_DRAWN = "drawn for mask-depth-dataset, MIT; grass and gravel after CC0 textures of scikit-image"


@dataclass(frozen=True)
class SampleInputs:
    """Where the sample inputs are: two folders of pictures, and a file with their credits."""

    foregrounds: Path
    backgrounds: Path
    credits: Path


@dataclass(frozen=True)
class _Photograph:
    """A file to be made: its path, its pixels (uint8 [height, width, 3 or 4]), its credit."""

    path: Path
    pixels: Callable[[], np.ndarray]
    credit: str


def make_sample_inputs(
    directory: str | os.PathLike[str], photographs: bool = False
) -> SampleInputs:
    """Writes foregrounds (PNG with alpha) and backgrounds (JPEG) into a folder.

    Files of these names are replaced, others are left alone; every call writes the same bytes.

    photographs: whether three foregrounds and two backgrounds made from photographs are added.
    Raises ImportError where `photographs` lacks the extra `sample`, OSError where nothing can be
    written.
    """
    root = Path(directory)
    made = SampleInputs(root / "foregrounds", root / "backgrounds", root / "CREDITS.md")
    added = _photographs(made) if photographs else []
    credit: dict[Path, str] = {}
    for folder in (made.foregrounds, made.backgrounds):
        folder.mkdir(parents=True, exist_ok=True)
        for source in sorted((PICTURES / folder.name).iterdir()):
            shutil.copyfile(source, folder / source.name)
            credit[folder / source.name] = _DRAWN
    for photograph in added:
        Image.fromarray(photograph.pixels()).save(photograph.path, quality=95)
        credit[photograph.path] = photograph.credit
    lines = [f"- {p.relative_to(root).as_posix()}: {text}\n" for p, text in credit.items()]
    # Last, so that its presence says that everything is there.
    made.credits.write_text("# Credits\n\n" + "".join(lines), encoding="utf-8")
    return made


def _photographs(made: SampleInputs) -> list[_Photograph]:
    try:
        from pipeline import sample_photos as photos
    except ModuleNotFoundError as error:
        raise ImportError(
            f"--photographs {needs('scikit-image and scikit-learn', 'sample')}"
        ) from error

    cutouts = {
        "fg_11_dahlia.png": photos.FLOWER_HEAD,
        "fg_12_coffee.png": photos.CUP,
        "fg_13_astronaut.png": photos.PERSON,
    }
    scenes = {"bg_10_pagoda.jpg": photos.PAGODA, "bg_11_launch_pad.jpg": photos.LAUNCH_PAD}
    return [
        *(
            _Photograph(made.foregrounds / name, partial(photos.cut_out, it), it.photo.credit)
            for name, it in cutouts.items()
        ),
        *(
            _Photograph(made.backgrounds / name, photo.read, photo.credit)
            for name, photo in scenes.items()
        ),
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the command line and writes the pictures."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.sample_inputs", description=__doc__)
    parser.add_argument("directory", help="where they are written; made if missing")
    parser.add_argument("--photographs", action="store_true", help="add pictures from photographs")
    arguments = parser.parse_args(argv)
    try:
        made = make_sample_inputs(arguments.directory, arguments.photographs)
    except (ImportError, OSError) as error:
        parser.exit(1, f"{error}\n")
    print(f"foregrounds: {made.foregrounds}\nbackgrounds: {made.backgrounds}", file=sys.stderr)


if __name__ == "__main__":
    main()
