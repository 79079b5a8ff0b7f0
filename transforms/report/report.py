"""Statistics for programs (JSON) and for people (Markdown)."""

import dataclasses
import json
from typing import Any

from transforms.models.depth.base import DepthMeaning
from transforms.report.statistics import Statistics
from transforms.report.summaries import (
    TITLES,
    summarise_coverage,
    summarise_depth,
    summarise_heat,
    summarise_kinds,
)


def statistics_json(statistics: Statistics, meaning: DepthMeaning | None) -> str:
    """The content of `statistics.json`.

    Each kind has a `KindSummary` under its name (`depth`: a `DepthSummary`, null without depth),
    beside `coverage`, `heat` (null over no samples), `samples`, `failed` and, of scenes, `objects`.

    Args:
        statistics: exact counts.
        meaning: what depth values say, None without depth.
    """
    kinds = summarise_kinds(statistics, meaning)
    heat = None if statistics.heat is None else summarise_heat(statistics.heat)
    content = {
        "samples": statistics.fg_bg.count,
        "failed": statistics.failed,
        **{name: dataclasses.asdict(kinds[name]) if name in kinds else None for name in TITLES},
        "coverage": dataclasses.asdict(summarise_coverage(statistics)),
        "heat": heat and dataclasses.asdict(heat),
        **({} if statistics.objects is None else {"objects": statistics.objects.summary()}),
    }
    return _json(content) + "\n"


def statistics_markdown(statistics: Statistics, meaning: DepthMeaning | None) -> str:
    """The numbers as a Markdown table for people, with a few lines below it."""
    heads, rows = statistics_table(statistics, meaning)
    lines = [
        " | ".join(("", *cells, "")).strip()
        for cells in (heads, ["---", *["---:"] * (len(heads) - 1)], *rows)
    ]
    return "\n".join(
        [*lines, "", *(f"- {note}" for note in statistics_notes(statistics, meaning)), ""]
    )


def statistics_table(
    statistics: Statistics, meaning: DepthMeaning | None
) -> tuple[list[str], list[list[str]]]:
    """The heads and the rows of a table with a row for each kind."""
    heads = [
        *("kind", "count", "size", "bytes", "bytes each"),
        *("mean", "std", "min", "max", "mean of R, G, B", "std of R, G, B"),
    ]
    rows = []
    for name, kind in summarise_kinds(statistics, meaning).items():
        row = [TITLES[name], f"{kind.count:,}"]
        if kind.count:
            row += [f"{_range(kind.width)} × {_range(kind.height)}", f"{kind.bytes:,}"]
            row += [f"{kind.bytes / kind.count:,.0f}"]
            row += [f"{kind.overall_mean:.3f}", f"{kind.overall_std:.3f}"]
            row += [f"{kind.overall_min:.3f}", f"{kind.overall_max:.3f}"]
            if len(kind.mean) == 3:
                row += [", ".join(f"{n:.3f}" for n in three) for three in (kind.mean, kind.std)]
        rows.append(row + ["–"] * (len(heads) - len(row)))
    return heads, rows


def statistics_notes(statistics: Statistics, meaning: DepthMeaning | None) -> list[str]:
    """What the table leaves open, a sentence or two each."""
    notes = [
        "Values are in 0..1, over the pixels as a reader decodes them. Foregrounds count as black"
        " where they are transparent."
    ]
    if statistics.depth is not None:
        values = summarise_depth(statistics.depth, statistics.fg_bg, meaning).values
        kind = f" ({values.kind.replace('_', ' ')})" if values.kind else ""
        unit = f" {values.unit}" if values.unit else ""
        near = ""
        if values.near_is_large is not None:
            near = f"; near is {'large' if values.near_is_large else 'small'}"
        notes.append(
            f"Depth values{kind}: mean {_number(values.mean)}{unit}, standard deviation"
            f" {_number(values.std)}{unit}, from {_number(values.min)}{unit} to"
            f" {_number(values.max)}{unit}{near}."
        )
    coverage = summarise_coverage(statistics).mean
    if coverage is not None:
        notes.append(f"Foregrounds cover {coverage:.1%} of a composite on average (mask >= 128).")
    if statistics.objects is not None:
        notes.append(statistics.objects.note())
    notes.append(f"{statistics.fg_bg.count:,} samples were made, {statistics.failed:,} failed.")
    return notes


def _range(ends: tuple[int, int]) -> str:
    return f"{ends[0]}" if ends[0] == ends[1] else f"{ends[0]}–{ends[1]}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _json(value: Any, indent: int = 0) -> str:
    """JSON text with one line for each entry of an object and each row of numbers."""
    pad = "\n" + " " * (indent + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {_json(item, indent + 1)}" for key, item in value.items()]
        return "{" + pad + f",{pad}".join(items) + pad[:-1] + "}"
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        rows = [json.dumps(row, allow_nan=False) for row in value]
        return "[" + pad + f",{pad}".join(rows) + pad[:-1] + "]"
    return json.dumps(value, allow_nan=False)
