"""What a data set is made of: one frozen dataclass, checked before anything starts."""

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipeline.cutout_request import DOUBT_HELP, MODELS, PARTS_HELP
from pipeline.option import (
    Choice,
    Factors,
    Kind,
    Place,
    Refused,
    Share,
    SpecError,
    Switch,
    Text,
    Whole,
    Words,
    declared,
    documented,
    nearest,
    normalise,
    option,
    whole,
)
from pipeline.scene_spec import PRESETS, Angles, Objects, resolved_options
from transforms.formats import NAMES
from transforms.pixels.size import Size
from transforms.plan.inputs import SplitShare

__all__ = ["MAX_SIDE", "DatasetSpec", "SpecError", "SplitShare"]

DEFAULT_PASSES, MOST_PASSES = 8, 12
"""Passes of the depth model over each clean background, with layered labels."""

MAX_SIDE = 16384
"""Largest side of a composite: the widest picture that every reader of the formats accepts."""

# Headings of the help.
_INPUTS = "inputs and output (folders, globs, gs:// and similar)"
_SAMPLES = "samples"
_STORAGE = "storage"
_DEPTH = "depth"
_SCENES = "scenes"

_PRESET = "as the preset says"


class Encoding(Kind):
    """How composites are stored: `png` or `jpeg:QUALITY`."""

    metavar = "png|jpeg:Q"

    def accept(self, value: object) -> str:
        """The encoding."""
        if not isinstance(value, str) or not re.fullmatch(
            r"png|jpeg(:0*([1-9][0-9]?|100))?", value
        ):
            raise Refused("is unknown; give png or jpeg:1 to jpeg:100")
        return value


class License(Kind):
    """An SPDX identifier (https://spdx.org/licenses)."""

    metavar = "SPDX"

    def accept(self, value: object) -> str:
        """The identifier."""
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]*", value):
            raise Refused("is not an SPDX identifier; give one such as CC-BY-4.0")
        return value


class Day(Kind):
    """A day as YYYY-MM-DD."""

    metavar = "YYYY-MM-DD"

    def accept(self, value: object) -> str:
        """The day as text."""
        try:
            text = value.isoformat() if type(value) is date else f"{value}"  # As YAML reads it.
            if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                raise ValueError
            date.fromisoformat(text)
        except ValueError:
            raise Refused("is no day; give one such as 2026-03-01") from None
        return text


class Shares(Kind):
    """Names and shares of splits: `train:0.9,test:0.1`, a mapping, or pairs."""

    metavar = "NAME:SHARE,..."

    def parse(self, text: str) -> tuple[SplitShare, ...]:
        """The shares that a text spells."""
        try:
            pairs = [part.split(":") for part in text.split(",")]
            shares = [SplitShare(name.strip(), float(share)) for name, share in pairs]
        except ValueError:
            raise Refused("is not understood; give train:0.9,test:0.1") from None
        return self.accept(shares)

    def accept(self, value: object) -> tuple[SplitShare, ...]:
        """The value as shares."""
        if isinstance(value, str):
            return self.parse(value)
        items: Any = value.items() if isinstance(value, Mapping) else value
        try:
            shares = tuple(_share(item) for item in items)
        except (TypeError, ValueError, KeyError):
            raise Refused("is invalid; give names and shares such as train:0.9") from None
        names = [share.name for share in shares]
        if not names or len(set(names)) < len(names):
            raise Refused("is invalid; give each split once")
        if not all(0 < share.share < math.inf for share in shares):
            raise Refused("is invalid; give each split a share above 0")
        return shares

    def text(self, value: Any) -> str:
        """As on the command line."""
        shares = [_share(item) for item in value]
        return ",".join(f"{share.name}:{share.share:g}" for share in shares)


def _share(item: Any) -> SplitShare:
    if isinstance(item, Mapping):  # As in a set's `state/spec.json`.
        item = (item["name"], item["share"])
    name, share = (item.name, item.share) if isinstance(item, SplitShare) else item
    if not isinstance(name, str) or isinstance(share, str):
        raise TypeError
    return SplitShare(name, float(share))


def parse_splits(text: str) -> tuple[SplitShare, ...]:
    """Reads `train:0.9,test:0.1`. Raises Refused when it is spelt otherwise."""
    return Shares().parse(text)


@dataclass(frozen=True)
class Sides(Kind):
    """Sides of pictures in pixels: `160` for squares, else width and height, `208x160`."""

    metavar: str = "N|WxH"

    def accept(self, value: object) -> int | str:
        """The side of a square as an int, any other size as text."""
        size = value if isinstance(value, Size) else None
        try:
            size = size or Size.of(value if isinstance(value, str) else f"{whole(value)}")
        except ValueError:
            raise Refused("is not understood; give N, or WIDTHxHEIGHT such as 208x160") from None
        if not 1 <= size.short <= size.long <= MAX_SIDE:
            each = "" if isinstance(size.spelt, int) else " for each side"
            raise Refused(f"is invalid; give 1 to {MAX_SIDE}{each}")
        return size.spelt


@documented
@dataclass(frozen=True)
class DatasetSpec:
    """A data set: its inputs, its size and how it is stored.

    Every field is an option of the command line and a key of a config file. What Python gives is
    taken where its meaning is plain: paths, NumPy's numbers, lists for tuples.

    Raises:
        SpecError: an option does not take its value.
    """

    foregrounds: str = field(
        metadata=option(
            _INPUTS,
            Place("DIR_OR_GLOB"),
            "cut-outs with alpha, or photographs to cut out",
        )
    )
    backgrounds: str = field(
        metadata=option(_INPUTS, Place("DIR_OR_GLOB"), "photographs to paste on")
    )
    output: str = field(metadata=option(_INPUTS, Place("DIR"), "folder of the data set"))
    masks: str | None = field(
        default=None,
        metadata=option(
            _INPUTS,
            Place("DIR_OR_GLOB"),
            "grey masks for foregrounds without alpha, white where they are opaque; matched by path"
            " or name, with or without _mask, -mask, _alpha or _matte, else by number",
        ),
    )
    image_size: int | str = field(
        default=160,
        metadata=option(_SAMPLES, Sides(), "side in pixels, or width x height such as 208x160"),
    )
    foreground_size: int = field(
        default=80,
        metadata=option(
            _SAMPLES, Whole(1), "side of the square that a pasted foreground fits into, in pixels"
        ),
    )
    placements: int = field(
        default=20,
        metadata=option(
            _SAMPLES,
            Whole(1),
            "places of each foreground, and of its mirror image, on each background",
        ),
    )
    flip: bool = field(
        default=True, metadata=option(_SAMPLES, Switch(), "paste mirror images as well")
    )
    scale_jitter: tuple[float, float] | None = field(
        default=None,
        metadata=option(
            _SAMPLES,
            Factors(),
            "vary the foreground's size by a factor, such as 0.5:1.0",
            unset="none",
        ),
    )
    seed: int = field(
        default=0,
        metadata=option(_SAMPLES, Whole(-(2**63), 2**63 - 1), "seed of places and order"),
    )
    num_shards: int | None = field(
        default=None,
        metadata=option(
            _STORAGE,
            Whole(1, auto=True),
            "number of shards",
            unset="auto: about 4,000 samples each, in small sets fewer, at most 50,000 shards",
        ),
    )
    formats: tuple[str, ...] = field(
        default=("tfrecord", "parquet"),
        metadata=option(_STORAGE, Words(), f"of {', '.join(NAMES)}"),
    )
    depth_model: str = field(
        default="builtin",
        metadata=option(
            _DEPTH,
            Text("MODEL"),
            "builtin, none, onnx:PATH, hf:ID_OR_DIR (a transformers depth-estimation model) or"
            " torchscript:PATH",
        ),
    )
    image_encoding: str = field(
        default="jpeg:90",
        metadata=option(_STORAGE, Encoding(), "of the composites; masks and depth are always PNG"),
    )
    depth_bits: int = field(
        default=10,
        metadata=option(
            _STORAGE,
            Whole(1, 16),
            "significant bits of the 16-bit depth maps; fewer are smaller",
        ),
    )
    splits: tuple[SplitShare, ...] = field(
        default=(SplitShare("train", 1.0),),
        metadata=option(
            _SAMPLES,
            Shares(),
            "such as train:0.9,test:0.1; split by foreground, so that no test object is in"
            " training",
            flag="split",
        ),
    )
    max_samples: int | None = field(
        default=None,
        metadata=option(_SAMPLES, Whole(1), "an even subset, for a trial", unset="all"),
    )
    on_error: str = field(
        default="skip",
        metadata=option(
            _INPUTS,
            Choice(("skip", "fail")),
            "leave out unusable inputs and name them in errors/, or stop",
        ),
    )
    max_failures: float = field(
        default=0.001,
        metadata=option(_INPUTS, Share(), "share of samples that may fail before the job stops"),
    )
    categories: str | None = field(
        default=None,
        metadata=option(
            _INPUTS,
            Place("CSV"),
            "what the foregrounds show: a table whose first line is file,category or id,category",
            unset="the name of the folder that each is in, where there are several",
        ),
    )

    crop: bool = field(
        default=True,
        metadata=option(
            _SAMPLES, Switch(), "cut the transparent margins off the foregrounds first"
        ),
    )
    depth_labels: str | None = field(
        default=None,
        metadata=option(
            _DEPTH,
            Choice(("predicted", "layered")),
            "predicted from each composite; or layered: the model sees each clean background once,"
            " and objects are placed on its map by rule, which is faster and agrees with the masks",
            unset="predicted; layered with --preset=natural",
        ),
    )
    depth_passes: int | None = field(
        default=None,
        metadata=option(
            _DEPTH,
            Whole(1, MOST_PASSES),
            "with layered labels, sizes and mirror images that a background's depth is averaged"
            " over",
            unset=f"{DEFAULT_PASSES}",
        ),
    )
    cutout_model: str = field(
        default="auto",
        metadata=option(
            _INPUTS,
            Text("MODEL"),
            f"cuts foregrounds out that have no alpha and no mask: none, {MODELS}",
        ),
    )
    cutout_parts: str = field(
        default="all",
        metadata=option(_INPUTS, Choice(("all", "largest", "separate")), PARTS_HELP),
    )
    cutout_doubt: str = field(
        default="skip", metadata=option(_INPUTS, Choice(("skip", "keep")), DOUBT_HELP)
    )

    preset: str = field(
        default="classic",
        metadata=option(
            _SCENES,
            Choice(PRESETS),
            "classic: one object anywhere, as it is; natural: several objects on the ground, in the"
            " light of the picture, with layered depth; options given beside it win",
        ),
    )
    objects: tuple[int, int] | None = field(
        default=None,
        metadata=option(
            _SCENES,
            Objects(),
            "fewest and most objects of a picture; companions are of the same split",
            unset=_PRESET,
        ),
    )
    min_visible: float | None = field(
        default=None,
        metadata=option(
            _SCENES, Share(), "share of each object that stays visible at least", unset="0.3"
        ),
    )
    placing: str | None = field(
        default=None,
        metadata=option(
            _SCENES,
            Choice(("anywhere", "grounded")),
            "anywhere, or standing on the ground that a depth model sees, in its perspective",
            unset=_PRESET,
        ),
    )
    occlude: bool | None = field(
        default=None,
        metadata=option(
            _SCENES,
            Switch(),
            "with grounded placing, nearer things of the background hide objects",
            unset="no",
        ),
    )
    truncation: float | None = field(
        default=None,
        metadata=option(
            _SCENES, Share(), "share of an object that may hang out of the picture", unset=_PRESET
        ),
    )
    rotation: tuple[float, float] | None = field(
        default=None,
        metadata=option(
            _SCENES, Angles(), "angles by which objects are turned, such as -10:10", unset=_PRESET
        ),
    )
    colour_jitter: float | None = field(
        default=None,
        metadata=option(
            _SCENES,
            Share(),
            "strength of changes of brightness, contrast and saturation",
            unset=_PRESET,
        ),
    )
    harmonise: float | None = field(
        default=None,
        metadata=option(
            _SCENES,
            Share(),
            "most of the way from an object's colours to those of its surroundings",
            unset=_PRESET,
        ),
    )
    edges: str | None = field(
        default=None,
        metadata=option(
            _SCENES,
            Choice(("alpha", "mixed")),
            "borders as they are; or some hard, soft, eroded or blended by Poisson's equation",
            unset=_PRESET,
        ),
    )
    shadow: float | None = field(
        default=None,
        metadata=option(_SCENES, Share(), "share of the objects that cast a shadow", unset=_PRESET),
    )
    photo_effects: float | None = field(
        default=None,
        metadata=option(
            _SCENES,
            Share(),
            "share of the pictures that are blurred, noisy or compressed",
            unset=_PRESET,
        ),
    )
    negatives: float | None = field(
        default=None,
        metadata=option(
            _SCENES, Share(), "share of the pictures without a labelled object", unset=_PRESET
        ),
    )
    distractors: str | None = field(
        default=None,
        metadata=option(
            _SCENES,
            Place("DIR_OR_GLOB"),
            "cut-outs that are pasted without a label and may hide labelled ones",
        ),
    )
    distractor_share: float | None = field(
        default=None,
        metadata=option(
            _SCENES,
            Share(),
            "share of the pictures with distractors",
            unset="0.5 with --distractors, else 0",
        ),
    )
    background_crop: str | None = field(
        default=None,
        metadata=option(
            _SCENES,
            Choice(("centre", "random")),
            "the part of a background that is shown, in the picture's aspect: the largest one, or"
            " for each sample another, from half of that on and no smaller than the picture",
            unset="centre",
        ),
    )
    exclude: str | None = field(
        default=None,
        metadata=option(
            _SAMPLES,
            Place("FILE"),
            "keys of samples that are not made, a line each, such as the picks of the viewer",
        ),
    )
    zip_depth_size: int | str | None = field(
        default=None,
        metadata=option(
            _STORAGE,
            Sides(),
            "size of the depth maps in batch zips, as --image_size, for models with a smaller map",
            unset="that of the composites",
        ),
    )
    license: str | None = field(
        default=None,
        metadata=option(
            _STORAGE,
            License(),
            "licence of the data set, for its card and descriptions, such as CC-BY-4.0",
            unset="not given",
        ),
    )
    credits: str | None = field(
        default=None,
        metadata=option(
            _INPUTS,
            Place("CSV"),
            "who made the inputs, and under which terms: a table whose first line is"
            " file,author,licence,source, with a row for each picture",
            unset="not given",
        ),
    )
    published: str | None = field(
        default=None,
        metadata=option(
            _STORAGE,
            Day(),
            "day on which the data set is published, for its descriptions",
            unset="not given",
        ),
    )
    creator: str | None = field(
        default=None,
        metadata=option(
            _STORAGE,
            Text("NAME"),
            "who makes the data set, for its card, citation and descriptions",
            unset="not given",
        ),
    )

    def __post_init__(self) -> None:
        normalise(self)

    def with_preset(self) -> "DatasetSpec":
        """The spec with every option that its preset decides written out."""
        return dataclasses.replace(self, **resolved_options(self))

    @property
    def with_depth(self) -> bool:
        """Whether the data set has depth maps."""
        return self.depth_model != "none"

    @property
    def passes(self) -> int | None:
        """Passes of the depth model over each clean background; None where depth is predicted."""
        layered = self.with_depth and resolved_options(self)["depth_labels"] == "layered"
        return (self.depth_passes or DEFAULT_PASSES) if layered else None

    @property
    def size(self) -> Size:
        """Size of the composites."""
        return Size.of(self.image_size)

    @property
    def zip_depth(self) -> Size | None:
        """Size of the depth maps in batch zips; None for that of the composites."""
        return None if self.zip_depth_size is None else Size.of(self.zip_depth_size)

    @property
    def image_format(self) -> str:
        """`jpeg` or `png`."""
        return self.image_encoding.partition(":")[0]

    @property
    def quality(self) -> int:
        """JPEG quality; 90 for the pictures of batch zips when the composites are PNG."""
        return int(self.image_encoding.partition(":")[2] or 90)

    def paths(self) -> list[tuple[str, str]]:
        """Name and value of each place that is read from or written to."""
        names = [each.name for each in declared(type(self)) if isinstance(each.option.kind, Place)]
        return [(name, getattr(self, name)) for name in names if getattr(self, name)]

    def check(self) -> None:
        """Raises SpecError when values do not go together."""
        from transforms.formats import FORMATS  # Brings Beam with it.

        _, high = self.scale_jitter or (1.0, 1.0)
        if round(self.foreground_size * high) > self.size.short:
            raise SpecError(
                f"--foreground_size={self.foreground_size}"
                f"{f' times {high:g}' if self.scale_jitter else ''} does not fit into"
                f" --image_size={self.image_size}; make it at most {self.size.short}"
            )
        unknown = sorted(set(self.formats) - set(FORMATS))
        if unknown or not self.formats or len(set(self.formats)) < len(self.formats):
            raise SpecError(
                f"--formats={','.join(self.formats)} is invalid; give each of"
                f" {', '.join(FORMATS)} at most once"
            )
        if self.depth_labels == "layered" and not self.with_depth:
            raise SpecError(
                "--depth_labels=layered needs a depth model; give --depth_model=builtin or another"
            )
        if self.depth_passes is not None and self.passes is None:
            raise SpecError(
                f"--depth_passes={self.depth_passes} is for --depth_labels=layered; add that"
            )
        if self.occlude and resolved_options(self)["placing"] != "grounded":
            raise SpecError("--occlude needs the ground of backgrounds; add --placing=grounded")
        if self.truncation is not None and self.truncation > 0.9:
            raise SpecError(f"--truncation={self.truncation:g} is invalid; give at most 0.9")
        if self.zip_depth is not None:
            self._check_zip_depth(self.zip_depth)
        self._check_splits()

    def _check_zip_depth(self, wanted: Size) -> None:
        given, size = f"--zip_depth_size={wanted.spelt}", self.size
        if "zip" not in self.formats or not self.with_depth:
            raise SpecError(
                f"{given} is for the depth maps of batch zips; add zip to --formats and give a"
                " depth model"
            )
        if wanted.width > size.width or wanted.height > size.height:
            raise SpecError(f"{given} is larger than --image_size={size.spelt}; give at most that")
        if not wanted.is_like(size):
            like = Size(wanted.width, max(1, round(wanted.width * size.height / size.width)))
            raise SpecError(
                f"{given} has another aspect than --image_size={size.spelt}; give one such as"
                f" {like.spelt}"
            )

    def _check_splits(self) -> None:
        from transforms.plan.clean_shards import BACKGROUNDS, FOREGROUNDS

        text = Shares().text(self.splits)
        for split in self.splits:
            if not re.fullmatch(r"[a-zA-Z]\w*", split.name, re.ASCII):
                raise SpecError(
                    f"--split={text}: {split.name!r} is not a valid split name; use letters,"
                    " digits, _"
                )
            if split.name in (FOREGROUNDS, BACKGROUNDS, "all"):
                raise SpecError(f"--split={text}: the name {split.name!r} is taken")
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
        """Reads what `to_json` of this or an older version has written.

        Fields that are missing have their defaults.

        Raises:
            SpecError: the text is no JSON object, or has fields that this version does not know.
        """
        try:
            fields = json.loads(text)
        except ValueError as error:
            raise SpecError(f"the spec of the data set is damaged: {error}") from None
        names = {each.name: each for each in declared(cls)}
        missing = [name for name, each in names.items() if each.required]
        if not isinstance(fields, dict) or not all(name in fields for name in missing):
            raise SpecError(f"the spec of the data set lacks one of {', '.join(missing)}")
        for name in fields:
            if name not in names:
                like = nearest(name, names)
                raise SpecError(
                    f"the spec of the data set has {name!r}, which this version does not know;"
                    f" {f'did you mean {like}?' if like else 'it may be of a newer version'}"
                )
        return cls(**fields)
