"""Clean step: the resized foregrounds and backgrounds, once each, as a data set of their own."""

import contextlib
from dataclasses import replace

import numpy as np

from transforms import storage
from transforms.elements import CleanImage, ShardSpec
from transforms.formats import FORMATS
from transforms.formats.base import Sink
from transforms.pixels.codecs import encode_16_bit, encode_mask, encode_rgb
from transforms.pixels.input_cache import read_background, read_foreground
from transforms.plan.clean_shards import FOREGROUNDS
from transforms.plan.inputs import InputImage
from transforms.plan.plan import Plan, load_plan
from transforms.prepared import Refused
from transforms.recipe import Recipe
from transforms.records import ShardRecord, write_record
from transforms.report.statistics import PictureCounts, Statistics
from transforms.steps.background_depth import background_depth
from transforms.steps.encode import quantise

_BITS = 16  # Of clean depth maps: there are few of them.


def clean_foreground(plan: Plan, asset: InputImage) -> tuple[CleanImage, Statistics]:
    """A foreground at its largest pasted size, black where its alpha is 0, and its counts."""
    rgba = read_foreground(asset, plan.canvas.largest_box, plan.ringing)
    alpha = np.ascontiguousarray(rgba[..., 3])
    colour = np.where(alpha[..., None] > 0, rgba[..., :3], 0).astype(np.uint8)
    clean = _clean_image(asset, colour, alpha)
    return clean, Statistics(
        fg=PictureCounts.of(colour[None], len(clean.image)),
        mask=PictureCounts.of(alpha[None], len(clean.mask)),
    )


def clean_background(plan: Plan, asset: InputImage) -> tuple[CleanImage, Statistics]:
    """A background at the composites' size, and its counts."""
    pixels = read_background(asset, plan.image_size)
    clean = _clean_image(asset, pixels, np.full(pixels.shape[:2], 255, np.uint8))
    return clean, Statistics(bg=PictureCounts.of(pixels[None], len(clean.image)))


def _clean_image(asset: InputImage, colour: np.ndarray, alpha: np.ndarray) -> CleanImage:
    height, width = alpha.shape
    name = storage.file_name(asset.path)
    return CleanImage(asset.id, name, encode_rgb(colour), encode_mask(alpha), width, height)


def with_depth(
    clean: CleanImage, asset: InputImage, background: bool, recipe: Recipe
) -> CleanImage:
    """A clean image with the depth that was prepared; 0 everywhere where there is none.

    Args:
        clean: the image.
        asset: its input.
        background: whether it is a background; others have no depth.
        recipe: says how depth was prepared.
    """
    depth = None
    if background:
        with contextlib.suppress(Refused):
            depth = background_depth(asset, recipe).depth
    if depth is None:
        nothing = np.zeros((clean.height, clean.width), np.uint16)
        return replace(clean, depth=encode_16_bit(nothing))
    stored = quantise(depth[None], _BITS)
    scale, offset = float(stored.scale[0]), float(stored.offset[0])
    file = encode_16_bit(stored.pixels[0])
    return replace(clean, depth=file, depth_scale=scale, depth_offset=offset)


def make_clean(
    plan: Plan, asset: InputImage, foreground: bool, recipe: Recipe
) -> tuple[CleanImage, Statistics]:
    """A clean image with all that the data set holds of it, and its counts."""
    clean, counts = (clean_foreground if foreground else clean_background)(plan, asset)
    if recipe.layered:
        clean = with_depth(clean, asset, not foreground, recipe)
    return clean, counts


def write_clean_shard(shard: ShardSpec, recipe: Recipe) -> ShardRecord:
    """Writes one shard of clean images in all formats that hold them."""
    folder, plan = recipe.folder, load_plan(recipe.plan_path)
    opened = (FORMATS[name].open_clean(folder, shard, recipe.schema) for name in recipe.formats)
    sinks: list[Sink[CleanImage]] = [sink for sink in opened if sink is not None]
    statistics = Statistics()
    assets = plan.foregrounds if shard.split == FOREGROUNDS else plan.backgrounds
    try:
        for asset in assets[shard.start : shard.stop]:
            clean, counts = make_clean(plan, asset, shard.split == FOREGROUNDS, recipe)
            statistics += counts
            for sink in sinks:
                sink.write(clean)
    except BaseException:
        for sink in sinks:
            sink.discard()
        raise
    files = tuple(file for sink in sinks for file in sink.close())
    record = ShardRecord(shard, files, (), statistics)
    write_record(folder, record)
    return record
