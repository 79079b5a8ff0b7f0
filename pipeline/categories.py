"""What the foregrounds show, from a table that the user gives."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.spec import SpecError
from pipeline.table import path_ends, read_table
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
        keys = [str(asset.id)] if self.key == "id" else path_ends(asset.path)
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

    An id may have leading zeros.

    Raises:
        SpecError: it cannot be read or is something else.
    """
    table = read_table("categories", path)
    key = next((name for name in _KEYS if name in table.columns), None)
    if key is None or _CATEGORY not in table.columns:
        raise SpecError(
            f"{table.flag} begins with {','.join(table.columns)!r}; its first line must be"
            " file,category or id,category"
        )
    names: dict[str, str] = {}
    for number, row in enumerate(table.rows, 2):
        found, category = row[key], row[_CATEGORY]
        if key == "id" and found.isdecimal():
            found = str(int(found))
        if not found or not category:
            raise SpecError(
                f"{table.flag}: row {number} lacks its {key if category else _CATEGORY}"
            )
        if names.setdefault(found, category) != category:
            raise SpecError(f"{table.flag}: {found} is both {names[found]!r} and {category!r}")
    return Categories(path, key, names)
