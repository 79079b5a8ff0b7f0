"""Verify step: a finished shard is read back and held against the plan and its record."""

import io
from collections.abc import Iterator
from itertools import islice, zip_longest

import apache_beam as beam
import numpy as np
from PIL import Image

from transforms import storage
from transforms.elements import Placement, ShardSpec
from transforms.formats import TABLE_FORMATS
from transforms.formats.base import Folder, FormatError
from transforms.formats.schema import Picture, Row
from transforms.plan.plan import load_plan
from transforms.recipe import Recipe
from transforms.records import ShardRecord, record_name, record_path, wanted_digest
from transforms.report.object_counts import ObjectCounts
from transforms.report.statistics import DepthCounts, Statistics
from transforms.report.verify_report import Fault, ShardReport, ShardReportFn
from transforms.scenes.labels import SceneObject
from transforms.steps.beam import Each
from transforms.steps.encode import QuantisedDepth, count_objects
from transforms.steps.mask import bounding_box
from transforms.steps.place import blocks
from transforms.steps.verify_layers import EVERY, label_fault
from transforms.steps.verify_scenes import objects_of, scene_fault

_ROWS = 64
_MOST_FAULTS = 20


class _Shard:
    """Reads one shard back in all table formats at once, row by row."""

    def __init__(self, shard: ShardSpec, recipe: Recipe) -> None:
        self.shard = shard
        self.plan = load_plan(recipe.plan_path)
        self.recipe = recipe
        self.folder = recipe.folder
        self.fields = recipe.schema.sample_fields()
        self.index = {field.name: i for i, field in enumerate(self.fields)}
        self.faults: list[Fault] = []
        self.statistics = Statistics()
        self.samples = 0
        self.decoded = 0
        self.objects: list[tuple[SceneObject, ...]] = []
        self.ended: set[str] = set()

    def fault(self, path: str, what: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(Fault(path, what))

    def read(self) -> ShardReport:
        record, fault = checked_record(self.folder, self.shard)
        if fault is not None:
            self.fault(fault.path, fault.what)
        failed = {failure.key for failure in record.failures} if record else set()
        shard = self.shard
        wanted = (
            placement
            for block in blocks(self.plan, shard, _ROWS)
            for placement in block.placements
            if placement.key not in failed
        )
        names = [name for name in self.recipe.formats if name in TABLE_FORMATS]
        paths = [TABLE_FORMATS[name].sample_path(shard) for name in names]
        streams = [self._rows(name, path) for name, path in zip(names, paths, strict=True)]
        if streams:
            rows = zip_longest(*streams)
            while several := list(islice(rows, _ROWS)):
                self._check_rows(paths, several, list(islice(wanted, len(several))))
            missing = sum(1 for _ in wanted)
            if missing:
                self.fault(paths[0], f"{missing} samples are missing at its end")
        if record is not None and not self.faults and streams:
            self._compare(record)
        return ShardReport(1, self.samples, tuple(self.faults), self.statistics)

    def _rows(self, name: str, path: str) -> Iterator[Row]:
        try:
            yield from TABLE_FORMATS[name].read(self.folder.path(path), self.fields)
        except FormatError as error:
            self.ended.add(path)
            self.fault(path, str(error))
        except OSError as error:
            self.ended.add(path)
            self.fault(path, f"it cannot be read: {error}")

    def _check_rows(
        self, paths: list[str], rows: list[tuple[Row | None, ...]], expected: list[Placement]
    ) -> None:
        good: list[tuple[Row, np.ndarray, np.ndarray, np.ndarray | None]] = []
        for number, several in enumerate(rows):
            first = self._agreed(paths, several, self.samples + number)
            if first is None:
                continue
            key = first[0]
            wanted = expected[number] if number < len(expected) else None
            if wanted is None or key != wanted.key:
                text = f"{wanted.key} should stand here" if wanted else "no sample is left to come"
                self.fault(paths[0], f"record {self.samples + number} is {key}; {text}")
                continue
            decoded = self._decode(paths[0], first, wanted)
            if decoded is not None:
                good.append((first, *decoded))
        self.samples += len(rows)
        if good:
            self.statistics += self._count(good)

    def _agreed(self, paths: list[str], several: tuple[Row | None, ...], number: int) -> Row | None:
        """The row that all formats hold; a file is named once when it ends too early."""
        present = [row for row in several if row is not None]
        for path, row in zip(paths, several, strict=True):
            if row is None and path not in self.ended:
                self.ended.add(path)
                self.fault(path, f"it ends before record {number}, which another format has")
            elif row is not None and _plain(row) != _plain(present[0]):
                self.fault(path, f"record {number} is not the same as in {paths[0]}")
        return present[0] if present else None

    def _decode(
        self, path: str, row: Row, wanted: Placement
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None] | None:
        schema, key = self.recipe.schema, wanted.key
        side = (schema.side, schema.side)
        try:
            image = decoded(self._picture(row, "image"), "RGB", side)
            mask = decoded(self._picture(row, "mask"), "L", side)
            depth = decoded(self._picture(row, "depth"), "I;16", side) if schema.depth else None
        except ValueError as error:
            self.fault(path, f"{key}: {error}")
            return None
        box, area = bounding_box(mask)
        facts = {
            "fg_id": wanted.fg_id,
            "bg_id": wanted.bg_id,
            "flip": wanted.flip,
            "seq": wanted.seq,
            "bbox": (box.x, box.y, box.width, box.height),
            "area": area,
            **({} if schema.scenes else self._category(wanted.fg_id)),
        }
        for name, value in facts.items():
            if row[self.index[name]] != value:
                self.fault(path, f"{key}: {name} is {row[self.index[name]]}, not {value}")
                return None
        if schema.scenes:
            return self._decode_scene(path, row, wanted, image, mask, depth)
        ys, xs = np.nonzero(mask)
        inside = wanted.x <= xs.min() and xs.max() < wanted.x + wanted.width
        if not (inside and wanted.y <= ys.min() and ys.max() < wanted.y + wanted.height):
            self.fault(path, f"{key}: the mask is not where the plan has placed the foreground")
            return None
        if depth is not None and not self._layers_agree(path, row, wanted, mask, depth):
            return None
        return image, mask, depth

    def _decode_scene(
        self,
        path: str,
        row: Row,
        wanted: Placement,
        image: np.ndarray,
        mask: np.ndarray,
        depth: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None] | None:
        """Holds the objects of a scene against instances, mask and depth."""
        side = (self.recipe.schema.side, self.recipe.schema.side)
        try:
            instances = decoded(self._picture(row, "instances"), "L", side)
        except ValueError as error:
            self.fault(path, f"{wanted.key}: {error}")
            return None
        stored = None
        if depth is not None:
            scale, offset = (
                np.array([row[self.index[name]]], np.float32)
                for name in ("depth_scale", "depth_offset")
            )
            stored = QuantisedDepth(depth[None], scale, offset)
        values = {field.name: value for field, value in zip(self.fields, row, strict=True)}
        objects = objects_of(values, self.plan, self.recipe)
        fault = scene_fault(
            values, objects, wanted, instances, mask, stored, self.plan, self.recipe
        )
        if fault is not None:
            self.fault(path, f"{wanted.key}: {fault}")
            return None
        self.objects.append(objects)
        return image, mask, depth

    def _layers_agree(
        self, path: str, row: Row, wanted: Placement, mask: np.ndarray, depth: np.ndarray
    ) -> bool:
        """Whether layered depth equals the composition of its layers, for one sample in sixteen."""
        self.decoded += 1
        if not self.recipe.layered or self.decoded % EVERY != 1:
            return True

        def number(name: str) -> np.ndarray:
            return np.array([row[self.index[name]]], np.float32)

        stored = QuantisedDepth(depth[None], number("depth_scale"), number("depth_offset"))
        value = float(number("object_depth")[0])
        fault = label_fault(wanted, mask, stored, value, self.plan, self.recipe)
        if fault is not None:
            self.fault(path, f"{wanted.key}: {fault}")
        return fault is None

    def _category(self, fg_id: int) -> dict[str, object]:
        category = self.plan.category_of(fg_id)
        if category is None:
            return {}
        return {"category": category, "label": self.plan.categories.index(category)}

    def _picture(self, row: Row, name: str) -> bytes:
        value = row[self.index[name]]
        return value.data if isinstance(value, Picture) else b""

    def _count(
        self, good: list[tuple[Row, np.ndarray, np.ndarray, np.ndarray | None]]
    ) -> Statistics:
        def size(name: str) -> int:
            return sum(len(self._picture(row, name)) for row, *_ in good)

        def numbers(name: str) -> np.ndarray:
            return np.array([row[self.index[name]] for row, *_ in good], np.float32)

        depth = None
        if self.recipe.schema.depth:
            pixels = np.stack([maps for _, _, _, maps in good if maps is not None])
            stored = QuantisedDepth(pixels, numbers("depth_scale"), numbers("depth_offset"))
            depth = DepthCounts.of(stored.pixels, stored.scale, stored.offset, size("depth"))
        return Statistics.of_samples(
            np.stack([image for _, image, _, _ in good]),
            np.stack([mask for _, _, mask, _ in good]),
            size("image"),
            size("mask"),
            depth,
            self._counted_objects(),
        )

    def _counted_objects(self) -> ObjectCounts | None:
        """Counts over the objects of the scenes that were decoded since the last call."""
        if not self.recipe.schema.scenes:
            return None
        found, self.objects = self.objects, []
        return count_objects(found, self.recipe)

    def _compare(self, record: ShardRecord) -> None:
        found = self.statistics + Statistics(failed=len(record.failures))
        if found.to_record() != record.statistics.to_record():
            path = record_name(self.shard)
            self.fault(path, "its statistics are not those of the files")


def checked_record(folder: Folder, shard: ShardSpec) -> tuple[ShardRecord | None, Fault | None]:
    """The record of a finished shard, or what is wrong with it."""
    path = record_name(shard)
    try:
        text = storage.read_text(record_path(folder, shard))
        record = ShardRecord.from_json(text)
        if record.shard == shard and record.to_json() == text:
            if record.digest != wanted_digest(folder, shard):
                return None, Fault(path, "the shard's record is of another data set")
            return record, None
    except Exception as error:  # A damaged file may contain anything.
        return None, Fault(path, f"the shard's record cannot be read: {type(error).__name__}")
    return None, Fault(path, "the shard's record is damaged")


def decoded(data: bytes, mode: str, size: tuple[int, int]) -> np.ndarray:
    """Decodes a picture of known mode and size. Raises ValueError when it is anything else."""
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except Exception as error:
        raise ValueError(f"a picture cannot be decoded: {error}") from None
    if image.mode != mode or image.size != size:
        raise ValueError(
            f"a picture is {image.mode} {image.width}x{image.height},"
            f" not {mode} {size[0]}x{size[1]}"
        )
    return np.asarray(image)


def _plain(row: Row) -> tuple[object, ...]:
    """A row without the names of its pictures, which not every format holds."""
    return tuple(value.data if isinstance(value, Picture) else value for value in row)


def verify_shard(shard: ShardSpec, recipe: Recipe) -> ShardReport:
    """Reads a shard back in all table formats and compares it with the plan and its record."""
    return _Shard(shard, recipe).read()


class Verify(beam.PTransform):
    """ShardSpecs to one ShardReport.

    Args:
        recipe: how the data set was made.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self._recipe = recipe

    def expand(self, shards: beam.PCollection[ShardSpec]) -> beam.PCollection[ShardReport]:
        """Adds the step to a pipeline."""
        return (
            shards
            | "Verify" >> Each(verify_shard, self._recipe)
            | "Report" >> beam.CombineGlobally(ShardReportFn())
        )
