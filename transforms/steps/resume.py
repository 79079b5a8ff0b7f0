"""Resume step: shards that a former run has finished pass as their records; the rest is made."""

from collections.abc import Iterator

import apache_beam as beam

from transforms import storage
from transforms.counters import THERE, count
from transforms.elements import ShardSpec
from transforms.formats import TABLE_FORMATS
from transforms.formats.base import Folder
from transforms.plan.extend import adopt
from transforms.plan.plan import load_plan
from transforms.recipe import Recipe
from transforms.records import ShardRecord, read_record
from transforms.report.gallery_samples import keep_from_shard

FINISHED = "finished"
"""Tag of the records of finished shards."""


def finished_record(folder: Folder, shard: ShardSpec) -> ShardRecord | None:
    """The record of a finished shard, or None when the shard is to be made.

    A shard with failed samples counts as not finished, so that they are tried again; but not those
    of a background that could not be prepared, which is not tried again either.
    """
    record = read_record(folder, shard)
    if record is None or not all(failure.of_input for failure in record.failures):
        return None
    for file in record.files:
        if not storage.is_intact(folder.path(file.path), file.bytes, file.sha256):
            return None
    return record


class _ResumeDoFn(beam.DoFn):
    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe

    def process(self, shard: ShardSpec) -> Iterator[ShardSpec]:
        folder = self._recipe.folder
        plan = load_plan(folder.plan_path)
        if plan.parts:
            adopt(folder, plan, shard, self._recipe.formats)
        record = finished_record(folder, shard)
        tables = [name for name in self._recipe.formats if name in TABLE_FORMATS]
        if record is not None and tables:  # A set that was finished has kept none of its samples.
            keep_from_shard(folder, plan, shard, TABLE_FORMATS[tables[0]], self._recipe.schema)
        if record is not None:
            count(self._recipe.progress_folder, THERE, shard.count)
        yield shard if record is None else beam.pvalue.TaggedOutput(FINISHED, record)  # type: ignore[misc]


class Resume(beam.PTransform):
    """ShardSpecs to those still to be made, and, tagged `FINISHED`, the records of the others.

    Args:
        recipe: where and how shards are written.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self._recipe = recipe

    def expand(self, shards: beam.PCollection[ShardSpec]) -> beam.pvalue.DoOutputsTuple:
        """Adds the step to a pipeline."""
        resume = beam.ParDo(_ResumeDoFn(self._recipe))
        return shards | "Resume" >> resume.with_outputs(FINISHED, main="missing")
