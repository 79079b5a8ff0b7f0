"""Output formats; a new one is one module and one line here."""

from transforms.formats.base import Format, PartFormat, TableFormat
from transforms.formats.coco import CocoFormat
from transforms.formats.parquet import ParquetFormat
from transforms.formats.tfrecord import TFRecordFormat
from transforms.formats.webdataset import WebDatasetFormat
from transforms.formats.zips import ZipFormat

TABLE_FORMATS: dict[str, TableFormat] = {
    format.name: format for format in (TFRecordFormat(), ParquetFormat(), WebDatasetFormat())
}
"""The formats that can be read back record by record, by name."""

PART_FORMATS: dict[str, PartFormat] = {
    format.name: format for format in (ZipFormat(), CocoFormat())
}
"""The formats with files that many shards contribute to, by name."""

FORMATS: dict[str, Format] = {**TABLE_FORMATS, **PART_FORMATS}
"""All formats by name."""
