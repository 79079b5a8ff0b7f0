"""The catalog: every input is opened once, checked, given its id, and listed with its checksum."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from pipeline.categories import read_categories
from pipeline.credits import credited, read_credits
from pipeline.cutouts import Cutter
from pipeline.listing import Listing, find_files
from pipeline.local.cores import cores
from pipeline.pairing import Pairing, divide, last_number, pair
from pipeline.progress import Meter, phase
from pipeline.spec import DatasetSpec, SpecError
from pipeline.twins import Twins
from transforms import storage
from transforms.pixels.cutout import SOLID
from transforms.pixels.foregrounds import NeedsMask, decode_cutout, decode_foreground, margin_box
from transforms.pixels.foreign import foreign_name
from transforms.pixels.images import BadImage, fit_foreground, has_image_name
from transforms.pixels.input_cache import decode_background
from transforms.plan.inputs import InputError, InputImage, one_line
from transforms.plan.placement import Canvas
from transforms.plan.visible import first_empty_box


@dataclass(frozen=True)
class Catalog:
    """The usable inputs, and those that were left out.

    Attributes:
        foregrounds: by id.
        backgrounds: by id.
        errors: what was left out and why, by path.
        notes: lines on what was not left out but may be meant otherwise.
        cutouts: lines on what was cut out of photographs, and how sure that is.
        distractors: things to be pasted without a label, by id.
    """

    foregrounds: tuple[InputImage, ...]
    backgrounds: tuple[InputImage, ...]
    errors: tuple[InputError, ...]
    notes: tuple[str, ...] = ()
    cutouts: tuple[str, ...] = ()
    distractors: tuple[InputImage, ...] = ()


@dataclass
class _Findings:
    """What is to be said about the inputs, as it is found."""

    errors: list[InputError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def number_files(paths: Iterable[str]) -> dict[int, str]:
    """Gives each file its id.

    The id is the last number in the file's name, without extension, when every file has one and no
    two are equal; else the position in sorted order, from 1. Files that turn out to be unusable
    count, so that an id does not depend on what is in any other file.
    """
    paths = sorted(paths)
    numbers = [number for path in paths if (number := _number(path)) is not None]
    if len(set(numbers)) < len(paths):
        numbers = list(range(1, len(paths) + 1))
    return dict(sorted(zip(numbers, paths, strict=True)))


def _number(path: str) -> int | None:
    found = last_number(os.path.splitext(storage.file_name(path))[0])
    return found if found is not None and found < 2**63 else None


def build_catalog(
    spec: DatasetSpec, progress: bool = False, cutter: Cutter | None = None
) -> Catalog:
    """Reads and checks all inputs.

    Args:
        spec: the data set.
        progress: whether to show how far it is.
        cutter: cuts foregrounds out that have no alpha and no mask; None to refuse them.

    Raises:
        SpecError: a path that does not exist, nothing usable, or a bad input with `on_error=fail`.
    """
    findings = _Findings()
    categories = None if spec.categories is None else read_categories(spec.categories)
    credits = None if spec.credits is None else read_credits(spec.credits)
    pictures = find_files(spec.foregrounds, "foregrounds")
    pairing = Pairing({}, {}, {})
    if spec.masks is not None:
        pictures, masks = divide(pictures, find_files(spec.masks, "masks"))
        pictures, masks = _images(pictures, findings), _images(masks, findings)
        pairing = pair(pictures, masks)
    else:
        pictures = _images(pictures, findings)
    for path, reason in pairing.lone.items():
        what = f"this mask belongs to no picture of --foregrounds: {reason}"
        findings.errors.append(InputError(path, what))
    foreground_files = _numbered(pictures, "foregrounds", findings)
    backgrounds_found = _images(find_files(spec.backgrounds, "backgrounds"), findings)
    background_files = _numbered(backgrounds_found, "backgrounds", findings)
    canvas = Canvas(spec.size, spec.foreground_size, spec.scale_jitter)

    fg_twins, bg_twins = Twins(), Twins()

    def foreground(number: int, path: str) -> list[InputImage]:
        mask = pairing.masks.get(path)
        try:
            return [read_foreground_input(number, path, mask, canvas, spec.crop, fg_twins)]
        except NeedsMask as error:
            if cutter is not None and cutter.wanted:
                return cut_foreground_inputs(number, path, cutter, canvas, fg_twins)
            if path in pairing.without:
                reason = pairing.without[path]
                raise BadImage(f"{error.what} and no mask of --masks: {reason}") from None
            raise

    def background(number: int, path: str) -> list[InputImage]:
        return [read_background_input(number, path, bg_twins)]

    def distractor(number: int, path: str) -> list[InputImage]:
        return [read_foreground_input(number, path, None, canvas, spec.crop)]

    distractor_files: dict[int, str] = {}
    if spec.distractors is not None:
        found_distractors = _images(find_files(spec.distractors, "distractors"), findings)
        distractor_files = _numbered(found_distractors, "distractors", findings)
    count = len(foreground_files) + len(background_files) + len(distractor_files)
    with phase("inputs", count, progress) as meter:
        foregrounds = _read_all(foreground_files, foreground, findings, meter)
        backgrounds = _read_all(background_files, background, findings, meter)
        distractors = _read_all(distractor_files, distractor, findings, meter)
    findings.notes += fg_twins.notes("foregrounds") + bg_twins.notes("backgrounds")
    errors = sorted(findings.errors, key=lambda error: error.path)
    if errors and spec.on_error == "fail":
        raise SpecError(f"{errors[0].line} (stopped by --on_error=fail)")
    for flag, found, files in (
        ("foregrounds", foregrounds, foreground_files),
        ("backgrounds", backgrounds, background_files),
        ("distractors", distractors, distractor_files),
    ):
        if not found and getattr(spec, flag) is not None:
            named = next((e for e in errors if e.path in files.values()), None) or (
                errors[0] if errors else None
            )
            reason = f"; for example {named.line}" if named else ""
            raise SpecError(f"--{flag}={getattr(spec, flag)}: no usable image{reason}")
    if categories is not None:
        foregrounds = list(categories.applied(foregrounds))
    if len({asset.id for asset in foregrounds}) < len(foregrounds):
        findings.notes.append(
            "ids of foregrounds are positions in sorted order: several parts were cut out of"
            " some photographs"
        )
        foregrounds = [replace(asset, id=n) for n, asset in enumerate(foregrounds, 1)]
    if credits is not None:
        there = [*foregrounds, *backgrounds, *distractors]
        # A row may be of a picture that was left out.
        known = credits.by_path([a.path for a in there] + [error.path for error in errors])
        foregrounds, backgrounds, distractors = (
            credited(kind, known) for kind in (foregrounds, backgrounds, distractors)
        )
    return Catalog(
        tuple(foregrounds),
        tuple(backgrounds),
        tuple(errors),
        tuple(findings.notes),
        tuple(_cutout_lines(foregrounds)),
        tuple(distractors),
    )


def _cutout_lines(foregrounds: Sequence[InputImage]) -> list[str]:
    found = [(asset, asset.cutout) for asset in foregrounds if asset.cutout is not None]
    if not found:
        return []
    models = sorted({cutout.model for _, cutout in found})
    lines = [
        f"{len(found)} of {len(foregrounds)} foregrounds are cut out of photographs by"
        f" {' and '.join(models)}; look at them in the gallery"
    ]
    return lines + [
        f"cut out: {_quoted(asset.path)}: {cutout.note}"
        for asset, cutout in found
        if "doubtful" in cutout.note
    ]


def _images(listing: Listing, findings: _Findings) -> Listing:
    """The files of a listing that have the extension of an image."""
    findings.errors += listing.errors
    others: set[str] = set()
    for path in listing.paths:
        printable = path.encode("utf-8", "backslashreplace").decode()
        if printable != path:
            reason = "the file's name is not Unicode; rename it"
        elif not has_image_name(path):
            extension = os.path.splitext(path)[1] or "(none)"
            reason = foreign_name(path) or f"the extension {extension} is not that of an image"
        else:
            continue
        others.add(path)
        findings.errors.append(InputError(printable, reason))
    return listing.without(others)


def _numbered(listing: Listing, flag: str, findings: _Findings) -> dict[int, str]:
    """Files by id; adds a note if names have numbers that cannot serve as ids."""
    files = number_files(listing.paths)
    numbers = {path: _number(path) for path in files.values()}
    if any(number is not None and files.get(number) != path for path, number in numbers.items()):
        seen: dict[int | None, str] = {None: ""}
        for path, number in numbers.items():
            if number in seen:
                twin = seen[number]
                reason = (
                    f"{_quoted(twin)} and {_quoted(path)} have the same number"
                    if twin
                    else f"{_quoted(path)} has no number"
                )
                findings.notes.append(f"ids of {flag} are positions in sorted order: {reason}")
                break
            seen[number] = path
    return files


def _quoted(path: str) -> str:
    return one_line(storage.file_name(path))


def _read_all(
    files: dict[int, str],
    read: Callable[[int, str], list[InputImage]],
    findings: _Findings,
    meter: Meter | None,
) -> list[InputImage]:
    def attempt(item: tuple[int, str]) -> list[InputImage] | InputError:
        try:
            return read(*item)
        except SpecError:  # Nothing that this file alone is to blame for.
            raise
        except BadImage as error:
            return InputError(item[1], str(error))
        except Exception as error:  # Any reason why one file cannot be read costs that file.
            return InputError(item[1], f"cannot be read: {error}")

    results = []
    with ThreadPoolExecutor(cores()) as pool:
        for result in pool.map(attempt, files.items()):
            results.append(result)
            if meter is not None:
                meter.step()
    findings.errors += [result for result in results if isinstance(result, InputError)]
    return [asset for result in results if not isinstance(result, InputError) for asset in result]


def read_foreground_input(
    number: int,
    path: str,
    mask_path: str | None,
    canvas: Canvas,
    crop: bool = True,
    twins: Twins | None = None,
) -> InputImage:
    """Reads and checks one foreground.

    Args:
        number: its id.
        path: its file.
        mask_path: file of its mask, if it has one.
        canvas: the geometry.
        crop: whether its transparent margins are cut off.
        twins: takes note of its pixels.

    Raises:
        BadImage: it cannot be used.
    """
    data = storage.read_bytes(path)
    mask = storage.read_bytes(mask_path) if mask_path else None
    image = decode_foreground(data, mask)
    box = margin_box(image) if crop else None
    image = image.crop(box) if box else image
    _check_visible(path, image, canvas, twins)
    asset = replace(_asset(number, path, data, image), crop=box)
    if mask is None:
        return asset
    return replace(asset, mask_path=mask_path, mask_sha256=hashlib.sha256(mask).hexdigest())


def cut_foreground_inputs(
    number: int, path: str, cutter: Cutter, canvas: Canvas, twins: Twins | None = None
) -> list[InputImage]:
    """Cuts a photograph out; the foregrounds that it gives have its id.

    Args:
        number: its id.
        path: its file.
        cutter: cuts it out, or knows what it has cut out before.
        canvas: the geometry.
        twins: takes note of its pixels.

    Raises:
        BadImage: nothing can be cut out of it.
    """
    data = storage.read_bytes(path)
    found = []
    for cutout in cutter.cut(data):
        image = decode_cutout(storage.read_bytes(cutout.path))
        _check_visible(path, image, canvas, twins)
        found.append(replace(_asset(number, path, data, image), cutout=cutout))
    return found


def _check_visible(path: str, image: Image.Image, canvas: Canvas, twins: Twins | None) -> None:
    """Raises BadImage where a foreground would vanish; takes note of its pixels."""
    fitted = fit_foreground(image, canvas.largest_box)
    empty = first_empty_box(fitted[..., 3], image.size, canvas)
    if empty is not None:
        raise BadImage(
            f"no pixel is left with alpha >= {SOLID} when it is pasted at {empty} pixels"
        )
    if twins is not None:
        twins.add(path, fitted)


def read_background_input(number: int, path: str, twins: Twins | None = None) -> InputImage:
    """Reads and checks one background.

    Args:
        number: its id.
        path: its file.
        twins: takes note of its pixels.

    Raises:
        BadImage: it cannot be used.
    """
    data = storage.read_bytes(path)
    image = decode_background(data)
    if twins is not None:
        twins.add(path, np.asarray(image.resize((32, 32), Image.Resampling.BOX)))
    return _asset(number, path, data, image)


def _asset(number: int, path: str, data: bytes, image: Image.Image) -> InputImage:
    checksum = hashlib.sha256(data).hexdigest()
    return InputImage(number, path, checksum, len(data), image.width, image.height)
