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
        records: the record files, one for each finished shard, sorted by path.
    """

    statistics: Statistics
    files: tuple[OutputFile, ...]
    failures: tuple[Failure, ...]
    records: tuple[OtherFile, ...]


@dataclass(eq=False)
class _Totals:
    statistics: Statistics
    files: list[OutputFile]
    failures: list[Failure]
    records: list[OtherFile]

    def add(self, more: "_Totals") -> "_Totals":
        # In place: there may be hundreds of thousands of files.
        self.statistics += more.statistics
        self.files.extend(more.files)
        self.failures.extend(more.failures)
        self.records.extend(more.records)
        return self


class SummaryFn(beam.CombineFn):
    """Merges records into a Summary; the order does not matter."""

    def create_accumulator(self) -> _Totals:
        """A summary of nothing."""
        return _Totals(Statistics(), [], [], [])

    def add_input(self, accumulator: _Totals, element: ShardRecord) -> _Totals:
        """Adds a record."""
        file = other_file(record_name(element.shard), element.to_json().encode())
        return accumulator.add(
            _Totals(element.statistics, list(element.files), list(element.failures), [file])
        )

    def merge_accumulators(self, accumulators: Iterable[_Totals]) -> _Totals:
        """Adds accumulators."""
        total = self.create_accumulator()
        for more in accumulators:
            total.add(more)
        return total

    def extract_output(self, accumulator: _Totals) -> Summary:
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
