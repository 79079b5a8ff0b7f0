"""A file that is read and has its checksum taken in one pass."""

import hashlib
import io
from typing import Any, BinaryIO

_PIECE = 2**20

_GAP = 2**16
"""Bytes that a reader may leave out, such as the four that a Parquet file begins with."""


class DigestReader(io.RawIOBase):
    """A file open for reading whose SHA-256 is taken from what is read of it.

    Readers that go through the file once, in about its order, cost no second reading. What they
    leave out, and what they read out of order, is read again by `finish`.

    Args:
        file: the file, open for reading, at its beginning.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._digest = hashlib.sha256()
        self._position = 0
        self._digested = 0

    def readable(self) -> bool:
        """Always true."""
        return True

    def seekable(self) -> bool:
        """Always true."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes elsewhere."""
        self._position = self._file.seek(offset, whence)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Reads so many bytes, fewer at the end; all that are left without a size."""
        data = self._file.read() if size is None or size < 0 else self._file.read(size)
        self._take(data)
        return data

    def readall(self) -> bytes:
        """Reads all that is left."""
        return self.read()

    def readinto(self, buffer: Any) -> int:
        """Reads into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def finish(self) -> tuple[int, str]:
        """Reads what is left, and gives size and SHA-256 of the whole file."""
        self.seek(self._digested)
        while self.read(_PIECE):
            pass
        return self._digested, self._digest.hexdigest()

    def _take(self, data: bytes) -> None:
        begin, end = self._position, self._position + len(data)
        if self._digested < begin <= self._digested + _GAP:
            self._file.seek(self._digested)
            left_out = self._file.read(begin - self._digested)
            self._digest.update(left_out)
            self._digested += len(left_out)
            self._file.seek(end)
        if begin <= self._digested < end:
            self._digest.update(memoryview(data)[self._digested - begin :])
            self._digested = end
        self._position = end
