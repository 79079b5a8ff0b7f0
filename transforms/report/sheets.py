"""Contact sheets: one PNG picture for each kind, with names under the pictures."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from transforms.pixels.codecs import encode_rgb
from transforms.pixels.size import Size
from transforms.report.exhibits import Exhibit, Section, Triple, evenly

TILE = 160
"""Longer side of a picture on a sheet in pixels."""

SHEET_TRIPLES = 12
"""Largest number of samples on the sheet of triples."""

_GAP, _MARGIN, _CAPTION, _HEAD = 12, 24, 22, 60
_PAPER, _INK, _QUIET = "#fafbfc", "#1f2630", "#667080"
_CHECKER = ("#ffffff", "#d9dde3")
_SQUARE = 10
_LEAST = 40
_SQUARE_TILE = Size.square(TILE)

Cell = Exhibit | None


def section_sheet(section: Section, size: Size = _SQUARE_TILE) -> bytes:
    """A sheet of one kind as a PNG file: a grid of at most six columns.

    Args:
        section: the pictures.
        size: size of the composites, whose aspect all pictures are framed in.
    """
    count = len(section.exhibits)
    columns = min(6, max(4, count))
    return _sheet(section.title, section.text, section.exhibits, size, columns)


def triples_sheet(triples: Sequence[Triple], size: Size = _SQUARE_TILE) -> bytes:
    """A sheet of samples side by side with what they are made of, as a PNG file.

    Args:
        triples: at least one; of more than 12, an even choice is shown.
        size: size of the composites, whose aspect all pictures are framed in.
    """
    depth = any(triple.depth for triple in triples)
    chosen = evenly(triples, SHEET_TRIPLES)
    cells: list[Cell] = []
    for triple in chosen:
        cells += [triple.background, triple.foreground, triple.composite, triple.mask]
        cells += [triple.depth] if depth else []
    group = 5 if depth else 4
    text = "Background, foreground, composite, mask" + (
        ", depth: near is bright yellow, far is dark." if depth else "."
    )
    columns = group * (2 if len(chosen) > 3 else 1)
    return _sheet("Samples", text, cells, size, columns, group)


def printable(text: str) -> str:
    """The text with everything that cannot be shown or encoded replaced by U+FFFD."""
    return "".join(char if char.isprintable() or char == "\u200d" else "\ufffd" for char in text)


def _sheet(
    title: str, text: str, cells: Sequence[Cell], size: Size, columns: int, group: int = 0
) -> bytes:
    """Draws a sheet; after each `group` columns (0 for none) there is a wider gap."""
    tile = Size(*(max(_LEAST, round(TILE * side / size.long)) for side in size.pair))
    rows = -(-len(cells) // columns)
    lefts = [
        _MARGIN + i * (tile.width + _GAP) + (2 * _GAP * (i // group) if group else 0)
        for i in range(columns)
    ]
    height = _HEAD + rows * (tile.height + _CAPTION + _GAP) - _GAP + _MARGIN
    page = Image.new("RGB", (lefts[-1] + tile.width + _MARGIN, height), _PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((_MARGIN, 18), title, fill=_INK, font=_font("DejaVuSans-Bold", 18))
    beside = _MARGIN + _font("DejaVuSans-Bold", 18).getlength(title) + 14
    room = page.width - _MARGIN - beside
    text, font = _fitted(text, room, (13, 12, 11))
    draw.text((beside, 23), text, fill=_QUIET, font=font)
    for i, cell in enumerate(cells):
        if cell is None:
            continue
        left, top = lefts[i % columns], _HEAD + i // columns * (tile.height + _CAPTION + _GAP)
        page.paste(_tile(cell, tile), (left, top))
        name = f"{cell.name} · {cell.note}" if cell.note else cell.name
        label, font = _fitted(printable(name), tile.width + _GAP - 2, (11, 10, 9))
        draw.text(
            (left + tile.width / 2, top + tile.height + 5), label, fill=_INK, font=font, anchor="ma"
        )
    return encode_rgb(np.asarray(page))


def _tile(exhibit: Exhibit, shape: Size) -> Image.Image:
    """A picture in a tile; a cut-out is shown on a chequerboard."""
    image = exhibit.image if exhibit.image.mode in ("RGBA", "L") else exhibit.image.convert("RGB")
    scale = min(shape.width / image.width, shape.height / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    if exhibit.mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    corner = ((shape.width - size[0]) // 2, (shape.height - size[1]) // 2)
    if image.mode == "RGBA":
        tile = _chequerboard(shape)
        tile.paste(image, corner, image)
        return tile
    tile = Image.new("RGB", shape.pair, "black")
    tile.paste(image, corner)
    return tile


def _chequerboard(shape: Size) -> Image.Image:
    cells = Size(-(-shape.width // _SQUARE), -(-shape.height // _SQUARE))
    small = Image.new("RGB", cells.pair, _CHECKER[0])
    for y in range(small.height):
        for x in range(y % 2, small.width, 2):
            small.putpixel((x, y), ImageColor.getrgb(_CHECKER[1]))
    whole = small.resize((cells.width * _SQUARE, cells.height * _SQUARE), Image.Resampling.NEAREST)
    return whole.crop((0, 0, *shape.pair))


def _fitted(text: str, width: float, sizes: Sequence[int]) -> tuple[str, ImageFont.FreeTypeFont]:
    """The text in the largest of the font sizes that fits, else cut in the middle."""
    for size in sizes:
        font = _font("DejaVuSans", size)
        if font.getlength(text) <= width:
            return text, font
    for kept in range(len(text) - 1, 0, -1):
        cut = text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]
        if font.getlength(cut) <= width:
            return cut, font
    return "…", font


@lru_cache(maxsize=8)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans as matplotlib brings it: no font of the system is needed."""
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
