"""What every output format offers, and the places of the files in a data set's folder."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from transforms import storage
from transforms.elements import CleanImage, Sample, ShardSpec
from transforms.formats.schema import Field, Row, Schema

Item_contra = TypeVar("Item_contra", contravariant=True)

SAMPLES = "mask_depth"
"""Name of the data set of composites."""

CLEAN = "mask_depth_assets"
"""Name of the data set of clean foregrounds and backgrounds."""

VERSION = "1.0.0"
"""Version of the record layout, as in `tfds` data set versions."""


@dataclass(frozen=True)
class OutputFile:
    """One finished file of the data set.

    Attributes:
        format: name of its format.
        path: where it is, relative to the data set's folder, with slashes.
        split: name of its split.
        count: records in it.
        bytes: its size.
        sha256: its checksum, hexadecimal.
    """

    format: str
    path: str
    split: str
    count: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class OtherFile:
    """A file beside the shards.

    Attributes:
        path: relative to the data set's folder, with slashes.
        bytes: its size.
        sha256: its checksum, hexadecimal.
    """

    path: str
    bytes: int
    sha256: str


def other_file(path: str, data: bytes) -> OtherFile:
    """The entry of a file with this content."""
    return OtherFile(path, len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True)
class Folder:
    """A data set's folder.

    Attributes:
        root: its path.
    """

    root: str

    @property
    def state(self) -> str:
        """Folder of what a run needs to continue."""
        return storage.join(self.root, "state")

    @property
    def temporary(self) -> str:
        """Folder of the files that are not whole yet."""
        return storage.join(self.root, "state", "tmp")

    @property
    def plan_path(self) -> str:
        """File of the plan."""
        return storage.join(self.root, "state", "plan.json")

    def path(self, relative: str) -> str:
        """Full path of a file given relative to the root, with slashes."""
        return storage.join(self.root, *relative.split("/"))

    @property
    def identity_path(self) -> str:
        """File that says what the records of this data set must tell."""
        return storage.join(self.root, "state", "identity.json")

    def write(self, relative: str, data: bytes, durable: bool = True) -> None:
        """Writes a file as a whole; `durable` as in `storage.write_bytes`."""
        storage.write_bytes(self.path(relative), data, self.temporary, durable)

    def create(self, relative: str) -> storage.Replacement:
        """Opens a file that appears under its name when it is committed."""
        return storage.Replacement(self.path(relative), self.temporary)


class Sink(Protocol, Generic[Item_contra]):
    """A shard of one format being written."""

    def write(self, item: Item_contra) -> None:
        """Appends one record."""

    def close(self) -> tuple[OutputFile, ...]:
        """Finishes the shard; its files appear under their names."""

    def discard(self) -> None:
        """Drops what has been written."""


@dataclass(frozen=True)
class SplitFiles:
    """The finished files of one split, in shard order."""

    name: str
    files: tuple[OutputFile, ...]


@dataclass(frozen=True)
class Description:
    """What the descriptions beside the files say.

    Attributes:
        text: the data set in a few sentences.
        fields: fields of a record.
        splits: files by split.
    """

    text: str
    fields: tuple[Field, ...]
    splits: tuple[SplitFiles, ...]


class FormatError(ValueError):
    """A file that is not what its format promises; the message says where."""


class Format(Protocol):
    """An output format.

    Attributes:
        name: as in `--formats`.
    """

    name: str

    def open_samples(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[Sample]:
        """Starts a shard of samples."""
        ...

    def open_clean(
        self, folder: Folder, shard: ShardSpec, schema: Schema
    ) -> Sink[CleanImage] | None:
        """Starts a shard of clean images; None where the format holds none by itself."""
        ...

    def describe(self, samples: Description, clean: Description) -> tuple[tuple[str, str], ...]:
        """The texts that stand beside the finished files, as (relative path, text)."""
        ...


class TableFormat(Format, Protocol):
    """A format whose files can be read back record by record."""

    def sample_path(self, shard: ShardSpec) -> str:
        """Where a shard of samples stands, relative to the data set's folder."""
        ...

    def clean_path(self, shard: ShardSpec) -> str:
        """Where a shard of clean images stands, relative to the data set's folder."""
        ...

    def read(self, path: str, fields: tuple[Field, ...]) -> Iterator[Row]:
        """Reads a finished file in order.

        Raises:
            FormatError: the file is damaged.
        """
        ...


PART = "-part"


def part_name(format_name: str) -> str:
    """Format of the files that shards contribute to the joined files of a format."""
    return f"{format_name}{PART}"


class PartFormat(Format, Protocol):
    """A format with files that many shards contribute to.

    A shard's contribution is an OutputFile below `state/{name}/` whose format is `part_name(name)`
    and whose split is the group that it belongs to; each group becomes one file.
    """

    def join(self, folder: Folder, group: str, parts: Iterable[OutputFile]) -> OutputFile:
        """Joins all parts of a group into its file."""
        ...
