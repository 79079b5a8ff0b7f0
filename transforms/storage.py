"""Files on anything that Beam's FileSystems reaches, written so that no reader sees half of one."""

import contextlib
import errno
import hashlib
import io
import os
import stat
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

RAW = CompressionTypes.UNCOMPRESSED
"""Names never decide how bytes are read or written."""

AT_ONCE_BYTES = 4 * 2**20
"""Objects up to this size go out in one piece."""


def join(base: str, *parts: str) -> str:
    """Joins path components in the spelling of the base's file system."""
    return FileSystems.join(base, *parts)


def is_local(path: str) -> bool:
    """Whether a path is on the local file system."""
    return FileSystems.get_scheme(path) is None


def open_file(path: str) -> BinaryIO:
    """Opens a file for reading.

    Raises:
        OSError: it is not there, cannot be read, or is no regular file: reading from a named pipe
            would wait for ever.
    """
    if not is_local(path):
        return FileSystems.open(path, compression_type=RAW)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder", path)
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


@contextlib.contextmanager
def opened(source: str | BinaryIO) -> Iterator[BinaryIO]:
    """A file for reading, opened and closed here where only its path is given."""
    if not isinstance(source, str):
        yield source
        return
    with open_file(source) as file:
        yield file


def read_bytes(path: str) -> bytes:
    """Reads a whole file."""
    with open_file(path) as file:
        return file.read()


def read_text(path: str) -> str:
    """Reads a whole UTF-8 file."""
    return read_bytes(path).decode("utf-8")


def read_if_there(path: str) -> bytes | None:
    """Reads a whole file, or returns None when it is not there."""
    try:
        return read_bytes(path)
    except Exception:  # Each store says in its own way that there is nothing.
        if exists(path):
            raise
        return None


def exists(path: str) -> bool:
    """Whether a file (or, locally, a folder) is there."""
    return FileSystems.exists(path)


def make_folder(path: str) -> None:
    """Makes a local folder and its parents, on the disk itself; object stores need none."""
    if not is_local(path) or os.path.isdir(path):
        return
    parent = os.path.dirname(os.path.abspath(path))
    make_folder(parent)
    os.makedirs(path, exist_ok=True)
    sync_folder(parent)


def sync_folder(path: str) -> None:
    """Waits until the names in a local folder are on the disk; object stores do not need it."""
    if not is_local(path):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:  # Some file systems of networks know no such request for folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def sync_files(paths: Iterable[str]) -> None:
    """Waits until local files that were written without it, and their names, are on the disk."""
    folders = set()
    for path in paths:
        if is_local(path):
            with open(path, "rb") as file:
                os.fsync(file.fileno())
            folders.add(os.path.dirname(path))
    for folder in sorted(folders):
        sync_folder(folder)


def write_bytes(path: str, data: bytes, temporary: str | None = None, durable: bool = True) -> None:
    """Writes a file as a whole: under a temporary name, then renamed.

    An object appears only when it is complete; a small one is written at once under its own name.

    Args:
        path: the file; one of that name is replaced.
        data: its contents; object stores take none that is empty.
        temporary: folder of the temporary file, by default beside the target.
        durable: whether a local file is on the disk before it has its name; without, `sync_files`
            brings many there at once.
    """
    if is_local(path) or len(data) > AT_ONCE_BYTES:
        with Replacement(path, temporary, durable) as file:
            file.write(data)
        return
    with FileSystems.create(path, compression_type=RAW) as file:
        file.write(data)


def write_text(path: str, text: str) -> None:
    """Writes a UTF-8 file as a whole."""
    write_bytes(path, text.encode("utf-8"))


def delete(path: str) -> None:
    """Deletes a file, if it is there."""
    if not is_local(path):
        FileSystems.delete([path])  # No error where there is none.
    elif os.path.lexists(path):
        os.remove(path)


def delete_files(paths: list[str]) -> None:
    """Deletes those of the files that exist."""
    if paths and not is_local(paths[0]):
        FileSystems.delete(paths)
        return
    for path in paths:
        delete(path)


def delete_if_empty(folder: str) -> bool:
    """Deletes a local folder that holds nothing, and says whether it has."""
    if not is_local(folder):
        return False
    try:
        os.rmdir(folder)
    except OSError:  # It holds something, or is not there.
        return False
    return True


def rename(source: str, target: str, size: int) -> None:
    """Renames a file; an existing file of that name is replaced. Idempotent.

    Object stores copy and delete, and a request that is sent again finds no source any more.

    Args:
        source: the file; nobody else knows its name.
        target: its new name.
        size: its bytes, by which the target is known when the source is gone.
    """
    try:
        FileSystems.rename([source], [target])
    except Exception:  # Each store says in its own way that the source is gone.
        if exists(source) or file_size(target) != size:
            raise


def file_size(path: str) -> int | None:
    """Bytes of a file, or None when it is not there."""
    try:
        return FileSystems.get_filesystem(path).size(path)
    except Exception:  # Each store says in its own way that there is nothing.
        if exists(path):
            raise
        return None


def is_intact(path: str, size: int, checksum: str) -> bool:
    """Whether a finished file is there as it was written.

    Local files are read and their SHA-256 compared. Object stores check what they take in and hold,
    and files there take their names whole: there the size is compared, and nothing is read.
    """
    if file_size(path) != size:
        return False
    return not is_local(path) or sha256(path) == checksum


@dataclass(frozen=True)
class FileEntry:
    """A file as a listing shows it.

    Attributes:
        path: the file.
        size: its bytes.
        changed: when it was last changed, in seconds since 1970.
    """

    path: str
    size: int
    changed: float


def entries(folder: str) -> Iterator[FileEntry]:
    """The files below a folder, at any depth, in no particular order; none if it does not exist.

    Links to folders are not followed, and count as files.
    """
    if not is_local(folder):
        [result] = FileSystems.match([join(folder, "**")])
        for entry in result.metadata_list:
            yield FileEntry(entry.path, entry.size_in_bytes, entry.last_updated_in_seconds)
        return
    for root, folders, names in os.walk(folder):
        linked = [name for name in folders if os.path.islink(os.path.join(root, name))]
        for name in (*names, *linked):
            path = os.path.join(root, name)
            with contextlib.suppress(FileNotFoundError):  # Gone since the folder was read.
                state = os.lstat(path)
                yield FileEntry(path, state.st_size, state.st_mtime)


def list_files(folder: str) -> list[str]:
    """All files below a folder, at any depth, sorted; empty when there is none."""
    if is_local(folder):
        found = (os.path.join(root, name) for root, _, names in os.walk(folder) for name in names)
        return sorted(found)
    [result] = FileSystems.match([join(folder, "**")])
    return sorted(entry.path for entry in result.metadata_list)


def first_files(folder: str, limit: int) -> list[str]:
    """A limited number of files below a folder of an object store; lists no more than that."""
    [result] = FileSystems.match([join(folder, "**")], limits=[limit])
    return sorted(entry.path for entry in result.metadata_list)


class Replacement(io.RawIOBase):
    """A file being written that takes its name only when it is whole.

    It is written under a temporary name in the folder `temporary` (by default beside the target),
    counts its bytes and computes their SHA-256 meanwhile. `commit` gives it its name; a file of
    that name is replaced. A local file is on the disk before it has its name, so that a machine
    that loses power leaves no empty one. As a context manager it commits at the end, or discards
    after an error.

    Attributes:
        path: the final path.
        size: bytes written so far.
    """

    def __init__(self, path: str, temporary: str | None = None, durable: bool = True) -> None:
        super().__init__()
        self.path = path
        self._durable = durable and is_local(path)
        self.size = 0
        self._digest = hashlib.sha256()
        folder, name = FileSystems.split(path)
        make_folder(folder)
        folder = temporary or folder
        make_folder(folder)
        self._temporary = join(folder, f".{name}.{uuid.uuid4().hex}.part")
        self._file = FileSystems.create(self._temporary, compression_type=RAW)

    @property
    def sha256(self) -> str:
        """Checksum of the bytes written so far, hexadecimal."""
        return self._digest.hexdigest()

    def writable(self) -> bool:
        """Always true."""
        return True

    def tell(self) -> int:
        """Bytes written so far."""
        return self.size

    def write(self, data) -> int:  # type: ignore[no-untyped-def,override]
        """Appends bytes."""
        self._digest.update(data)
        self._file.write(data)
        length = len(data)
        self.size += length
        return length

    def commit(self) -> None:
        """Closes the file and gives it its name."""
        if self._durable:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        rename(self._temporary, self.path, self.size)
        if self._durable:
            sync_folder(os.path.dirname(self.path))

    def discard(self) -> None:
        """Closes and removes the temporary file."""
        # A full disk, or a store that takes no empty object, does not let it be closed well.
        with contextlib.suppress(Exception):
            self._file.close()
        delete(self._temporary)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.commit()
        except BaseException:
            self.discard()
            raise


def file_name(path: str) -> str:
    """The last component of a path."""
    return FileSystems.split(path)[1]


def absolute(path: str) -> str:
    """A local path made absolute, so that worker processes find it; others without end slash."""
    # Unlike `Path.expanduser`, this one leaves `~name` unchanged if there is no such user.
    return str(Path(os.path.expanduser(path)).absolute()) if is_local(path) else path.rstrip("/")


def sha256(path: str) -> str:
    """Checksum of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open_file(path) as file:
        while data := file.read(2**20):
            digest.update(data)
    return digest.hexdigest()
