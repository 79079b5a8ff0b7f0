"""What reading a data set back has shown, and how the parts are added."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import apache_beam as beam

from transforms.formats.base import Entry, OutputFile
from transforms.records import ShardRecord
from transforms.report.gallery_samples import KeptSample
from transforms.report.statistics import Statistics
from transforms.steps.summarise import Summary, SummaryFn


@dataclass(frozen=True)
class Fault:
    """Something in a data set that is not as it should be.

    Attributes:
        path: the file, relative to the data set's folder, with slashes.
        what: what is wrong.
    """

    path: str
    what: str


@dataclass(frozen=True)
class Total:
    """What a file consists of, in any order: totals of its parts add up to that of the whole.

    Attributes:
        count: number of entries that are records.
        digest: sum of their SHA-256, modulo 2**256.
    """

    count: int = 0
    digest: int = 0

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Total":
        """The total of some entries."""
        count = digest = 0
        for entry in entries:
            content = hashlib.sha256(entry.data).digest()
            whole = hashlib.sha256(entry.name.encode() + b"\0" + content).digest()
            count, digest = count + entry.is_record, digest + int.from_bytes(whole, "big")
        return cls(count, digest % 2**256)

    def __add__(self, other: "Total") -> "Total":
        return Total(self.count + other.count, (self.digest + other.digest) % 2**256)


@dataclass(frozen=True)
class Part:
    """What one shard contributes to a joined file.

    Attributes:
        path: the joined file, relative to the data set's folder.
        count: records in it, as the shard's own record says.
        total: the entries, made again; None where they could not be.
    """

    path: str
    count: int
    total: Total | None


@dataclass(frozen=True)
class Joined:
    """A joined file as it was found.

    Attributes:
        file: the file.
        total: its entries.
        shared_count: records in it that no shard contributes, as the plan says.
        shared: their entries; None where they could not be made.
    """

    file: OutputFile
    total: Total
    shared_count: int
    shared: Total | None


@dataclass(frozen=True, eq=False)
class ShardReport:
    """What reading one shard, or one joined file, back has shown.

    Attributes:
        samples: samples read.
        files: files whose checksum was compared.
        faults: what is wrong, at most 20.
        unchecked: why something could not be held against the inputs.
        record: the record of the shard, None where there is none or it is damaged.
        statistics: counts over the samples read.
        kept: those of its samples that the gallery shows.
        parts: what it contributes to joined files.
        joined: the joined files that were read.
    """

    samples: int = 0
    files: int = 0
    faults: tuple[Fault, ...] = ()
    unchecked: tuple[str, ...] = ()
    record: ShardRecord | None = None
    statistics: Statistics = field(default_factory=Statistics)
    kept: tuple[KeptSample, ...] = ()
    parts: tuple[Part, ...] = ()
    joined: tuple[Joined, ...] = ()


@dataclass(frozen=True, eq=False)
class Report:
    """What reading shards and joined files back has shown.

    Attributes:
        samples: samples read.
        files: files whose checksum was compared.
        faults: what is wrong, by path.
        unchecked: why something could not be held against the inputs, each reason once.
        records: number of intact records.
        summary: what the records say.
        kept: samples that the gallery shows, by key.
        parts: what shards contribute to joined files, by path.
        joined: the joined files, by path.
    """

    samples: int
    files: int
    faults: tuple[Fault, ...]
    unchecked: tuple[str, ...]
    records: int
    summary: Summary
    kept: dict[str, KeptSample]
    parts: dict[str, Part]
    joined: dict[str, Joined]


_MOST_REASONS = 1000


class _Adding:
    """A report in the making."""

    def __init__(self) -> None:
        self.samples = self.files = self.records = 0
        self.faults: list[Fault] = []
        self.unchecked: set[str] = set()
        self.totals = SummaryFn().create_accumulator()
        self.kept: dict[str, KeptSample] = {}
        self.parts: dict[str, Part] = {}
        self.joined: dict[str, Joined] = {}

    def add_reasons(self, reasons: Iterable[str]) -> None:
        if len(self.unchecked) < _MOST_REASONS:
            self.unchecked.update(reasons)

    def add_parts(self, parts: Iterable[Part]) -> None:
        for part in parts:
            former = self.parts.get(part.path, Part(part.path, 0, Total()))
            total = None
            if former.total is not None and part.total is not None:
                total = former.total + part.total
            self.parts[part.path] = Part(part.path, former.count + part.count, total)


class ReportFn(beam.CombineFn):
    """Merges ShardReports into a Report; equal whatever the order."""

    def create_accumulator(self) -> _Adding:
        """A report on nothing."""
        return _Adding()

    def add_input(self, accumulator: _Adding, element: ShardReport) -> _Adding:
        """Adds one report."""
        accumulator.samples += element.samples
        accumulator.files += element.files
        accumulator.faults.extend(element.faults)
        accumulator.add_reasons(element.unchecked)
        if element.record is not None:
            accumulator.records += 1
            accumulator.totals = SummaryFn().add_input(accumulator.totals, element.record)
        accumulator.kept.update((sample.key, sample) for sample in element.kept)
        accumulator.add_parts(element.parts)
        accumulator.joined.update((each.file.path, each) for each in element.joined)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Adding]) -> _Adding:
        """Adds reports."""
        total = self.create_accumulator()
        for more in accumulators:
            total.samples += more.samples
            total.files += more.files
            total.records += more.records
            total.faults.extend(more.faults)
            total.add_reasons(more.unchecked)
            total.totals.add(more.totals)
            total.kept.update(more.kept)
            total.add_parts(more.parts.values())
            total.joined.update(more.joined)
        return total

    def extract_output(self, accumulator: _Adding) -> Report:
        """The report on everything."""
        return Report(
            accumulator.samples,
            accumulator.files,
            tuple(sorted(accumulator.faults, key=lambda fault: fault.path)),
            tuple(sorted(accumulator.unchecked)),
            accumulator.records,
            SummaryFn().extract_output(accumulator.totals),
            accumulator.kept,
            accumulator.parts,
            accumulator.joined,
        )


def merged(reports: Iterator[ShardReport]) -> Report:
    """The report on everything, made in this process."""
    function = ReportFn()
    total = function.create_accumulator()
    for report in reports:
        total = function.add_input(total, report)
    return function.extract_output(total)
