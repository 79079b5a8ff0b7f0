"""The elements that travel between the steps of the pipeline: small frozen dataclasses."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from transforms.pixels.cutout import SOLID as SOLID
from transforms.report.statistics import Statistics
from transforms.scenes.labels import SceneLabels, SceneObject

PREPARE = "Prepare"
"""Step of the failures of samples whose background could not be prepared."""


@dataclass(frozen=True, order=True)
class ShardSpec:
    """One output shard: a range of a split's samples in their mixed order.

    Example:
        >>> ShardSpec("train", 3, 100, 12000, 16000).name
        'train-00003-of-00100'

    Attributes:
        split: name of the split.
        index: number of the shard within its split, from 0.
        of: number of shards in the split.
        start: position of its first sample in the split's mixed order.
        stop: position after its last one.
    """

    split: str
    index: int
    of: int
    start: int
    stop: int

    @property
    def name(self) -> str:
        """Name of the shard, without extension."""
        return f"{self.split}-{self.index:05d}-of-{self.of:05d}"

    @property
    def count(self) -> int:
        """How many samples the shard promises."""
        return self.stop - self.start


@dataclass(frozen=True, order=True)
class Placement:
    """One sample: which foreground is pasted where on which background.

    Example:
        >>> Placement(7, 12, 1, 20, 10, 3, 80, 41, "fg_bg_").key
        'fg_bg_7_12_1_20'

    Attributes:
        fg_id: id of the foreground.
        bg_id: id of the background.
        flip: 1 for the mirror image of the foreground, else 0.
        seq: number of the placement, from 1.
        x: column of the paste's left edge in pixels.
        y: row of its top edge.
        width: width of the pasted foreground in pixels.
        height: its height.
        prefix: what its key begins with; empty in data sets of older layouts.
    """

    fg_id: int
    bg_id: int
    flip: int
    seq: int
    x: int
    y: int
    width: int
    height: int
    prefix: str = ""

    @property
    def numbers(self) -> str:
        """What names the sample in every data set: `{fg}_{bg}_{flip}_{seq}`."""
        return f"{self.fg_id}_{self.bg_id}_{self.flip}_{self.seq}"

    @property
    def key(self) -> str:
        """The sample's key: its numbers after the prefix."""
        return self.prefix + self.numbers


def key_numbers(key: str) -> tuple[int, int, int, int]:
    """fg_id, bg_id, flip and seq of a key, with or without a prefix."""
    fg_id, bg_id, flip, seq = map(int, key.split("_")[-4:])
    return fg_id, bg_id, flip, seq


@dataclass(frozen=True)
class Failure:
    """A sample that could not be made.

    Attributes:
        key: the sample's key.
        step: the step that failed, such as `Depth`.
        reason: what went wrong.
    """

    key: str
    step: str
    reason: str

    @property
    def of_input(self) -> bool:
        """Whether an input is to blame, which is named and counted as such."""
        return self.step == PREPARE


@dataclass(frozen=True)
class BoundingBox:
    """Smallest rectangle around the pixels with mask >= 128, in pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Sample:
    """One finished sample, encoded.

    Attributes:
        placement: what it is made of.
        image: the composite as a JPEG or PNG file.
        mask: the mask as an 8-bit grey PNG file.
        bbox: rectangle around the pixels with mask >= 128.
        area: number of pixels with mask >= 128.
        depth: the depth map as a 16-bit grey PNG file, or None without depth.
        depth_scale: value = pixel * depth_scale + depth_offset; a float32 number.
        depth_offset: see `depth_scale`.
        object_depth: the value of the object's layer in the depth map; None where depth is not
            layered.
        category: what the foreground shows; None where the samples have no categories.
        jpegs: the three pictures as JPEG files (composite, mask, depth with near bright), made only
            when a format asks for them; the last is None without depth.
        mask_pixels: uint8 [height, width], the mask, where a format asks for it.
        instances: the instances as an 8-bit grey PNG file; None where samples are no scenes.
        objects: the labelled objects of a scene, from far to near.
        instance_pixels: uint8 [height, width], the instances, where a format asks for the mask.
        background_box: x, y, width, height of what is shown of the background, in its pixels; None
            where samples show its middle.
    """

    placement: Placement
    image: bytes
    mask: bytes
    bbox: BoundingBox
    area: int
    depth: bytes | None = None
    depth_scale: float = 0.0
    depth_offset: float = 0.0
    object_depth: float | None = None
    category: str | None = None
    jpegs: tuple[bytes, bytes, bytes | None] | None = None
    mask_pixels: np.ndarray | None = None
    instances: bytes | None = None
    objects: tuple[SceneObject, ...] = ()
    instance_pixels: np.ndarray | None = None
    background_box: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive samples of one shard that pass through the steps together.

    Each step adds what it makes. Arrays hold the samples that are still alive, in the order of
    `placements`; Encode turns them into samples.

    Attributes:
        shard: the shard that the samples belong to.
        first: number of the block's first sample within the shard, from 0.
        promised: how many samples the block had at first; alive and failed ones together.
        placements: the alive samples.
        failures: the failed ones, which count as seen when the shard is written.
        images: uint8 [n, height, width, 3], the composites.
        masks: uint8 [n, height, width], alpha of the paste.
        depth: float32 [n, height, width], in the numbers of the depth model, all finite.
        object_depth: float32 [n], the value of each object in its depth map.
        scenes: objects of each composite; empty where samples are no scenes.
        samples: the alive samples, encoded.
        statistics: counts over them.
    """

    shard: ShardSpec
    first: int
    promised: int
    placements: tuple[Placement, ...]
    failures: tuple[Failure, ...] = ()
    images: np.ndarray | None = None
    masks: np.ndarray | None = None
    depth: np.ndarray | None = None
    object_depth: np.ndarray | None = None
    scenes: tuple[SceneLabels, ...] = ()
    samples: tuple[Sample, ...] = ()
    statistics: Statistics | None = None

    def without(self, failed: dict[int, Failure]) -> "Block":
        """The block, not yet encoded, after some of its samples have failed.

        Args:
            failed: failures by their position among the alive samples.
        """
        if not failed:
            return self
        alive = [i for i in range(len(self.placements)) if i not in failed]
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        kept: dict[str, Any] = {k: v[alive] for k, v in values.items() if isinstance(v, np.ndarray)}
        return replace(
            self,
            placements=tuple(self.placements[i] for i in alive),
            failures=self.failures + tuple(failed[i] for i in sorted(failed)),
            scenes=tuple(self.scenes[i] for i in alive) if self.scenes else (),
            **kept,
        )


@dataclass(frozen=True, eq=False)
class CleanImage:
    """A resized foreground or background as a picture of its own in the data set, encoded.

    Attributes:
        id: its id.
        file: name of the input file.
        image: RGB PNG file; a foreground shows black where it is transparent.
        mask: 8-bit grey PNG file of its alpha; white everywhere for a background.
        width: width in pixels.
        height: height in pixels.
        depth: depth map as a 16-bit grey PNG file, where depth is layered; 0 everywhere for a
            foreground. None without.
        depth_scale: value = pixel * depth_scale + depth_offset; 0 where there is no depth.
        depth_offset: see `depth_scale`.
    """

    id: int
    file: str
    image: bytes
    mask: bytes
    width: int
    height: int
    depth: bytes | None = None
    depth_scale: float = 0.0
    depth_offset: float = 0.0
