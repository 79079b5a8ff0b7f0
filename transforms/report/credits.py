"""Credits: who made the pictures and models of a data set, and under which terms they stand."""

import html
import re
from collections.abc import Iterator, Sequence

from transforms.models.cutout import CUTOUT_MODELS
from transforms.models.depth import DEPTH_MODELS
from transforms.plan.inputs import InputImage, one_line
from transforms.plan.plan import Plan
from transforms.report.manifest import Origin
from transforms.report.published import Places
from transforms.storage import file_name
from transforms.terms import Credit, Family, Terms, address, family, identifier

CREDITS = "CREDITS.md"


def terms_of(plan: Plan, origin: Origin) -> Terms:
    """What the descriptions of a data set say of terms and authors."""
    credits = [asset.credit for asset in plan.inputs if asset.credit is not None]
    authors = tuple(sorted({credit.author for credit in credits if credit.author}))
    return Terms(plan.license, origin.published, authors, origin.creator)


def doubts(license: str | None, inputs: Sequence[InputImage]) -> tuple[str, ...]:
    """Where the terms of a data set and those of its inputs do not go together, a line each.

    Args:
        license: SPDX identifier of the data set's licence, None where none is given.
        inputs: all inputs; several of one file count once.
    """
    terms = {asset.path: asset.credit.license if asset.credit else "" for asset in inputs}
    known = {path: found for path, text in terms.items() if (found := family(text)) is not None}
    lines = []

    def some(paths: list[str]) -> str:
        text = terms[paths[0]] or "no licence given"
        shown = one_line(f"{file_name(paths[0])} ({text})")
        return f"{len(paths)} of {len(terms)}, such as {shown}"

    own = None if license is None else family(license)
    final = [path for path, found in known.items() if found == Family.NO_DERIVATIVES]
    if final:
        lines.append(f"inputs that allow no derivatives, which composites are: {some(final)}")
    stricter = [path for path, found in known.items() if own is not None and found > own]
    stricter = [path for path in stricter if path not in final]
    if stricter:
        lines.append(f"inputs with stricter terms than {license} of the data set: {some(stricter)}")
    if license is not None and own is None and known:
        lines.append(
            f"{license}, the licence of the data set, is not known here: compare it with the terms"
            " of the inputs yourself"
        )
    unknown = [path for path in terms if path not in known]
    if known and unknown:
        lines.append(f"inputs without known terms, while others have some: {some(unknown)}")
    return tuple(lines)


def model_lines(plan: Plan, origin: Origin, ground: str | None) -> list[str]:
    """The models whose output is in a data set, with their terms, a line each.

    Args:
        plan: the data set's plan.
        origin: where it comes from.
        ground: name of the depth model that sees the ground of backgrounds, None without one.
    """
    lines = []
    if origin.depth_model is not None:
        lines.append(_model("Depth", origin.depth_model, DEPTH_MODELS.terms(origin.depth_model)))
    if ground is not None:
        lines.append(_model("Ground", ground, DEPTH_MODELS.terms(ground)))
    for name in sorted({each.cutout.model for each in plan.foregrounds if each.cutout}):
        shown = origin.places.text(name)
        lines.append(_model("Cut-outs", shown, CUTOUT_MODELS.terms(name)))
    return lines


def _model(what: str, name: str, terms: str) -> str:
    return f"- {what}: `{name}`. {terms}"


def summary_lines(plan: Plan, terms: Terms, models: Sequence[str]) -> Iterator[str]:
    """What the data set card says of terms and origin, in Markdown."""
    yield from _own_terms(terms)
    yield from (f"- **Note:** {_cell(line)}." for line in doubts(plan.license, plan.inputs))
    yield f"- [{CREDITS}]({CREDITS}) has authors, terms and sources of the pictures."
    yield from models


def credits_text(plan: Plan, terms: Terms, places: Places, models: Sequence[str]) -> str:
    """The text of `CREDITS.md`."""
    lines = ["# Credits", "", *_own_terms(terms)]
    lines += [f"- **Note:** {_cell(line)}." for line in doubts(plan.license, plan.inputs)]
    lines += ["", "## Pictures", "", *_pictures(plan, places), ""]
    if models:
        lines += ["## Models", "", *models, ""]
    return "\n".join(lines)


def _own_terms(terms: Terms) -> Iterator[str]:
    if terms.creator is not None:
        yield f"- The data set is made by {_cell(terms.creator)}."
    if terms.license is None:
        yield "- Licence of the data set: none is given."
    else:
        link = address(terms.license)
        name = f"[{terms.license}]({link})" if link else terms.license
        yield f"- Licence of the data set: {name}."


def _pictures(plan: Plan, places: Places) -> Iterator[str]:
    uses: dict[str, list[str]] = {}
    credits: dict[str, Credit] = {}
    for kind, assets in (
        ("foreground", plan.foregrounds),
        ("background", plan.backgrounds),
        ("distractor", plan.distractors),
    ):
        for asset in assets:
            uses.setdefault(asset.path, []).append(f"{kind} {asset.id}")
            if asset.credit is not None:
                credits[asset.path] = asset.credit
    if not credits:
        yield "Authors and terms of the pictures are not given."
        return
    yield "| file | used as | author | licence | source |"
    yield "| --- | --- | --- | --- | --- |"
    for path, credit in credits.items():
        cells = (places.text(path), ", ".join(uses[path]), credit.author)
        source = credit.source
        link = f"<{source}>" if re.fullmatch(r"https?://[^\s<>|]+", source) else _cell(source)
        yield f"| {' | '.join(map(_cell, cells))} | {_license(credit.license)} | {link} |"
    lacking = len(uses) - len(credits)
    if lacking:
        yield ""
        yield f"Of {lacking} other picture{'s' if lacking > 1 else ''} nothing is given."


def _license(text: str) -> str:
    name = identifier(text)
    return _cell(text) if name is None else f"[{name}]({address(text)})"


def _cell(text: str) -> str:
    """A text from outside as Markdown shows it, in one line."""
    return re.sub(r"([\\|`*_\[\]])", r"\\\1", html.escape(one_line(text), quote=False))
