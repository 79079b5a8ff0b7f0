"""Croissant: the Parquet files in the words that data set search engines and `mlcroissant` read.

JSON-LD by the Croissant format, version 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-spec.html).
Paths are relative to the file, so that a data set may be moved as a whole.
"""

import json
import re
from typing import Any

from transforms.formats.base import VERSION, Description, SplitFiles
from transforms.formats.schema import Field, Kind
from transforms.terms import Terms

_NAME = "mask_depth"
_PARQUET = "application/x-parquet"

# All of Croissant's own; validators require each of them, used or not.
_WORDS = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty",
    "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField",
    "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator",
    "source", "subField", "transform",
)  # fmt: skip

_TYPES: dict[Kind, str] = {
    "text": "sc:Text",
    "int64": "sc:Integer",
    "float32": "sc:Float",
    "label": "sc:Integer",
    "box": "sc:Integer",
    "picture": "sc:ImageObject",
    "texts": "sc:Text",
    "int64s": "sc:Integer",
    "float32s": "sc:Float",
    "boxes": "sc:Integer",
}
_REPEATED: tuple[Kind, ...] = ("box", "texts", "int64s", "float32s", "boxes")


def croissant_json(samples: Description, clean: Description) -> str:
    """The text of `croissant.json`.

    The record set `samples` has the fields of a record and their split; the record sets
    `foregrounds` and `backgrounds` have the clean pictures, joined by `fg_id` and `bg_id`.

    Args:
        samples: the Parquet files of the samples.
        clean: the Parquet files of the clean images.
    """
    splits = [split.name for split in samples.splits]
    distribution = [_file_set("samples", "data/*.parquet")]
    record_sets = [
        _split_names(splits),
        _record_set("samples", samples.text, [_split(splits), *_fields("samples", samples.fields)]),
    ]
    for kind in clean.splits:
        distribution.append(_file_set(kind.name, f"assets/{kind.name}-*.parquet"))
        fields = _fields(kind.name, clean.fields)
        record_sets.append(_record_set(kind.name, f"The clean {kind.name}.", fields))
    for split in (*samples.splits, *clean.splits):
        distribution += _file_objects(split)
    content = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": _NAME,
        "description": samples.text,
        "version": VERSION,
        **_terms(samples.terms),
        "distribution": distribution,
        "recordSet": record_sets,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _context() -> dict[str, Any]:
    """What the words mean: those of Croissant beside those of schema.org."""
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "sc": "https://schema.org/",
        "conformsTo": "dct:conformsTo",
        "data": {"@id": "cr:data", "@type": "@json"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        **{word: f"cr:{word}" for word in _WORDS},
    }


def _terms(terms: Terms) -> dict[str, Any]:
    """What is said of terms and authors; there is no date where none was given."""
    said = {
        "license": terms.license_address,
        "creator": [{"@type": "sc:Person", "name": name} for name in terms.names],
        "datePublished": terms.published,
        "citeAs": terms.citation,
    }
    return {name: value for name, value in said.items() if value}


def _file_set(name: str, includes: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "encodingFormat": _PARQUET,
        "includes": includes,
    }


def _file_objects(split: SplitFiles) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": file.path,
            "name": file.path,
            "contentUrl": file.path,
            "contentSize": f"{file.bytes} B",
            "encodingFormat": _PARQUET,
            "sha256": file.sha256,
        }
        for file in split.files
    ]


def _record_set(name: str, text: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": text,
        "field": fields,
    }


def _split_names(splits: list[str]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [_field("splits", "name", "name of the split", "sc:Text")],
        "data": [{"splits/name": name} for name in splits],
    }


def _split(splits: list[str]) -> dict[str, Any]:
    """The field that says, by the name of its file, which split a sample belongs to."""
    names = "|".join(re.escape(name) for name in splits)
    source = {
        "fileSet": {"@id": "samples-files"},
        "extract": {"fileProperty": "fullpath"},
        # Readers that join by `references` apply it twice: it takes the name itself as well.
        "transform": {"regex": f"(?:data/)?({names})(?:-.*)?$"},
    }
    text = "name of the split; test objects are never seen in training"
    return {
        **_field("samples", "split", text, "sc:Text"),
        "source": source,
        "references": {"field": {"@id": "splits/name"}},
    }


def _fields(name: str, fields: tuple[Field, ...]) -> list[dict[str, Any]]:
    found = []
    for field in fields:
        source: dict[str, Any] = {
            "fileSet": {"@id": f"{name}-files"},
            "extract": {"column": field.name},
        }
        described = _field(name, field.name, field.text, _TYPES[field.kind])
        if field.kind == "picture":
            source["transform"] = {"jsonPath": "bytes"}
        if field.kind in _REPEATED:
            described["repeated"] = True
        found.append({**described, "source": source})
    return found


def _field(record_set: str, name: str, text: str, data_type: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{name}",
        "name": name,
        "description": text,
        "dataType": data_type,
    }
