"""Makes the pictures of docs/scenes.md: `python scripts/scene_pictures.py DIR`.

Each picture shows one option at up to three strengths, a row each, in six samples of the sample
pictures.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.performance import Performance
from pipeline.preview import make_samples
from pipeline.run import checked
from pipeline.sample_inputs import PICTURES
from pipeline.spec import DatasetSpec
from transforms.report.instances import draw_instances

SIDE = 128
SAMPLES = 6
_GAP = 4
_GROUNDED: dict[str, Any] = {"placing": "grounded", "objects": (1, 3), "truncation": 0.3}

# Of each option: other options beside it, and its strengths.
PICTURES_OF: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "preset": ({}, ("classic", "natural")),
    "objects": ({}, ((1, 1), (2, 3), (5, 8))),
    "min_visible": ({"objects": (5, 8)}, (0.05, 0.5, 1.0)),
    "placing": ({"objects": (1, 3)}, ("anywhere", "grounded")),
    "occlude": (_GROUNDED, (False, True)),
    "truncation": ({"objects": (2, 3)}, (0.0, 0.3, 0.7)),
    "background_crop": ({"placing": "grounded"}, ("centre", "random")),
    "rotation": ({}, ((0.0, 0.0), (-10.0, 10.0), (-90.0, 90.0))),
    "colour_jitter": (_GROUNDED, (0.0, 0.5, 1.0)),
    "harmonise": (_GROUNDED, (0.0, 0.5, 1.0)),
    "edges": (_GROUNDED, ("alpha", "mixed")),
    "shadow": (_GROUNDED, (0.0, 0.5, 1.0)),
    "photo_effects": (_GROUNDED, (0.0, 0.5, 1.0)),
    "negatives": (_GROUNDED, (0.0, 0.3, 0.8)),
    "distractor_share": (
        {"objects": (1, 2), "distractors": str(PICTURES / "foregrounds")},
        (0.0, 0.5, 1.0),
    ),
}
_SHOWS_OBJECTS = ("objects", "min_visible", "negatives", "distractor_share")


def row(changes: dict[str, Any], root: Path, objects: bool) -> list[Image.Image]:
    """Samples of one strength."""
    spec = DatasetSpec(
        str(PICTURES / "foregrounds"),
        str(PICTURES / "backgrounds"),
        str(root / "output"),
        image_size=SIDE,
        foreground_size=SIDE * 2 // 5,
        depth_model="none",
        depth_labels="predicted",
        **changes,
    )
    job = checked(spec, [], False, False, progress=False)
    block, _ = make_samples(job, Performance(), str(root / "set"))
    assert block.images is not None
    chosen = range(0, len(block.placements), len(block.placements) // SAMPLES)
    found = []
    for i in list(chosen)[:SAMPLES]:
        image = Image.fromarray(block.images[i])
        if objects and block.scenes:
            image = draw_instances(image, block.scenes[i].instances)
        found.append(image)
    return found


def picture(name: str, root: Path) -> Image.Image:
    """The rows of an option, the weakest first."""
    beside, strengths = PICTURES_OF[name]
    rows = [row({**beside, name: value}, root, name in _SHOWS_OBJECTS) for value in strengths]
    step = SIDE + _GAP
    sheet = Image.new("RGB", (SAMPLES * step - _GAP, len(rows) * step - _GAP), "white")
    for number, images in enumerate(rows):
        for column, image in enumerate(images):
            sheet.paste(image, (column * step, number * step))
    return sheet


def main() -> None:
    """Makes all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("names", nargs="*", metavar="OPTION", help="options; all without any")
    given = parser.parse_args()
    folder, names = given.folder, given.names
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root:
        for name in names or PICTURES_OF:
            made = picture(name, Path(root))
            made.save(folder / f"{name}.jpg", quality=82)
            print(name, np.asarray(made).shape)


if __name__ == "__main__":
    main()
