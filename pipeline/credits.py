"""Who made the inputs and under which terms, from a table that the user gives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.spec import SpecError
from pipeline.table import path_ends, read_table
from transforms.plan.inputs import InputImage
from transforms.terms import Credit

_LICENSES = ("licence", "license")


@dataclass(frozen=True)
class Credits:
    """A table of credits.

    Attributes:
        flag: the option that it was given with, for messages.
        entries: credit by file name or the end of its path.
    """

    flag: str
    entries: dict[str, Credit]

    def by_path(self, paths: Iterable[str]) -> dict[str, Credit]:
        """The credits of input files, by their whole paths; the longest end of a path counts.

        Raises:
            SpecError: an entry belongs to none of the files, or to several.
        """
        found: dict[str, list[str]] = {name: [] for name in self.entries}
        for path in sorted(set(paths)):
            name = next((end for end in path_ends(path) if end in found), None)
            if name is not None:
                found[name].append(path)
        for name, files in found.items():
            if not files:
                raise SpecError(
                    f"{self.flag}: {name!r} is no input picture; give the name of one, or the end"
                    " of its path"
                )
            if len(files) > 1:
                raise SpecError(
                    f"{self.flag}: {name!r} may be {files[0]} or {files[1]}; give more of its path"
                )
        return {files[0]: self.entries[name] for name, files in found.items()}


def credited(assets: Sequence[InputImage], credits: dict[str, Credit]) -> list[InputImage]:
    """Inputs with their credits, which are given by path."""
    return [replace(asset, credit=credits.get(asset.path)) for asset in assets]


def read_credits(path: str) -> Credits:
    """Reads a table with the column `file` and any of `author`, `licence` and `source`.

    Raises:
        SpecError: it cannot be read or is something else.
    """
    table = read_table("credits", path)
    license = next((name for name in _LICENSES if name in table.columns), None)
    names = {"author": "author", "license": license, "source": "source"}
    known = {field: name for field, name in names.items() if name in table.columns}
    if "file" not in table.columns or not known:
        raise SpecError(
            f"{table.flag} begins with {','.join(table.columns)!r}; its first line must be"
            " file,author,licence,source"
        )
    entries: dict[str, Credit] = {}
    for number, row in enumerate(table.rows, 2):
        file = row["file"].replace("\\", "/").removeprefix("./")
        if not file:
            raise SpecError(f"{table.flag}: row {number} lacks its file")
        credit = Credit(**{field: row[name] for field, name in known.items() if name})
        if entries.setdefault(file, credit) != credit:
            raise SpecError(f"{table.flag}: row {number} says something else of {file!r}")
    return Credits(table.flag, entries)
