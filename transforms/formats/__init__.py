"""Output formats; a new one is one module and one line here."""

from transforms.formats.base import Format
from transforms.formats.parquet import ParquetFormat
from transforms.formats.tfrecord import TFRecordFormat
from transforms.formats.zips import ZipFormat

FORMATS: dict[str, Format] = {
    format.name: format for format in (TFRecordFormat(), ParquetFormat(), ZipFormat())
}
"""All formats by name."""
