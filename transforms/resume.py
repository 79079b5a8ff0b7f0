"""Resume step: shards that a former run has finished pass as their records; the rest is made."""

from collections.abc import Iterator

import apache_beam as beam

from transforms import storage
from transforms.elements import ShardSpec
from transforms.formats.base import Folder
from transforms.records import ShardRecord, read_record

FINISHED = "finished"
"""Tag of the records of finished shards."""


def finished_record(folder: Folder, shard: ShardSpec) -> ShardRecord | None:
    """The record of a finished shard, or None when the shard is to be made.

    A shard with failed samples counts as not finished, so that they are tried again.
    """
    record = read_record(folder, shard)
    if record is None or record.failures:
        return None
    for file in record.files:
        if not storage.is_intact(folder.path(file.path), file.bytes, file.sha256):
            return None
    return record


class _ResumeDoFn(beam.DoFn):
    def __init__(self, root: str) -> None:
        self._folder = Folder(root)

    def process(self, shard: ShardSpec) -> Iterator[ShardSpec]:
        record = finished_record(self._folder, shard)
        yield shard if record is None else beam.pvalue.TaggedOutput(FINISHED, record)  # type: ignore[misc]


class Resume(beam.PTransform):
    """ShardSpecs to those still to be made, and, tagged `FINISHED`, the records of the others.

    Args:
        root: the data set's folder.
    """

    def __init__(self, root: str) -> None:
        super().__init__()
        self._root = root

    def expand(self, shards: beam.PCollection[ShardSpec]) -> beam.pvalue.DoOutputsTuple:
        """Adds the step to a pipeline."""
        resume = beam.ParDo(_ResumeDoFn(self._root))
        return shards | "Resume" >> resume.with_outputs(FINISHED, main="missing")
