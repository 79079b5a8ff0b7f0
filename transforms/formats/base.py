"""What every output format offers, and the places of the files in a data set's folder."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Generic, Literal, Protocol, TypeVar

import pyarrow as pa

from transforms import storage
from transforms.elements import CleanImage, Sample, ShardSpec
from transforms.formats.schema import Field, Row, Schema
from transforms.plan.plan import Plan
from transforms.terms import NO_TERMS, Terms

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

    def sync(self, relatives: Iterable[str]) -> None:
        """Waits until files that were written without it, and their names, are on the disk."""
        storage.sync_files(self.path(relative) for relative in relatives)


@dataclass(frozen=True)
class ScratchFolder(Folder):
    """A data set's folder whose files are made once more, elsewhere: nothing is written into it.

    Attributes:
        scratch: an empty local folder, which takes the files that are created. Those that are
            written as a whole are dropped.
    """

    scratch: str

    @property
    def temporary(self) -> str:
        """Folder of the files that are not whole yet."""
        return storage.join(self.scratch, "state", "tmp")

    def path(self, relative: str) -> str:
        """Full path of a file that was made once more."""
        return storage.join(self.scratch, *relative.split("/"))

    def write(self, relative: str, data: bytes, durable: bool = True) -> None:
        """Drops a file; who writes it has its checksum."""

    def create(self, relative: str) -> storage.Replacement:
        """Opens a file that is there when it is committed."""
        return storage.Replacement(self.path(relative), self.temporary, durable=False)

    def sync(self, relatives: Iterable[str]) -> None:
        """Waits for nothing."""


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
        classes: names of what the foregrounds show, sorted; the name of their folder where nothing
            else is known.
        terms: under which terms the data set stands, and who made its pictures.
    """

    text: str
    fields: tuple[Field, ...]
    splits: tuple[SplitFiles, ...]
    classes: tuple[str, ...] = ()
    terms: Terms = NO_TERMS


class FormatError(ValueError):
    """A file that is not what its format promises; the message says where."""


Need = Literal["jpegs", "mask_pixels"]
"""What a format needs of a Sample besides its files: the attribute of that name."""


@dataclass(frozen=True)
class EncodedSize:
    """Mean sizes of an encoded sample.

    Attributes:
        image: of the composite, in bytes.
        mask: of the mask, in bytes.
        depth: of the depth map, in bytes; 0 without depth.
        jpegs: of the composite, mask and depth map as JPEG files, in bytes.
        outline: around the foreground, in pixels.
    """

    image: float
    mask: float
    depth: float
    jpegs: float
    outline: float

    @property
    def pictures(self) -> float:
        """Composite, mask and depth map, in bytes."""
        return self.image + self.mask + self.depth


_DISK_BLOCK = 4096


def file_bytes(content: float) -> float:
    """About what a file of its own takes on a disk, in whole blocks, for a mean content."""
    return math.ceil(content / _DISK_BLOCK) * _DISK_BLOCK


@dataclass(frozen=True)
class Snippet:
    """A few lines of code that read the data set.

    Attributes:
        title: what they are for.
        code: the lines; they open the data set in `DIR` and its split `SPLIT`, whose composites
            have the extension `EXTENSION`, and end with a composite, its mask, and, where the
            format has it, the clean background that belongs to it.
    """

    title: str
    code: str


class Format(ABC):
    """An output format; everything that is specific to it is in its module.

    Attributes:
        name: as in `--formats`.
        needs: what it needs of a sample besides its files.
        holds_depth: whether its files depend on the depth of a sample, where there is any.
        snippets: how to read it, for data set cards.
        file_names: regular expressions of the names of its files, relative to the data set's folder
            and with slashes; `{shard}`, `{split}`, `{numbers}` (of a sample) and `{picture}` (an
            extension) stand for any such. Only these are ever removed.
    """

    name: str
    file_names: tuple[str, ...] = ()
    needs: frozenset[Need] = frozenset()
    holds_depth: bool = True
    snippets: tuple[Snippet, ...] = ()

    @abstractmethod
    def open_samples(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[Sample]:
        """Starts a shard of samples."""

    @abstractmethod
    def sample_bytes(self, size: EncodedSize) -> float:
        """Bytes of a sample on the disk."""

    def passing_bytes(self, size: EncodedSize) -> float:
        """Additional bytes of a sample during a run."""
        return 0.0

    def open_clean(
        self, folder: Folder, shard: ShardSpec, schema: Schema
    ) -> Sink[CleanImage] | None:
        """Starts a shard of clean images; None if the format has none of its own."""
        return None

    def describe(self, samples: Description, clean: Description) -> tuple[tuple[str, str], ...]:
        """The texts that accompany the finished files, as (relative path, text)."""
        return ()

    def front_matter(self, samples: Description, clean: Description) -> tuple[str, ...]:
        """Lines for the YAML at the head of the data set card."""
        return ()


class TableFormat(Format):
    """A format whose files can be read back record by record."""

    @abstractmethod
    def sample_path(self, shard: ShardSpec) -> str:
        """Path of a shard of samples, relative to the data set's folder."""

    @abstractmethod
    def clean_path(self, shard: ShardSpec) -> str:
        """Path of a shard of clean images, relative to the data set's folder."""

    @abstractmethod
    def read(self, source: str | BinaryIO, fields: tuple[Field, ...]) -> Iterator[Row]:
        """Reads a finished file in order.

        Args:
            source: its path, or the file itself, open.
            fields: the fields of its records.

        Raises:
            FormatError: the file is damaged.
        """


FACTS_AT_ONCE = 4096
"""Rows that `IndexedFormat.facts` gives at once."""


class RowFile(Protocol):
    """A finished file of which single rows are read."""

    def read(self, row: int, offset: int | None, fields: tuple[Field, ...]) -> Row:
        """Some fields of one row.

        Args:
            row: its number in the file, from 0.
            offset: where it begins, as `IndexedFormat.facts` says.
            fields: the fields that are read.

        Raises:
            FormatError: the file is damaged, or has no such row.
        """

    def close(self) -> None:
        """Closes the file."""


class IndexedFormat(TableFormat):
    """A table format of which single rows are found without reading those before them."""

    @abstractmethod
    def facts(self, path: str, fields: tuple[Field, ...]) -> Iterator[pa.RecordBatch]:
        """Reads some fields of all rows of a finished file, in order.

        Args:
            path: the file.
            fields: fields that are no pictures.

        Returns:
            Up to `FACTS_AT_ONCE` rows at a time, a column for each field; and, where rows are found
            by it, the column `offset` (int64) with the byte at which each begins.

        Raises:
            FormatError: the file is damaged.
        """

    @abstractmethod
    def open_rows(self, path: str) -> RowFile:
        """Opens a finished file. Raises FormatError where it is damaged."""


FRAGMENT = "-part"  # As in the records of older versions.


def fragment_name(format_name: str) -> str:
    """Format of the fragments that shards contribute to the joined files of a format."""
    return f"{format_name}{FRAGMENT}"


@dataclass(frozen=True)
class Entry:
    """A part of a joined file: the entry of an archive, or a line.

    Attributes:
        name: its name; lines of one kind share theirs.
        data: its content.
        is_record: whether it counts as a record of its file.
    """

    name: str
    data: bytes
    is_record: bool = True


class JoinedFormat(Format):
    """A format with files that many shards contribute to.

    A shard's contribution is an OutputFile below `state/{name}/` whose format is
    `fragment_name(name)` and whose split is the group that it belongs to; each group becomes one
    file.
    """

    @abstractmethod
    def join(self, folder: Folder, group: str, fragments: Iterable[OutputFile]) -> OutputFile:
        """Joins all fragments of a group into its file."""

    @abstractmethod
    def joined_path(self, group: str) -> str:
        """Where the file of a group stands, relative to the data set's folder."""

    @abstractmethod
    def joined_entries(self, file: BinaryIO, plan: Plan) -> Iterator[Entry]:
        """Reads a joined file.

        Raises:
            FormatError: the file is damaged.
        """

    @abstractmethod
    def fragment_entries(self, path: str, plan: Plan) -> Iterator[Entry]:
        """What a fragment, given by its full path, contributes to its joined file."""

    def shared_entries(self, plan_path: str, group: str) -> Iterator[Entry]:
        """What a joined file holds beside what the fragments contribute, made from the inputs."""
        return iter(())

    def shared_count(self, plan: Plan, group: str) -> int:
        """How many records a joined file holds beside those of the fragments."""
        return 0
