"""Files of a data set are read back once: checksum and content in one pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from typing import BinaryIO, cast

from transforms import storage
from transforms.digest_reader import DigestReader
from transforms.formats import TABLE_FORMATS
from transforms.formats.base import Folder, FormatError, OutputFile
from transforms.formats.schema import Field, Picture, Row, Value
from transforms.plan.inputs import one_line
from transforms.report.verify_report import Fault

Rows = tuple[Row | None, ...]

MOST_FAULTS = 20
"""So many faults of one shard are told."""


class Faults:
    """The faults of one shard, the first of them."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, path: str, what: str) -> None:
        """Notes a fault; `path` is relative to the data set's folder."""
        if len(self.found) < MOST_FAULTS:
            self.found.append(Fault(path, what))


def reason(error: BaseException) -> str:
    """What is wrong, in one line without the file's name."""
    text = error.strerror if isinstance(error, OSError) else None
    return one_line(text or f"{error}" or type(error).__name__)


@contextmanager
def read_once(
    folder: Folder, path: str, sha256: str | None, faults: Faults
) -> Iterator[DigestReader | None]:
    """A file to be read; afterwards its checksum is compared, and what is wrong is noted.

    Args:
        folder: the data set's folder.
        path: the file, relative to it.
        sha256: its checksum by the record, None where that is not known.
        faults: takes what is wrong.

    Yields:
        The file, open; None where it cannot be opened.
    """
    try:
        file: BinaryIO = storage.open_file(folder.path(path))
    except Exception as error:  # Each store has errors of its own.
        faults.add(path, _why_not(folder, path, error))
        yield None
        return
    with file:
        try:
            reader = DigestReader(file)
            yield reader
            _, found = reader.finish()
        except FormatError as error:
            faults.add(path, str(error))
        except Exception as error:  # Disks and stores fail in ways of their own.
            faults.add(path, f"it cannot be read: {reason(error)}")
        else:
            if sha256 is not None and found != sha256:
                faults.add(path, f"its SHA-256 is {found}, its record has {sha256}")


def _why_not(folder: Folder, path: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError) or not storage.exists(folder.path(path)):
        return "it is missing"
    return f"it cannot be read: {reason(error)}"


def compare_checksum(folder: Folder, path: str, sha256: str, faults: Faults) -> None:
    """Reads a file and compares its checksum with that of its record."""
    with read_once(folder, path, sha256, faults):
        pass


class Tables:
    """One shard in all table formats, read row by row at once.

    Args:
        folder: the data set's folder.
        paths: path of the shard's file in each format, by the format's name.
        fields: the fields of a record.
        files: what the shard's record says of its files, by path.
        faults: takes what is wrong.
    """

    def __init__(
        self,
        folder: Folder,
        paths: dict[str, str],
        fields: tuple[Field, ...],
        files: dict[str, OutputFile],
        faults: Faults,
    ) -> None:
        self.paths = list(paths.values())
        self._folder = folder
        self._fields = fields
        self._files = files
        self._faults = faults
        self._ended: set[str] = set()
        self._streams = [self._rows(name, path) for name, path in paths.items()]

    def rows(self) -> Iterator[Rows]:
        """The rows of all formats side by side; None where a file has ended."""
        return zip_longest(*self._streams)

    def agreed(self, several: Rows, number: int) -> Row | None:
        """The row that all formats hold; a file is named once when it ends too early."""
        first = next((row for row in several if row is not None), None)
        for path, row in zip(self.paths, several, strict=True):
            if row is None and path not in self._ended:
                self._ended.add(path)
                self._faults.add(path, f"it ends before record {number}, which another format has")
            elif row is not None and first is not None and not same_row(row, first):
                self._faults.add(path, f"record {number} is not the same as in {self.paths[0]}")
        return first

    def _rows(self, name: str, path: str) -> Iterator[Row]:
        known = self._files.get(path)
        before = len(self._faults.found)
        sha256 = None if known is None else known.sha256
        with read_once(self._folder, path, sha256, self._faults) as file:
            if file is not None:
                yield from TABLE_FORMATS[name].read(cast(BinaryIO, file), self._fields)
        if len(self._faults.found) > before:
            self._ended.add(path)  # What is wrong has been said.


def same_row(one: Row, other: Row) -> bool:
    """Whether two rows hold the same; names of pictures are not held by every format."""
    return all(map(same_value, one, other))


def same_value(one: Value, other: Value) -> bool:
    """Whether two values are the same; names of pictures do not count."""
    if isinstance(one, Picture) and isinstance(other, Picture):
        return one.data == other.data
    return one == other


def expected_paths(path_of: Callable[[str], str], formats: tuple[str, ...]) -> dict[str, str]:
    """Paths of a shard's files in the table formats among some, by the formats' names."""
    return {name: path_of(name) for name in formats if name in TABLE_FORMATS}
