"""ReadRecords step: the records of finished shards, read back where they are added up.

Only names cross between workers: records hold counts by pixel, and thousands of them would fill a
machine that sees them all.
"""

from collections.abc import Iterator

import apache_beam as beam

from transforms.elements import ShardSpec
from transforms.formats.base import Folder
from transforms.records import ShardRecord, read_record


def shard_of(record: ShardRecord) -> ShardSpec:
    """The shard that a record tells of."""
    return record.shard


class _ReadRecordsDoFn(beam.DoFn):
    def __init__(self, root: str) -> None:
        self._folder = Folder(root)

    def process(self, shard: ShardSpec) -> Iterator[ShardRecord]:
        record = read_record(self._folder, shard)
        if record is None:
            raise FileNotFoundError(f"{shard.name}: its record is gone; start the job again")
        yield record


class ReadRecords(beam.PTransform):
    """ShardSpecs of finished shards to their ShardRecords.

    Args:
        root: the data set's folder.
    """

    def __init__(self, root: str) -> None:
        super().__init__()
        self._root = root

    def expand(self, shards: beam.PCollection[ShardSpec]) -> beam.PCollection[ShardRecord]:
        """Adds the step to a pipeline."""
        return shards | "Read" >> beam.ParDo(_ReadRecordsDoFn(self._root))
