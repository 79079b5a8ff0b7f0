"""Reads a finished data set back and checks every file."""

import dataclasses
import hashlib
import json
import os
import pickle
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import GoogleCloudOptions

from pipeline.local.lease import LOCK
from pipeline.local.workers import watched_workers
from pipeline.places import check_given
from pipeline.run import JobError, job_reason, make_recipe, versions
from pipeline.runner import RunnerChoice, check_reachable, check_runner, choose_runner
from pipeline.spec import DatasetSpec, SpecError
from transforms import storage
from transforms.elements import ShardSpec
from transforms.formats import JOINED_FORMATS
from transforms.formats.base import Folder, OutputFile
from transforms.owned import is_stray
from transforms.pixels.input_cache import forget_plans
from transforms.plan.clean_shards import clean_shards
from transforms.plan.plan import PLAN, Plan, load_plan
from transforms.report.published import Places
from transforms.report.verify_report import Fault, Report, merged
from transforms.steps.finish import MANIFEST, MANIFEST_CHECKSUM, SPEC
from transforms.steps.list_shards import ListShards
from transforms.steps.verify import Inspection, Unit, Verify, verify_unit
from transforms.steps.verify_files import reason
from transforms.steps.verify_finish import (
    Finished,
    can_make_gallery,
    compare_files_listed,
    compare_gallery,
    compare_joined,
    compare_manifest,
    compare_others,
    meaning_of,
    unknown_joined,
)

_PROGRAM = "mask-depth-dataset"
# The packages whose versions decide the bytes of composites, masks and clean images.
_PICTURES = (_PROGRAM, "numpy", "pillow", "simplejpeg", "deflate")
_GALLERY = (*_PICTURES, "matplotlib")

_SHOWN_REASONS = 3


@dataclass(frozen=True)
class VerifyResult:
    """What a verification has found.

    Attributes:
        samples: samples read back.
        files: files whose checksum was compared.
        faults: what is wrong; empty for a sound data set.
        unchecked: what could not be checked, and why, in a line each.
    """

    samples: int
    files: int
    faults: tuple[Fault, ...]
    unchecked: tuple[str, ...] = ()


def verify(
    output: str, beam_arguments: list[str] | None = None, sample: int | None = None
) -> VerifyResult:
    """Verifies a finished data set; nothing is written into its folder.

    Args:
        output: its folder.
        beam_arguments: pipeline flags as Beam spells them.
        sample: read only about this many samples, in whole shards spread evenly, and compare the
            checksums of their files only; None reads everything.

    Raises:
        SpecError: there is no finished data set in the folder.
        JobError: the verification has stopped, for example since a worker process has died.
    """
    arguments = beam_arguments or []
    check_given("output", output)
    check_runner(arguments, [("output", output)])
    check_reachable(arguments)
    forget_plans()
    folder = Folder(storage.absolute(output))
    manifest, fault = _read_manifest(folder)
    if manifest is None:
        return VerifyResult(0, 0, (fault,) if fault else ())
    try:
        text = _spec_text(folder, manifest)
        spec = DatasetSpec.from_json(text)
        plan = Plan.from_json(storage.read_text(folder.plan_path))
        next(plan.shards())
    except Exception as error:  # Anything may stand in a damaged file.
        text = f"the plan cannot be read: {type(error).__name__}: {reason(error)}"
        return VerifyResult(0, 0, (Fault(PLAN, text),))
    weights = (manifest["depth"] or {}).get("model_sha256")
    spec = dataclasses.replace(spec, output=folder.root)
    recipe = make_recipe(spec, plan, meaning_of(manifest), weights=weights)
    other = _other_versions(manifest, _PICTURES)
    inspection = Inspection(recipe, not other, other)
    chosen = None if sample is None else _some_shards(plan, sample)
    report = _read(chosen, plan, manifest, inspection, arguments)
    return _judged(Finished(manifest, text, plan, recipe, report), chosen)


def _spec_text(folder: Folder, manifest: dict[str, Any]) -> str:
    """The spec as the state holds it, with its paths; where that is damaged, the manifest's."""
    try:
        text = storage.read_text(folder.path(SPEC))
        DatasetSpec.from_json(text)
    except Exception:  # Anything may stand in a damaged file, which is named later.
        return json.dumps(manifest["spec"])
    return text


def _judged(finished: Finished, chosen: list[ShardSpec] | None) -> VerifyResult:
    """Compares what was read back with what is said of it."""
    report, plan = finished.report, finished.plan
    faults, files = list(report.faults), report.files
    unchecked = _told(report.unchecked)
    whole = chosen is None
    if whole and report.records == _count(plan):
        faults += compare_joined(report)
        faults += compare_files_listed(finished)
        faults += compare_manifest(finished)
        faults += _compare_spec(finished)
        other = _other_versions(finished.manifest, (_PROGRAM,))
        if other:
            unchecked.append(f"descriptions such as README.md: {other}")
        count, others = compare_others(finished, not other)
        faults, files = faults + others, files + count
        lost = unknown_joined(report)
        if lost:
            some = f"{lost[0]}{f' and {len(lost) - 1} others' if len(lost) > 1 else ''}"
            unchecked.append(f"the content of {some}, beyond the number of its records")
    bad = {fault.path for fault in faults}
    faults += [fault for fault in _compare_names(finished) if fault.path not in bad]
    if whole and not faults:  # It takes seconds, and a set with faults is looked at again.
        other = _other_versions(finished.manifest, _GALLERY)
        if other or report.unchecked or not can_make_gallery(finished):
            why = other or "it shows what could not be made again"
            unchecked.append(f"the gallery, beyond its checksums: {why}")
        else:
            # Cut-outs of a data set that was moved are read where they are now.
            here = load_plan(finished.recipe.plan_path)
            faults += compare_gallery(dataclasses.replace(finished, plan=here))
    return VerifyResult(report.samples, files, tuple(faults), tuple(unchecked))


def _told(reasons: tuple[str, ...]) -> list[str]:
    """What was not held against the inputs, with some of the reasons."""
    if not reasons:
        return []
    shown = "; ".join(reasons[:_SHOWN_REASONS])
    more = len(reasons) - _SHOWN_REASONS
    return [
        "pictures were not all held against the inputs, but against plan and records alone:"
        f" {shown}{f'; and {more} more' if more > 0 else ''}"
    ]


def _other_versions(manifest: dict[str, Any], packages: Iterable[str]) -> str:
    """In which versions this installation is not the one that made a data set, or nothing."""
    here = dict(versions())
    different = [
        f"{name} {manifest['versions'].get(name, '(unknown)')}, here it is {here.get(name)}"
        for name in packages
        if manifest["versions"].get(name) != here.get(name)
    ]
    return f"the data set was made with {'; '.join(different)}" if different else ""


def _compare_spec(finished: Finished) -> Iterator[Fault]:
    """Where the manifest's spec is not the one that the state holds."""
    try:
        text = storage.read_text(finished.folder.path(SPEC))
        held = DatasetSpec.from_json(text)
    except Exception as error:  # Anything may stand in a damaged file.
        yield Fault(SPEC, f"it cannot be read: {reason(error)}")
        return
    places = Places.of(text)
    shown = DatasetSpec.from_json(json.dumps(places.spec(text)))
    # Older versions have published whole paths.
    said = DatasetSpec.from_json(json.dumps(places.spec(json.dumps(finished.manifest["spec"]))))
    for field in dataclasses.fields(held):
        if getattr(shown, field.name) != getattr(said, field.name):
            yield Fault(MANIFEST, f"its spec has another {field.name} than {SPEC}")
    model = shown.depth_model if held.with_depth else None
    found = (finished.manifest["depth"] or {}).get("model")
    if (found and places.text(found)) != model:
        yield Fault(MANIFEST, f"its depth model is not {model}")


def _read_manifest(folder: Folder) -> tuple[dict[str, Any] | None, Fault | None]:
    if not storage.exists(folder.path(MANIFEST)):
        state = (
            "is unfinished; the same command continues it"
            if storage.exists(folder.plan_path)
            else "holds no data set of this program"
        )
        raise SpecError(f"{folder.root} {state}")
    try:
        data = storage.read_bytes(folder.path(MANIFEST))
    except Exception as error:  # Each store has errors of its own.
        return None, Fault(MANIFEST, f"it cannot be read: {reason(error)}")
    try:
        stored = storage.read_text(folder.path(MANIFEST_CHECKSUM))
    except Exception:
        return None, Fault(MANIFEST_CHECKSUM, "it is missing or damaged")
    if f"{hashlib.sha256(data).hexdigest()}\n" != stored:
        return None, Fault(MANIFEST, f"its SHA-256 is not the one in {MANIFEST_CHECKSUM}")
    try:
        manifest = json.loads(data)
        for name in ("spec", "samples", "failed", "splits", "depth", "versions", "inputs"):
            manifest[name]
        for name in ("files", "other_files"):
            {file["path"]: file["sha256"] for file in manifest[name]}
    except Exception as error:  # Anything may stand in a file whose checksum was put right.
        return None, Fault(MANIFEST, f"it is no manifest: {type(error).__name__}: {reason(error)}")
    return manifest, None


def _compare_names(finished: Finished) -> Iterator[Fault]:
    """Files that are missing, and those that do not belong to the data set."""
    folder, manifest, report = finished.folder, finished.manifest, finished.report
    listed = {file["path"] for kind in ("files", "other_files") for file in manifest[kind]}
    known = listed | {MANIFEST, MANIFEST_CHECKSUM, LOCK}
    known |= {file.path for file in report.summary.files}
    known |= {file.path for file in report.summary.records}
    there = {
        entry.path.removeprefix(folder.root).lstrip("/").replace(os.sep, "/")
        for entry in storage.entries(folder.root)
    }
    for path in sorted(listed - there):
        yield Fault(path, "it is missing")
    for path in sorted(there - known):
        if not is_stray(path):
            yield Fault(path, "it does not belong to the data set")


def _some_shards(plan: Plan, sample: int) -> list[ShardSpec]:
    """Evenly spread shards that hold about this number of samples."""
    count = sum(plan.shard_counts.values())
    wanted = max(1, min(count, -(-sample * count // max(1, plan.total))))
    positions = {i * count // wanted for i in range(wanted)}
    return [shard for i, shard in enumerate(plan.shards()) if i in positions]


def _count(plan: Plan) -> int:
    """Number of the shards, those of clean images among them."""
    return sum(plan.shard_counts.values()) + sum(1 for _ in clean_shards(plan))


def _joined(manifest: dict[str, Any]) -> list[OutputFile]:
    """The files that many shards have contributed to, as the manifest lists them."""
    files = (OutputFile(**file) for file in manifest["files"] if file["format"] in JOINED_FORMATS)
    return [
        file for file in files if JOINED_FORMATS[file.format].joined_path(file.split) == file.path
    ]


def _read(
    chosen: list[ShardSpec] | None,
    plan: Plan,
    manifest: dict[str, Any],
    inspection: Inspection,
    beam_arguments: list[str],
) -> Report:
    """Reads shards and joined files back, all of them or those that were chosen."""
    joined: list[Unit] = [] if chosen is not None else list(_joined(manifest))
    count = _count(plan) + len(joined) if chosen is None else len(chosen)
    runner = choose_runner(beam_arguments, count)
    if runner.local and runner.workers == 1:
        shards = chain(plan.shards(), clean_shards(plan)) if chosen is None else iter(chosen)
        return merged(verify_unit(unit, inspection) for unit in chain(shards, joined))
    # The report comes back as a file: a pipeline returns nothing to the program that starts it.
    with _report_path(runner, inspection.recipe.root) as path:
        try:
            with watched_workers(), runner.pipeline() as pipeline:
                _build(pipeline, chosen, joined, inspection, path)
        except Exception as error:  # Runners wrap what a worker raised in types of their own.
            raise JobError(job_reason(error)) from error
        return pickle.loads(storage.read_bytes(path))


def _build(
    pipeline: beam.Pipeline,
    chosen: list[ShardSpec] | None,
    joined: list[Unit],
    inspection: Inspection,
    path: str,
) -> None:
    """Adds the verification to a pipeline; all shards are listed by a worker."""
    plan_path = inspection.recipe.plan_path
    units = [pipeline | "Joined" >> beam.Create(joined)]
    if chosen is None:
        units += [
            pipeline | "List shards" >> ListShards(plan_path),
            pipeline | "List clean shards" >> ListShards(plan_path, clean=True),
        ]
    else:
        units.append(pipeline | "Chosen" >> beam.Create(chosen))
    (
        units
        | "Units" >> beam.Flatten()
        | "Spread" >> beam.Reshuffle()
        | "Verify" >> Verify(inspection)
        | "Store" >> beam.Map(_store, path)
    )


@contextmanager
def _report_path(runner: RunnerChoice, root: str) -> Iterator[str]:
    """Where the workers of a job put their report: never into the data set's folder."""
    name = f"mask-depth-verify-{uuid.uuid4().hex}"
    if runner.local:
        folder = tempfile.mkdtemp(prefix="mask-depth-verify-")
        try:
            yield os.path.join(folder, name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    # Beside the data set, which all workers reach, where no place for temporary files is given.
    place = runner.options.view_as(GoogleCloudOptions).temp_location
    path = storage.join(place or root.rpartition("/")[0], name)
    try:
        yield path
    finally:
        storage.delete(path)


def _store(report: Report, path: str) -> None:
    storage.write_bytes(path, pickle.dumps(report))
