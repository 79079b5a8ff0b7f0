"""Output formats; a new one is one module and one line here.

Their modules are imported when a format is first used: names alone cost nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transforms.formats.base import Format, IndexedFormat, JoinedFormat, TableFormat

    FORMATS: dict[str, Format]
    """All formats by name."""

    TABLE_FORMATS: dict[str, TableFormat]
    """Those that can be read back record by record."""

    INDEXED_FORMATS: dict[str, IndexedFormat]
    """Those of which single rows are found without reading those before them."""

    JOINED_FORMATS: dict[str, JoinedFormat]
    """Those with files that many shards contribute to."""

_CLASSES = {
    "tfrecord": "tfrecord.TFRecordFormat",
    "parquet": "parquet.ParquetFormat",
    "webdataset": "webdataset.WebDatasetFormat",
    "coco": "coco.CocoFormat",
    "yolo": "yolo.YoloFormat",
    "zip": "zips.ZipFormat",
}

NAMES = tuple(_CLASSES)
"""The names of all formats."""


def __getattr__(name: str) -> Any:
    """Makes the formats on first use."""
    if name not in ("TABLE_FORMATS", "INDEXED_FORMATS", "JOINED_FORMATS", "FORMATS"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    base = import_module(f"{__name__}.base")
    formats = {each: _made(path) for each, path in _CLASSES.items()}

    def of(kind: type) -> dict[str, Any]:
        return {each: format for each, format in formats.items() if isinstance(format, kind)}

    globals().update(
        FORMATS=formats,
        TABLE_FORMATS=of(base.TableFormat),
        INDEXED_FORMATS=of(base.IndexedFormat),
        JOINED_FORMATS=of(base.JoinedFormat),
    )
    return globals()[name]


def _made(path: str) -> Any:
    module, _, cls = path.partition(".")
    return getattr(import_module(f"{__name__}.{module}"), cls)()
