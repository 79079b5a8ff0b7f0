"""Output formats; a new one is one module and one line here.

Their modules are imported when a format is first used: names alone cost nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transforms.formats.base import Format, PartFormat, TableFormat

    TABLE_FORMATS: dict[str, TableFormat]
    """The formats that can be read back record by record, by name."""

    PART_FORMATS: dict[str, PartFormat]
    """The formats with files that many shards contribute to, by name."""

    FORMATS: dict[str, Format]
    """All formats by name."""

_TABLE = {
    "tfrecord": "tfrecord.TFRecordFormat",
    "parquet": "parquet.ParquetFormat",
    "webdataset": "webdataset.WebDatasetFormat",
}
_PART = {
    "coco": "coco.CocoFormat",
    "zip": "zips.ZipFormat",
}

NAMES = (*_TABLE, *_PART)
"""The names of all formats."""


def __getattr__(name: str) -> Any:
    """Makes the formats on first use."""
    if name not in ("TABLE_FORMATS", "PART_FORMATS", "FORMATS"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    table, part = _made(_TABLE), _made(_PART)
    globals().update(TABLE_FORMATS=table, PART_FORMATS=part, FORMATS={**table, **part})
    return globals()[name]


def _made(classes: dict[str, str]) -> dict[str, Any]:
    found = {}
    for name, path in classes.items():
        module, _, cls = path.partition(".")
        found[name] = getattr(import_module(f"{__name__}.{module}"), cls)()
    return found
