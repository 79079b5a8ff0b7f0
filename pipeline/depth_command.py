"""`python -m pipeline depth`: depth maps of any pictures, to judge a model before a run."""

import io
import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np
from PIL import Image

from pipeline.depth_request import DepthRequest
from pipeline.listing import find_files
from pipeline.spec import SpecError
from transforms import models, storage
from transforms.models.base import ModelError
from transforms.models.depth.base import DepthMeaning, DepthModel
from transforms.pixels.codecs import encode_16_bit
from transforms.pixels.images import BadImage, has_image_name, open_image, to_rgb
from transforms.plan.inputs import InputError
from transforms.report.exhibits import Exhibit, Section, colour_depth, evenly
from transforms.report.sheets import section_sheet
from transforms.steps.depth import fault

SHEET_PICTURES = 48
"""Largest number of pictures on the sheet; of more, an even choice is shown."""

SHEET_NAME = "sheet.png"


def run(request: DepthRequest) -> int:
    """Runs the command.

    Returns:
        0 when every file became a depth map, 1 when some were skipped.

    Raises:
        SpecError: there is no file, or the model cannot be loaded.
    """
    output = storage.absolute(request.output)
    listing = find_files(request.images, "images")
    paths = [path for path in listing.paths if not path.startswith(f"{output}/")]
    try:
        model = models.load_model(
            request.depth_model,
            threads=request.threads,
            device=request.device,
            half_precision=request.half_precision,
        )
    except ModelError as error:
        raise SpecError(f"--depth_model={request.depth_model}: {error}") from None
    storage.make_folder(output)
    names = output_names(paths)
    shown = set(evenly(paths, SHEET_PICTURES))
    exhibits: list[Exhibit] = []
    skipped = len(listing.errors)
    for unusable in listing.errors:
        print(f"skipped: {unusable.line}", file=sys.stderr)
    for path, name in zip(paths, names, strict=True):
        try:
            image, depth = predict_file(model, path)
        except (BadImage, ModelError, OSError) as error:
            print(f"skipped: {InputError(path, str(error)).line}", file=sys.stderr)
            skipped += 1
            continue
        _write(storage.join(output, *name.split("/")), depth)
        if path in shown:
            exhibits += _pair(name, image, depth, model.meaning)
    if exhibits:
        section = Section("depth", "Depth", _legend(model), tuple(exhibits))
        storage.write_bytes(storage.join(output, SHEET_NAME), section_sheet(section))
    made = len(paths) + len(listing.errors) - skipped
    print(f"{made} depth maps in {output}, {skipped} files skipped")
    print(f"the numbers are {_words(model.meaning)}; {model.name} ran on {model.device}")
    return 1 if skipped else 0


def predict_file(model: DepthModel, path: str) -> tuple[Image.Image, np.ndarray]:
    """Reads a picture, upright, and predicts its depth.

    Returns:
        The picture in RGB and float32 [height, width].

    Raises:
        BadImage: it is not a picture, or its depth map is useless.
    """
    if not has_image_name(path):
        raise BadImage("the extension is not that of an image")
    image = to_rgb(open_image(storage.read_bytes(path)))
    depth = model.predict(np.asarray(image)[None])[0]
    if reason := fault(depth):
        raise BadImage(reason)
    return image, depth


def output_names(paths: Sequence[str]) -> list[str]:
    """Names of the maps below the output folder, without extension, parts joined by `/`.

    Sub-folders are kept. A name keeps the picture's extension where it would not be unique
    without, or would be that of the sheet.
    """
    parts = [path.replace("\\", "/").split("/") for path in paths]
    folders = [part[:-1] for part in parts]
    depth = 0
    while all(len(f) > depth and f[depth] == folders[0][depth] for f in folders):
        depth += 1
    files = ["/".join(part[depth:]) for part in parts]
    stems = [file[: file.rindex(".")] if "." in file.rsplit("/", 1)[-1] else file for file in files]
    times = Counter([stem.lower() for stem in stems] + [SHEET_NAME[: SHEET_NAME.rindex(".")]])
    return [
        file if times[stem.lower()] > 1 else stem for file, stem in zip(files, stems, strict=True)
    ]


def to_pixels(depth: np.ndarray) -> np.ndarray:
    """Stretches a map, finite and not constant, to 0..65535: uint16 [height, width]."""
    low, high = float(depth.min()), float(depth.max())
    scaled = (depth.astype(np.float64) - low) * (65535 / (high - low) if high > low else 0)
    return np.rint(scaled).astype(np.uint16)


def _write(stem: str, depth: np.ndarray) -> None:
    storage.make_folder(stem.rsplit("/", 1)[0])
    buffer = io.BytesIO()
    np.save(buffer, depth)
    storage.write_bytes(f"{stem}.npy", buffer.getvalue())
    storage.write_bytes(f"{stem}.png", encode_16_bit(to_pixels(depth)))


def _pair(
    name: str, image: Image.Image, depth: np.ndarray, meaning: DepthMeaning
) -> tuple[Exhibit, Exhibit]:
    # The sheet shows small tiles; whole pictures would fill the memory.
    image.thumbnail((320, 320))
    coloured = colour_depth(to_pixels(depth), meaning.near_is_large)
    coloured.thumbnail((320, 320))
    note = f"{float(depth.min()):.3g} to {float(depth.max()):.3g}"
    return Exhibit(name, "", "", image, b""), Exhibit(note, meaning.unit, "", coloured, b"")


def _legend(model: DepthModel) -> str:
    return f"{model.name}: {_words(model.meaning)}. Near is bright yellow, far is dark."


def _words(meaning: DepthMeaning) -> str:
    unit = f" in {meaning.unit}" if meaning.unit else ""
    near = "large" if meaning.near_is_large else "small"
    return f"{meaning.kind.replace('_', ' ')}{unit}, near is {near}"
