"""Rows of a data set's Parquet files, each read without the others."""

import struct
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.formats.parquet_values import NotPlain, PlainFile

_KEPT_PLACES = 4096
_CACHED_GROUPS = 4
_NUMBERS = {
    pa.int32(): struct.Struct("<i"),
    pa.int64(): struct.Struct("<q"),
    pa.float32(): struct.Struct("<f"),
}


class Rows:
    """The rows of several Parquet files, numbered through.

    The files are mapped into memory, and a value is read where it stands. Its place is looked up
    once for each row group, of which a process keeps 4,096 (400,000 samples, 30 MB). In files that
    another program has compressed or encoded there are no places: of these a row group is read at
    a time, and four are kept.

    Args:
        paths: the files, on a local file system.
        fields: names of fields; those that the files have are read. They hold numbers, strings or
            pictures.
    """

    def __init__(self, paths: Sequence[str], fields: Collection[str]) -> None:
        self._paths = list(paths)
        footers = [pq.read_metadata(path) for path in self._paths]
        self._groups = [
            (file, group)
            for file, footer in enumerate(footers)
            for group in range(footer.num_row_groups)
        ]
        sizes = (footers[file].row_group(group).num_rows for file, group in self._groups)
        self._starts = list(accumulate(sizes, initial=0))
        found = [field for field in pq.read_schema(self._paths[0]) if field.name in fields]
        self._types = {field.name: field.type for field in found}
        self._columns = {name: number for number, name in enumerate(self._types)}
        self._leaves = [
            f"{field.name}.bytes" if pa.types.is_struct(field.type) else field.name
            for field in found
        ]
        self._forget()

    def _forget(self) -> None:
        self._plain: dict[int, PlainFile | None] = {}
        self._places: dict[int, np.ndarray] = {}
        self._open: dict[int, pq.ParquetFile] = {}
        self._tables: dict[int, pa.Table] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Open files and what was read from them stay in their process.
        return {**self.__dict__, "_plain": {}, "_places": {}, "_open": {}, "_tables": {}}

    def __len__(self) -> int:
        """Number of rows."""
        return self._starts[-1]

    @property
    def fields(self) -> Collection[str]:
        """Names of the fields that are read."""
        return self._types.keys()

    def row(self, position: int) -> Callable[[str], Any]:
        """A function that gives a field of the row at a position, from 0 to the number of rows.

        Of a picture it gives the file, bytes or memoryview.

        Raises:
            OSError: the file is gone.
            pyarrow.ArrowInvalid: it is damaged.
        """
        number = bisect_right(self._starts, position) - 1
        file, _ = self._groups[number]
        within = position - self._starts[number]
        if file not in self._plain:
            self._plain[file] = self._opened(file)
        plain = self._plain[file]
        if plain is not None:
            try:
                places = self._places_of(number, plain)
            except NotPlain:
                self._plain[file] = None
            else:
                return partial(self._plain_value, plain, places[within].tolist())
        return partial(self._value, self._table(number), within)

    def _opened(self, file: int) -> PlainFile | None:
        try:
            return PlainFile(self._paths[file], self._leaves)
        except NotPlain:
            return None

    def _places_of(self, number: int, plain: PlainFile) -> np.ndarray:
        places = self._places.pop(number, None)
        if places is None:
            places = plain.places(self._groups[number][1])
            while len(self._places) >= _KEPT_PLACES:
                del self._places[next(iter(self._places))]
        self._places[number] = places  # The most recently used is last.
        return places

    def _plain_value(self, plain: PlainFile, places: list[int], name: str) -> Any:
        kind, place = self._types[name], places[self._columns[name]]
        if kind in _NUMBERS:
            return _NUMBERS[kind].unpack_from(plain.data, place)[0]
        data = plain.bytes_at(place)
        return str(data, "utf-8") if pa.types.is_string(kind) else data

    def _table(self, number: int) -> pa.Table:
        table = self._tables.pop(number, None)
        if table is None:
            file, group = self._groups[number]
            if file not in self._open:
                # Mapped files need no buffers ahead of them.
                self._open[file] = pq.ParquetFile(
                    self._paths[file], memory_map=True, pre_buffer=False
                )
            table = self._open[file].read_row_group(group, self._leaves, use_threads=False)
            while len(self._tables) >= _CACHED_GROUPS:
                del self._tables[next(iter(self._tables))]
        self._tables[number] = table
        return table

    def _value(self, table: pa.Table, row: int, name: str) -> Any:
        value = table.column(name)[row].as_py()
        return value["bytes"] if pa.types.is_struct(self._types[name]) else value
