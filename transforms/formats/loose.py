"""Files of their own, one or more a sample, as COCO and YOLO have them."""

import hashlib
import tempfile
from collections.abc import Iterator

from transforms.formats.base import Folder, OutputFile


class LooseFiles:
    """Files kept aside until their shard is whole, then written under their names.

    Args:
        folder: the data set's folder.
        format_name: name of the format.
        split: name of the split.
    """

    def __init__(self, folder: Folder, format_name: str, split: str) -> None:
        self._folder = folder
        self._format = format_name
        self._split = split
        self._aside = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the shard
        self._sizes: list[tuple[str, int]] = []

    def add(self, path: str, data: bytes) -> None:
        """Keeps a file aside; `path` is relative to the data set's folder, with slashes."""
        self._aside.write(data)
        self._sizes.append((path, len(data)))

    def close(self) -> Iterator[OutputFile]:
        """Writes the files, one after another."""
        self._aside.seek(0)
        for path, size in self._sizes:
            data = self._aside.read(size)
            self._folder.write(path, data, durable=False)
            checksum = hashlib.sha256(data).hexdigest()
            yield OutputFile(self._format, path, self._split, 1, size, checksum)
        # Thousands of small files wait for the disk together; the record of their shard is later.
        self._folder.sync(path for path, _ in self._sizes)
        self._aside.close()

    def discard(self) -> None:
        """Drops what was kept."""
        self._aside.close()
