"""`python -m pipeline cutout`: objects cut out of photographs, with a sheet and a report."""

import csv
import io
import sys
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.catalog import find_files, has_image_name
from pipeline.cutout_request import CutoutRequest
from pipeline.depth_command import output_names
from pipeline.spec import SpecError
from transforms import storage
from transforms.models.base import ModelError, Running
from transforms.models.cutout import CUTOUT_MODELS, resolved
from transforms.models.cutout.base import CutoutModel
from transforms.pixels.cutting import CutOut, CutoutRules
from transforms.pixels.images import BadImage, open_image
from transforms.report.exhibits import Exhibit, Section, evenly
from transforms.report.sheets import section_sheet
from transforms.steps.cutouts import cut_photograph

SHEET_PICTURES = 24
"""At most so many photographs stand on the sheet, chosen evenly."""

SHEET_NAME, REPORT_NAME = "sheet.png", "report.csv"

_TILE = (320, 320)
_HEAD = (
    "picture",
    "cutout",
    "model",
    "unsure",
    "area",
    "touches",
    "parts",
    "dropped",
    "doubt",
    "skipped",
)


@dataclass(frozen=True, eq=False)
class _Cut:
    """What became of a picture: the picture, and its cut-outs with their names."""

    picture: Image.Image
    cutouts: list[tuple[str, CutOut]]


def run(request: CutoutRequest) -> int:
    """Runs the command.

    Returns:
        0 when every file was cut out, 1 when some were skipped.

    Raises:
        SpecError: there is no file, or the model cannot be loaded.
    """
    output = storage.absolute(request.output)
    paths = [
        path for path in find_files(request.images, "images") if not path.startswith(f"{output}/")
    ]
    name = resolved(request.cutout_model)
    try:
        model = CUTOUT_MODELS.load(name, Running(threads=request.threads))
    except ModelError as error:
        raise SpecError(f"--cutout_model={request.cutout_model}: {error}") from None
    storage.make_folder(request.output)
    shown = set(evenly(paths, SHEET_PICTURES))
    exhibits: list[Exhibit] = []
    rows: list[tuple[object, ...]] = []
    skipped = 0
    for path, stem in zip(paths, output_names(paths), strict=True):
        try:
            cut = _cut(path, stem, model, request)
            for target, cutout in cut.cutouts:
                _write(storage.join(request.output, *target.split("/")), cutout, cut, request)
        except (BadImage, ModelError, OSError) as error:
            print(f"skipped: {path}: {error}", file=sys.stderr)
            rows.append((path, "", name, "", "", "", "", "", "", error))
            skipped += 1
            continue
        rows += [_row(path, target, name, cutout) for target, cutout in cut.cutouts]
        if path in shown:
            exhibits += _side_by_side(stem, cut)
    if exhibits:
        text = f"{name}: how unsure it is, from 0, and what the cut-out covers."
        section = Section("cutouts", "Cut-outs", text, tuple(exhibits))
        storage.write_bytes(storage.join(request.output, SHEET_NAME), section_sheet(section))
    storage.write_bytes(storage.join(request.output, REPORT_NAME), _table(rows))
    kind = "masks" if request.only_masks else "cut-outs"
    print(f"{len(rows) - skipped} {kind} in {request.output}, {skipped} files skipped")
    print(f"{name} ran on {model.device}; look at {storage.join(request.output, SHEET_NAME)}")
    return 1 if skipped else 0


def _cut(path: str, stem: str, model: CutoutModel, request: CutoutRequest) -> _Cut:
    if not has_image_name(path):
        raise BadImage("the extension is not of an image")
    picture = open_image(storage.read_bytes(path))
    rules = CutoutRules(
        request.cutout_parts, request.cutout_doubt, request.crop and not request.only_masks
    )
    found = cut_photograph(picture, model, rules, request.longest_side)
    if len(found) == 1:
        return _Cut(picture, [(stem, found[0])])
    return _Cut(picture, [(f"{stem}-{n}", cutout) for n, cutout in enumerate(found, 1)])


def _write(stem: str, cutout: CutOut, cut: _Cut, request: CutoutRequest) -> None:
    storage.make_folder(stem.rsplit("/", 1)[0])
    image = Image.fromarray(cutout.rgba)
    if request.only_masks:
        image = image.getchannel("A").resize(cut.picture.size, Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    storage.write_bytes(f"{stem}.png", buffer.getvalue())


def _row(path: str, target: str, model: str, cutout: CutOut) -> tuple[object, ...]:
    report = cutout.report
    return (
        path,
        f"{target}.png",
        model,
        f"{report.unsure:.3f}",
        f"{report.area:.4f}",
        " ".join(report.touches),
        report.parts,
        report.dropped,
        report.doubt,
        "",
    )


def _table(rows: list[tuple[object, ...]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_HEAD)
    writer.writerows(rows)
    return buffer.getvalue().encode("utf-8", "backslashreplace")


def _side_by_side(stem: str, cut: _Cut) -> list[Exhibit]:
    # The sheet shows small tiles; whole pictures would fill the memory.
    small = cut.picture.convert("RGB")
    small.thumbnail(_TILE)
    exhibits = [Exhibit(stem, "", "", small, b"")]
    for _, cutout in cut.cutouts[:1]:
        shown = Image.fromarray(np.ascontiguousarray(cutout.rgba))
        shown.thumbnail(_TILE)
        exhibits.append(Exhibit(cutout.report.note, "", "", shown, b""))
    return exhibits
