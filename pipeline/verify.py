"""Reads a finished data set back and checks every file."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipeline.local.lease import LOCK
from pipeline.places import check_given
from pipeline.run import make_recipe
from pipeline.runner import check_runner, choose_runner
from pipeline.spec import DatasetSpec, SpecError
from transforms import storage
from transforms.elements import ShardSpec
from transforms.formats import TABLE_FORMATS
from transforms.formats.base import Folder
from transforms.models.depth.base import DepthMeaning
from transforms.pixels.input_cache import forget_plans
from transforms.plan.clean_shards import clean_shards
from transforms.plan.plan import Plan
from transforms.recipe import Recipe
from transforms.report.report import statistics_json
from transforms.report.statistics import Statistics
from transforms.report.verify_report import Fault, ShardReport
from transforms.steps.finish import MANIFEST, MANIFEST_CHECKSUM
from transforms.steps.list_shards import ListShards
from transforms.steps.verify import Verify, checked_record, verify_shard


@dataclass(frozen=True)
class VerifyResult:
    """What a verification has found.

    Attributes:
        samples: samples read back.
        files: files whose checksum was compared.
        faults: what is wrong; empty for a sound data set.
    """

    samples: int
    files: int
    faults: tuple[Fault, ...]


def verify(
    output: str, beam_arguments: list[str] | None = None, sample: int | None = None
) -> VerifyResult:
    """Verifies a finished data set.

    Args:
        output: its folder.
        beam_arguments: pipeline flags as Beam spells them.
        sample: read only about this many samples, in whole shards spread evenly, and compare the
            checksums of their files only; None reads everything.

    Raises:
        SpecError: there is no finished data set in the folder.
    """
    check_given("output", output)
    check_runner(beam_arguments or [], [("output", output)])
    forget_plans()
    folder = Folder(storage.absolute(output))
    manifest, faults = _read_manifest(folder)
    if manifest is None:
        return VerifyResult(0, 0, tuple(faults))
    try:
        spec = DatasetSpec.from_json(json.dumps(manifest["spec"]))
        plan = Plan.from_json(storage.read_text(folder.plan_path))
        next(plan.shards())
    except Exception as error:  # A damaged file may contain anything.
        fault = Fault(
            "state/plan.json", f"the plan cannot be read: {type(error).__name__}: {error}"
        )
        return VerifyResult(0, 0, (fault,))
    spec = dataclasses.replace(spec, output=folder.root)
    weights = (manifest["depth"] or {}).get("model_sha256")
    recipe = make_recipe(spec, plan, _meaning(manifest), weights=weights)
    chosen = None if sample is None else _some_shards(plan, sample)
    paths = None if chosen is None else _table_files(chosen, spec.formats)
    files, file_faults = _compare_files(folder, manifest, paths)
    faults += file_faults
    if not set(spec.formats) & set(TABLE_FORMATS):  # There are checksums, but no records to read.
        return VerifyResult(0, files, tuple(faults))
    report = _read_shards(chosen, plan, recipe, beam_arguments or [])
    faults += report.faults
    if sample is None and not faults:
        faults += _compare_statistics(folder, plan, report.statistics, manifest)
    return VerifyResult(report.samples, files, tuple(faults))


def _read_manifest(folder: Folder) -> tuple[dict[str, Any] | None, list[Fault]]:
    if not storage.exists(folder.path(MANIFEST)):
        state = (
            "is unfinished; the same command continues it"
            if storage.exists(folder.plan_path)
            else "holds no data set of this program"
        )
        raise SpecError(f"{folder.root} {state}")
    data = storage.read_bytes(folder.path(MANIFEST))
    try:
        stored = storage.read_text(folder.path(MANIFEST_CHECKSUM))
    except (OSError, UnicodeDecodeError):
        return None, [Fault(MANIFEST_CHECKSUM, "it is missing or damaged")]
    if f"{hashlib.sha256(data).hexdigest()}\n" != stored:
        return None, [Fault(MANIFEST, f"its SHA-256 is not the one in {MANIFEST_CHECKSUM}")]
    return json.loads(data), []


def _compare_files(
    folder: Folder, manifest: dict[str, Any], chosen: set[str] | None
) -> tuple[int, list[Fault]]:
    faults: list[Fault] = []
    listed = [*manifest["files"], *manifest["other_files"]]
    checked = 0
    for file in listed:
        path = folder.path(file["path"])
        if not storage.exists(path):
            faults.append(Fault(file["path"], "it is missing"))
        elif chosen is None or file["path"] in chosen:
            checked += 1
            found = storage.sha256(path)
            if found != file["sha256"]:
                faults.append(
                    Fault(
                        file["path"], f"its SHA-256 is {found}, the manifest has {file['sha256']}"
                    )
                )
    known = {folder.path(file["path"]) for file in listed}
    known |= {folder.path(path) for path in (MANIFEST, MANIFEST_CHECKSUM, LOCK)}
    for path in storage.list_files(folder.root):
        if path not in known:
            faults.append(Fault(path, "it does not belong to the data set"))
    return checked, faults


def _table_files(shards: list[ShardSpec], formats: tuple[str, ...]) -> set[str]:
    """Files of some shards in the formats that can be read back."""
    tables = [TABLE_FORMATS[name] for name in formats if name in TABLE_FORMATS]
    return {table.sample_path(shard) for table in tables for shard in shards}


def _some_shards(plan: Plan, sample: int) -> list[ShardSpec]:
    """Evenly spread shards that hold about this number of samples."""
    count = sum(plan.shard_counts.values())
    wanted = max(1, min(count, -(-sample * count // max(1, plan.total))))
    positions = {i * count // wanted for i in range(wanted)}
    return [shard for i, shard in enumerate(plan.shards()) if i in positions]


def _read_shards(
    chosen: list[ShardSpec] | None, plan: Plan, recipe: Recipe, beam_arguments: list[str]
) -> ShardReport:
    count = sum(plan.shard_counts.values()) if chosen is None else len(chosen)
    runner = choose_runner(beam_arguments, count)
    if runner.local and runner.workers == 1:
        shards = plan.shards() if chosen is None else iter(chosen)
        reports = (verify_shard(shard, recipe) for shard in shards)
        return sum(reports, start=ShardReport())
    # All shards are listed by a worker: there may be hundreds of thousands.
    source = ListShards(recipe.plan_path) if chosen is None else beam.Create(chosen)
    # The report comes back as a file: a pipeline returns nothing to the program that starts it.
    path = recipe.folder.path("state/verify.json")
    with runner.pipeline() as pipeline:
        (
            pipeline
            | "Shards" >> source
            | "Spread" >> beam.Reshuffle()
            | "Verify" >> Verify(recipe)
            | "Store" >> beam.Map(_store, path)
        )
    report = _stored(storage.read_text(path))
    storage.delete(path)
    return report


def _store(report: ShardReport, path: str) -> None:
    content = {
        "shards": report.shards,
        "samples": report.samples,
        "faults": [[fault.path, fault.what] for fault in report.faults],
        "statistics": report.statistics.to_record(),
    }
    storage.write_text(path, json.dumps(content))


def _stored(text: str) -> ShardReport:
    content = json.loads(text)
    return ShardReport(
        content["shards"],
        content["samples"],
        tuple(Fault(path, what) for path, what in content["faults"]),
        Statistics.from_record(content["statistics"]),
    )


def _compare_statistics(
    folder: Folder, plan: Plan, samples: Statistics, manifest: dict[str, Any]
) -> list[Fault]:
    total = samples + Statistics(failed=manifest["failed"])
    for shard in clean_shards(plan):
        record, fault = checked_record(folder, shard)
        if record is None:
            return [fault] if fault else []
        total += record.statistics
    expected = statistics_json(total, _meaning(manifest))
    if storage.read_text(folder.path("statistics.json")) != expected:
        return [Fault("statistics.json", "it is not what the files add up to")]
    return []


def _meaning(manifest: dict[str, Any]) -> DepthMeaning | None:
    depth = manifest["depth"]
    return depth and DepthMeaning(depth["kind"], depth["unit"], depth["near_is_large"])
