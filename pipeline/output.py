"""The output folder: which data set it holds, whether it may be written, and free disk space."""

import dataclasses
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.local.lease import LOCK, is_lock
from pipeline.maker import Maker, maker_of
from pipeline.spec import DatasetSpec, SpecError
from transforms import storage
from transforms.formats import FORMATS, TABLE_FORMATS
from transforms.formats.base import EncodedSize, Folder
from transforms.owned import RECORDS, TEMPORARY, written_names
from transforms.pixels.input_cache import forget_plans
from transforms.plan.clean_shards import clean_shards
from transforms.plan.cutouts import cutout_files
from transforms.plan.extend import extended
from transforms.plan.identity import Identity
from transforms.plan.inputs import CUTOUTS, InputImage
from transforms.plan.plan import PLAN, Plan
from transforms.records import record_path
from transforms.steps.finish import (
    IDENTITY,
    MANIFEST,
    MANIFEST_CHECKSUM,
    SPEC,
    read_manifest,
    tidy,
)

_LOG = logging.getLogger(__name__)

# What may change between two runs of one data set.
_FREE = (
    "foregrounds",
    "backgrounds",
    "masks",
    "categories",
    "output",
    "on_error",
    "max_failures",
    "license",
    "credits",
    "published",
    "creator",
    "exclude",  # Its keys are compared.
    "crop",  # What it and cut-outs change is compared picture by picture.
    "cutout_model",
    "cutout_parts",
    "cutout_doubt",
)

STALE_SECONDS = 3600.0
"""Age after which a temporary file of a job elsewhere counts as abandoned."""

_FIRST_FILES = (LOCK, SPEC, PLAN, IDENTITY)
_SOME_FILES = 50


def _settings(spec: DatasetSpec) -> dict[str, Any]:
    fields = json.loads(spec.with_preset().to_json())
    return {k: v for k, v in fields.items() if k not in _FREE}


def _identity(spec: DatasetSpec, plan: Plan) -> dict[str, Any]:
    fields = _settings(spec)
    for kind, assets in (("foregrounds", plan.foregrounds), ("backgrounds", plan.backgrounds)):
        fields[kind] = {str(a.id): _content(a) for a in assets}
    fields["distractor_files"] = [_content(a) for a in plan.distractors]
    fields["excluded"] = _listed(plan.excluded)
    fields["margins"] = {str(a.id): a.crop for a in plan.foregrounds}
    return fields


def _described(spec: DatasetSpec, plan: Plan) -> list[Any]:
    """What the descriptions say beside what the samples are made of."""
    credits = {asset.path: asset.credit for asset in plan.inputs}
    return [spec.license, spec.published, spec.creator, credits]


def with_kept_terms(spec: DatasetSpec, plan: Plan) -> tuple[DatasetSpec, Plan]:
    """A spec and its plan with the terms of the data set in their folder, where none are given.

    Raises:
        SpecError: as for `claim`.
    """
    there = _stored(Folder(spec.output))
    if there.spec is None or there.plan is None:
        return spec, plan
    former = there.spec
    if spec.credits is None:
        spec = dataclasses.replace(spec, credits=former.credits)
        plan = _with_credits(plan, there.plan)
    spec = dataclasses.replace(
        spec,
        license=spec.license or former.license,
        published=spec.published or former.published,
        creator=spec.creator or former.creator,
    )
    return spec, dataclasses.replace(plan, license=spec.license)


def _with_credits(plan: Plan, former: Plan) -> Plan:
    """A plan with the credits of the same inputs in another one."""

    def credited(
        assets: Sequence[InputImage], there: Sequence[InputImage]
    ) -> tuple[InputImage, ...]:
        known = {(asset.id, asset.sha256): asset.credit for asset in there}
        return tuple(
            dataclasses.replace(asset, credit=known.get((asset.id, asset.sha256)))
            for asset in assets
        )

    return dataclasses.replace(
        plan,
        foregrounds=credited(plan.foregrounds, former.foregrounds),
        backgrounds=credited(plan.backgrounds, former.backgrounds),
        distractors=credited(plan.distractors, former.distractors),
    )


def _listed(keys: tuple[str, ...]) -> str:
    """Keys in a few words that are the same for the same keys."""
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    return f"{len(keys)} keys ({digest[:12]})" if keys else "no key"


def _content(asset: InputImage) -> list[str | None]:
    """What must be equal for two inputs to give the same samples."""
    cutout = [] if asset.cutout is None else [asset.cutout.sha256]
    return [asset.sha256, asset.mask_sha256, asset.category, *cutout]


def _settings_digest(spec: DatasetSpec) -> str:
    """SHA-256 of the settings that an extension cannot change."""
    fields = _settings(spec)
    fields.pop("placements")
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class _Stored:
    """What the state of an output folder says of the data set in it; None for what is not there."""

    spec: DatasetSpec | None
    plan: Plan | None
    identity: Identity | None

    @property
    def is_ours(self) -> bool:
        """Whether this program has begun a data set there."""
        return self.spec is not None or self.plan is not None


def _stored(folder: Folder) -> _Stored:
    """Reads what belongs to the data set in a folder.

    Raises:
        SpecError: a file of that name is there and is damaged, or another program's.
    """

    def read(name: str, parse: Any) -> Any:
        data = storage.read_if_there(folder.path(name))
        if data is None:
            return None
        try:
            return parse(data.decode())
        except Exception as error:  # A file of that name may contain anything.
            reason = "it is empty" if not data else f"{type(error).__name__}: {error}"
            raise SpecError(
                f"--output={folder.root}: {name} is damaged or was not written by this program"
                f" ({reason.splitlines()[0]}); choose another folder, or delete this one yourself"
            ) from None

    return _Stored(
        read(SPEC, DatasetSpec.from_json),
        read(PLAN, Plan.from_json),
        read(IDENTITY, Identity.from_json),
    )


def refuse_foreign(output: str) -> None:
    """Raises SpecError when a folder holds files that are not of this program.

    A folder is a data set's when its spec and plan can be read. Before they are written there is
    nothing but the lock and temporary files.
    """
    folder = Folder(output)
    try:
        if storage.is_local(output) and not os.path.isdir(output):
            return
        if _stored(folder).is_ours:
            return
        foreign = next((path for path in _some_files(output) if not _is_first(folder, path)), None)
    except SpecError:
        raise
    except Exception as error:  # Each store has errors of its own.
        raise SpecError(f"--output={output} cannot be read: {error}".splitlines()[0]) from None
    if foreign is not None:
        raise SpecError(
            f"--output={output} is not empty and holds no data set of this program"
            f" (it has {_relative(folder, foreign)!r}); choose another folder"
        )


def _some_files(output: str) -> Iterable[str]:
    if not storage.is_local(output):
        return storage.first_files(output, _SOME_FILES)
    os.listdir(output)  # A folder that cannot be listed is not empty.
    return (entry.path for entry in storage.entries(output))


def _relative(folder: Folder, path: str) -> str:
    return path.removeprefix(folder.root).lstrip("/").replace(os.sep, "/")


def _is_first(folder: Folder, path: str) -> bool:
    """Whether a file is one that a data set has before its spec and plan."""
    name = _relative(folder, path)
    if name == LOCK:
        return is_lock(storage.read_bytes(path))
    return name == IDENTITY or bool(
        name.startswith((TEMPORARY, CUTOUTS)) and written_names(()).fullmatch(name)
    )


def _clear(folder: Folder, plan: Plan | None, kept: Collection[str]) -> None:
    """Deletes a data set of this program: what it lists, and what the program writes.

    What the next data set has already, by its path relative to the folder, is kept.

    The manifest goes first, so that what is left never passes for a finished data set; then the
    records, so that no shard passes for one of the next data set; the spec last. The plan stays
    until the next one takes its place: with it the folder remains known as this program's.
    """
    manifest = read_manifest(folder)
    listed = {
        file["path"]
        for kind in ("files", "other_files")
        for file in (manifest or {}).get(kind, ())
        if file["path"] not in _FIRST_FILES
    }
    names = written_names([split.name for split in plan.splits] if plan else [])
    for name in (MANIFEST, MANIFEST_CHECKSUM):
        storage.delete(folder.path(name))
    storage.sync_folder(folder.root)
    for within in (RECORDS, ""):
        paths = [
            entry.path
            for entry in storage.entries(folder.path(within.rstrip("/")) if within else folder.root)
            if (name := _relative(folder, entry.path)) not in kept
            and (name in listed or names.fullmatch(name))
        ]
        storage.delete_files(sorted(paths))
        _delete_empty(folder, paths)
        storage.sync_folder(folder.state)
    for name in (IDENTITY, SPEC):
        storage.delete(folder.path(name))
    storage.sync_folder(folder.state)
    forget_plans()


def _delete_empty(folder: Folder, deleted: list[str]) -> None:
    """Deletes the folders of a data set that hold nothing after files of theirs were deleted."""
    for path in sorted({os.path.dirname(path) for path in deleted}, key=len, reverse=True):
        while path not in (folder.root, folder.state) and storage.delete_if_empty(path):
            path = os.path.dirname(path)


def _clean_temporary(folder: Folder, alone: bool) -> None:
    """Deletes what killed runs have left, and nothing that a job elsewhere may still write."""
    names = written_names(())
    # The times of a shared disk are its own, and the lock has just been written there.
    lock = next((e for e in storage.entries(folder.state) if e.path == folder.path(LOCK)), None)
    for entry in list(storage.entries(folder.temporary)):
        old = lock is not None and 0 < entry.changed < lock.changed - STALE_SECONDS
        if (alone or old) and names.fullmatch(_relative(folder, entry.path)):
            storage.delete(entry.path)


@dataclass(frozen=True)
class Claim:
    """An output folder that is a data set's.

    Attributes:
        plan: the plan to be carried out.
        finished: whether that has been done.
        former: the plan of the existing data set that is continued, None if there is none.
        cleared: whether an existing data set is deleted first.
        grown: whether it gets placements or inputs that it lacks.
    """

    plan: Plan
    finished: bool
    former: Plan | None = None
    cleared: bool = False
    grown: bool = False


def claim(
    spec: DatasetSpec,
    plan: Plan,
    maker: Maker | None = None,
    extend: bool = False,
    overwrite: bool = False,
    alone: bool = True,
) -> Claim:
    """Makes the output folder this data set's, or checks that it is already.

    Args:
        spec: the data set.
        plan: its plan, made at once.
        maker: what makes its samples; None for what is here now.
        extend: whether the data set in the folder may have fewer placements and inputs.
        overwrite: whether the data set in the folder is deleted, but the same one, unfinished: that
            is continued, so that a run that was killed can be started again as it was.
        alone: whether no job elsewhere may be at work in the folder.

    Returns:
        The plan that counts, which has the parts of a data set that was extended.

    Raises:
        SpecError: the folder holds another data set, or one that was begun with another program or
            depth model.
    """
    folder = Folder(spec.output)
    maker = maker or maker_of(spec.depth_model)
    claimed = judged(spec, plan, maker, extend, overwrite)
    if claimed.cleared:
        _clear(folder, _stored(folder).plan, cutout_files(plan))
    if claimed.former is None:
        _clean_temporary(folder, alone)
        _begin(folder, spec, plan, maker)
        return claimed
    if claimed.finished:
        tidy(folder, claimed.plan)  # A run that was killed after its manifest has not.
        return claimed
    for name in (MANIFEST, MANIFEST_CHECKSUM):
        storage.delete(folder.path(name))
    if claimed.grown:
        _reopen(folder, claimed.former, spec.formats)
    _clean_temporary(folder, alone)
    # The plan comes second: what extends a set is then found again, however often it is stopped.
    for name, text in ((SPEC, spec.to_json()), (PLAN, claimed.plan.to_json())):
        folder.write(name, text.encode())
    forget_plans()
    return claimed


def judged(spec: DatasetSpec, plan: Plan, maker: Maker, extend: bool, overwrite: bool) -> Claim:
    """What `claim` would do with a folder, without changing it; raises the same errors."""
    folder = Folder(spec.output)
    forget_plans()
    there = _stored(folder)
    if overwrite and there.is_ours and not _is_begun(folder, there, spec, plan, maker):
        return Claim(plan, False, cleared=True)
    if there.spec is None or there.plan is None:
        return Claim(plan, False)
    former, former_plan = there.spec, there.plan
    wanted, found = _identity(spec, plan), _identity(former, former_plan)
    difference = _difference(found, wanted)
    if difference and extend:
        _refuse_extension(spec, plan, former_plan)
        difference = _difference(_grown(found, wanted), wanted)
    if difference:
        raise SpecError(
            f"--output={spec.output} holds another data set: {difference}; choose another"
            " folder, start over with --overwrite, or, with more placements or inputs, add"
            " what is missing with --extend"
        )
    plan = extended(former_plan, plan)
    described = _described(spec, plan) == _described(former, former_plan)
    if wanted == found and described and _is_finished(folder):
        return Claim(plan, True, former_plan)
    _refuse_maker(spec, there.identity, maker)
    return Claim(plan, False, former_plan, grown=wanted != found)


def _begin(folder: Folder, spec: DatasetSpec, plan: Plan, maker: Maker) -> None:
    """Writes what makes a folder a data set's; it is one from the moment that its spec is there."""
    identity = maker.identity(_settings_digest(spec))
    for name, text in (
        (IDENTITY, identity.to_json()),
        (PLAN, plan.to_json()),
        (SPEC, spec.to_json()),
    ):
        folder.write(name, text.encode())
    forget_plans()


def _is_begun(folder: Folder, there: _Stored, spec: DatasetSpec, plan: Plan, maker: Maker) -> bool:
    """Whether a folder holds this very data set, unfinished."""
    if there.spec is None or there.plan is None or there.identity is None or there.plan.parts:
        return False
    return (
        _identity(there.spec, there.plan) == _identity(spec, plan)
        and not maker.difference(there.identity, spec.depth_model)
        and not storage.exists(folder.path(MANIFEST))
    )


def _refuse_maker(spec: DatasetSpec, former: Identity | None, maker: Maker) -> None:
    """Raises SpecError if new samples would not match the existing ones."""
    if former is not None:
        difference = maker.difference(former, spec.depth_model)
    elif spec.with_depth:
        difference = (
            "it was started by an older version, which did not record its depth model's weights"
        )
    else:
        return  # Composites and masks are the same in every version, but for what CHANGELOG says.
    if difference:
        raise SpecError(
            f"--output={spec.output} cannot be continued: {difference}; continue it with the"
            " version that started it, start over with --overwrite, or choose another folder"
        )


def _is_finished(folder: Folder) -> bool:
    """Whether a folder has its manifest and every file that this lists, in the listed size."""
    if not storage.exists(folder.path(MANIFEST)):
        return False
    manifest = read_manifest(folder)
    if manifest is None:
        _LOG.warning("%s is damaged; the files that it lists are made again", folder.path(MANIFEST))
        return False
    wanted = {
        file["path"]: file["bytes"] for kind in ("files", "other_files") for file in manifest[kind]
    }
    for entry in storage.entries(folder.root):
        name = _relative(folder, entry.path)
        if wanted.get(name) == entry.size:
            del wanted[name]
    if wanted:
        _LOG.warning(
            "%s: %d files are missing or of another size, such as %s; they are made again",
            folder.root,
            len(wanted),
            min(wanted),
        )
    return not wanted


def _refuse_extension(spec: DatasetSpec, plan: Plan, former: Plan) -> None:
    """Raises SpecError when this kind of data set cannot be extended."""
    others = sorted(set(spec.formats) - set(TABLE_FORMATS))
    if others:
        raise SpecError(
            f"--extend works with {', '.join(TABLE_FORMATS)} only; --formats has"
            f" {', '.join(others)}"
        )
    if plan.max_samples is not None:
        raise SpecError(f"--extend needs a full data set; --max_samples={plan.max_samples} is set")
    new = sorted(set(plan.categories) - set(former.categories))
    if former.categories and new:
        raise SpecError(
            f"--extend keeps the categories of a data set, {', '.join(former.categories)};"
            f" a foreground is {new[0]}: leave it out, or make another data set"
        )


def _grown(there: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """What is there as if it had the wanted placements and inputs, where that is more."""
    grown = {**there, "placements": max(there["placements"], wanted["placements"])}
    for kind in ("foregrounds", "backgrounds", "margins"):
        grown[kind] = {**wanted[kind], **there[kind]}
    return grown


def _reopen(folder: Folder, plan: Plan, formats: tuple[str, ...]) -> None:
    """Takes from a data set whose manifest is gone what belongs to its old extent alone."""
    for shard in clean_shards(plan):
        storage.delete(record_path(folder, shard))
        for name in formats:
            if name in TABLE_FORMATS:
                storage.delete(folder.path(TABLE_FORMATS[name].clean_path(shard)))
    names = written_names([split.name for split in plan.splits])
    storage.delete_files(
        [
            entry.path
            for entry in storage.entries(folder.path("gallery"))
            if names.fullmatch(_relative(folder, entry.path))
        ]
    )


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
        if name == "margins":
            number = next(i for i in value if old[i] != value[i])
            return (
                f"the transparent margins of its foregrounds are {'' if old[number] else 'not '}cut"
                f" off, the first with id {number}; see --crop and --no_crop"
            )
        return f"its {name} is {json.dumps(old)}, not {json.dumps(value)}"
    return ""


def encoded_size(spec: DatasetSpec) -> EncodedSize:
    """Rough sizes of a sample, from bytes a pixel as measured on photographs."""
    pixels = spec.size.pixels
    return EncodedSize(
        image=pixels * (0.42 if spec.image_format == "jpeg" else 1.6),
        mask=pixels * 0.06 + 150,
        depth=pixels * 0.07 * spec.depth_bits if spec.with_depth else 0.0,
        jpegs=pixels * 0.75,
        outline=5.0 * spec.foreground_size,
    )


def estimated_bytes(spec: DatasetSpec, plan: Plan) -> int:
    """About what a data set takes on a disk at most, while it is made."""
    size = encoded_size(spec)
    formats = [FORMATS[name] for name in spec.formats]
    sample = sum(format.sample_bytes(size) + format.passing_bytes(size) for format in formats)
    return int(plan.total * sample) + 20_000_000


def free_bytes(output: str) -> int | None:
    """Free disk space at the output folder, None if unknown."""
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
            f" {format_bytes(free)} are free; free some space, choose another"
            " disk, or make fewer samples with --max_samples or --placements"
        )


def format_bytes(count: float) -> str:
    """A size for people, such as `9.8 GB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
