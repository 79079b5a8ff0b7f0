"""The record of a finished shard: what was written, what failed, and the counts over it.

A record is written last; with it, the shard is done.
"""

import dataclasses
import json
from dataclasses import dataclass

from transforms import storage
from transforms.elements import Failure, ShardSpec
from transforms.formats.base import Folder, OutputFile
from transforms.plan.identity import shard_digest
from transforms.report.statistics import Statistics


@dataclass(frozen=True, eq=False)
class ShardRecord:
    """What is known of a finished shard.

    Attributes:
        shard: the shard.
        files: its files, all formats.
        failures: its failed samples.
        statistics: counts over its samples.
        digest: what it was made from, by `identity.shard_digest`; None before it is written, and in
            data sets that have no identity.
    """

    shard: ShardSpec
    files: tuple[OutputFile, ...]
    failures: tuple[Failure, ...]
    statistics: Statistics
    digest: str | None = None

    def to_json(self) -> str:
        """The record as JSON text."""
        fields = {
            "shard": dataclasses.asdict(self.shard),
            **({} if self.digest is None else {"digest": self.digest}),
            "files": [dataclasses.asdict(file) for file in self.files],
            "failures": [dataclasses.asdict(failure) for failure in self.failures],
            "statistics": self.statistics.to_record(),
        }
        return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "ShardRecord":
        """Reads what `to_json` has written."""
        fields = json.loads(text)
        return cls(
            ShardSpec(**fields["shard"]),
            tuple(OutputFile(**file) for file in fields["files"]),
            tuple(Failure(**failure) for failure in fields["failures"]),
            Statistics.from_record(fields["statistics"]),
            fields.get("digest"),
        )


def record_name(shard: ShardSpec) -> str:
    """Where the record of a shard stands, relative to the data set's folder."""
    return f"state/records/{shard.name}.json"


def record_path(folder: Folder, shard: ShardSpec) -> str:
    """Where the record of a shard stands."""
    return folder.path(record_name(shard))


def wanted_digest(folder: Folder, shard: ShardSpec) -> str | None:
    """The digest that the record of a shard must hold, None in a data set without an identity."""
    return shard_digest(folder.plan_path, folder.identity_path, shard)


def write_record(folder: Folder, record: ShardRecord) -> None:
    """Writes a record; the shard is done."""
    record = dataclasses.replace(record, digest=wanted_digest(folder, record.shard))
    folder.write(record_name(record.shard), record.to_json().encode())


def read_record(folder: Folder, shard: ShardSpec) -> ShardRecord | None:
    """The record of a shard, or None when the shard is not done.

    A record that is damaged, or that another data set has left, counts as absent.
    """
    data = storage.read_if_there(record_path(folder, shard))
    if data is None:
        return None
    try:
        record = ShardRecord.from_json(data.decode())
    except Exception:  # A damaged file may contain anything.
        return None
    ours = record.shard == shard and record.digest == wanted_digest(folder, shard)
    return record if ours else None
