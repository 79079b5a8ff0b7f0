"""What the viewer's page asks for, as plain values for JSON."""

import dataclasses
from typing import Any

from pipeline.viewer.columns import SORTS, Columns, Query, QueryError
from pipeline.viewer.opened import OpenedSet
from transforms.formats.base import FormatError
from transforms.plan.inputs import InputImage
from transforms.storage import file_name

MOST_ROWS = 500
"""Rows of an answer at most."""

_MOST_NAMES = 50


def about(opened: OpenedSet) -> dict[str, Any]:
    """What the data set is."""
    columns, manifest = opened.columns, opened.manifest
    return {
        "name": file_name(opened.folder.root.rstrip("/")),
        "place": opened.folder.root,
        "digest": opened.digest,
        "samples": columns.count - columns.failed,
        "failed": columns.failed,
        "width": opened.recipe.image_size.width,
        "height": opened.recipe.image_size.height,
        "foregrounds": len(opened.plan.foregrounds),
        "backgrounds": len(opened.plan.backgrounds),
        "splits": columns.counts("split"),
        "categories": columns.counts("category"),
        "mostObjects": columns.most_objects,
        "views": opened.views,
        "sorts": list(SORTS),
        "depth": manifest["depth"],
        "license": opened.plan.license,
    }


def found(opened: OpenedSet, query: Query, offset: int, limit: int) -> dict[str, Any]:
    """A part of the samples that a question asks for, and how many there are."""
    columns = opened.columns
    rows = columns.rows(query)
    some = rows[max(0, offset) : max(0, offset) + max(0, min(limit, MOST_ROWS))].tolist()
    return {"total": len(rows), "offset": offset, "rows": [_brief(columns, row) for row in some]}


def _brief(columns: Columns, row: int) -> list[Any]:
    """What a tile shows: row, key, category, coverage in percent or None, failure or None."""
    coverage = float(columns.coverage[row]) * 100
    return [
        row,
        columns.key(row),
        columns.word("category", row),
        round(coverage, 2) if coverage == coverage else None,
        columns.word("failure", row),
    ]


def place_of(opened: OpenedSet, query: Query, key: str) -> dict[str, Any]:
    """The row of a key, None where there is none, and its place among the samples asked for."""
    columns = opened.columns
    row = columns.row_of(key)
    places = [] if row is None else (columns.rows(query) == row).nonzero()[0].tolist()
    return {"row": row, "place": places[0] if places else None}


def sample(opened: OpenedSet, row: int) -> dict[str, Any]:
    """Everything that is known of a sample but its pictures.

    Raises:
        QueryError: there is no such row.
    """
    columns, plan = opened.columns, opened.plan
    if not 0 <= row < columns.count:
        raise QueryError(f"there is no sample {row}")
    try:
        values, damage = opened.values(row), None
    except (FormatError, OSError) as error:
        values, damage = {}, f"{columns.word('file', row)}: {error}"
    fg, bg = columns.number("fg_id", row), columns.number("bg_id", row)
    return {
        "row": row,
        "key": columns.key(row),
        "split": columns.word("split", row),
        "file": columns.word("file", row),
        "number": columns.number("row", row),
        "failure": columns.word("failure", row) or damage,
        "record": values,
        "foreground": _input(plan.foreground_by_id.get(fg), fg),
        "background": _input(plan.background_by_id.get(bg), bg),
        "same": {"fg": len(columns.rows_of("fg_id", fg)), "bg": len(columns.rows_of("bg_id", bg))},
    }


def _input(asset: InputImage | None, number: int) -> dict[str, Any]:
    if asset is None:
        return {"id": number, "name": None, "size": None, "credit": None}
    return {
        "id": number,
        "name": asset.path.rpartition("/")[2],
        "size": [asset.width, asset.height],
        "credit": None if asset.credit is None else dataclasses.asdict(asset.credit),
    }


def inputs(opened: OpenedSet, kind: str, text: str) -> list[dict[str, Any]]:
    """The first inputs whose number or name has a text.

    Raises:
        QueryError: the kind is neither `fg` nor `bg`.
    """
    if kind not in ("fg", "bg"):
        raise QueryError(f"kind={kind!r} is unknown; give fg or bg")
    plan = opened.plan
    by_id = plan.foreground_by_id if kind == "fg" else plan.background_by_id
    return [_input(by_id[i], i) for i in opened.columns.named(kind, text)[:_MOST_NAMES]]
