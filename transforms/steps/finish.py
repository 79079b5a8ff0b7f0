"""Finish step: statistics, descriptions, gallery and, last of all, the manifest."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam

from transforms import storage
from transforms.elements import Failure
from transforms.formats import FORMATS
from transforms.formats.base import (
    Description,
    Folder,
    OtherFile,
    OutputFile,
    Snippet,
    SplitFiles,
    other_file,
)
from transforms.owned import for_a_run, written_names
from transforms.plan.clean_shards import BACKGROUNDS, FOREGROUNDS
from transforms.plan.cutouts import cutout_files
from transforms.plan.inputs import CUTOUTS, InputError
from transforms.plan.plan import PLAN, Plan, load_plan
from transforms.recipe import Recipe
from transforms.report.card import dataset_card, dataset_text
from transforms.report.credits import (
    CREDITS,
    credits_text,
    model_lines,
    summary_lines,
    terms_of,
)
from transforms.report.gallery import build_gallery
from transforms.report.manifest import Origin, data_files, error_fields, manifest_json
from transforms.report.report import statistics_json, statistics_markdown
from transforms.report.sample_index import join_index
from transforms.report.snippets import snippets
from transforms.steps.background_ground import BUILTIN, is_grounded, without_ground
from transforms.steps.index import indexed_format
from transforms.steps.prepare import index_file, read_preparation
from transforms.steps.summarise import Summary
from transforms.steps.write import check_failures

MANIFEST = "manifest.json"
MANIFEST_CHECKSUM = "manifest.json.sha256"
SPEC = "state/spec.json"
IDENTITY = "state/identity.json"
STATE_FILES = (PLAN, SPEC, IDENTITY)
INPUT_ERRORS = "errors/inputs.jsonl"
NO_GROUND = "errors/ground.jsonl"
FAILURES = "errors/samples.jsonl"
TITLE = "Mask and depth data set"


def descriptions(
    files: Iterable[OutputFile], format_name: str, recipe: Recipe, origin: Origin
) -> tuple[Description, Description]:
    """What is said of the samples and of the clean images in one format."""
    by_split: dict[str, list[OutputFile]] = {}
    for file in files:
        if file.format == format_name:
            by_split.setdefault(file.split, []).append(file)
    clean = {FOREGROUNDS, BACKGROUNDS}

    def splits(wanted: set[str]) -> tuple[SplitFiles, ...]:
        return tuple(SplitFiles(name, tuple(by_split[name])) for name in by_split if name in wanted)

    text = dataset_text(recipe.schema, origin)
    plan = load_plan(recipe.plan_path)
    terms = terms_of(plan, origin)
    return (
        Description(
            text,
            recipe.schema.sample_fields(),
            splits(set(by_split) - clean),
            plan.class_names,
            terms=terms,
        ),
        Description(
            "The resized foregrounds and backgrounds of a data set of composites.",
            recipe.schema.clean_fields(),
            splits(clean),
            terms=terms,
        ),
    )


def finish(summary: Summary, recipe: Recipe, origin: Origin) -> None:
    """Writes all files beside the shards; the manifest comes last.

    With the manifest there, only what the run needed is removed: a runner may deliver a summary
    twice, and the gallery's sources may be gone by then.

    Raises:
        TooManyFailures: more samples have failed than the job allows.
    """
    check_failures(summary.failures, recipe.allowed_failures)
    folder = recipe.folder
    if not storage.exists(folder.path(MANIFEST)):
        _write_all(summary, recipe, origin)
    tidy(folder, load_plan(folder.plan_path))


def tidy(folder: Folder, plan: Plan) -> None:
    """Removes from a finished data set what only its run has needed."""
    names = written_names([split.name for split in plan.splits])
    for part in for_a_run():
        place = folder.path(part.rstrip("/"))
        paths = [entry.path for entry in storage.entries(place)]
        ours = [p for p in paths if names.fullmatch(part + p.removeprefix(place).lstrip("/"))]
        storage.delete_files(sorted(ours))
        storage.delete_if_empty(place)
    _tidy_cutouts(folder, plan)


def _tidy_cutouts(folder: Folder, plan: Plan) -> None:
    """Removes the cut-outs that no foreground uses: of other rules, or of what was left out."""
    place, names = folder.path(CUTOUTS.rstrip("/")), written_names(())
    needed = cutout_files(plan)
    found = {
        CUTOUTS + entry.path.removeprefix(place).lstrip("/") for entry in storage.entries(place)
    }
    unused = sorted(name for name in found - needed if names.fullmatch(name))
    storage.delete_files([folder.path(name) for name in unused])
    for emptied in (place, folder.path(CUTOUTS.split("/cutouts")[0])):
        storage.delete_if_empty(emptied)


def _cutouts(folder: Folder, plan: Plan) -> list[OtherFile]:
    """What models have cut out of photographs, as files of the data set."""
    found = {each.cutout.listed: each.cutout for each in plan.foregrounds if each.cutout}
    files = [OtherFile(path, cutout.bytes, cutout.sha256) for path, cutout in found.items()]
    return files + [
        other_file(path, data)
        for path in cutout_files(plan) - set(found)
        if (data := storage.read_if_there(folder.path(path))) is not None
    ]


def read_manifest(folder: Folder) -> dict[str, Any] | None:
    """The contents of a data set's manifest; None where it is missing, cut or otherwise damaged."""
    data = storage.read_if_there(folder.path(MANIFEST))
    checksum = storage.read_if_there(folder.path(MANIFEST_CHECKSUM))
    if data is None or checksum != f"{hashlib.sha256(data).hexdigest()}\n".encode():
        return None
    try:
        return json.loads(data)
    except ValueError:
        return None


def described(
    summary: Summary, plan: Plan, recipe: Recipe, origin: Origin
) -> list[tuple[str, str]]:
    """All texts that stand beside the shards and follow from them, by path.

    Args:
        summary: what the run has made, joined files included.
        plan: the data set's plan.
        recipe: how the samples were made.
        origin: where the data set comes from, all inputs that were left out included.
    """
    files = data_files(summary)
    by_format = {name: descriptions(files, name, recipe, origin) for name in recipe.formats}
    samples, _ = next(iter(by_format.values()))
    front = [line for name in by_format for line in FORMATS[name].front_matter(*by_format[name])]
    reading = reading_of(plan, recipe)
    ground = None if recipe.layered or not is_grounded(recipe) else BUILTIN.model
    models = model_lines(plan, origin, ground)
    credits = tuple(summary_lines(plan, samples.terms, models))
    texts = [
        ("statistics.json", statistics_json(summary.statistics, origin.meaning)),
        ("statistics.md", statistics_markdown(summary.statistics, origin.meaning)),
        (
            "README.md",
            dataset_card(plan, origin, summary.statistics, samples, front, reading, credits),
        ),
        (CREDITS, credits_text(plan, samples.terms, origin.places, models)),
    ]
    for name, both in by_format.items():
        texts += FORMATS[name].describe(*both)
    for path, errors in ((INPUT_ERRORS, origin.input_errors), (FAILURES, summary.failures)):
        if errors:  # Where nothing was left out, there is no file.
            texts.append((path, _lines(errors, origin)))
    return texts


def reading_of(plan: Plan, recipe: Recipe) -> Sequence[Snippet]:
    """How the data set is read."""
    return snippets(recipe.formats, next(iter(plan.shard_counts)), recipe.image_format)


def _lines(errors: Sequence[InputError | Failure], origin: Origin) -> str:
    """What was left out, a line each."""
    places = origin.places
    return "".join(
        json.dumps(error_fields(error, places), ensure_ascii=False) + "\n" for error in errors
    )


def _write_all(summary: Summary, recipe: Recipe, origin: Origin) -> None:
    folder, plan = recipe.folder, load_plan(recipe.plan_path)
    prepared = read_preparation(folder)
    origin = origin.without(prepared.errors)
    texts = described(summary, plan, recipe, origin)
    if errors := without_ground(plan, recipe):
        texts.append((NO_GROUND, _lines(errors, origin)))
    for path in {INPUT_ERRORS, FAILURES, NO_GROUND} - {path for path, _ in texts}:
        storage.delete(folder.path(path))  # A run that stopped later may have left one.
    others = [_write(folder, path, text.encode()) for path, text in texts]
    reading = reading_of(plan, recipe)
    others += build_gallery(
        folder, plan, summary.statistics, origin.meaning, TITLE, reading, recipe.layered
    )
    if indexed_format(recipe.formats) is not None:
        others.append(join_index(folder, plan.shards()))
    others += [
        other_file(path, data)
        for path in STATE_FILES
        if (data := storage.read_if_there(folder.path(path))) is not None
    ]
    others += [*prepared.files, *index_file(folder)]
    others += _cutouts(folder, plan)
    others += summary.records
    others.sort(key=lambda file: file.path)
    manifest = manifest_json(plan, origin, summary, tuple(others)).encode()
    folder.write(MANIFEST_CHECKSUM, f"{hashlib.sha256(manifest).hexdigest()}\n".encode())
    folder.write(MANIFEST, manifest)


def _write(folder: Folder, path: str, data: bytes) -> OtherFile:
    folder.write(path, data)
    return other_file(path, data)


class _FinishDoFn(beam.DoFn):
    def __init__(self, recipe: Recipe, origin: Origin) -> None:
        self._recipe = recipe
        self._origin = origin

    def process(self, summary: Summary, joined: list[OutputFile]) -> Iterator[str]:
        files = tuple(sorted((*summary.files, *joined), key=lambda file: file.path))
        finish(dataclasses.replace(summary, files=files), self._recipe, self._origin)
        yield self._recipe.folder.path(MANIFEST)


class Finish(beam.PTransform):
    """One Summary to the path of the finished manifest.

    Args:
        recipe: how the samples were made.
        origin: where the data set comes from.
        joined: the files that many shards have contributed to, as a side input.
    """

    def __init__(self, recipe: Recipe, origin: Origin, joined: beam.pvalue.AsList) -> None:
        super().__init__()
        self._recipe = recipe
        self._origin = origin
        self._joined = joined

    def expand(self, summary: beam.PCollection[Summary]) -> beam.PCollection[str]:
        """Adds the step to a pipeline."""
        finish = _FinishDoFn(self._recipe, self._origin)
        return summary | "Finish" >> beam.ParDo(finish, self._joined)
