"""The pictures that a gallery shows: samples kept during the run, and clean inputs."""

import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from PIL import Image

from transforms import storage
from transforms.models.depth.base import DepthMeaning
from transforms.pixels.codecs import encode_jpeg
from transforms.pixels.input_cache import read_background, read_foreground
from transforms.pixels.size import Size
from transforms.plan.inputs import InputImage
from transforms.plan.plan import Plan
from transforms.report.gallery_samples import KeptSample
from transforms.report.instances import draw_instances

_LOG = logging.getLogger(__name__)

CLEAN_PICTURES = 24
"""Largest number of foregrounds and of backgrounds that are shown on their own."""

COLOUR_MAP = "inferno"
"""Colour map of shown depth (https://bids.github.io/colormap/): near is bright yellow, far dark."""

Item = TypeVar("Item")
Shown = TypeVar("Shown")


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A picture on show.

    Attributes:
        name: caption below it.
        note: a second, quieter line; may be empty.
        path: path of its file, relative to the gallery's folder, with slashes.
        image: the picture, RGB, L, P or RGBA.
        data: its file.
        mirrored: whether it is shown left to right.
    """

    name: str
    note: str
    path: str
    image: Image.Image
    data: bytes
    mirrored: bool = False


@dataclass(frozen=True, eq=False)
class Triple:
    """A sample with what it is made of; what cannot be shown is None."""

    background: Exhibit | None
    foreground: Exhibit | None
    composite: Exhibit
    mask: Exhibit
    depth: Exhibit | None
    objects: Exhibit | None = None


@dataclass(frozen=True, eq=False)
class Cutouts:
    """A foreground and its mask."""

    foreground: Exhibit
    mask: Exhibit


@dataclass(frozen=True, eq=False)
class Section:
    """Pictures of one kind.

    Attributes:
        name: name of the sheet's file and of the place in the page.
        title: heading.
        text: what is to be seen.
        exhibits: the pictures.
    """

    name: str
    title: str
    text: str
    exhibits: tuple[Exhibit, ...]


@dataclass(frozen=True, eq=False)
class Exhibits:
    """All that a gallery shows.

    Attributes:
        triples: the kept samples in the order of the run.
        sections: the pictures kind by kind; kinds without a picture are left out.
        size: size of the composites.
    """

    triples: tuple[Triple, ...]
    sections: tuple[Section, ...]
    size: Size


def gather(samples: Sequence[KeptSample], plan: Plan, meaning: DepthMeaning | None) -> Exhibits:
    """Reads everything that a gallery shows; inputs that can no longer be read are left out.

    Args:
        samples: the kept samples, in the order of the run.
        plan: the data set's plan.
        meaning: what depth values say, None without depth.
    """
    backgrounds: dict[int, Exhibit | None] = {}
    cutouts: dict[int, Cutouts | None] = {}

    def background(asset: InputImage) -> Exhibit | None:
        if asset.id not in backgrounds:
            backgrounds[asset.id] = _attempt(_background, plan, asset)
        return backgrounds[asset.id]

    def cutout(asset: InputImage) -> Cutouts | None:
        if asset.id not in cutouts:
            cutouts[asset.id] = _attempt(_cutouts, plan, asset)
        return cutouts[asset.id]

    def triple(sample: KeptSample) -> Triple:
        fg_id, bg_id, flip, _ = sample.ids
        own = cutout(plan.foreground_by_id[fg_id])
        foreground = None if own is None else own.foreground
        if foreground and flip:
            foreground = replace(foreground, note="mirrored", mirrored=True)
        shown_depth = None
        if sample.depth is not None and meaning is not None:
            shown_depth = _depth(sample.numbers, sample.depth, meaning.near_is_large)
        return Triple(
            background(plan.background_by_id[bg_id]),
            foreground,
            _composite(sample.numbers, sample.image),
            _mask(sample.numbers, sample.mask),
            shown_depth,
            None if sample.instances is None else _objects(sample),
        )

    triples = tuple(triple(sample) for sample in samples)
    shown_cutouts = [cutout(asset) for asset in evenly(plan.foregrounds, CLEAN_PICTURES)]
    shown_backgrounds = [background(asset) for asset in evenly(plan.backgrounds, CLEAN_PICTURES)]
    sections = (
        Section(
            "composites",
            "Composites",
            "Foregrounds blended over backgrounds in their own soft alpha.",
            tuple(triple.composite for triple in triples),
        ),
        Section(
            "composite_masks",
            "Masks of the composites",
            "The alpha of the paste on black: white is foreground, grey a soft edge.",
            tuple(triple.mask for triple in triples),
        ),
        Section(
            "objects",
            "Objects",
            "The pixels of each labelled object in a colour of its own, and its box.",
            tuple(triple.objects for triple in triples if triple.objects),
        ),
        Section(
            "depth",
            "Depth",
            "Each map stretched to its own range: near is bright yellow, far is dark.",
            tuple(triple.depth for triple in triples if triple.depth),
        ),
        Section(
            "foregrounds",
            "Foregrounds",
            "Cut-outs at their largest pasted size, on a chequerboard.",
            tuple(own.foreground for own in shown_cutouts if own),
        ),
        Section(
            "masks",
            "Masks of the foregrounds",
            "The alpha of each cut-out.",
            tuple(own.mask for own in shown_cutouts if own),
        ),
        Section(
            "backgrounds",
            "Backgrounds",
            "Cut around their middle to the size of the composites.",
            tuple(shown for shown in shown_backgrounds if shown),
        ),
    )
    shown = tuple(section for section in sections if section.exhibits)
    return Exhibits(triples, shown, plan.image_size)


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` items, chosen evenly, in order."""
    count = min(count, len(items))
    return [items[(2 * i + 1) * len(items) // (2 * count)] for i in range(count)]


def colour_depth(pixels: np.ndarray, near_is_large: bool) -> Image.Image:
    """A depth map in colours that a person can read.

    Args:
        pixels: integers [height, width].
        near_is_large: whether a larger pixel means nearer.

    Returns:
        An image of mode P: the map stretched to its own range, near bright, far dark.
    """
    from matplotlib import colormaps

    low, high = int(pixels.min()), int(pixels.max())
    level = (pixels.astype(np.int64) - low) * 255 // max(1, high - low)
    level = (level if near_is_large else 255 - level).astype(np.uint8)
    image = Image.frombytes("P", (level.shape[1], level.shape[0]), level.tobytes())
    palette = colormaps[COLOUR_MAP](np.arange(256), bytes=True)[:, :3]
    image.putpalette(palette.tobytes())
    return image


def _attempt(
    show: Callable[[Plan, InputImage], Shown], plan: Plan, asset: InputImage
) -> Shown | None:
    try:
        return show(plan, asset)
    except Exception as error:  # The samples are finished; no picture is worth losing them.
        _LOG.warning("gallery: %s is left out: %s", asset.path, error)
        return None


def _background(plan: Plan, asset: InputImage) -> Exhibit:
    pixels = read_background(asset, plan.image_size)
    return Exhibit(
        f"bg {asset.id}",
        storage.file_name(asset.path),
        f"images/bg_{asset.id}.jpg",
        Image.fromarray(pixels),
        encode_jpeg(pixels, 90),
    )


def _cutouts(plan: Plan, asset: InputImage) -> Cutouts:
    image = Image.fromarray(read_foreground(asset, plan.canvas.largest_box, plan.ringing))
    name, note = f"fg {asset.id}", storage.file_name(asset.path)
    if asset.cutout is not None:
        note += f" · cut out by {asset.cutout.model}: {asset.cutout.note}"
    alpha = image.getchannel("A")
    return Cutouts(
        Exhibit(name, note, f"images/fg_{asset.id}.png", image, _png(image)),
        Exhibit(name, note, f"images/mask_{asset.id}.png", alpha, _png(alpha)),
    )


def _composite(numbers: str, data: bytes) -> Exhibit:
    image = Image.open(io.BytesIO(data))
    extension = "jpg" if image.format == "JPEG" else "png"
    return Exhibit(f"fg_bg_{numbers}", "", f"images/fg_bg_{numbers}.{extension}", image, data)


def _mask(numbers: str, data: bytes) -> Exhibit:
    name = f"bg_mask_{numbers}"
    return Exhibit(name, "", f"images/{name}.png", Image.open(io.BytesIO(data)), data)


def _objects(sample: KeptSample) -> Exhibit:
    composite = Image.open(io.BytesIO(sample.image))
    instances = np.asarray(Image.open(io.BytesIO(sample.instances or b"")))
    drawn = draw_instances(composite, instances)
    name = f"objects_{sample.numbers}"
    count = int(instances.max())
    note = f"{count} object{'' if count == 1 else 's'}"
    return Exhibit(name, note, f"images/{name}.png", drawn, _png(drawn))


def _depth(numbers: str, data: bytes, near_is_large: bool) -> Exhibit:
    image = colour_depth(np.asarray(Image.open(io.BytesIO(data))), near_is_large)
    name = f"depth_fg_bg_{numbers}"
    return Exhibit(name, "", f"images/{name}.png", image, _png(image))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
