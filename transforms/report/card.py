"""The data set card: README.md with the YAML that Hugging Face reads."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from transforms.formats.base import Description
from transforms.formats.parquet import hugging_face_feature
from transforms.formats.schema import Field, Kind, Schema
from transforms.plan.plan import Plan
from transforms.report.manifest import Origin
from transforms.report.report import statistics_markdown
from transforms.report.snippets import Snippet
from transforms.report.statistics import Statistics

_SIZES = (
    (1e3, "n<1K"),
    (1e4, "1K<n<10K"),
    (1e5, "10K<n<100K"),
    (1e6, "100K<n<1M"),
    (1e7, "1M<n<10M"),
)


_KIND_TEXTS: dict[Kind, str] = {
    "text": "string",
    "label": "class label",
    "box": "int64[4]",
    "texts": "list of string",
    "int64s": "list of int64",
    "float32s": "list of float32",
    "boxes": "list of int64[4]",
}


def depth_text(origin: Origin) -> str:
    """One sentence on what the depth values mean; empty without depth."""
    if origin.meaning is None:
        return ""
    kind = origin.meaning.kind.replace("_", " ")
    unit = f" in {origin.meaning.unit}" if origin.meaning.unit else ""
    near = "large" if origin.meaning.near_is_large else "small"
    scale = "value = pixel * depth_scale + depth_offset."
    if origin.layers is not None:
        passes = origin.layers.passes
        return (
            f"Depth is {kind}{unit}; near is {near}. It is composed of layers: the background is as"
            f" predicted by the model `{origin.depth_model}` from the clean background"
            f"{f', averaged over {passes} passes' if passes > 1 else ''}; the object is not"
            " predicted but placed by rule, flat, a small step nearer than what it stands on and"
            f" than all that it covers and touches. {scale}"
        )
    return (
        f"Depth is {kind}{unit} as predicted by the model `{origin.depth_model}`; near is {near}."
        f" {scale}"
    )


def dataset_text(schema: Schema, origin: Origin) -> str:
    """The data set in a few sentences."""
    depth = "a depth map composed of layers" if schema.layered else "a predicted depth map"
    what = f"its exact mask and {depth}" if schema.depth else "its exact mask"
    size = f"{schema.side}x{schema.side}"
    text = f"Foregrounds pasted on backgrounds at {size} pixels, each with {what}."
    return " ".join(part for part in (text, depth_text(origin)) if part)


def dataset_card(
    plan: Plan,
    origin: Origin,
    statistics: Statistics,
    samples: Description,
    clean: Description,
    snippets: Sequence[Snippet],
) -> str:
    """README.md of the data set; its YAML lists the Parquet files when there are any."""
    return "\n".join(
        [
            _front_matter(statistics, samples, clean),
            "# Mask and depth data set",
            "",
            samples.text,
            "",
            *(["![samples](gallery/triples.png)", ""] if statistics.fg_bg.count else []),
            f"{statistics.fg_bg.count:,} samples from {len(plan.foregrounds)} foregrounds and"
            f" {len(plan.backgrounds)} backgrounds, {plan.placements} placement"
            f"{'s' if plan.placements > 1 else ''} each"
            f"{', mirror images included' if plan.flip else ''}.",
            "",
            "| field | type | content |",
            "| --- | --- | --- |",
            *(
                f"| `{field.name}` | {_type_text(field)} | {field.text} |"
                for field in samples.fields
            ),
            "",
            "The clean foregrounds and backgrounds are the config `assets` (splits `foregrounds`"
            " and `backgrounds`), joined by `fg_id` and `bg_id`.",
            "",
            "## Reading",
            "",
            "`DIR` stands for this folder.",
            "",
            *_reading(snippets),
            "## Statistics",
            "",
            statistics_markdown(statistics, origin.meaning),
        ]
    )


def _type_text(field: Field) -> str:
    if field.picture is None:
        return _KIND_TEXTS.get(field.kind, field.kind)
    picture = field.picture
    side = "" if picture.side is None else f" {picture.side}x{picture.side}"
    return f"{picture.encoding.upper()} {picture.dtype}{side}x{picture.channels}"


def _reading(snippets: Sequence[Snippet]) -> Iterator[str]:
    for snippet in snippets:
        yield from (f"### {snippet.title}", "", "```python", snippet.code, "```", "")


def _front_matter(statistics: Statistics, samples: Description, clean: Description) -> str:
    size = next((name for limit, name in _SIZES if statistics.fg_bg.count < limit), "n>1M")
    lines = [
        "---",
        "task_categories: [image-segmentation, depth-estimation]",
        f"size_categories: ['{size}']",
    ]
    if samples.splits:
        lines += ["configs:", *_config("default", "data", samples, default=True)]
        lines += _config("assets", "assets", clean, default=False)
        lines += ["dataset_info:", *_info("default", samples), *_info("assets", clean)]
    return "\n".join([*lines, "---", ""])


def _config(name: str, place: str, description: Description, default: bool) -> list[str]:
    lines = [f"- config_name: {name}", *(["  default: true"] if default else []), "  data_files:"]
    for split in description.splits:
        lines += [f"  - split: {split.name}", f"    path: {place}/{split.name}-*.parquet"]
    return lines


def _info(name: str, description: Description) -> list[str]:
    # JSON is YAML: the types are those of the Parquet schema, spelt once.
    features = [{"name": field.name, **yaml_feature(field)} for field in description.fields]
    lines = [f"- config_name: {name}", f"  features: {json.dumps(features)}", "  splits:"]
    for split in description.splits:
        size = sum(file.bytes for file in split.files)
        count = sum(file.count for file in split.files)
        lines += [f"  - name: {split.name}", f"    num_bytes: {size}", f"    num_examples: {count}"]
    return lines


def yaml_feature(field: Field) -> dict[str, Any]:
    """A field's type as the YAML of a data set card spells it."""
    return _yaml(hugging_face_feature(field))


def _yaml(feature: dict[str, Any]) -> dict[str, Any]:
    kind = feature["_type"]
    if kind == "Image":
        return {"dtype": "image"}
    if kind == "Value":
        return {"dtype": feature["dtype"]}
    if kind == "ClassLabel":
        names = {str(number): name for number, name in enumerate(feature["names"])}
        return {"dtype": {"class_label": {"names": names}}}
    inner = _yaml(feature["feature"])
    length = {"length": feature["length"]} if "length" in feature else {}
    return {"sequence": inner.get("dtype", inner), **length}
