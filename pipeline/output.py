"""The output folder: whose it is, whether it may be written, and whether the disk suffices."""

import json
import os
import shutil
from dataclasses import dataclass
from typing import Any

from pipeline.local.lease import LOCK
from pipeline.spec import DatasetSpec, SpecError
from transforms import storage
from transforms.formats import PART_FORMATS, TABLE_FORMATS
from transforms.formats.base import Folder
from transforms.pixels.input_cache import forget_plans
from transforms.plan.clean_shards import clean_shards
from transforms.plan.extend import extended
from transforms.plan.plan import Plan
from transforms.records import read_record, record_path
from transforms.steps.finish import MANIFEST, MANIFEST_CHECKSUM, tidy

# What may change between two runs of one data set.
_FREE = (
    "foregrounds",
    "backgrounds",
    "masks",
    "categories",
    "output",
    "on_error",
    "max_failures",
)


def _identity(spec: DatasetSpec, plan: Plan) -> dict[str, Any]:
    fields = {k: v for k, v in json.loads(spec.to_json()).items() if k not in _FREE}
    for kind, assets in (("foregrounds", plan.foregrounds), ("backgrounds", plan.backgrounds)):
        fields[kind] = {str(a.id): [a.sha256, a.mask_sha256, a.category] for a in assets}
    return fields


def refuse_foreign(output: str) -> None:
    """Raises SpecError when a folder holds files that are not of this program."""
    folder = Folder(output)
    if not storage.is_local(output):
        try:
            found = storage.first_file(output)
            known = found is None or storage.first_file(folder.state) is not None
        except Exception as error:  # Each store has errors of its own.
            raise SpecError(f"--output={output} cannot be read: {error}".splitlines()[0]) from None
        found_name = (found or "").removeprefix(output).lstrip("/")
    elif os.path.isdir(output):
        names = sorted(os.listdir(output))
        known = not names or os.path.isdir(folder.state)
        found_name = names[0] if names else ""
    else:
        return
    if not known:
        raise SpecError(
            f"--output={output} is not empty and holds no data set of this program"
            f" (it has {found_name!r}); choose another folder"
        )


def clear(output: str) -> None:
    """Deletes a data set of this program, all but its lock."""
    folder = Folder(output)
    lock = folder.path(LOCK)
    for path in storage.list_files(output):
        if path != lock:
            storage.delete(path)


@dataclass(frozen=True)
class Claim:
    """An output folder that is a data set's.

    Attributes:
        plan: the plan to be carried out.
        finished: whether that has been done.
    """

    plan: Plan
    finished: bool


def claim(spec: DatasetSpec, plan: Plan, extend: bool = False) -> Claim:
    """Makes the output folder this data set's, or checks that it is already.

    Args:
        spec: the data set.
        plan: its plan, made at once.
        extend: whether the data set in the folder may have fewer placements and inputs.

    Returns:
        The plan that counts, which has the parts of a data set that was extended.

    Raises:
        SpecError: the folder holds another data set.
    """
    folder = Folder(spec.output)
    spec_path = storage.join(folder.state, "spec.json")
    if storage.exists(folder.plan_path) and storage.exists(spec_path):
        former = DatasetSpec.from_json(storage.read_text(spec_path))
        former_plan = Plan.from_json(storage.read_text(folder.plan_path))
        wanted, there = _identity(spec, plan), _identity(former, former_plan)
        difference = _difference(there, wanted)
        if difference and extend:
            _refuse_extension(spec, plan, former_plan)
            difference = _difference(_grown(there, wanted), wanted)
        if difference:
            raise SpecError(
                f"--output={spec.output} holds another data set: {difference}; choose another"
                " folder, start afresh with --overwrite, or, with more placements or inputs, add"
                " what is missing with --extend"
            )
        plan = extended(former_plan, plan)
        if wanted == there and storage.exists(folder.path(MANIFEST)):
            tidy(folder)  # A run that was killed after its manifest has not.
            return Claim(plan, True)
        if wanted != there:
            _reopen(folder, former_plan)
    storage.delete_folder(folder.temporary)  # What a killed run has left.
    # With both there, the folder is this data set's. The plan comes second: what extends a set is
    # then found again, however often it is stopped here.
    for path, text in (("state/spec.json", spec.to_json()), ("state/plan.json", plan.to_json())):
        folder.write(path, text.encode())
    forget_plans()
    return Claim(plan, False)


def _refuse_extension(spec: DatasetSpec, plan: Plan, former: Plan) -> None:
    """Raises SpecError when this kind of data set cannot be extended."""
    joined = sorted(set(spec.formats) & set(PART_FORMATS))
    if joined:
        raise SpecError(
            f"--extend is for {', '.join(TABLE_FORMATS)}, whose shards stay as they are;"
            f" --formats has {', '.join(joined)}"
        )
    if plan.max_samples is not None:
        raise SpecError(f"--extend is for whole data sets; --max_samples={plan.max_samples} is set")
    new = sorted(set(plan.categories) - set(former.categories))
    if former.categories and new:
        raise SpecError(
            f"--extend keeps the categories of a data set, {', '.join(former.categories)};"
            f" a foreground is {new[0]}: leave it out, or make another data set"
        )


def _grown(there: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What is there as if it had the wanted placements and inputs, where that is more."""
    grown = {**there, "placements": max(there["placements"], wanted["placements"])}
    for kind in ("foregrounds", "backgrounds"):
        grown[kind] = {**wanted[kind], **there[kind]}
    return grown


def _reopen(folder: Folder, plan: Plan) -> None:
    """Takes from a finished data set what belongs to its old extent alone.

    The manifest goes first: from then on the set is unfinished, and says so.
    """
    for name in (MANIFEST, MANIFEST_CHECKSUM):
        storage.delete(folder.path(name))
    for shard in clean_shards(plan):
        record = read_record(folder, shard)
        if record is not None:
            for file in record.files:
                storage.delete(folder.path(file.path))
            storage.delete(record_path(folder, shard))
    storage.delete_folder(folder.path("gallery"))


def _difference(former: dict[str, Any], wanted: dict[str, Any]) -> str:
    for name, value in wanted.items():
        old: Any = former.get(name)
        if old == value:
            continue
        if name in ("foregrounds", "backgrounds"):
            added, gone = sorted(set(value) - set(old)), sorted(set(old) - set(value))
            changed = sorted(i for i in set(old) & set(value) if old[i] != value[i])
            for what, ids in (("new", added), ("missing", gone), ("changed", changed)):
                if ids:
                    return f"{len(ids)} of its {name} are {what}, the first with id {ids[0]}"
        return f"its {name} is {json.dumps(old)}, not {json.dumps(value)}"
    return ""


def estimated_bytes(spec: DatasetSpec, plan: Plan) -> int:
    """A rough size of the data set, from bytes a pixel as measured on photographs."""
    pixels = spec.image_size**2
    image = pixels * (0.42 if spec.image_format == "jpeg" else 1.6)
    mask = pixels * 0.06 + 150
    depth = pixels * 0.07 * spec.depth_bits if spec.with_depth else 0.0
    table = image + mask + depth + 400
    # What is joined from parts and the parts stand side by side for a while.
    sizes = {
        "tfrecord": table,
        "parquet": table,
        "webdataset": table + 3000,
        "coco": image + 4000,
        "zip": 2 * pixels * 0.75,
    }
    return int(plan.total * sum(sizes[name] for name in spec.formats)) + 20_000_000


def free_bytes(output: str) -> int | None:
    """Free disk space at the output folder, None where there is no such figure."""
    if not storage.is_local(output):
        return None
    path = os.path.abspath(output)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free


def _bytes_there(folder: str) -> int:
    """Size of the files of a local data set that a run keeps."""
    return sum(
        os.path.getsize(os.path.join(parent, name))
        for parent, _, names in os.walk(folder)
        for name in names
        if not name.endswith(".part")
    )


def check_space(spec: DatasetSpec, plan: Plan) -> None:
    """Raises SpecError when the estimate exceeds the free disk space."""
    needed, free = estimated_bytes(spec, plan), free_bytes(spec.output)
    if free is None or needed <= free:
        return
    needed -= _bytes_there(spec.output)  # A run that continues needs only the rest.
    if needed > free:
        raise SpecError(
            f"--output={spec.output}: about {format_bytes(needed)} are needed and"
            f" {format_bytes(free)} are free; free some, choose another disk,"
            " or make less with --max_samples or --placements"
        )


def format_bytes(count: float) -> str:
    """A size for people, such as `9.8 GB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
