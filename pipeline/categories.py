"""What the foregrounds show, from a table that the user gives."""

import codecs
import csv
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.spec import SpecError
from transforms import storage
from transforms.plan.inputs import InputImage

_CATEGORY = "category"
_KEYS = ("id", "file")


@dataclass(frozen=True)
class Categories:
    """A table of categories.

    Attributes:
        path: where it was read from.
        key: `id` or `file`, what its rows are found by.
        names: category by id, or by file name or the end of its path.
    """

    path: str
    key: str
    names: dict[str, str]

    def of(self, asset: InputImage) -> str:
        """The category of a foreground. Raises SpecError when the table does not name it."""
        keys = [str(asset.id)] if self.key == "id" else _ends(asset.path)
        for key in keys:
            if key in self.names:
                return self.names[key]
        raise SpecError(
            f"--categories={self.path} has no row for {asset.path} (id {asset.id}); add one, with"
            f" {self.key} and {_CATEGORY}"
        )

    def applied(self, assets: Iterable[InputImage]) -> tuple[InputImage, ...]:
        """Foregrounds with their categories. Raises SpecError when the table lacks one."""
        return tuple(replace(asset, category=self.of(asset)) for asset in assets)


def read_categories(path: str) -> Categories:
    """Reads a table whose first line is `file,category` or `id,category`, in any case and order.

    It is UTF-8, or UTF-16 with its mark. Columns are divided by commas, semicolons or tabs,
    whichever the first line has. An id may have leading zeros.

    Raises:
        SpecError: it cannot be read or is something else.
    """
    flag = f"--categories={path}"
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
        rows = list(table)
    except Exception as error:  # Each store has errors of its own.
        raise SpecError(f"{flag} cannot be read: {error}".splitlines()[0]) from None
    key = next((name for name in _KEYS if name in columns), None)
    if key is None or _CATEGORY not in columns:
        raise SpecError(
            f"{flag} begins with {','.join(columns)!r}; its first line must be file,category or"
            " id,category"
        )
    names: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        found, category = ((row[name] or "").strip() for name in (key, _CATEGORY))
        if key == "id" and found.isdecimal():
            found = str(int(found))
        if not found or not category:
            raise SpecError(f"{flag}: row {number} lacks its {key if category else _CATEGORY}")
        if names.setdefault(found, category) != category:
            raise SpecError(f"{flag}: {found} is both {names[found]!r} and {category!r}")
    return Categories(path, key, names)


def _text(data: bytes) -> str:
    utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if utf_16 else "utf-8-sig")


def _delimiter(text: str) -> str:
    """What divides the columns of the first line; a comma where nothing does."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _ends(path: str) -> list[str]:
    """Ends of a path from the longest to the file's name."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]
