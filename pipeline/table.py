"""Tables that users give: text with a head, as spreadsheets and other programs write it."""

import codecs
import csv
import io
import os
from dataclasses import dataclass

from pipeline.spec import SpecError
from transforms import storage


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        flag: the option that it was given with, for messages.
        columns: names of its columns, in lower case.
        rows: the cells of each row by column, without spaces around them.
    """

    flag: str
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def read_table(option: str, path: str) -> Table:
    """Reads a table whose first line names its columns, in any case and order.

    It is UTF-8, or UTF-16 with its mark. Columns are divided by commas, semicolons or tabs,
    whichever the first line has.

    Args:
        option: name of the option that it was given with.
        path: where it is.

    Raises:
        SpecError: it cannot be read.
    """
    flag = f"--{option}={path}"
    path = storage.absolute(path)
    if storage.is_local(path) and os.path.exists(path) and not os.path.isfile(path):
        raise SpecError(f"{flag} is not a regular file; give a table")
    try:
        text = _text(storage.read_bytes(path))
        table = csv.DictReader(
            io.StringIO(text, newline=""),
            delimiter=_delimiter(text),
            skipinitialspace=True,
            strict=True,
        )
        table.fieldnames = columns = [name.strip().lower() for name in table.fieldnames or ()]
        rows = [{name: (row[name] or "").strip() for name in columns} for row in table]
    except Exception as error:  # Each store has errors of its own.
        raise SpecError(f"{flag} cannot be read: {error}".splitlines()[0]) from None
    return Table(flag, tuple(columns), tuple(rows))


def path_ends(path: str) -> list[str]:
    """What a table may call a file: ends of its path from the longest to the file's name."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _text(data: bytes) -> str:
    utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if utf_16 else "utf-8-sig")


def _delimiter(text: str) -> str:
    """What divides the columns of the first line; a comma where nothing does."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)
