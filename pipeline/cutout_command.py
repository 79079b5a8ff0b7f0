"""`python -m pipeline cutout`: objects cut out of photographs, with a sheet and a report."""

import csv
import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image

from pipeline.cutout_request import CutoutRequest
from pipeline.depth_command import output_names
from pipeline.listing import find_files
from pipeline.spec import SpecError
from transforms import storage
from transforms.models.base import ModelError, Running
from transforms.models.cutout import CUTOUT_MODELS, resolved
from transforms.models.cutout.base import CutoutModel
from transforms.pixels.cutting import CutoutReport, CutoutRules
from transforms.pixels.foregrounds import NeedsMask, decode_foreground, margin_box
from transforms.pixels.images import BadImage, has_image_name, open_image
from transforms.plan.inputs import InputError
from transforms.report.exhibits import Exhibit, Section, evenly
from transforms.report.sheets import section_sheet
from transforms.steps.cutouts import PNG_LEVEL, cut_photograph

SHEET_PICTURES = 24
"""Largest number of photographs on the sheet; of more, an even choice is shown."""

SHEET_NAME, REPORT_NAME = "sheet.png", "report.csv"

_TILE = (320, 320)
_OWN_ALPHA = "own alpha"
_COLUMNS = ("picture", "cutout", "model", "unsure", "area", "touches", "parts", "dropped", "doubt")


@dataclass(frozen=True, eq=False)
class _Made:
    """A cut-out: RGBA, and what is known of it; None where the picture has an alpha of its own."""

    image: Image.Image
    report: CutoutReport | None


def run(request: CutoutRequest) -> int:
    """Runs the command.

    Returns:
        0 when every file was cut out, 1 when some were skipped.

    Raises:
        SpecError: there is no file, or the model cannot be loaded.
    """
    output = storage.absolute(request.output)
    listing = find_files(request.images, "images")
    paths = [path for path in listing.paths if not path.startswith(f"{output}/")]
    name = resolved(request.cutout_model)
    try:
        model = CUTOUT_MODELS.load(name, Running(threads=request.threads))
    except ModelError as error:
        raise SpecError(f"--cutout_model={request.cutout_model}: {error}") from None
    storage.make_folder(output)
    stems = output_names(paths)
    taken = set(stems)
    shown = set(evenly(paths, SHEET_PICTURES))
    exhibits: list[Exhibit] = []
    rows: list[tuple[object, ...]] = []
    errors = list(listing.errors)
    for path, stem in zip(paths, stems, strict=True):
        try:
            picture, found = _cut_file(path, model, request)
            names = _names(stem, len(found), taken)
            for target, made in zip(names, found, strict=True):
                _write(storage.join(output, *f"{target}.png".split("/")), made, picture, request)
        except (BadImage, ModelError, OSError) as error:
            errors.append(InputError(path, str(error)))
            continue
        rows += [_row(path, target, name, made) for target, made in zip(names, found, strict=True)]
        if path in shown:
            exhibits += _side_by_side(stem, picture, found)
    for skipped in errors:
        print(f"skipped: {skipped.line}", file=sys.stderr)
    if exhibits:
        text = f"Photographs and what {name} cuts out of them; unsure is 0 at best."
        section = Section("cutouts", "Cut-outs", text, tuple(exhibits))
        storage.write_bytes(storage.join(output, SHEET_NAME), section_sheet(section))
    storage.write_bytes(storage.join(output, REPORT_NAME), _table(rows, errors))
    kind = "masks" if request.only_masks else "cut-outs"
    print(f"{len(rows)} {kind} in {output}, {len(errors)} files skipped")
    print(f"{name} ran on {model.device}")
    return 1 if errors else 0


def _cut_file(
    path: str, model: CutoutModel, request: CutoutRequest
) -> tuple[Image.Image, list[_Made]]:
    """A picture, upright, and what is cut out of it."""
    if not has_image_name(path):
        raise BadImage("the extension is not that of an image")
    data = storage.read_bytes(path)
    crop = request.crop and not request.only_masks
    try:
        own = decode_foreground(data, None)
        return own, [_Made(own.crop(margin_box(own)) if crop else own, None)]
    except NeedsMask:
        picture = open_image(data)
    parts = "all" if request.only_masks else request.cutout_parts
    rules = CutoutRules(parts, request.cutout_doubt, crop)
    found = cut_photograph(picture, model, rules, request.longest_side)
    return picture, [_Made(Image.fromarray(each.rgba), each.report) for each in found]


def _names(stem: str, count: int, taken: set[str]) -> list[str]:
    """Names of a picture's cut-outs, numbered where there are several, none of them taken."""
    if count == 1:
        return [stem]
    names = []
    for number in range(1, count + 1):
        name = f"{stem}-{number}"
        while name in taken:
            name += "_"
        taken.add(name)
        names.append(name)
    return names


def _write(path: str, made: _Made, picture: Image.Image, request: CutoutRequest) -> None:
    storage.make_folder(path.rsplit("/", 1)[0])
    image = made.image
    if request.only_masks:
        image = image.getchannel("A").resize(picture.size, Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=PNG_LEVEL)
    storage.write_bytes(path, buffer.getvalue())


def _row(path: str, target: str, model: str, made: _Made) -> tuple[object, ...]:
    report = made.report
    if report is None:
        return (path, f"{target}.png", _OWN_ALPHA)
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
    )


def _table(rows: Iterable[tuple[object, ...]], errors: Iterable[InputError]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow((*_COLUMNS, "skipped"))
    blank = len(_COLUMNS)
    writer.writerows((*row, *[""] * (blank + 1 - len(row))) for row in rows)
    writer.writerows((error.path, *[""] * (blank - 1), error.reason) for error in errors)
    return buffer.getvalue().encode("utf-8", "backslashreplace")


def _side_by_side(stem: str, picture: Image.Image, found: list[_Made]) -> list[Exhibit]:
    # The sheet shows small tiles; whole pictures would fill the memory.
    small = picture.convert("RGB")
    small.thumbnail(_TILE)
    exhibits = [Exhibit(stem, "", "", small, b"")]
    for made in found[:1]:
        image = made.image.copy()
        image.thumbnail(_TILE)
        note = _caption(made.report) if made.report else _OWN_ALPHA
        exhibits.append(Exhibit(note, "", "", image, b""))
    return exhibits


def _caption(report: CutoutReport) -> str:
    """What there is room for under a tile."""
    doubt = ["doubtful"] if report.doubt else []
    return ", ".join([f"unsure {report.unsure:.2f}", *doubt, *report.touches])
