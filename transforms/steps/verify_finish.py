"""What stands beside the shards is made again from plan and records, and compared."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from transforms import storage
from transforms.formats import JOINED_FORMATS
from transforms.formats.base import Folder, OtherFile, OutputFile
from transforms.models.depth.base import DepthMeaning
from transforms.plan.inputs import InputError
from transforms.plan.plan import PLAN, Plan
from transforms.recipe import Recipe
from transforms.report.gallery import gallery_files
from transforms.report.manifest import LayeredDepth, Origin, manifest_json, published_input
from transforms.report.sample_index import INDEX
from transforms.report.verify_report import Fault, Report
from transforms.steps.finish import (
    IDENTITY,
    MANIFEST,
    SPEC,
    TITLE,
    described,
    reading_of,
)
from transforms.steps.verify_files import reason

_GALLERY = "gallery/"
_IS_NOT = "it is not what the data set gives"


@dataclass(frozen=True, eq=False)
class Finished:
    """A finished data set whose shards have been read back.

    Attributes:
        manifest: the contents of its manifest.
        spec: its spec as JSON text, with its paths where these are known.
        plan: its plan.
        recipe: how it was made.
        report: what reading its shards and joined files has shown.
    """

    manifest: dict[str, Any]
    spec: str
    plan: Plan
    recipe: Recipe
    report: Report

    @property
    def folder(self) -> Folder:
        """The data set's folder."""
        return self.recipe.folder

    @property
    def origin(self) -> Origin:
        """Where the data set comes from, as its manifest says."""
        manifest, depth = self.manifest, self.manifest["depth"]
        layers = None
        if depth and "passes" in depth:
            layers = LayeredDepth(depth["passes"], depth["model_sha256"])
        return Origin(
            self.spec,
            tuple(manifest["versions"].items()),
            tuple(InputError(**error) for error in manifest["inputs"]["left_out"]),
            depth and depth["model"],
            meaning_of(manifest),
            layers,
        )


def meaning_of(manifest: dict[str, Any]) -> DepthMeaning | None:
    """What the depth of a data set says, None without depth."""
    depth = manifest["depth"]
    return depth and DepthMeaning(depth["kind"], depth["unit"], depth["near_is_large"])


def compare_joined(report: Report) -> Iterator[Fault]:
    """What is wrong with the files that many shards contribute to, as far as it is known."""
    bad = {fault.path for fault in report.faults}
    for path, part in sorted(report.parts.items()):
        joined = report.joined.get(path)
        if path in bad:
            continue
        if joined is None:
            yield Fault(path, "it is missing, or the manifest does not list it")
            continue
        wanted, found = part.count + joined.shared_count, joined.file.count
        if found != wanted:
            yield Fault(path, f"it holds {found:,} records; the data set has {wanted:,} for it")
        elif part.total is None or joined.shared is None:
            continue  # It cannot be made again.
        elif part.total + joined.shared != joined.total:
            yield Fault(path, "its content is not what the samples give")
    for path in sorted(set(report.joined) - set(report.parts)):
        yield Fault(path, "no shard has a part in it")


def unknown_joined(report: Report) -> list[str]:
    """The joined files whose content could not be made again."""
    return [
        path
        for path, joined in sorted(report.joined.items())
        if joined.shared is None
        or report.parts.get(path) is None
        or report.parts[path].total is None
    ]


def compare_files_listed(finished: Finished) -> Iterator[Fault]:
    """Where the manifest's list of files is not that of the records."""
    report = finished.report
    wanted = {file.path: file for file in _data_files(report)}
    found = {file["path"]: file for file in finished.manifest["files"]}
    for path in sorted({*wanted, *found}):
        if path not in found:
            yield Fault(MANIFEST, f"it does not list {path}")
        elif path not in wanted:
            bad = {fault.path for fault in report.faults}
            if path not in bad:
                yield Fault(MANIFEST, f"it lists {path}, which no record has")
        elif OutputFile(**found[path]) != wanted[path]:
            yield Fault(MANIFEST, f"what it says of {path} is not what the records say")


def _data_files(report: Report) -> list[OutputFile]:
    shards = [file for file in report.summary.files if not _is_fragment(file)]
    return sorted((*shards, *(each.file for each in report.joined.values())), key=_path)


def _is_fragment(file: OutputFile) -> bool:
    return file.path.startswith(tuple(f"state/{name}/" for name in JOINED_FORMATS))


def _path(file: OutputFile) -> str:
    return file.path


def compare_others(finished: Finished, same_program: bool) -> tuple[int, list[Fault]]:
    """Reads what stands beside the shards, each file once, and compares it with what is known.

    Args:
        finished: the data set; all of its records are intact.
        same_program: whether this version has made it; others may write other texts.

    Returns:
        How many files were read, and what is wrong.
    """
    report, folder = finished.report, finished.folder
    faults: list[Fault] = []
    summary = replace(report.summary, files=tuple(_data_files(report)))
    wanted: dict[str, bytes] = {}
    if same_program:
        texts = described(summary, finished.plan, finished.recipe, finished.origin)
        wanted = {path: text.encode() for path, text in texts}
    records = {file.path: file for file in summary.records}
    listed = {file["path"]: OtherFile(**file) for file in finished.manifest["other_files"]}
    count = 0
    for path, file in sorted(listed.items()):
        if path in records:
            if file != records[path]:
                faults.append(Fault(path, f"its SHA-256 is not the one in {MANIFEST}"))
            continue
        count += 1
        found, fault = checksum_of(folder, path)
        if found is None:
            faults.append(Fault(path, fault))
        elif found != file.sha256:
            faults.append(Fault(path, f"its SHA-256 is {found}, {MANIFEST} has {file.sha256}"))
        elif path in wanted and found != hashlib.sha256(wanted[path]).hexdigest():
            faults.append(Fault(path, _IS_NOT))
    state = {name for name in (PLAN, SPEC, IDENTITY) if storage.exists(folder.path(name))}
    for path in sorted({*records, *wanted, *state} - set(listed)):
        faults.append(Fault(MANIFEST, f"it does not list {path}"))
    return count, faults


def checksum_of(folder: Folder, path: str) -> tuple[str | None, str]:
    """The SHA-256 of a file, or None and what is wrong with it."""
    try:
        return storage.sha256(folder.path(path)), ""
    except Exception as error:  # Each store has errors of its own.
        if not storage.exists(folder.path(path)):
            return None, "it is missing"
        return None, f"it cannot be read: {reason(error)}"


def compare_manifest(finished: Finished) -> Iterator[Fault]:
    """Where the manifest does not say what plan, spec and records say."""
    manifest, origin = finished.manifest, finished.origin
    places = origin.places  # Older versions have published whole paths.
    text = manifest_json(finished.plan, origin, finished.report.summary, ())
    wanted = json.loads(text)
    for name in ("layout", "samples", "failed", "splits", "depth"):
        if manifest.get(name, 1) != wanted[name]:
            found, right = json.dumps(manifest.get(name)), json.dumps(wanted[name])
            yield Fault(MANIFEST, f"{name} is {_short(found)}, not {_short(right)}")
    for kind in ("foregrounds", "backgrounds"):
        assets = [_known(published_input(a, places)) for a in manifest["inputs"][kind]]
        if assets != [_known(asset) for asset in wanted["inputs"][kind]]:
            yield Fault(MANIFEST, f"its {kind} are not those of the plan")


def _known(asset: dict[str, Any]) -> dict[str, Any]:
    """An input without the fields that say nothing, which older versions did not have."""
    return {name: value for name, value in asset.items() if value is not None}


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def compare_gallery(finished: Finished) -> list[Fault]:
    """Makes the gallery again, from the samples that were read back, and compares every file."""
    report, plan = finished.report, finished.plan
    failed = {failure.key for failure in report.summary.failures}
    keys = [key for key in plan.gallery_keys if key not in failed]
    samples = [report.kept[key] for key in keys]
    made = gallery_files(
        samples,
        plan,
        report.summary.statistics,
        meaning_of(finished.manifest),
        TITLE,
        reading_of(plan, finished.recipe),
        finished.recipe.layered,
    )
    listed = {file["path"] for file in finished.manifest["other_files"]}
    # The index, a row for each sample, may be large; it is judged by its checksum alone.
    there = {path for path in listed if path.startswith(_GALLERY)} - {INDEX}
    faults = [
        Fault(MANIFEST, f"it {'lists' if path in there else 'does not list'} {path}")
        for path in sorted(there ^ set(made))
    ]
    for path in sorted(there & set(made)):
        found, _ = checksum_of(finished.folder, path)
        if found != hashlib.sha256(made[path]).hexdigest():
            faults.append(Fault(path, _IS_NOT))
    return faults


def can_make_gallery(finished: Finished) -> bool:
    """Whether all samples that the gallery shows were read back."""
    failed = {failure.key for failure in finished.report.summary.failures}
    return all(key in finished.report.kept or key in failed for key in finished.plan.gallery_keys)
