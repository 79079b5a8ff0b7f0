"""Foregrounds and backgrounds to try the program on: `python -m pipeline.sample_inputs DIR`.

Some are cut out of photographs that scikit-image and scikit-learn carry under free licences, the
others are drawn. Needs the extra `sample`.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from transforms.extras import install_command

if TYPE_CHECKING:
    from pipeline.samples.render import Scene
    from pipeline.samples.solids import Group

_DRAWN = "drawn by mask-depth-dataset, MIT"


@dataclass(frozen=True)
class SampleInputs:
    """Where the sample inputs are: two folders of pictures, and a file that says whose they are."""

    foregrounds: Path
    backgrounds: Path
    credits: Path


@dataclass(frozen=True)
class _Picture:
    """A file to be made: its path, its pixels (uint8 [height, width, 3 or 4]), whose it is."""

    path: Path
    pixels: Callable[[], np.ndarray]
    credit: str


def make_sample_inputs(
    directory: str | os.PathLike[str], workers: int | None = None
) -> SampleInputs:
    """Writes 10 foregrounds (PNG with alpha) and 9 backgrounds (JPEG) into a folder.

    Files of these names are replaced, others are left alone; every call writes the same bytes.

    workers: how many processes draw; by default one a core.
    Raises ModuleNotFoundError without the extra `sample`, OSError where nothing can be written.
    """
    root = Path(directory)
    made = SampleInputs(root / "foregrounds", root / "backgrounds", root / "CREDITS.md")
    made.foregrounds.mkdir(parents=True, exist_ok=True)
    made.backgrounds.mkdir(exist_ok=True)
    pictures = [*_foregrounds(made.foregrounds), *_backgrounds(made.backgrounds)]
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(_write, pictures))
    lines = [f"- {p.path.relative_to(root).as_posix()}: {p.credit}" for p in pictures]
    # Last, so that its presence says that everything is there.
    head = "# Whose pictures these are\n\nOf the photographs, the foregrounds are cut out.\n\n"
    made.credits.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return made


def _foregrounds(folder: Path) -> list[_Picture]:
    from pipeline.samples import figures, photos, props

    cutouts = {"dahlia": photos.FLOWER_HEAD, "coffee": photos.CUP, "astronaut": photos.PERSON}
    drawn: dict[str, Callable[[], Group]] = {
        "ball": partial(figures.beach_ball, (0, 0.5, 0), 0.5),
        "traffic_cone": partial(figures.traffic_cone, (0, 0, 0), 1.0),
        "snowman": partial(figures.snowman, (0, 0, 0), 1.0),
        "mushroom": partial(figures.mushroom, (0, 0, 0), 1.0),
        "robot": partial(figures.robot, (0, 0, 0), 1.0),
        "lighthouse": partial(props.lighthouse, (0, 0, 0), 1.0),
        "car": partial(props.car, (0, 0.3, 0), 1.0, (0.75, 0.35, 0.02)),
    }
    credits = {name: cutout.photo.credit for name, cutout in cutouts.items()}
    makers: dict[str, Callable[[], np.ndarray]] = {
        **{name: partial(photos.cut_out, cutout) for name, cutout in cutouts.items()},
        **{name: partial(_draw_figure, figure) for name, figure in drawn.items()},
    }
    return [
        _Picture(folder / f"fg_{number}_{name}.png", maker, credits.get(name, _DRAWN))
        for number, (name, maker) in enumerate(makers.items(), 1)
    ]


def _backgrounds(folder: Path) -> list[_Picture]:
    from pipeline.samples import indoors, outdoors, photos

    photographs = {"pagoda": photos.PAGODA, "launch_pad": photos.LAUNCH_PAD}
    scenes: tuple[Callable[[], Scene], ...] = (
        outdoors.meadow,
        outdoors.street,
        outdoors.beach,
        outdoors.desert,
        outdoors.winter_forest,
        indoors.living_room,
        indoors.hall,
    )
    pictures = {name: (photo.read, photo.credit) for name, photo in photographs.items()}
    pictures |= {scene.__name__: (partial(_draw_scene, scene), _DRAWN) for scene in scenes}
    return [
        _Picture(folder / f"bg_{number}_{name}.jpg", maker, credit)
        for number, (name, (maker, credit)) in enumerate(pictures.items(), 1)
    ]


def _draw_figure(figure: Callable[[], "Group"]) -> np.ndarray:
    """A figure on nothing, as close as it fits: uint8 [height, width, 4]."""
    from pipeline.samples.render import Camera, Light, Scene, render

    camera = Camera((-1.2, 1.25, -4.2), (0, 0.5, 0), 17)
    light = Light(towards=(-0.7, 1.0, -0.8), clouds=0.3)
    pixels = render(Scene((figure(),), camera, light), (384, 384), samples=3, backdrop=False)
    seen = pixels[..., 3] > 0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _draw_scene(scene: Callable[[], "Scene"]) -> np.ndarray:
    from pipeline.samples.render import render

    return render(scene(), (400, 300))[..., :3]


def _write(picture: _Picture) -> None:
    Image.fromarray(picture.pixels()).save(picture.path, quality=95)


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the command line and makes the pictures."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.sample_inputs", description=__doc__)
    parser.add_argument("directory", help="where they go; made if missing")
    directory = parser.parse_args(argv).directory
    print(f"Drawing sample inputs into {directory} ...", file=sys.stderr)
    try:
        make_sample_inputs(directory)
    except ModuleNotFoundError as error:
        parser.exit(1, f"{error}; install it with: {install_command('sample')}\n")
    except OSError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
