"""A shard of clean images is read back and held against plan, record and inputs."""

import io

import numpy as np
from PIL import Image

from transforms import storage
from transforms.elements import CleanImage, ShardSpec
from transforms.formats import TABLE_FORMATS
from transforms.formats.schema import Picture, Row
from transforms.plan.clean_shards import FOREGROUNDS
from transforms.plan.inputs import InputImage, one_line
from transforms.plan.plan import load_plan
from transforms.recipe import Recipe
from transforms.records import ShardRecord, record_name
from transforms.report.statistics import PictureCounts, Statistics
from transforms.report.verify_report import Fault, ShardReport
from transforms.steps.clean import make_clean
from transforms.steps.verify_again import Again
from transforms.steps.verify_files import Faults, Tables, expected_paths, same_value


def verify_clean_shard(
    shard: ShardSpec,
    recipe: Recipe,
    record: ShardRecord | None,
    fault: Fault | None,
    why_not: str | None,
) -> ShardReport:
    """Reads a shard of clean images back in all formats.

    Args:
        shard: the shard.
        recipe: how the data set was made.
        record: the shard's record, None where there is none.
        fault: what is wrong with the record, or None.
        why_not: why the images are not made again; None where they are.
    """
    plan, fields, faults = load_plan(recipe.plan_path), recipe.schema.clean_fields(), Faults()
    if fault is not None:
        faults.add(fault.path, fault.what)
    files = {file.path: file for file in record.files} if record else {}
    paths = expected_paths(lambda name: TABLE_FORMATS[name].clean_path(shard), recipe.formats)
    for path in paths.values():
        if record is not None and path not in files:
            faults.add(record_name(shard), f"it does not list {path}")
    tables = Tables(recipe.folder, paths, fields, files, faults)
    rows = tables.rows()
    first = tables.paths[0] if tables.paths else ""
    foregrounds = shard.split == FOREGROUNDS
    inputs = (plan.foregrounds if foregrounds else plan.backgrounds)[shard.start : shard.stop]
    statistics, unchecked = Statistics(), []
    with Again(shard, recipe, True, clean=True) as again:
        for number, asset in enumerate(inputs):
            made = None
            if why_not is None:
                try:
                    made, counts = make_clean(plan, asset, foregrounds, recipe)
                except Exception as error:  # Inputs may be gone, or be anything by now.
                    unchecked.append(one_line(f"{error}"))
            else:
                unchecked.append(why_not)
            if made is None:
                again.give_up()
            elif again.whole:
                again.add(made)
            if not paths:
                if made is not None:
                    statistics += counts
                continue
            several = next(rows, None)
            row = tables.agreed(several, number) if several is not None else None
            if row is None:
                faults.add(first, f"the clean image {asset.id} is missing")
                continue
            if made is not None:
                difference = _difference(row, made, recipe)
            else:
                difference, counts = _judged(row, asset, foregrounds)
            if difference:
                faults.add(first, f"the clean image {asset.id}: {difference}")
            else:
                statistics += counts
        for several in rows if paths else ():
            if any(row is not None for row in several):
                faults.add(first, "it has more clean images than the plan")
        count, parts = again.compare(record, recipe.folder, faults)
    compared = record is not None and not faults.found and (bool(paths) or not unchecked)
    if compared and record is not None and statistics.to_record() != record.statistics.to_record():
        faults.add(record_name(shard), "its statistics are not those of the files")
    return ShardReport(
        files=len(paths) + count,
        faults=tuple(faults.found),
        unchecked=tuple(sorted(set(unchecked))),
        record=record,
        parts=parts,
    )


def _difference(row: Row, made: CleanImage, recipe: Recipe) -> str:
    """What a row has that the inputs do not give, or nothing."""
    for field, found in zip(recipe.schema.clean_fields(), row, strict=True):
        value = field.value(made)
        if not same_value(found, value):
            if isinstance(value, Picture):
                return f"{field.name} is not what the inputs give"
            return f"{field.name} is {found}, not {value}"
    return ""


def _judged(row: Row, asset: InputImage, foreground: bool) -> tuple[str, Statistics]:
    """What is wrong with a row as far as the plan tells, and its counts."""
    number, name, image, mask, width, height = row[:6]
    for what, found, wanted in (
        ("id", number, asset.id),
        ("file", name, storage.file_name(asset.path)),
    ):
        if found != wanted:
            return f"{what} is {found}, not {wanted}", Statistics()
    counts = []
    for picture, mode in ((image, "RGB"), (mask, "L")):
        data = picture.data if isinstance(picture, Picture) else b""
        try:
            opened = Image.open(io.BytesIO(data))
            opened.load()
        except Exception as error:
            return f"a picture cannot be decoded: {error}", Statistics()
        if opened.mode != mode or opened.size != (width, height):
            return (
                f"a picture is {opened.mode} {opened.width}x{opened.height},"
                f" not {mode} {width}x{height}",
                Statistics(),
            )
        counts.append(PictureCounts.of(np.asarray(opened)[None], len(data)))
    if foreground:
        return "", Statistics(fg=counts[0], mask=counts[1])
    return "", Statistics(bg=counts[0])
