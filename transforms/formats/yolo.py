"""YOLO segmentation: pictures, a text file of outlines for each, and `data.yaml` over them.

A line is an object: its class, from 0, and the vertices of its outline in shares of the picture's
width and height (https://docs.ultralytics.com/datasets/segment/). Pictures and labels are in
folders by split and shard. A polygon has neither holes nor several parts: these are joined to it by
lines that enclose nothing.
"""

import json
from collections.abc import Iterator

import numpy as np

from transforms.elements import Sample, ShardSpec
from transforms.formats.base import (
    Description,
    EncodedSize,
    Folder,
    Format,
    OutputFile,
    Sink,
    Snippet,
    file_bytes,
)
from transforms.formats.loose import LooseFiles
from transforms.formats.schema import Schema
from transforms.pixels.outline import UNITS, outline
from transforms.plan.plan import load_plan

_YOLO = """\
import glob, numpy
from PIL import Image, ImageDraw

path = sorted(glob.glob("DIR/yolo/images/SPLIT/*/*.EXTENSION"))[0]
image = Image.open(path)
label = path.replace("/images/", "/labels/").replace(".EXTENSION", ".txt")
[_, *outline] = open(label).readline().split()

mask = Image.new("L", image.size)
points = numpy.array(outline, float).reshape(-1, 2) * image.size
ImageDraw.Draw(mask).polygon([tuple(point) for point in points], fill=255)"""

# Names that the trainer looks for, and splits that may take their place.
_ROLES = {"train": ("train",), "val": ("val", "valid", "validation", "dev", "test")}


class YoloFormat(Format):
    """Files for the trainers of the YOLO family, and for `supervision`."""

    name = "yolo"
    file_names = (
        r"yolo/data\.yaml",
        r"yolo/images/{split}/\d+/fg_bg_{numbers}\.{picture}",
        r"yolo/labels/{split}/\d+/fg_bg_{numbers}\.txt",
    )
    needs = frozenset({"mask_pixels"})
    holds_depth = False
    snippets = (Snippet("YOLO", _YOLO),)

    def open_samples(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[Sample]:
        """Starts a shard's pictures and labels."""
        return _YoloSink(folder, shard, schema)

    def sample_bytes(self, size: EncodedSize) -> float:
        """What a sample takes on a disk: two files."""
        return file_bytes(size.image) + file_bytes(4 * size.outline)

    def describe(self, samples: Description, clean: Description) -> tuple[tuple[str, str], ...]:
        """`data.yaml`: where the splits are, and the names of the classes."""
        return (("yolo/data.yaml", "".join(f"{line}\n" for line in _data_yaml(samples))),)


def _data_yaml(samples: Description) -> Iterator[str]:
    splits = [split.name for split in samples.splits]
    for role, names in _ROLES.items():
        if role not in splits:
            fitting = [name for name in names if name in splits]
            yield f"{role}: images/{(fitting or splits)[0]}"
    for name in splits:
        yield f"{name}: images/{name}"
    yield "names:"
    for number, name in enumerate(samples.classes):
        yield f"  {number}: {json.dumps(name, ensure_ascii=False)}"  # A JSON string is YAML.


def label_line(number: int, mask: np.ndarray) -> str:
    """The line of one object; empty where no pixel is solid.

    Args:
        number: its class, from 0.
        mask: uint8 [height, width].
    """
    vertices = outline(mask)
    if not len(vertices):
        return ""
    height, width = mask.shape
    shares = (vertices / np.array([width * UNITS, height * UNITS])).ravel().tolist()
    return f"{number} {' '.join(f'{share:.6g}' for share in shares)}\n"


class _YoloSink:
    def __init__(self, folder: Folder, shard: ShardSpec, schema: Schema) -> None:
        self._place = f"{shard.split}/{shard.index:05d}"
        self._extension = "jpg" if schema.image_format == "jpeg" else "png"
        self._plan = load_plan(folder.plan_path)
        self._files = LooseFiles(folder, "yolo", shard.split)

    def write(self, item: Sample) -> None:
        assert item.mask_pixels is not None
        classes = self._plan.class_numbers
        if item.instance_pixels is None:
            line = label_line(classes[item.placement.fg_id], item.mask_pixels)
        else:
            line = "".join(
                label_line(
                    classes[found.fg_id], np.where(item.instance_pixels == k, item.mask_pixels, 0)
                )
                for k, found in enumerate(item.objects, 1)
            )
        stem = f"{self._place}/fg_bg_{item.placement.numbers}"
        self._files.add(f"yolo/images/{stem}.{self._extension}", item.image)
        self._files.add(f"yolo/labels/{stem}.txt", line.encode())

    def close(self) -> tuple[OutputFile, ...]:
        return tuple(self._files.close())

    def discard(self) -> None:
        self._files.discard()
