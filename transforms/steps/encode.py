"""Encode step: each picture is encoded once, and counted over the pixels that a reader will see."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from transforms.elements import Block, Failure, Placement, Sample
from transforms.pixels.codecs import (
    decode_jpegs,
    encode_16_bit,
    encode_jpeg,
    encode_mask,
    encode_rgb,
)
from transforms.pixels.size import Size
from transforms.plan.plan import Plan, load_plan
from transforms.recipe import Recipe
from transforms.report.object_counts import ObjectCounts
from transforms.report.statistics import DepthCounts, Statistics
from transforms.scenes.labels import SceneLabels, SceneObject
from transforms.steps.mask import bounding_box

_NO_SPAN = 1e-30  # Below it, 2**16 levels in a map would need steps that float32 does not have.


@dataclass(frozen=True, eq=False)
class QuantisedDepth:
    """Depth maps as integers: value = pixel * scale + offset.

    Attributes:
        pixels: uint16 [n, height, width]; each map uses its whole range.
        scale: float32 [n].
        offset: float32 [n].
    """

    pixels: np.ndarray
    scale: np.ndarray
    offset: np.ndarray


def quantise(depth: np.ndarray, bits: int) -> QuantisedDepth:
    """Stretches each depth map to the top `bits` bits of 16-bit integers.

    Args:
        depth: float32 [n, height, width], finite, not constant.
        bits: 1 to 16.
    """
    low = depth.min(axis=(1, 2))
    span = depth.max(axis=(1, 2)).astype(np.float64) - low
    span[span < _NO_SPAN] = 1.0
    levels = 2**bits - 1
    share = depth - low[:, None, None]
    share *= (levels / span).astype(np.float32)[:, None, None]
    # Three roundings to 24 bits take the largest, `levels`, nowhere near the next integer.
    share += np.float32(0.5)
    pixels = share.astype(np.uint16)
    pixels <<= 16 - bits
    scale = (span / (levels << (16 - bits))).astype(np.float32)
    return QuantisedDepth(pixels, scale, low.astype(np.float32))


def encode(block: Block, recipe: Recipe) -> Block:
    """Encodes the samples of a block; one that cannot be encoded becomes a failure.

    Args:
        block: with images and masks, and depth where the data set has it.
        recipe: how.

    Returns:
        The block with `samples` and `statistics` instead of its arrays.
    """
    if not block.placements:  # Counts of no picture at all are those of an empty shard.
        fields = (block.shard, block.first, block.promised, (), block.failures)
        return Block(*fields, statistics=Statistics())
    encoded: list[tuple[bytes, bytes, bytes | None]] = []
    failed: dict[int, Failure] = {}
    quantised = None if block.depth is None else quantise(block.depth, recipe.depth_bits)
    for i, placement in enumerate(block.placements):
        try:
            encoded.append(_encode_one(block, quantised, i, recipe))
        except Exception as error:  # Encoders are foreign code; a failure costs one sample.
            failed[i] = _failure(placement, error)
    if failed:
        return encode(block.without(failed), recipe)
    assert block.images is not None and block.masks is not None
    seen = block.images
    if recipe.image_format == "jpeg":
        seen = decode_jpegs([image for image, _, _ in encoded], *block.masks.shape[1:])
    plan = load_plan(recipe.plan_path) if recipe.categories else None
    needs = recipe.needs
    samples: list[Sample] = []
    for i, (placement, files) in enumerate(zip(block.placements, encoded, strict=True)):
        bbox, area = bounding_box(block.masks[i])
        samples.append(
            Sample(
                placement,
                image=files[0],
                mask=files[1],
                bbox=bbox,
                area=area,
                depth=files[2],
                depth_scale=0.0 if quantised is None else float(quantised.scale[i]),
                depth_offset=0.0 if quantised is None else float(quantised.offset[i]),
                object_depth=None if block.object_depth is None else float(block.object_depth[i]),
                category=None if plan is None else plan.category_of(placement.fg_id),
                jpegs=_jpegs(block, quantised, i, files[0], recipe) if "jpegs" in needs else None,
                mask_pixels=block.masks[i] if "mask_pixels" in needs else None,
            )
        )
    if block.scenes:
        samples = [
            _with_objects(sample, labels, plan, "mask_pixels" in needs)
            for sample, labels in zip(samples, block.scenes, strict=True)
        ]
    objects = None
    if recipe.scenes is not None:
        objects = count_objects([sample.objects for sample in samples], recipe)
    statistics = Statistics.of_samples(
        images=seen,
        masks=block.masks,
        image_bytes=sum(len(sample.image) for sample in samples),
        mask_bytes=sum(len(sample.mask) for sample in samples),
        depth=None
        if quantised is None
        else DepthCounts.of(
            quantised.pixels,
            quantised.scale,
            quantised.offset,
            sum(len(sample.depth or b"") for sample in samples),
        ),
        objects=objects,
    )
    return Block(
        block.shard,
        block.first,
        block.promised,
        block.placements,
        block.failures,
        samples=tuple(samples),
        statistics=statistics,
    )


def count_objects(pictures: Sequence[Sequence[SceneObject]], recipe: Recipe) -> ObjectCounts:
    """Counts over the objects of composites, class by class."""
    plan = load_plan(recipe.plan_path)
    height = recipe.image_size.height
    return ObjectCounts.of(pictures, height, plan.class_numbers, len(plan.class_names))


def _with_objects(
    sample: Sample, labels: SceneLabels, plan: Plan | None, with_pixels: bool
) -> Sample:
    objects = labels.objects
    if plan is not None:
        objects = tuple(replace(found, category=plan.category_of(found.fg_id)) for found in objects)
    return replace(
        sample,
        instances=encode_mask(labels.instances),
        objects=objects,
        instance_pixels=labels.instances if with_pixels else None,
        background_box=None if labels.crop is None else labels.crop.box,
    )


def _encode_one(
    block: Block, quantised: QuantisedDepth | None, i: int, recipe: Recipe
) -> tuple[bytes, bytes, bytes | None]:
    assert block.images is not None and block.masks is not None
    if recipe.image_format == "jpeg":
        image = encode_jpeg(block.images[i], recipe.quality)
    else:
        image = encode_rgb(block.images[i])
    depth = None if quantised is None else encode_16_bit(quantised.pixels[i])
    return image, encode_mask(block.masks[i]), depth


def _jpegs(
    block: Block, quantised: QuantisedDepth | None, i: int, image: bytes, recipe: Recipe
) -> tuple[bytes, bytes, bytes | None]:
    assert block.images is not None and block.masks is not None
    if recipe.image_format != "jpeg":
        image = encode_jpeg(block.images[i], recipe.quality)
    depth = None
    if quantised is not None:
        depth = shown_depth(quantised.pixels[i], recipe)
    return image, encode_jpeg(block.masks[i], recipe.quality), depth


def shown_depth(pixels: np.ndarray, recipe: Recipe) -> bytes:
    """A depth map as a grey JPEG file, near bright.

    Args:
        pixels: uint16 [height, width], as they are stored.
        recipe: its quality and size, and what near is.
    """
    grey = (pixels >> 8).astype(np.uint8)
    grey = _shrunk(grey if recipe.near_is_large else 255 - grey, recipe.zip_depth_size)
    return encode_jpeg(grey, recipe.quality)


def _shrunk(grey: np.ndarray, size: Size | None) -> np.ndarray:
    """A grey picture at a smaller size, each pixel the mean of the area it covers."""
    if size is None or size.shape == grey.shape:
        return grey
    return np.asarray(Image.fromarray(grey).resize(size.pair, Image.Resampling.BOX))


def _failure(placement: Placement, error: Exception) -> Failure:
    return Failure(placement.key, "Encode", f"{type(error).__name__}: {error}")
