"""What the foregrounds show, from a table that the user gives."""

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
    """Reads a CSV file whose first line is `file,category` or `id,category`, in UTF-8.

    Raises:
        SpecError: it cannot be read or is something else.
    """
    flag = f"--categories={path}"
    path = storage.absolute(path)
    if storage.is_local(path) and os.path.exists(path) and not os.path.isfile(path):
        raise SpecError(f"{flag} is not a regular file; give a table")
    try:
        text = storage.read_bytes(path).decode("utf-8-sig")
        table = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
        columns, rows = list(table.fieldnames or ()), list(table)
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
        found, category = row[key], row[_CATEGORY]
        if not found or not category:
            raise SpecError(f"{flag}: row {number} lacks its {key if category else _CATEGORY}")
        if names.setdefault(found, category) != category:
            raise SpecError(f"{flag}: {found} is both {names[found]!r} and {category!r}")
    return Categories(path, key, names)


def _ends(path: str) -> list[str]:
    """Ends of a path from the longest to the file's name."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]
