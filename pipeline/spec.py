"""What a data set is made of: one frozen dataclass, checked before anything starts."""

import dataclasses
import json
import re
from dataclasses import dataclass

from transforms.formats import FORMATS
from transforms.plan.inputs import SplitShare
from transforms.steps.clean import BACKGROUNDS, FOREGROUNDS

DEFAULT_SPLITS = (SplitShare("train", 1.0),)


class SpecError(ValueError):
    """A request that cannot be carried out; one line that says what would be right."""


@dataclass(frozen=True)
class DatasetSpec:
    """A data set: its inputs, its size and how it is stored.

    Attributes:
        foregrounds: folder or glob of cut-outs, in any place that Beam's FileSystems reads.
        backgrounds: folder or glob of backgrounds.
        output: folder of the data set.
        masks: folder or glob of masks for foregrounds without alpha, matched by id.
        image_size: side of the composites in pixels.
        foreground_size: side of the square that a pasted foreground fits into, in pixels.
        placements: placements of one foreground, flip and background.
        flip: whether mirror images are pasted as well.
        scale_jitter: lowest and highest factor on the foreground's size, or None for 1.
        seed: seed of placements and order.
        num_shards: number of shards over all splits; None for about 4,000 samples a shard.
        formats: of `tfrecord`, `parquet`, `webdataset`, `coco`, `zip`.
        depth_model: `builtin`, `none`, `onnx:PATH`, `hf:ID_OR_DIR` or `torchscript:PATH`.
        image_encoding: `png` or `jpeg:QUALITY`, for the composites.
        depth_bits: significant bits of the stored depth, 1 to 16.
        splits: names and shares of the splits, dealt out by foreground.
        max_samples: size of an even subset, or None for all samples.
        on_error: `skip` leaves bad inputs out, `fail` stops at them.
        max_failures: share of samples that may fail before the job stops, 0 to 1.
        categories: CSV file that says what the foregrounds show, for COCO; None for the name of
            the folder that each file is in.
    """

    foregrounds: str
    backgrounds: str
    output: str
    masks: str | None = None
    image_size: int = 160
    foreground_size: int = 80
    placements: int = 20
    flip: bool = True
    scale_jitter: tuple[float, float] | None = None
    seed: int = 0
    num_shards: int | None = None
    formats: tuple[str, ...] = ("tfrecord", "parquet")
    depth_model: str = "builtin"
    image_encoding: str = "jpeg:90"
    depth_bits: int = 10
    splits: tuple[SplitShare, ...] = DEFAULT_SPLITS
    max_samples: int | None = None
    on_error: str = "skip"
    max_failures: float = 0.001
    categories: str | None = None

    @property
    def with_depth(self) -> bool:
        """Whether the data set has depth maps."""
        return self.depth_model != "none"

    @property
    def image_format(self) -> str:
        """`jpeg` or `png`."""
        return self.image_encoding.partition(":")[0]

    @property
    def quality(self) -> int:
        """JPEG quality; 90 for the pictures of batch zips when the composites are PNG."""
        return int(self.image_encoding.partition(":")[2] or 90)

    def paths(self) -> list[tuple[str, str]]:
        """Flag and value of each place that is read from or written to."""
        flags = ("foregrounds", "backgrounds", "masks", "categories", "output")
        return [(flag, getattr(self, flag)) for flag in flags if getattr(self, flag)]

    def check(self) -> None:
        """Raises SpecError when a value is impossible."""
        for name in ("image_size", "foreground_size", "placements", "num_shards", "max_samples"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SpecError(f"--{name}={value} is impossible; give at least 1")
        if self.image_size > MAX_SIDE:
            raise SpecError(f"--image_size={self.image_size} is impossible; at most {MAX_SIDE}")
        low, high = self.scale_jitter or (1.0, 1.0)
        if not 0 < low <= high:
            raise SpecError(
                f"--scale_jitter={low:g}:{high:g} is impossible; give LOW:HIGH, 0 < LOW <= HIGH"
            )
        if round(self.foreground_size * high) > self.image_size:
            raise SpecError(
                f"--foreground_size={self.foreground_size}"
                f"{f' times {high:g}' if self.scale_jitter else ''} does not fit into"
                f" --image_size={self.image_size}; make it at most that"
            )
        if (
            not re.fullmatch(r"png|jpeg(:\d+)?", self.image_encoding)
            or not 1 <= self.quality <= 100
        ):
            raise SpecError(
                f"--image_encoding={self.image_encoding} is unknown; give png or jpeg:1 to jpeg:100"
            )
        if not 1 <= self.depth_bits <= 16:
            raise SpecError(f"--depth_bits={self.depth_bits} is impossible; give 1 to 16")
        if not 0 <= self.max_failures <= 1:
            raise SpecError(f"--max_failures={self.max_failures} is impossible; give 0 to 1")
        if self.on_error not in ("skip", "fail"):
            raise SpecError(f"--on_error={self.on_error} is unknown; give skip or fail")
        if not -(2**63) <= self.seed < 2**63:
            raise SpecError(f"--seed={self.seed} is impossible; give an integer of 64 bits")
        unknown = sorted(set(self.formats) - set(FORMATS))
        if unknown or not self.formats or len(set(self.formats)) < len(self.formats):
            raise SpecError(
                f"--formats={','.join(self.formats)} is impossible; give each of"
                f" {', '.join(FORMATS)} at most once"
            )
        if self.categories is not None and "coco" not in self.formats:
            raise SpecError(
                f"--categories={self.categories} is for --formats=coco; add coco to them"
            )
        self._check_splits()

    def _check_splits(self) -> None:
        text = ",".join(f"{split.name}:{split.share:g}" for split in self.splits)
        names = [split.name for split in self.splits]
        if not names or len(set(names)) < len(names):
            raise SpecError(f"--split={text} is impossible; give each split once")
        for split in self.splits:
            if not re.fullmatch(r"[a-zA-Z]\w*", split.name, re.ASCII):
                raise SpecError(
                    f"--split={text}: {split.name!r} is no name of a split; use letters, digits, _"
                )
            if split.name in (FOREGROUNDS, BACKGROUNDS, "all"):
                raise SpecError(f"--split={text}: the name {split.name!r} is taken")
            if not split.share > 0:
                raise SpecError(f"--split={text}: give each split a share above 0")
        total = sum(split.share for split in self.splits)
        if abs(total - 1) > 1e-6:
            raise SpecError(
                f"--split={text}: the shares add up to {total:g}; they must add up to 1"
            )

    def to_json(self) -> str:
        """The spec as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "DatasetSpec":
        """Reads what `to_json` has written."""
        fields = json.loads(text)
        jitter = fields["scale_jitter"]
        return cls(
            **{
                **fields,
                "formats": tuple(fields["formats"]),
                "scale_jitter": None if jitter is None else (jitter[0], jitter[1]),
                "splits": tuple(SplitShare(**split) for split in fields["splits"]),
            }
        )


MAX_SIDE = 16384
"""Largest side of a composite: the widest picture that every reader of the formats accepts."""


def parse_splits(text: str) -> tuple[SplitShare, ...]:
    """Reads `train:0.9,test:0.1`. Raises SpecError when it is spelt otherwise."""
    try:
        pairs = [part.split(":") for part in text.split(",")]
        return tuple(SplitShare(name.strip(), float(share)) for name, share in pairs)
    except ValueError:
        raise SpecError(f"--split={text} is not understood; give train:0.9,test:0.1") from None


def parse_jitter(text: str) -> tuple[float, float]:
    """Reads `0.5:1.0`. Raises SpecError when it is spelt otherwise."""
    try:
        low, high = text.split(":")
        return float(low), float(high)
    except ValueError:
        raise SpecError(f"--scale_jitter={text} is not understood; give 0.5:1.0") from None
