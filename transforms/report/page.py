"""The gallery's page: one HTML file with relative links, readable from disk."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

from transforms.formats.base import Snippet
from transforms.models.depth.base import DepthMeaning
from transforms.plan.plan import Plan
from transforms.report.exhibits import Exhibit, Exhibits, Section, Triple
from transforms.report.report import statistics_notes, statistics_table
from transforms.report.sheets import printable
from transforms.report.statistics import Statistics
from transforms.report.summaries import summarise_coverage

_MOST_ASPECT = 6


@dataclass(frozen=True)
class ShownPlot:
    """A plot in the page.

    Attributes:
        path: its file, relative to the page.
        dark_path: the same in dark colours.
        text: what it shows.
    """

    path: str
    dark_path: str
    text: str


@dataclass(frozen=True)
class _Part:
    anchor: str
    title: str
    html: str


def gallery_page(
    title: str,
    plan: Plan,
    statistics: Statistics,
    meaning: DepthMeaning | None,
    exhibits: Exhibits,
    plots: Sequence[ShownPlot],
    snippets: Sequence[Snippet],
    layered: bool = False,
) -> str:
    """The page as HTML text; every text from outside is escaped."""
    parts = [_samples(exhibits.triples)]
    parts += [_section(section) for section in exhibits.sections]
    parts += [_statistics(statistics, meaning, plots), _reading(plan, snippets, meaning)]
    links = (f'<a href="#{part.anchor}">{escape(part.title)}</a>' for part in parts)
    package = files("transforms.report")
    return Template((package / "page.html").read_text("utf-8")).substitute(
        title=_text(title),
        aspect=_aspect(plan),
        style=(package / "page.css").read_text("utf-8"),
        lead=_text(_lead(plan, statistics, meaning, layered)),
        facts="\n".join(_facts(plan, statistics)),
        links="\n".join(links),
        sections="\n".join(
            f'<section id="{part.anchor}">\n{part.html}\n</section>' for part in parts
        ),
    )


def _aspect(plan: Plan) -> str:
    """Width and height of the frames of pictures, as CSS; of very long pictures a shorter one."""
    width, height = plan.image_size.pair
    return f"{min(width, _MOST_ASPECT * height)} / {min(height, _MOST_ASPECT * width)}"


def _lead(plan: Plan, statistics: Statistics, meaning: DepthMeaning | None, layered: bool) -> str:
    depth = ""
    if meaning is not None:
        unit = f" in {meaning.unit}" if meaning.unit else ""
        kind = meaning.kind.replace("_", " ")
        depth = f" and a predicted depth map ({kind}{unit})"
        if layered:
            depth = (
                f" and a depth map ({kind}{unit}) composed of layers: the background's depth is"
                " predicted once, the object is placed on it by rule, and both meet at the mask"
            )
    width, height = plan.image_size.pair
    return (
        f"{_count(statistics.fg_bg.count, 'composite')} of {width} × {height} pixels,"
        f" each with its exact mask{depth}."
    )


def _facts(plan: Plan, statistics: Statistics) -> Iterable[str]:
    made = statistics.fg_bg.bytes + statistics.fg_bg_mask.bytes
    made += statistics.depth.bytes if statistics.depth else 0
    coverage = summarise_coverage(statistics).mean
    facts = [
        ("samples", f"{statistics.fg_bg.count:,}"),
        ("failed", f"{statistics.failed:,}"),
        ("foregrounds", f"{len(plan.foregrounds):,}"),
        ("backgrounds", f"{len(plan.backgrounds):,}"),
        ("mean coverage", "–" if coverage is None else f"{coverage:.1%}"),
        ("pictures", f"{made / 1e6:,.1f} MB"),
    ]
    return (f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)


def _samples(triples: Sequence[Triple]) -> _Part:
    if not triples:
        html = _head("Samples", "There is no sample to show.", None)
        return _Part("samples", "Samples", html)
    depth = any(triple.depth for triple in triples)
    text = (
        "Chosen evenly over the run, each with what it is made of. Click a picture to enlarge it."
    )
    cards = []
    for triple in triples:
        shown = [triple.background, triple.foreground, triple.composite, triple.mask]
        shown += [triple.depth] if depth else []
        cells = "\n".join(_figure(exhibit) for exhibit in shown)
        style = f"--parts: {len(shown)}; --few: {(len(shown) + 1) // 2}"
        cards.append(f'<div class="triple" style="{style}">\n{cells}\n</div>')
    grid = '<div class="triples">\n' + "\n".join(cards) + "\n</div>"
    return _Part("samples", "Samples", _head("Samples", text, "triples.png") + grid)


def _section(section: Section) -> _Part:
    head = _head(section.title, section.text, f"{section.name}.png")
    tiles = "\n".join(_figure(exhibit) for exhibit in section.exhibits)
    return _Part(section.name, section.title, f'{head}<div class="tiles">\n{tiles}\n</div>')


def _head(title: str, text: str, sheet: str | None) -> str:
    link = f'<a href="{sheet}">as one picture</a>' if sheet else ""
    return f'<div class="head"><h2>{escape(title)}</h2><p>{escape(text)}</p>{link}</div>\n'


def _figure(exhibit: Exhibit | None) -> str:
    if exhibit is None:
        return '<figure><div class="missing"></div></figure>'
    kinds = ["cutout"] if exhibit.image.mode == "RGBA" else []
    kinds += ["mirrored"] if exhibit.mirrored else []
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    name, note, path = _text(exhibit.name), _text(exhibit.note), escape(exhibit.path)
    alt = f"{name} · {note}" if note else name
    # A long name breaks between the kind and the numbers.
    caption = re.sub(r"_(?=\d)", "_<wbr>", name, count=1)
    caption += f"<small>{note}</small>" if note else ""
    return (
        f'<figure><a href="{path}"><img{kind} src="{path}" alt="{alt}"></a>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _statistics(
    statistics: Statistics, meaning: DepthMeaning | None, plots: Sequence[ShownPlot]
) -> _Part:
    heads, rows = statistics_table(statistics, meaning)
    table = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "\n".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    notes = "\n".join(f"<li>{escape(note)}</li>" for note in statistics_notes(statistics, meaning))
    pictures = "\n".join(
        f'<figure><a href="{plot.path}"><picture>'
        f'<source media="(prefers-color-scheme: dark)" srcset="{plot.dark_path}">'
        f'<img src="{plot.path}" alt="{escape(plot.text)}"></picture></a></figure>'
        for plot in plots
    )
    html = (
        _head("Statistics", "Exact, over every pixel that was written.", None)
        + f'<div class="wide"><table>\n<thead><tr>{table}</tr></thead>\n'
        + f"<tbody>\n{body}\n</tbody>\n</table></div>\n<ul>\n{notes}\n</ul>\n"
        + f'<div class="plots">\n{pictures}\n</div>'
    )
    return _Part("statistics", "Statistics", html)


def _reading(plan: Plan, snippets: Sequence[Snippet], meaning: DepthMeaning | None) -> _Part:
    form = f"{plan.key_prefix} and four numbers" if plan.key_prefix else "fg_bg_flip_seq"
    text = (
        f"A sample's key is {form}: the foreground's id, the background's id, 1 for the"
        " mirror image else 0, and the number of the placement."
    )
    if meaning is not None:
        text += (
            " Depth is a 16-bit picture: value = pixel × depth_scale + depth_offset,"
            f" and near is {'large' if meaning.near_is_large else 'small'}."
        )
    if snippets:
        text += " DIR stands for the data set's folder, the one above this page's."
    blocks = "\n".join(
        f"<div><h3>{escape(snippet.title)}</h3>\n<pre><code>{escape(snippet.code)}</code></pre></div>"
        for snippet in snippets
    )
    html = (
        f'{_head("Reading", "", None)}<p>{escape(text)}</p>\n<div class="code">\n{blocks}\n</div>'
    )
    return _Part("reading", "Reading", html)


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _text(text: str) -> str:
    return escape(printable(text))
