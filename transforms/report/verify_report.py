"""What reading a data set back has shown, and how the parts are added."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import apache_beam as beam

from transforms.report.statistics import Statistics


@dataclass(frozen=True)
class Fault:
    """Something in a data set that is not as it should be.

    Attributes:
        path: the file, relative to the data set's folder.
        what: what is wrong.
    """

    path: str
    what: str


@dataclass(frozen=True, eq=False)
class ShardReport:
    """What reading shards back has shown.

    Attributes:
        shards: shards read.
        samples: samples read.
        faults: what is wrong, at most 20 a shard.
        statistics: counts over the samples read.
    """

    shards: int = 0
    samples: int = 0
    faults: tuple[Fault, ...] = ()
    statistics: Statistics = field(default_factory=Statistics)

    def __add__(self, other: "ShardReport") -> "ShardReport":
        return ShardReport(
            self.shards + other.shards,
            self.samples + other.samples,
            self.faults + other.faults,
            self.statistics + other.statistics,
        )


class ShardReportFn(beam.CombineFn):
    """Adds ShardReports."""

    def create_accumulator(self) -> ShardReport:
        """A report on nothing."""
        return ShardReport()

    def add_input(self, accumulator: ShardReport, element: ShardReport) -> ShardReport:
        """Adds one report."""
        return accumulator + element

    def merge_accumulators(self, accumulators: Iterable[ShardReport]) -> ShardReport:
        """Adds reports."""
        return sum(accumulators, start=ShardReport())

    def extract_output(self, accumulator: ShardReport) -> ShardReport:
        """The report on everything."""
        return accumulator
