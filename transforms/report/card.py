"""The data set card: README.md with the YAML that Hugging Face reads."""

from collections.abc import Iterator, Sequence

from transforms.formats.base import Description, Snippet
from transforms.formats.schema import Field, Kind, Schema
from transforms.plan.plan import Plan
from transforms.report.manifest import Origin
from transforms.report.report import statistics_markdown
from transforms.report.statistics import Statistics
from transforms.terms import is_own

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
    text = f"Foregrounds pasted on backgrounds at {schema.size} pixels, each with {what}."
    return " ".join(part for part in (text, depth_text(origin)) if part)


def dataset_card(
    plan: Plan,
    origin: Origin,
    statistics: Statistics,
    samples: Description,
    front_matter: Sequence[str],
    snippets: Sequence[Snippet],
    credits: Sequence[str] = (),
) -> str:
    """README.md of the data set.

    Args:
        plan: its plan.
        origin: where it comes from.
        statistics: exact counts.
        samples: what is said of its samples.
        front_matter: what its formats add to its YAML.
        snippets: how to read it.
        credits: lines on its terms and origin.
    """
    return "\n".join(
        [
            _front_matter(statistics, front_matter, samples.terms.license),
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
            "## Terms and origin",
            "",
            *credits,
            "",
            "## Statistics",
            "",
            statistics_markdown(statistics, origin.meaning),
        ]
    )


def _type_text(field: Field) -> str:
    if field.picture is None:
        return _KIND_TEXTS.get(field.kind, field.kind)
    picture = field.picture
    size = "" if picture.size is None else f" {picture.size}"
    return f"{picture.encoding.upper()} {picture.dtype}{size}x{picture.channels}"


def _reading(snippets: Sequence[Snippet]) -> Iterator[str]:
    for snippet in snippets:
        yield from (f"### {snippet.title}", "", "```python", snippet.code, "```", "")


def _front_matter(statistics: Statistics, front_matter: Sequence[str], license: str | None) -> str:
    size = next((name for limit, name in _SIZES if statistics.fg_bg.count < limit), "n>1M")
    lines = [
        "---",
        *([] if license is None else license_lines(license)),
        "task_categories: [image-segmentation, depth-estimation]",
        f"size_categories: ['{size}']",
    ]
    return "\n".join([*lines, *front_matter, "---", ""])


def license_lines(license: str) -> list[str]:
    """The licence in the card's YAML, as the hub names it: one of the maker's own is `other`."""
    if is_own(license):
        return ["license: other", f"license_name: {license.lower()}"]
    return [f"license: {license.lower()}"]
