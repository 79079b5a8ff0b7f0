"""The fields of a record, the same in every table format."""

from dataclasses import dataclass
from typing import Literal

from transforms.elements import CleanImage, Sample

Kind = Literal["text", "int64", "int64x4", "float32", "picture"]


@dataclass(frozen=True)
class PictureType:
    """What a picture field holds.

    Attributes:
        encoding: `jpeg` or `png`.
        dtype: `uint8` or `uint16`.
        channels: 1 or 3.
        side: width and height in pixels; None where pictures differ in size.
    """

    encoding: str
    dtype: str
    channels: int
    side: int | None


@dataclass(frozen=True)
class Field:
    """One field of a record.

    Attributes:
        name: its name.
        kind: its type.
        text: what it holds, for data set cards.
        picture: what a picture field holds, else None.
    """

    name: str
    kind: Kind
    text: str
    picture: PictureType | None = None


@dataclass(frozen=True)
class Picture:
    """An encoded picture with the file name it has outside a table."""

    name: str
    data: bytes


Value = str | int | float | tuple[int, ...] | Picture
Row = tuple[Value, ...]


@dataclass(frozen=True)
class Schema:
    """What decides the fields of a sample.

    Attributes:
        side: side of the composites in pixels.
        image_format: `jpeg` or `png`, of the composites.
        depth: whether there are depth maps.
    """

    side: int
    image_format: str
    depth: bool

    def sample_fields(self) -> tuple[Field, ...]:
        """Fields of a sample, in order."""
        image = PictureType(self.image_format, "uint8", 3, self.side)
        mask = PictureType("png", "uint8", 1, self.side)
        depth = PictureType("png", "uint16", 1, self.side)
        depth_fields = (
            Field("depth", "picture", "depth map, 16-bit", depth),
            Field("depth_scale", "float32", "value = pixel * depth_scale + depth_offset"),
            Field("depth_offset", "float32", "see depth_scale"),
        )
        return (
            Field("key", "text", "{fg_id}_{bg_id}_{flip}_{seq}"),
            Field("image", "picture", "composite of foreground and background", image),
            Field("mask", "picture", "alpha of the paste, 0 is background", mask),
            *(depth_fields if self.depth else ()),
            Field("fg_id", "int64", "id of the foreground"),
            Field("bg_id", "int64", "id of the background"),
            Field("flip", "int64", "1 for the mirror image of the foreground"),
            Field("seq", "int64", "number of the placement, from 1"),
            Field("bbox", "int64x4", "x, y, width, height of the pixels with mask >= 128"),
            Field("area", "int64", "number of pixels with mask >= 128"),
        )

    def sample_row(self, sample: Sample) -> Row:
        """Values of a sample, in the order of the fields."""
        placement, key = sample.placement, sample.placement.key
        box = sample.bbox
        depth: Row = ()
        if self.depth:
            picture = Picture(f"depth_fg_bg_{key}.png", sample.depth or b"")
            depth = (picture, sample.depth_scale, sample.depth_offset)
        extension = "jpg" if self.image_format == "jpeg" else "png"
        return (
            key,
            Picture(f"fg_bg_{key}.{extension}", sample.image),
            Picture(f"bg_mask_{key}.png", sample.mask),
            *depth,
            placement.fg_id,
            placement.bg_id,
            placement.flip,
            placement.seq,
            (box.x, box.y, box.width, box.height),
            sample.area,
        )


CLEAN_FIELDS = (
    Field("id", "int64", "fg_id or bg_id"),
    Field("file", "text", "name of the input file"),
    Field("image", "picture", "resized picture", PictureType("png", "uint8", 3, None)),
    Field("mask", "picture", "alpha; white for a background", PictureType("png", "uint8", 1, None)),
    Field("width", "int64", "width in pixels"),
    Field("height", "int64", "height in pixels"),
)
"""Fields of a clean foreground or background, in order."""


def clean_row(clean: CleanImage) -> Row:
    """Values of a clean image, in the order of `CLEAN_FIELDS`."""
    return (
        clean.id,
        clean.file,
        Picture(f"{clean.id}.png", clean.image),
        Picture(f"{clean.id}_mask.png", clean.mask),
        clean.width,
        clean.height,
    )
