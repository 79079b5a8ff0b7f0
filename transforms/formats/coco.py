"""COCO: pictures as files, and one `annotations.json` for each split beside them.

One object in each picture, with its mask as compressed run lengths, its box, its area, and the
category of its foreground (https://cocodataset.org/#format-data). Each shard contributes its
pictures and a part of the annotations, a line for each sample; the parts of a split are joined,
line by line, when all are there. Clean foregrounds and backgrounds are files under their ids.
"""

import hashlib
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from apache_beam.io.filesystems import FileSystems
from PIL import Image

from transforms import storage
from transforms.elements import SOLID, CleanImage, Sample, ShardSpec
from transforms.formats.base import Description, Folder, OutputFile, Sink, part_name
from transforms.formats.schema import Schema
from transforms.pixels.rle import rle_text, run_lengths
from transforms.plan.plan import Plan, load_plan
from transforms.storage import RAW


class CocoFormat:
    """Files for `pycocotools` and what builds on it."""

    name = "coco"

    def open_samples(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[Sample]:
        """Starts a shard's pictures and its part of the annotations."""
        return _SampleSink(folder, shard, schema)

    def open_clean(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[CleanImage]:
        """Starts a shard of clean images."""
        return _CleanSink(folder, shard)

    def describe(self, samples: Description, clean: Description) -> tuple[tuple[str, str], ...]:
        """Nothing: the annotations describe the pictures."""
        return ()

    def join(self, folder: Folder, group: str, parts: Iterable[OutputFile]) -> OutputFile:
        """Joins the annotations of a split; `group` is its name."""
        ordered = sorted(parts, key=lambda part: part.path)
        paths = [folder.path(part.path) for part in ordered]
        path = f"coco/{group}/annotations.json"
        with folder.create(path) as file:
            for text in _annotations(load_plan(folder.plan_path), paths):
                file.write(text.encode())
        count = sum(part.count for part in ordered)
        return OutputFile(self.name, path, group, count, file.size, file.sha256)


def categories_of(plan: Plan) -> dict[str, int]:
    """Ids of the categories by name, from 1 in the order of their names."""
    names = sorted({asset.category_name for asset in plan.foregrounds})
    return {name: number for number, name in enumerate(names, 1)}


def _annotations(plan: Plan, paths: list[str]) -> Iterator[str]:
    """The text of `annotations.json`, piece by piece."""
    categories = categories_of(plan)
    listed = [
        {"id": number, "name": name, "supercategory": "foreground"}
        for name, number in categories.items()
    ]
    info = {"description": "Foregrounds pasted on backgrounds", "version": "1.0"}
    yield f'{{"info": {json.dumps(info)},\n"licenses": [],\n'
    # In ASCII: pycocotools opens the file in the encoding of its user's system.
    yield f'"categories": {json.dumps(listed)},\n"images": [\n'
    for number, line in enumerate(_lines(paths)):
        yield f"{',' if number else ''}{json.dumps(line['image'])}\n"
    yield '],\n"annotations": [\n'
    for number, line in enumerate(_lines(paths)):
        fg_id = line["image"]["fg_id"]
        category = categories[plan.foreground_by_id[fg_id].category_name]
        annotation = {**line["annotation"], "category_id": category}
        yield f"{',' if number else ''}{json.dumps(annotation)}\n"
    yield "]}\n"


def _lines(paths: list[str]) -> Iterator[dict[str, Any]]:
    for path in paths:
        with FileSystems.open(path, compression_type=RAW) as file:
            for line in file:
                yield json.loads(line)


class _Pictures:
    """Pictures kept aside until their shard is whole, then written as files of their own."""

    def __init__(self, folder: Folder, split: str) -> None:
        self._folder = folder
        self._split = split
        self._aside = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the shard
        self._sizes: list[tuple[str, int]] = []

    def add(self, path: str, data: bytes) -> None:
        self._aside.write(data)
        self._sizes.append((path, len(data)))

    def close(self) -> Iterator[OutputFile]:
        self._aside.seek(0)
        for path, size in self._sizes:
            data = self._aside.read(size)
            self._folder.write(path, data, durable=False)
            checksum = hashlib.sha256(data).hexdigest()
            yield OutputFile("coco", path, self._split, 1, size, checksum)
        # Thousands of small files wait for the disk together; the record of their shard is later.
        storage.sync_files(self._folder.path(path) for path, _ in self._sizes)
        self._aside.close()

    def discard(self) -> None:
        self._aside.close()


class _SampleSink:
    def __init__(self, folder: Folder, shard: ShardSpec, schema: Schema) -> None:
        self._shard = shard
        self._side = schema.side
        self._extension = "jpg" if schema.image_format == "jpeg" else "png"
        self._pictures = _Pictures(folder, shard.split)
        self._part_path = f"state/coco/{shard.name}.jsonl"
        self._part = folder.create(self._part_path)
        self._count = 0

    def write(self, item: Sample) -> None:
        placement = item.placement
        name = f"images/{self._shard.index:05d}/fg_bg_{placement.key}.{self._extension}"
        self._pictures.add(f"coco/{self._shard.split}/{name}", item.image)
        solid = np.asarray(Image.open(io.BytesIO(item.mask))) >= SOLID
        box = item.bbox
        number = self._shard.start + self._count + 1
        image = {
            "id": number,
            "file_name": name,
            "width": self._side,
            "height": self._side,
            "fg_id": placement.fg_id,
            "bg_id": placement.bg_id,
            "flip": placement.flip,
            "seq": placement.seq,
        }
        annotation = {
            "id": number,
            "image_id": number,
            "bbox": [box.x, box.y, box.width, box.height],
            "area": item.area,
            "iscrowd": 0,
            "segmentation": {
                "size": [self._side, self._side],
                "counts": rle_text(run_lengths(solid)),
            },
        }
        line = json.dumps({"image": image, "annotation": annotation})
        self._part.write(f"{line}\n".encode())
        self._count += 1

    def close(self) -> tuple[OutputFile, ...]:
        pictures = tuple(self._pictures.close())
        self._part.commit()
        part = self._part
        return (
            *pictures,
            OutputFile(
                part_name("coco"),
                self._part_path,
                self._shard.split,
                self._count,
                part.size,
                part.sha256,
            ),
        )

    def discard(self) -> None:
        self._pictures.discard()
        self._part.discard()


class _CleanSink:
    def __init__(self, folder: Folder, shard: ShardSpec) -> None:
        self._kind = shard.split
        self._pictures = _Pictures(folder, shard.split)

    def write(self, item: CleanImage) -> None:
        self._pictures.add(f"coco/assets/{self._kind}/{item.id}.png", item.image)
        self._pictures.add(f"coco/assets/{self._kind}/{item.id}_mask.png", item.mask)

    def close(self) -> tuple[OutputFile, ...]:
        return tuple(self._pictures.close())

    def discard(self) -> None:
        self._pictures.discard()
