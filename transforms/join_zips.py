"""JoinZips step: the shards' contributions to each batch zip are joined when all are there."""

from collections.abc import Iterable, Iterator

import apache_beam as beam

from transforms.formats.base import Folder, OutputFile
from transforms.formats.zips import PART, join_batch
from transforms.plan import load_plan
from transforms.records import ShardRecord


def contributions(record: ShardRecord) -> Iterator[tuple[int, OutputFile]]:
    """The zip parts of a record, by the number of their batch."""
    for file in record.files:
        if file.format == PART:
            yield int(file.split.removeprefix("batch")), file


class _JoinDoFn(beam.DoFn):
    def __init__(self, root: str) -> None:
        self._folder = Folder(root)

    def process(self, batch: tuple[int, Iterable[OutputFile]]) -> Iterator[OutputFile]:
        number, parts = batch
        yield join_batch(self._folder, load_plan(self._folder.plan_path), number, parts)


class JoinZips(beam.PTransform):
    """ShardRecords to the OutputFiles of the batch zips.

    Args:
        root: the data set's folder.
    """

    def __init__(self, root: str) -> None:
        super().__init__()
        self._root = root

    def expand(self, records: beam.PCollection[ShardRecord]) -> beam.PCollection[OutputFile]:
        """Adds the step to a pipeline."""
        return (
            records
            | "Contributions" >> beam.FlatMap(contributions)
            | "Batches" >> beam.GroupByKey()
            | "Join" >> beam.ParDo(_JoinDoFn(self._root))
        )
