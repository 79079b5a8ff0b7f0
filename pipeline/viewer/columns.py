"""The index of a data set as NumPy columns, and the samples that a question asks for."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.plan.plan import KEY_PREFIX, Plan

_WORDS = ("split", "category", "failure", "file")
_NUMBER = "[0-9]{1,18}"
_KEY = re.compile(rf"(?:{KEY_PREFIX})?{_NUMBER}(?:_{_NUMBER}){{3}}", re.ASCII)
_BEGINNING = re.compile(
    rf"(?:{KEY_PREFIX}|(?={_NUMBER}_{_NUMBER})){_NUMBER}(?:_{_NUMBER}){{0,3}}_?", re.ASCII
)


class QueryError(ValueError):
    """A question that has no meaning; one line."""


@dataclass(frozen=True)
class Query:
    """Which samples, in which order; None asks for any.

    Attributes:
        text: words that must all match: a key or its beginning, or a part of the name of an input
            file or of a category.
        split: name of the split.
        category: what the foreground shows.
        fg: id of the foreground.
        bg: id of the background.
        flip: 1 for mirror images, 0 for the others.
        least: least coverage in percent.
        most: most coverage in percent.
        objects_from: least number of objects.
        objects_to: most objects.
        failed: 1 for the samples that could not be made, 0 for the others.
        sort: a name of `SORTS`, with a minus sign in front for the reverse.
    """

    text: str = ""
    split: str | None = None
    category: str | None = None
    fg: int | None = None
    bg: int | None = None
    flip: int | None = None
    least: float | None = None
    most: float | None = None
    objects_from: int | None = None
    objects_to: int | None = None
    failed: int | None = None
    sort: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Query":
        """The question that the parameters of an address ask; empty ones count as absent.

        Raises:
            QueryError: a parameter is unknown or has an impossible value.
        """
        names = {field.name for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in given.items():
            if name not in names:
                raise QueryError(f"{name!r} is no part of a question")
            if text:
                try:
                    values[name] = _PARSERS.get(name, str)(text)
                except ValueError:
                    raise QueryError(f"{name}={text!r} is invalid; give a number") from None
        query = cls(**values)
        if query.sort.removeprefix("-") not in SORTS:
            raise QueryError(f"sort={query.sort!r} is unknown; give one of {', '.join(SORTS)}")
        return query


def _integer(text: str) -> int:
    number = int(text)
    if abs(number) >= 2**63:
        raise ValueError
    return number


_PARSERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("fg", "bg", "flip", "objects_from", "objects_to", "failed"), _integer),
    **dict.fromkeys(("least", "most"), float),
}


class Columns:
    """All rows of an index; a row's number is its place in the order of the set.

    Args:
        path: a local index file.
        plan: the plan of its data set.
    """

    def __init__(self, path: str, plan: Plan) -> None:
        table = pq.read_table(path, memory_map=True, read_dictionary=list(_WORDS))
        self.count = table.num_rows
        self._plan = plan
        self.keys = table["key"]
        self._ints = {
            name: _numbers(table[name])
            for name in ("fg_id", "bg_id", "flip", "seq", "area", "objects", "row", "offset")
        }
        self.coverage = _numbers(table["coverage"], float("nan"))
        self._box = {name: _numbers(table[name]) for name in ("x", "y", "width", "height")}
        self._codes, self._names = {}, {}
        for name in _WORDS:
            self._codes[name], self._names[name] = _coded(table[name])
        self._last: tuple[Query, np.ndarray] | None = None

    def number(self, name: str, row: int) -> int:
        """The value of a column of integers; -1 for none."""
        return int(self._ints[name][row])

    def word(self, name: str, row: int) -> str | None:
        """The value of one of the columns `split`, `category`, `failure`, `file`."""
        code = self._codes[name][row]
        return None if code < 0 else self._names[name][code]

    def key(self, row: int) -> str:
        """The key of a sample."""
        return self.keys[row].as_py()

    def row_of(self, key: str) -> int | None:
        """The row of a key, with or without its prefix; None where there is none."""
        found = self._of_numbers(key).nonzero()[0].tolist() if _KEY.fullmatch(key) else []
        return found[0] if found else None

    def box(self, row: int) -> tuple[int, int, int, int] | None:
        """x, y, width and height; None for a sample that could not be made."""
        if self._ints["row"][row] < 0:
            return None
        x, y, width, height = (int(column[row]) for column in self._box.values())
        return x, y, width, height

    def counts(self, name: str) -> list[tuple[str, int]]:
        """The values of a column of words and how often they occur, sorted."""
        codes = self._codes[name]
        counts = np.bincount(codes[codes >= 0], minlength=len(self._names[name]))
        pairs = zip(self._names[name], counts.tolist(), strict=True)
        return sorted(pair for pair in pairs if pair[1])

    @cached_property
    def failed(self) -> int:
        """Number of samples that could not be made."""
        return int((self._codes["failure"] >= 0).sum())

    @cached_property
    def most_objects(self) -> int:
        """The largest number of objects in a sample."""
        return int(self._ints["objects"].max(initial=0))

    def rows_of(self, name: str, value: int) -> np.ndarray:
        """The rows that have a value in a column of integers."""
        return np.flatnonzero(self._ints[name] == value)

    def rows(self, query: Query) -> np.ndarray:
        """The rows that a question asks for, int64 in its order; the last answer is kept."""
        last = self._last
        if last is None or last[0] != query:
            found = self._sorted(np.flatnonzero(self._mask(query)), query.sort)
            self._last = last = (query, found)
        return last[1]

    def named(self, kind: str, text: str) -> list[int]:
        """Ids of the foregrounds (`fg`) or backgrounds (`bg`) whose number or name has a text."""
        text = text.casefold()
        return [id for id, name in self._inputs[kind] if text in name or text == str(id)]

    @cached_property
    def _inputs(self) -> dict[str, list[tuple[int, str]]]:
        kinds = {"fg": self._plan.foregrounds, "bg": self._plan.backgrounds}
        return {
            kind: [(a.id, a.path.rpartition("/")[2].casefold()) for a in assets]
            for kind, assets in kinds.items()
        }

    def _mask(self, query: Query) -> np.ndarray:
        mask = np.ones(self.count, bool)
        ints = {
            "fg_id": query.fg,
            "bg_id": query.bg,
            "flip": query.flip,
        }
        for name, value in ints.items():
            if value is not None:
                mask &= self._ints[name] == value
        for name, wanted in (("split", query.split), ("category", query.category)):
            if wanted is not None:
                names = self._names[name]
                mask &= self._codes[name] == (names.index(wanted) if wanted in names else -2)
        if query.least is not None:
            mask &= self.coverage * 100 >= query.least
        if query.most is not None:
            mask &= self.coverage * 100 <= query.most
        if query.objects_from is not None:
            mask &= self._ints["objects"] >= query.objects_from
        if query.objects_to is not None:
            mask &= (self._ints["objects"] <= query.objects_to) & (self._ints["objects"] >= 0)
        if query.failed is not None:
            mask &= (self._codes["failure"] >= 0) == bool(query.failed)
        for word in query.text.split():
            mask &= self._matching(word)
        return mask

    def _matching(self, word: str) -> np.ndarray:
        if _BEGINNING.fullmatch(word):
            return self._of_numbers(word)
        mask = np.isin(self._ints["fg_id"], self.named("fg", word))
        mask |= np.isin(self._ints["bg_id"], self.named("bg", word))
        codes = [
            i for i, n in enumerate(self._names["category"]) if word.casefold() in n.casefold()
        ]
        return mask | np.isin(self._codes["category"], codes)

    def _of_numbers(self, word: str) -> np.ndarray:
        """Which samples have a key with this beginning."""
        mask = np.ones(self.count, bool)
        parts = [int(part) for part in word.removeprefix(KEY_PREFIX).split("_") if part]
        for name, part in zip(("fg_id", "bg_id", "flip", "seq"), parts, strict=False):
            mask &= self._ints[name] == part
        return mask

    def _sorted(self, rows: np.ndarray, sort: str) -> np.ndarray:
        name = sort.removeprefix("-")
        if name:
            rows = rows[np.argsort(SORTS[name](self)[rows], kind="stable")]
        return rows[::-1] if sort.startswith("-") else rows


def _shuffled(columns: Columns) -> np.ndarray:
    """An order that looks random and is the same each time, from SplitMix64's last mixing step."""
    mixed = np.arange(1, columns.count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(27))


SORTS: dict[str, Callable[[Columns], np.ndarray]] = {
    "": lambda columns: np.arange(columns.count),
    "foreground": lambda columns: columns._ints["fg_id"],
    "background": lambda columns: columns._ints["bg_id"],
    "placement": lambda columns: columns._ints["seq"],
    "coverage": lambda columns: columns.coverage,
    "objects": lambda columns: columns._ints["objects"],
    "shuffled": _shuffled,
}
"""Orders of samples; the empty name is the order of the set."""


def _numbers(column: pa.ChunkedArray, missing: float = -1) -> np.ndarray:
    return column.fill_null(missing).to_numpy()


def _coded(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """A column of words as numbers into a list of them, -1 for none."""
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], column.type)
    return whole.indices.fill_null(-1).to_numpy(), whole.dictionary.to_pylist()
