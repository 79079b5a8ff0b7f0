"""Output formats; a new one is one module and one line here."""

from transforms.formats.base import Format, TableFormat
from transforms.formats.parquet import ParquetFormat
from transforms.formats.tfrecord import TFRecordFormat
from transforms.formats.webdataset import WebDatasetFormat
from transforms.formats.zips import ZipFormat

TABLE_FORMATS: dict[str, TableFormat] = {
    format.name: format for format in (TFRecordFormat(), ParquetFormat(), WebDatasetFormat())
}
"""The formats that can be read back record by record, by name."""

FORMATS: dict[str, Format] = {**TABLE_FORMATS, "zip": ZipFormat()}
"""All formats by name."""
