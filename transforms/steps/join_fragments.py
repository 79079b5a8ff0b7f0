"""JoinFragments step: what the shards contribute to a file is joined when all of it is there."""

from collections.abc import Iterable, Iterator

import apache_beam as beam

from transforms.formats import JOINED_FORMATS
from transforms.formats.base import Folder, OutputFile, fragment_name
from transforms.records import ShardRecord

Group = tuple[str, str]


def contributions(record: ShardRecord) -> Iterator[tuple[Group, OutputFile]]:
    """The fragments of a record, by their format's name and their group."""
    names = {fragment_name(name): name for name in JOINED_FORMATS}
    for file in record.files:
        if file.format in names:
            yield (names[file.format], file.split), file


class _JoinDoFn(beam.DoFn):
    def __init__(self, root: str) -> None:
        self._folder = Folder(root)

    def process(self, group: tuple[Group, Iterable[OutputFile]]) -> Iterator[OutputFile]:
        (format_name, name), fragments = group
        yield JOINED_FORMATS[format_name].join(self._folder, name, fragments)


class JoinFragments(beam.PTransform):
    """ShardRecords to the OutputFiles of the files that many shards contribute to.

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
            | "Groups" >> beam.GroupByKey()
            | "Join" >> beam.ParDo(_JoinDoFn(self._root))
        )
