"""COCO: pictures as files, and one `annotations.json` for each split beside them.

One object in each picture, with its mask as compressed run lengths, its box, its area, and the
category of its foreground (https://cocodataset.org/#format-data). Each shard contributes its
pictures and a fragment of the annotations, a line for each sample; those of a split are joined,
line by line, when all are complete. Clean foregrounds and backgrounds are files under their ids.
"""

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from apache_beam.io.filesystems import FileSystems

from transforms.elements import SOLID, CleanImage, Sample, ShardSpec
from transforms.formats.base import (
    EncodedSize,
    Entry,
    Folder,
    FormatError,
    JoinedFormat,
    OutputFile,
    Sink,
    Snippet,
    file_bytes,
    fragment_name,
)
from transforms.formats.loose import LooseFiles
from transforms.formats.schema import Schema
from transforms.pixels.rle import rle_text, run_lengths
from transforms.plan.inputs import InputImage
from transforms.plan.plan import Plan, load_plan
from transforms.storage import RAW
from transforms.terms import address, identifier, strictest

_COCO = """\
from PIL import Image
from pycocotools.coco import COCO

coco = COCO("DIR/coco/SPLIT/annotations.json")

entry = coco.dataset["images"][0]
image = Image.open("DIR/coco/SPLIT/" + entry["file_name"])
mask = coco.annToMask(coco.imgToAnns[entry["id"]][0])
background = Image.open(f"DIR/coco/assets/backgrounds/{entry['bg_id']}.png")"""


class CocoFormat(JoinedFormat):
    """Files for `pycocotools` and what builds on it."""

    name = "coco"
    file_names = (
        r"coco/{split}/annotations\.json",
        r"coco/{split}/images/\d+/fg_bg_{numbers}\.{picture}",
        r"coco/assets/{split}/\d+(_mask)?\.png",
        r"state/coco/{shard}\.jsonl",
    )
    needs = frozenset({"mask_pixels"})
    holds_depth = False
    snippets = (Snippet("COCO", _COCO),)

    def sample_bytes(self, size: EncodedSize) -> float:
        """What a sample takes on a disk: a picture, and its lines in the annotations."""
        return file_bytes(size.image) + _line_bytes(size)

    def passing_bytes(self, size: EncodedSize) -> float:
        """What a sample takes besides while a run is on: its line in a fragment."""
        return _line_bytes(size)

    def open_samples(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[Sample]:
        """Starts a shard's pictures and its fragment of the annotations."""
        return _SampleSink(folder, shard, schema)

    def open_clean(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[CleanImage]:
        """Starts a shard of clean images."""
        return _CleanSink(folder, shard)

    def join(self, folder: Folder, group: str, fragments: Iterable[OutputFile]) -> OutputFile:
        """Joins the annotations of a split; `group` is its name."""
        ordered = sorted(fragments, key=lambda fragment: fragment.path)
        paths = [folder.path(fragment.path) for fragment in ordered]
        path = self.joined_path(group)
        with folder.create(path) as file:
            for text in _annotations(load_plan(folder.plan_path), paths):
                file.write(text.encode())
        count = sum(fragment.count for fragment in ordered)
        return OutputFile(self.name, path, group, count, file.size, file.sha256)

    def joined_path(self, group: str) -> str:
        """The annotations of a split."""
        return f"coco/{group}/annotations.json"

    def joined_entries(self, file: BinaryIO, plan: Plan) -> Iterator[Entry]:
        """The lines of the annotations. Raises FormatError where the file is damaged."""
        lines = iter(io.BufferedReader(file))  # type: ignore[type-var]
        _expect(lines, _head(plan))
        for line in _section(lines, _IMAGES, _BETWEEN):
            yield Entry(_IMAGES, line)
        for number, line in enumerate(_section(lines, _ANNOTATIONS, _END), 1):
            try:
                annotation = json.loads(line)
                own = annotation.pop("id")
            except (ValueError, AttributeError, KeyError, TypeError):
                raise FormatError(f"annotation {number} is damaged") from None
            # One object in each image has the image's id.
            known = own in (number, annotation.get("image_id"))
            if not known or json.dumps({"id": own, **annotation}).encode() != line:
                raise FormatError(f"annotation {number} is not as it was written")
            yield Entry(_ANNOTATIONS, json.dumps(annotation).encode(), is_record=False)
        if next(lines, b""):
            raise FormatError("something stands after its end")

    def fragment_entries(self, path: str, plan: Plan) -> Iterator[Entry]:
        """The lines that a shard contributes; the ids of annotations are not compared."""
        licenses = _licenses(plan)
        for line in _lines([path]):
            yield Entry(_IMAGES, json.dumps(licenses.added(line)).encode())
        for annotation in _objects(plan, [path]):
            annotation.pop("id", None)
            yield Entry(_ANNOTATIONS, json.dumps(annotation).encode(), is_record=False)


_IMAGES, _ANNOTATIONS = "images", "annotations"
_BETWEEN = '],\n"annotations": [\n'
_END = "]}\n"


def _section(lines: Iterator[bytes], name: str, end: str) -> Iterator[bytes]:
    """The lines of a list, without commas. Raises FormatError where it is damaged."""
    last, begun = end.splitlines()[0].encode(), False
    for line in lines:
        text = line.rstrip(b"\n")
        if text == last:
            _expect(lines, end.partition("\n")[2])
            return
        if text.startswith(b",") != begun:
            raise FormatError(f"a line of its {name} has a comma too many or too few")
        begun = True
        yield text.removeprefix(b",")
    raise FormatError(f"it ends within its {name}")


def _expect(lines: Iterator[bytes], wanted: str) -> None:
    """Takes lines that are known. Raises FormatError where others stand."""
    for line in wanted.splitlines(keepends=True):
        if next(lines, b"") != line.encode():
            raise FormatError(f"the line {line.strip()[:40]!r} should stand where another does")


def _line_bytes(size: EncodedSize) -> float:
    """Bytes of a sample's entries: keys and numbers, and run lengths across its columns."""
    return 300 + 0.5 * size.outline


def categories_of(plan: Plan) -> dict[str, int]:
    """Ids of the categories by name, from 1 in the order of their names."""
    return {name: number for number, name in enumerate(plan.class_names, 1)}


@dataclass(frozen=True)
class _Licenses:
    """The licences of a data set and of its inputs.

    Attributes:
        ids: numbers by name, from 1: the data set's own, then those of its inputs, sorted.
        general: what counts for every image. Distractors do: nothing says which are on it.
        foregrounds: names by id, empty for what is not known.
        backgrounds: the same.
    """

    ids: dict[str, int]
    general: tuple[str, ...]
    foregrounds: dict[int, str]
    backgrounds: dict[int, str]

    def added(self, line: dict[str, Any]) -> dict[str, Any]:
        """The entry of an image with the strictest terms of the data set and of what is on it."""
        image: dict[str, Any] = line["image"]
        if not self.ids:
            return image
        shown = {image["fg_id"], *(a["fg_id"] for a in line["annotations"] if "fg_id" in a)}
        terms = [self.foregrounds[fg_id] for fg_id in sorted(shown)]
        terms = [*self.general, *terms, self.backgrounds[image["bg_id"]]]
        found = strictest(text for text in terms if text)
        return image if found is None else {**image, "license": self.ids[found]}


def _licenses(plan: Plan) -> _Licenses:
    def name(asset: InputImage) -> str:
        text = asset.credit.license if asset.credit else ""
        return identifier(text) or text

    own = () if plan.license is None else (plan.license,)
    others = sorted({name(asset) for asset in plan.inputs} - {"", *own})
    return _Licenses(
        {text: number for number, text in enumerate((*own, *others), 1)},
        (*own, *sorted({name(asset) for asset in plan.distractors})),
        {asset.id: name(asset) for asset in plan.foregrounds},
        {asset.id: name(asset) for asset in plan.backgrounds},
    )


def _head(plan: Plan) -> str:
    """What stands before the images."""
    listed = [
        {"id": number, "name": name, "supercategory": "foreground"}
        for name, number in categories_of(plan).items()
    ]
    info = {"description": "Foregrounds pasted on backgrounds", "version": "1.0"}
    licenses = [
        {"id": number, "name": name, "url": address(name) or ""}
        for name, number in _licenses(plan).ids.items()
    ]
    # In ASCII: pycocotools opens the file in the encoding of its user's system.
    return (
        f'{{"info": {json.dumps(info)},\n"licenses": {json.dumps(licenses)},\n'
        f'"categories": {json.dumps(listed)},\n"images": [\n'
    )


def _annotations(plan: Plan, paths: list[str]) -> Iterator[str]:
    """The text of `annotations.json`, piece by piece."""
    licenses = _licenses(plan)
    yield _head(plan)
    for number, line in enumerate(_lines(paths)):
        yield f"{',' if number else ''}{json.dumps(licenses.added(line))}\n"
    yield _BETWEEN
    for number, annotation in enumerate(_objects(plan, paths), 1):
        yield f"{',' if number > 1 else ''}{json.dumps({'id': number, **annotation})}\n"
    yield _END


def _objects(plan: Plan, paths: list[str]) -> Iterator[dict[str, Any]]:
    """The annotations with their categories; where an image has several, without their own ids."""
    categories = categories_of(plan)
    for line in _lines(paths):
        for found in line["annotations"]:
            fg_id = found.get("fg_id", line["image"]["fg_id"])
            name = plan.foreground_by_id[fg_id].category_name
            yield {**found, "category_id": categories[name]}


def _lines(paths: list[str]) -> Iterator[dict[str, Any]]:
    for path in paths:
        with FileSystems.open(path, compression_type=RAW) as file:
            for line in file:
                yield json.loads(line)


class _SampleSink:
    def __init__(self, folder: Folder, shard: ShardSpec, schema: Schema) -> None:
        self._shard = shard
        self._size = schema.size
        self._extension = "jpg" if schema.image_format == "jpeg" else "png"
        self._pictures = LooseFiles(folder, "coco", shard.split)
        self._fragment_path = f"state/coco/{shard.name}.jsonl"
        self._fragment = folder.create(self._fragment_path)
        self._count = 0

    def write(self, item: Sample) -> None:
        placement = item.placement
        name = f"images/{self._shard.index:05d}/fg_bg_{placement.numbers}.{self._extension}"
        self._pictures.add(f"coco/{self._shard.split}/{name}", item.image)
        assert item.mask_pixels is not None
        number = self._shard.start + self._count + 1
        image = {
            "id": number,
            "file_name": name,
            "width": self._size.width,
            "height": self._size.height,
            "fg_id": placement.fg_id,
            "bg_id": placement.bg_id,
            "flip": placement.flip,
            "seq": placement.seq,
        }
        if item.instance_pixels is None:
            box = (item.bbox.x, item.bbox.y, item.bbox.width, item.bbox.height)
            whole = _annotation(number, box, item.area, item.mask_pixels >= SOLID)
            annotations = [{"id": number, **whole}]
        else:
            annotations = [
                {
                    **_annotation(number, found.box, found.area, item.instance_pixels == k),
                    "fg_id": found.fg_id,
                    "visible": found.visible,
                }
                for k, found in enumerate(item.objects, 1)
            ]
        line = json.dumps({"image": image, "annotations": annotations})
        self._fragment.write(f"{line}\n".encode())
        self._count += 1

    def close(self) -> tuple[OutputFile, ...]:
        pictures = tuple(self._pictures.close())
        self._fragment.commit()
        fragment = self._fragment
        return (
            *pictures,
            OutputFile(
                fragment_name("coco"),
                self._fragment_path,
                self._shard.split,
                self._count,
                fragment.size,
                fragment.sha256,
            ),
        )

    def discard(self) -> None:
        self._pictures.discard()
        self._fragment.discard()


def _annotation(
    image: int, box: tuple[int, int, int, int], area: int, solid: np.ndarray
) -> dict[str, Any]:
    """An object of an image, but for its own id and its category; `solid` is bool [h, w]."""
    return {
        "image_id": image,
        "bbox": list(box),
        "area": area,
        "iscrowd": 0,
        "segmentation": {"size": list(solid.shape), "counts": rle_text(run_lengths(solid))},
    }


class _CleanSink:
    def __init__(self, folder: Folder, shard: ShardSpec) -> None:
        self._kind = shard.split
        self._pictures = LooseFiles(folder, "coco", shard.split)

    def write(self, item: CleanImage) -> None:
        self._pictures.add(f"coco/assets/{self._kind}/{item.id}.png", item.image)
        self._pictures.add(f"coco/assets/{self._kind}/{item.id}_mask.png", item.mask)

    def close(self) -> tuple[OutputFile, ...]:
        return tuple(self._pictures.close())

    def discard(self) -> None:
        self._pictures.discard()
