"""Single values of Parquet files, found by their places in the file.

pyarrow reads whole row groups, which are a hundred pictures for one. The files of a data set are
neither compressed nor encoded, so that every value stands in them as it is: the headers of the
pages (https://parquet.apache.org/docs/file-format/, in Thrift's compact protocol) lead to it.
Where a file was written in another way, there are no places, and pyarrow reads it.
"""

import mmap
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq

_DATA_PAGE, _PLAIN = 0, 0
_WIDTHS = {"BYTE_ARRAY": 0, "INT32": 4, "INT64": 8, "FLOAT": 4, "DOUBLE": 8}
_SIZE = struct.Struct("<I")


class NotPlain(ValueError):
    """Values that do not stand in the file as they are."""


class PlainFile:
    """A Parquet file, mapped into memory, and where the values of its columns stand.

    Args:
        path: a local file.
        columns: names of columns without lists, with dots between a struct and its fields.

    Raises:
        NotPlain: a column is compressed, encoded, a list, or lacks values.
        OSError: the file cannot be opened.
        pyarrow.ArrowInvalid: its end is damaged.
    """

    def __init__(self, path: str, columns: Sequence[str]) -> None:
        footer = pq.read_metadata(path)
        numbers = {footer.schema.column(i).path: i for i in range(footer.num_columns)}
        schema = [footer.schema.column(numbers[name]) for name in columns]
        if any(column.max_repetition_level for column in schema):
            raise NotPlain(f"{path} has lists")
        self._levels = [column.max_definition_level for column in schema]
        self._widths = [_WIDTHS.get(column.physical_type) for column in schema]
        groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
        self._rows = [group.num_rows for group in groups]
        self._chunks = [
            [_bounds(group.column(numbers[name])) for name in columns] for group in groups
        ]
        with open(path, "rb") as file:
            self.data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def places(self, group: int) -> np.ndarray:
        """Where the values of a row group begin, int64 [rows, columns].

        Strings and bytes have their number of bytes in the four bytes before that.
        """
        rows = self._rows[group]
        found = np.empty((rows, len(self._levels)), np.int64)
        columns = zip(self._chunks[group], self._levels, self._widths, strict=True)
        for number, ((start, end), level, width) in enumerate(columns):
            if width is None:
                raise NotPlain("its values have a type of another width")
            try:
                found[:, number] = _places(self.data[:end], start, rows, level > 0, width)
            except (LookupError, ValueError, struct.error) as error:
                raise NotPlain(f"the pages of row group {group} are others: {error}") from None
        return found

    def bytes_at(self, place: int) -> memoryview:
        """The string or bytes that begin there."""
        [size] = _SIZE.unpack_from(self.data, place - 4)
        return self.data[place : place + size]


def _bounds(column: pq.ColumnChunkMetaData) -> tuple[int, int]:
    """First byte and end of a column in a row group."""
    counts = column.statistics
    if (
        column.compression != "UNCOMPRESSED"
        or column.has_dictionary_page
        or counts is None
        or counts.null_count != 0
    ):
        raise NotPlain(f"{column.path_in_schema} is compressed, encoded or incomplete")
    return column.data_page_offset, column.data_page_offset + column.total_compressed_size


def _places(data: memoryview, start: int, rows: int, levels: bool, width: int) -> list[int]:
    """Places of the values in the pages from `start` on; `width` is 0 for strings."""
    found: list[int] = []
    while len(found) < rows:
        header, at = _thrift(data, start)
        page = header[5]
        if header[1] != _DATA_PAGE or page[2] != _PLAIN or page[1] > rows - len(found):
            raise ValueError("a page is encoded, or has too many values")
        start = at + header[3]
        if levels:  # Whether there is a value: there is one everywhere.
            at += 4 + _SIZE.unpack_from(data, at)[0]
        if width:
            found += range(at, at + width * page[1], width)
            at = found[-1] + width
        else:
            for _ in range(page[1]):
                found.append(at + 4)
                at += 4 + _SIZE.unpack_from(data, at)[0]
        if at != start:
            raise ValueError("the values of a page do not fill it")
    return found


def _thrift(data: memoryview, at: int) -> tuple[dict[int, Any], int]:
    """A struct in Thrift's compact protocol: its fields by number, and where it ends.

    It knows what headers of pages consist of: numbers, truth values, bytes and structs.
    """
    fields: dict[int, Any] = {}
    number = 0
    while (head := data[at]) != 0:
        step, kind = head >> 4, head & 15
        at += 1
        if step:
            number += step
        else:
            number, at = _whole(data, at)
        if kind in (1, 2):
            fields[number] = kind == 1
        elif kind in (4, 5, 6):
            fields[number], at = _whole(data, at)
        elif kind == 8:
            size, at = _natural(data, at)
            fields[number] = data[at : at + size]
            at += size
        elif kind == 12:
            fields[number], at = _thrift(data, at)
        else:
            raise ValueError(f"a field has the type {kind}")
    return fields, at + 1


def _natural(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _whole(data: memoryview, at: int) -> tuple[int, int]:
    value, at = _natural(data, at)
    return value >> 1 ^ -(value & 1), at
