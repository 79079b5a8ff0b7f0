"""Summarise step: the records of all shards become one summary of the data set."""

from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam

from transforms.elements import Failure
from transforms.formats.base import OtherFile, OutputFile, other_file
from transforms.records import ShardRecord, record_name
from transforms.report.statistics import Statistics


@dataclass(frozen=True, eq=False)
class Summary:
    """What a run has made.

    Attributes:
        statistics: counts over everything.
        files: all files of the data set, sorted by path.
        failures: all failed samples, sorted by key.
        records: the files that tell of a finished shard each, sorted by path.
    """

    statistics: Statistics
    files: tuple[OutputFile, ...]
    failures: tuple[Failure, ...]
    records: tuple[OtherFile, ...]


@dataclass(eq=False)
class _Parts:
    statistics: Statistics
    files: list[OutputFile]
    failures: list[Failure]
    records: list[OtherFile]

    def add(self, part: "_Parts") -> "_Parts":
        # In place: there may be hundreds of thousands of files.
        self.statistics += part.statistics
        self.files.extend(part.files)
        self.failures.extend(part.failures)
        self.records.extend(part.records)
        return self


class SummaryFn(beam.CombineFn):
    """Merges records into a Summary; equal whatever the order."""

    def create_accumulator(self) -> _Parts:
        """A summary of nothing."""
        return _Parts(Statistics(), [], [], [])

    def add_input(self, accumulator: _Parts, element: ShardRecord) -> _Parts:
        """Adds a record."""
        file = other_file(record_name(element.shard), element.to_json().encode())
        return accumulator.add(
            _Parts(element.statistics, list(element.files), list(element.failures), [file])
        )

    def merge_accumulators(self, accumulators: Iterable[_Parts]) -> _Parts:
        """Adds parts."""
        total = self.create_accumulator()
        for part in accumulators:
            total.add(part)
        return total

    def extract_output(self, accumulator: _Parts) -> Summary:
        """The finished summary."""
        return Summary(
            accumulator.statistics,
            tuple(sorted(accumulator.files, key=lambda file: file.path)),
            tuple(sorted(accumulator.failures, key=lambda failure: failure.key)),
            tuple(sorted(accumulator.records, key=lambda file: file.path)),
        )


class Summarise(beam.PTransform):
    """ShardRecords to one Summary."""

    def expand(self, records: beam.PCollection[ShardRecord]) -> beam.PCollection[Summary]:
        """Adds the step to a pipeline."""
        return records | "Summarise" >> beam.CombineGlobally(SummaryFn())
