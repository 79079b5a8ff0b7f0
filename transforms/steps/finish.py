"""Finish step: statistics, descriptions, gallery and, last of all, the manifest."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam

from transforms import storage
from transforms.formats import FORMATS, PART_FORMATS
from transforms.formats.base import (
    Description,
    Folder,
    OtherFile,
    OutputFile,
    SplitFiles,
    other_file,
)
from transforms.formats.schema import CLEAN_FIELDS, Schema
from transforms.plan.plan import load_plan
from transforms.report.card import dataset_card, dataset_text
from transforms.report.croissant import croissant_json
from transforms.report.gallery import build_gallery
from transforms.report.manifest import Origin, data_files, manifest_json
from transforms.report.report import statistics_json, statistics_markdown
from transforms.report.snippets import snippets
from transforms.steps.clean import BACKGROUNDS, FOREGROUNDS
from transforms.steps.summarise import Summary
from transforms.steps.write import too_many

MANIFEST = "manifest.json"
MANIFEST_CHECKSUM = "manifest.json.sha256"
STATE_FILES = ("state/plan.json", "state/spec.json")
TITLE = "Mask and depth data set"


@dataclass(frozen=True)
class FinishSettings:
    """What the Finish step needs to know beside the summary.

    Attributes:
        root: the data set's folder.
        formats: names of the formats.
        schema: decides the fields of a sample.
        origin: where the data set comes from.
        allowed_failures: failed samples from which on the job stops.
    """

    root: str
    formats: tuple[str, ...]
    schema: Schema
    origin: Origin
    allowed_failures: int


def descriptions(
    files: Iterable[OutputFile], format_name: str, settings: FinishSettings
) -> tuple[Description, Description]:
    """What is said of the samples and of the clean images in one format."""
    by_split: dict[str, list[OutputFile]] = {}
    for file in files:
        if file.format == format_name:
            by_split.setdefault(file.split, []).append(file)
    clean = {FOREGROUNDS, BACKGROUNDS}

    def splits(wanted: set[str]) -> tuple[SplitFiles, ...]:
        return tuple(SplitFiles(name, tuple(by_split[name])) for name in by_split if name in wanted)

    text = dataset_text(settings.schema, settings.origin)
    return (
        Description(text, settings.schema.sample_fields(), splits(set(by_split) - clean)),
        Description(
            "The resized foregrounds and backgrounds of a data set of composites.",
            CLEAN_FIELDS,
            splits(clean),
        ),
    )


def finish(summary: Summary, settings: FinishSettings) -> None:
    """Writes everything that stands beside the shards; the manifest comes last.

    With the manifest there, only what the run needed is removed: a runner may deliver a summary
    twice, and what the gallery is made from may be gone by then.

    Raises:
        TooManyFailures: more samples have failed than the job allows.
    """
    if len(summary.failures) > settings.allowed_failures:
        raise too_many(list(summary.failures), settings.allowed_failures)
    folder = Folder(settings.root)
    if not storage.exists(folder.path(MANIFEST)):
        _write_all(folder, summary, settings)
    tidy(folder)


def tidy(folder: Folder) -> None:
    """Removes from a finished data set what only its run has needed."""
    for name in ("tmp", "gallery", *PART_FORMATS):
        storage.delete_folder(storage.join(folder.state, name))


def _write_all(folder: Folder, summary: Summary, settings: FinishSettings) -> None:
    origin, plan = settings.origin, load_plan(folder.plan_path)
    files = data_files(summary)
    samples, clean = descriptions(files, "parquet", settings)
    split = next(iter(plan.shard_counts))
    reading = snippets(settings.formats, split, settings.schema.image_format)
    texts = [
        ("statistics.json", statistics_json(summary.statistics, origin.meaning)),
        ("statistics.md", statistics_markdown(summary.statistics, origin.meaning)),
        ("README.md", dataset_card(plan, origin, summary.statistics, samples, clean, reading)),
    ]
    if samples.splits:
        texts.append(("croissant.json", croissant_json(samples, clean)))
    for name in settings.formats:
        texts += FORMATS[name].describe(*descriptions(files, name, settings))
    others = [_write(folder, path, text.encode()) for path, text in texts]
    others += _write_errors(folder, "errors/inputs.jsonl", origin.input_errors)
    others += _write_errors(folder, "errors/samples.jsonl", summary.failures)
    others += build_gallery(folder, plan, summary.statistics, origin.meaning, TITLE, reading)
    others += [_existing(folder, path) for path in STATE_FILES]
    others += summary.records
    others.sort(key=lambda file: file.path)
    manifest = manifest_json(plan, origin, summary, tuple(others)).encode()
    folder.write(MANIFEST_CHECKSUM, f"{hashlib.sha256(manifest).hexdigest()}\n".encode())
    folder.write(MANIFEST, manifest)


def _write(folder: Folder, path: str, data: bytes) -> OtherFile:
    folder.write(path, data)
    return other_file(path, data)


def _write_errors(folder: Folder, path: str, errors: Sequence[object]) -> list[OtherFile]:
    """Writes what was left out, a line each; where nothing was, there is no file."""
    if not errors:
        storage.delete(folder.path(path))  # A run that stopped later may have left one.
        return []
    lines = (
        json.dumps(dataclasses.asdict(error), ensure_ascii=False) + "\n"  # type: ignore[call-overload]
        for error in errors
    )
    return [_write(folder, path, "".join(lines).encode())]


def _existing(folder: Folder, path: str) -> OtherFile:
    return other_file(path, storage.read_bytes(folder.path(path)))


class _FinishDoFn(beam.DoFn):
    def __init__(self, settings: FinishSettings) -> None:
        self._settings = settings

    def process(self, summary: Summary, joined: list[OutputFile]) -> Iterator[str]:
        files = tuple(sorted((*summary.files, *joined), key=lambda file: file.path))
        finish(dataclasses.replace(summary, files=files), self._settings)
        yield Folder(self._settings.root).path(MANIFEST)


class Finish(beam.PTransform):
    """One Summary to the path of the finished manifest.

    Args:
        settings: what to write.
        joined: the files that many shards have contributed to, as a side input.
    """

    def __init__(self, settings: FinishSettings, joined: beam.pvalue.AsList) -> None:
        super().__init__()
        self._settings = settings
        self._joined = joined

    def expand(self, summary: beam.PCollection[Summary]) -> beam.PCollection[str]:
        """Adds the step to a pipeline."""
        return summary | "Finish" >> beam.ParDo(_FinishDoFn(self._settings), self._joined)
