"""The fields of a record, the same in every table format.

A field is declared once, here: its name, its kind, what it means, and its value. The formats map
kinds to types of their own, the data set card lists the fields, and the descriptions for `tfds`,
Hugging Face and Croissant are made from them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from transforms.elements import BoundingBox, CleanImage, Sample
from transforms.pixels.size import Size

Kind = Literal[
    "text", "int64", "float32", "label", "box", "picture", "texts", "int64s", "float32s", "boxes"
]
"""What a field holds: a string, a number, the number of a class, a box (x, y, width, height) of
four int64, an encoded picture, or a list of any length of strings, numbers or boxes."""


@dataclass(frozen=True)
class PictureType:
    """What a picture field holds.

    Attributes:
        encoding: `jpeg` or `png`.
        dtype: `uint8` or `uint16`.
        channels: 1 or 3.
        size: their size; None where pictures differ in it.
    """

    encoding: str
    dtype: str
    channels: int
    size: Size | None

    @property
    def extension(self) -> str:
        """Extension of the picture's file, without the dot."""
        return "jpg" if self.encoding == "jpeg" else self.encoding


@dataclass(frozen=True)
class Picture:
    """An encoded picture with the file name it has outside a table."""

    name: str
    data: bytes


Box = tuple[int, int, int, int]
Value = (
    str
    | int
    | float
    | Picture
    | tuple[str, ...]
    | tuple[int, ...]
    | tuple[float, ...]
    | tuple[Box, ...]
)
Row = tuple[Value, ...]


@dataclass(frozen=True)
class Field:
    """One field of a record.

    Attributes:
        name: its name.
        kind: its type.
        text: what it holds, for data set cards.
        value: gives the field's value of an item, a Sample or a CleanImage; its type is that of
            `kind`, lists and boxes being tuples.
        picture: what a picture field holds, else None.
        names: names of the classes of a label field, by number; else empty.
    """

    name: str
    kind: Kind
    text: str
    value: Callable[[Any], Value] = field(repr=False, compare=False)
    picture: PictureType | None = None
    names: tuple[str, ...] = ()


def row_of(fields: Iterable[Field], item: Sample | CleanImage) -> Row:
    """Values of an item, in the order of the fields."""
    return tuple(field.value(item) for field in fields)


@dataclass(frozen=True)
class Schema:
    """What decides the fields of a sample.

    Attributes:
        size: size of the composites.
        image_format: `jpeg` or `png`, of the composites.
        depth: whether there are depth maps.
        categories: names of the categories in the order of their labels; empty where the samples
            have none.
        layered: whether depth is composed of layers.
        scenes: whether samples are scenes of any number of objects.
        crops: whether scenes show parts of their backgrounds.
        key_prefix: what keys begin with.
    """

    size: Size
    image_format: str
    depth: bool
    categories: tuple[str, ...] = ()
    layered: bool = False
    scenes: bool = False
    crops: bool = False
    key_prefix: str = ""

    def sample_fields(self) -> tuple[Field, ...]:
        """Fields of a sample, in order."""
        image = PictureType(self.image_format, "uint8", 3, self.size)
        mask = PictureType("png", "uint8", 1, self.size)
        return (
            Field(
                "key",
                "text",
                self.key_prefix + "{fg_id}_{bg_id}_{flip}_{seq}",
                lambda sample: sample.placement.key,
            ),
            Field(
                "image",
                "picture",
                "composite of foreground and background",
                lambda sample: Picture(
                    f"fg_bg_{sample.placement.numbers}.{image.extension}", sample.image
                ),
                image,
            ),
            Field(
                "mask",
                "picture",
                "alpha of all labelled objects, 0 is background"
                if self.scenes
                else "alpha of the paste, 0 is background",
                lambda sample: Picture(f"bg_mask_{sample.placement.numbers}.png", sample.mask),
                mask,
            ),
            *(self._depth_fields() if self.depth else ()),
            Field("fg_id", "int64", "id of the foreground", lambda s: s.placement.fg_id),
            Field("bg_id", "int64", "id of the background", lambda s: s.placement.bg_id),
            Field(
                "flip",
                "int64",
                "1 for the mirror image of the foreground",
                lambda s: s.placement.flip,
            ),
            Field("seq", "int64", "number of the placement, from 1", lambda s: s.placement.seq),
            Field(
                "bbox",
                "box",
                "x, y, width, height of the pixels with mask >= 128",
                lambda sample: box_value(sample.bbox),
            ),
            Field("area", "int64", "number of pixels with mask >= 128", lambda s: s.area),
            *(self._object_fields() if self.scenes else ()),
            *(self._category_fields() if self.categories and not self.scenes else ()),
        )

    def _object_fields(self) -> tuple[Field, ...]:
        return (
            Field(
                "instances",
                "picture",
                "number of the object at each pixel, 0 is background; above 0 where mask >= 128",
                lambda sample: Picture(
                    f"instances_{sample.placement.numbers}.png", sample.instances or b""
                ),
                PictureType("png", "uint8", 1, self.size),
            ),
            *_OBJECTS,
            *((_OBJECT_DEPTHS,) if self.layered else ()),
            *(self._object_category_fields() if self.categories else ()),
            *((_BACKGROUND_BOX,) if self.crops else ()),
        )

    def _object_category_fields(self) -> tuple[Field, ...]:
        labels = {name: number for number, name in enumerate(self.categories)}
        return (
            Field(
                "object_categories",
                "texts",
                "what each object shows",
                lambda sample: tuple(found.category for found in sample.objects),
            ),
            Field(
                "object_labels",
                "int64s",
                "number of each object's category, from 0 in the order of their names",
                lambda sample: tuple(labels[found.category] for found in sample.objects),
            ),
        )

    def _depth_fields(self) -> tuple[Field, ...]:
        return (
            Field(
                "depth",
                "picture",
                "depth map, 16-bit",
                lambda sample: Picture(
                    f"depth_fg_bg_{sample.placement.numbers}.png", sample.depth or b""
                ),
                PictureType("png", "uint16", 1, self.size),
            ),
            Field(
                "depth_scale",
                "float32",
                "value = pixel * depth_scale + depth_offset",
                lambda sample: sample.depth_scale,
            ),
            Field("depth_offset", "float32", "see depth_scale", lambda s: s.depth_offset),
            *((_OBJECT_DEPTH,) if self.layered and not self.scenes else ()),
        )

    def clean_fields(self) -> tuple[Field, ...]:
        """Fields of a clean foreground or background, in order."""
        return CLEAN_FIELDS + (_CLEAN_DEPTH if self.layered else ())

    def _category_fields(self) -> tuple[Field, ...]:
        labels = {name: number for number, name in enumerate(self.categories)}
        return (
            Field("category", "text", "what the foreground shows", lambda s: s.category),
            Field(
                "label",
                "label",
                "number of the category, from 0 in the order of their names",
                lambda sample: labels[sample.category],
                names=self.categories,
            ),
        )


def box_value(box: BoundingBox) -> Box:
    """A box as the value of a field."""
    return (box.x, box.y, box.width, box.height)


CLEAN_FIELDS = (
    Field("id", "int64", "fg_id or bg_id", lambda clean: clean.id),
    Field("file", "text", "name of the input file", lambda clean: clean.file),
    Field(
        "image",
        "picture",
        "resized picture",
        lambda clean: Picture(f"{clean.id}.png", clean.image),
        PictureType("png", "uint8", 3, None),
    ),
    Field(
        "mask",
        "picture",
        "alpha; white for a background",
        lambda clean: Picture(f"{clean.id}_mask.png", clean.mask),
        PictureType("png", "uint8", 1, None),
    ),
    Field("width", "int64", "width in pixels", lambda clean: clean.width),
    Field("height", "int64", "height in pixels", lambda clean: clean.height),
)
"""Fields of a clean foreground or background, in order, where depth is not layered."""

_CLEAN_DEPTH = (
    Field(
        "depth",
        "picture",
        "depth map of a background, 16-bit; 0 for a foreground",
        lambda clean: Picture(f"{clean.id}_depth.png", clean.depth or b""),
        PictureType("png", "uint16", 1, None),
    ),
    Field(
        "depth_scale",
        "float32",
        "value = pixel * depth_scale + depth_offset; 0 where there is no depth",
        lambda clean: clean.depth_scale,
    ),
    Field("depth_offset", "float32", "see depth_scale", lambda clean: clean.depth_offset),
)

_OBJECT_DEPTH = Field(
    "object_depth",
    "float32",
    "value of the object in the depth map",
    lambda sample: sample.object_depth,
)

_OBJECTS = (
    Field(
        "object_fg_ids",
        "int64s",
        "foreground of each object, from far to near: object k has the value k in instances",
        lambda sample: tuple(found.fg_id for found in sample.objects),
    ),
    Field(
        "object_flips",
        "int64s",
        "1 for each object that is a mirror image",
        lambda sample: tuple(found.flip for found in sample.objects),
    ),
    Field(
        "object_boxes",
        "boxes",
        "x, y, width, height of each object's pixels in instances",
        lambda sample: tuple(found.box for found in sample.objects),
    ),
    Field(
        "object_areas",
        "int64s",
        "number of each object's pixels in instances",
        lambda sample: tuple(found.area for found in sample.objects),
    ),
    Field(
        "object_visible",
        "float32s",
        "share of each object that lies in the picture and is not hidden",
        lambda sample: tuple(found.visible for found in sample.objects),
    ),
)

_OBJECT_DEPTHS = Field(
    "object_depths",
    "float32s",
    "value of each object in the depth map",
    lambda sample: tuple(found.depth for found in sample.objects),
)

_BACKGROUND_BOX = Field(
    "background_box",
    "box",
    "x, y, width, height of what is shown of the background, in pixels of the background",
    lambda sample: sample.background_box,
)
