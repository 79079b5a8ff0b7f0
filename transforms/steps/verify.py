"""Verify step: a finished shard is read back and held against plan, record and inputs.

Its samples are made again from the inputs, all but what a depth model has predicted, and compared
value by value. Where that is impossible, because inputs are gone or other versions of packages are
installed, the report says so, and the samples are held against plan and record alone.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import apache_beam as beam
import numpy as np
from PIL import Image

from transforms import storage
from transforms.elements import Block, BoundingBox, Placement, Sample, ShardSpec
from transforms.formats import TABLE_FORMATS
from transforms.formats.base import Folder, OutputFile
from transforms.formats.schema import Picture, Row
from transforms.pixels.size import Size
from transforms.plan.clean_shards import BACKGROUNDS, FOREGROUNDS
from transforms.plan.inputs import one_line
from transforms.plan.plan import load_plan
from transforms.recipe import Recipe
from transforms.records import ShardRecord, record_name, record_path, wanted_digest
from transforms.report.gallery_samples import KeptSample
from transforms.report.object_counts import ObjectCounts
from transforms.report.statistics import DepthCounts, Statistics
from transforms.report.verify_report import Fault, Report, ReportFn, ShardReport
from transforms.scenes.labels import SceneObject
from transforms.steps.encode import QuantisedDepth, count_objects, shown_depth
from transforms.steps.mask import bounding_box
from transforms.steps.place import blocks
from transforms.steps.sequence import steps_of
from transforms.steps.verify_again import Again
from transforms.steps.verify_clean import verify_clean_shard
from transforms.steps.verify_files import Faults, Rows, Tables, expected_paths, reason, same_value
from transforms.steps.verify_joined import verify_joined
from transforms.steps.verify_layers import EVERY, label_fault
from transforms.steps.verify_scenes import objects_of, scene_depth_fault, scene_fault

_PREDICTED = ("depth", "depth_scale", "depth_offset")


@dataclass(frozen=True)
class Inspection:
    """How a data set is read back; it travels with every shard.

    Attributes:
        recipe: how the data set was made.
        again: whether samples are made again; else `why_not` says why they are not.
        why_not: see `again`.
    """

    recipe: Recipe
    again: bool = True
    why_not: str = ""


Unit = ShardSpec | OutputFile
"""What is read back in one piece: a shard of samples or of clean images, or a joined file."""


@dataclass(frozen=True, eq=False)
class _Decoded:
    """The pictures of a sample as they were read back."""

    image: np.ndarray
    mask: np.ndarray
    depth: np.ndarray | None


class _Shard:
    """Reads one shard of samples back in all formats."""

    def __init__(self, shard: ShardSpec, inspection: Inspection) -> None:
        self.shard = shard
        self.recipe = recipe = inspection.recipe
        self.inspection = inspection
        self.plan = load_plan(recipe.plan_path)
        self.folder: Folder = recipe.folder
        self.schema = recipe.schema
        self.fields = self.schema.sample_fields()
        self.index = {field.name: i for i, field in enumerate(self.fields)}
        self.faults = Faults()
        self.unchecked: list[str] = []
        self.kept: list[KeptSample] = []
        self.statistics = Statistics()
        self.samples = self.decoded = 0
        self.objects: list[tuple[SceneObject, ...]] = []
        predicted = self.schema.depth and not recipe.layered
        self.predicted = _PREDICTED if predicted else ()

    def read(self) -> ShardReport:
        record, fault = checked_record(self.folder, self.shard)
        if fault is not None:
            self.faults.add(fault.path, fault.what)
        files = {file.path: file for file in record.files} if record else {}
        failed = {failure.key for failure in record.failures} if record else set()
        paths = expected_paths(
            lambda name: TABLE_FORMATS[name].sample_path(self.shard), self.recipe.formats
        )
        for path in paths.values():
            if record is not None and path not in files:
                self.faults.add(record_name(self.shard), f"it does not list {path}")
        tables = Tables(self.folder, paths, self.fields, files, self.faults)
        rows = tables.rows()
        again = Again(self.shard, self.recipe, bool(paths) or not self.predicted)
        missing = 0
        with again:
            for block in blocks(self.plan, self.shard, self.recipe.block_size):
                wanted = tuple(p for p in block.placements if p.key not in failed)
                if not wanted:
                    continue
                made = self._made(replace(block, placements=wanted))
                several = list(islice(rows, len(wanted))) if paths else []
                missing += len(wanted) - len(several)
                if paths:
                    self._check_rows(tables, several, wanted, made, again)
                else:
                    self._take_made(wanted, made, again)
            for row in rows if paths else ():
                if (first := tables.agreed(row, self.samples)) is not None:
                    text = f"record {self.samples} is {first[0]}; no sample is left to come"
                    self.faults.add(paths_first(paths), text)
                self.samples += 1
            if missing and paths:
                self.faults.add(paths_first(paths), f"{missing} samples are missing at its end")
            count, parts = again.compare(record, self.folder, self.faults)
        if record is not None and not self.faults.found and (paths or again.whole):
            self._compare(record)
        return ShardReport(
            self.samples,
            len(paths) + count,
            tuple(self.faults.found),
            tuple(sorted(set(self.unchecked))),
            record,
            self.statistics,
            tuple(self.kept),
            parts,
        )

    def _made(self, block: Block) -> Block | None:
        """A block made again, without predicted depth; None where that is impossible."""
        if not self.inspection.again:
            self.unchecked.append(self.inspection.why_not)
            return None
        wanted = len(block.placements)
        try:
            for step in steps_of(self.recipe):
                if step.handler is None:
                    block = step.run(block, self.recipe)
        except Exception as error:  # Inputs may be gone, or be anything by now.
            self.unchecked.append(one_line(f"{error}"))
            return None
        if len(block.samples) < wanted:
            self.unchecked.append(one_line(block.failures[0].reason))
            return None
        return block

    def _take_made(self, wanted: tuple[Placement, ...], made: Block | None, again: Again) -> None:
        """Takes a block of a data set that has no table to be read back."""
        self.samples += len(wanted)
        if made is None or made.statistics is None:
            again.give_up()
            return
        self.statistics += made.statistics
        for sample in made.samples:
            again.add(sample)
            if not self.predicted:
                self._keep(sample)

    def _keep(self, sample: Sample) -> None:
        key = sample.placement.key
        if key in self.plan.gallery_keys:
            self.kept.append(
                KeptSample(key, sample.image, sample.mask, sample.depth, sample.instances)
            )

    def _check_rows(
        self,
        tables: Tables,
        several: list[Rows],
        expected: tuple[Placement, ...],
        made: Block | None,
        again: Again,
    ) -> None:
        path = tables.paths[0]
        good: list[tuple[Row, _Decoded]] = []
        depths: list[tuple[Row, np.ndarray]] = []
        same = 0
        for number, rows in enumerate(several):
            row = tables.agreed(rows, self.samples + number)
            if row is None:
                continue
            key, wanted = row[0], expected[number]
            if key != wanted.key:
                text = f"record {self.samples + number} is {key}; {wanted.key} should stand here"
                self.faults.add(path, text)
                continue
            if made is None:
                decoded = self._decode(path, row, wanted)
                if decoded is not None:
                    good.append((row, decoded))
                    self._keep(self._as_sample(row, wanted))
                continue
            sample, pixels = self._completed(path, row, made.samples[number])
            if sample is not None:
                same += 1
                again.add(sample)
                self._keep(sample)
                if pixels is not None:
                    depths.append((row, pixels))
        self.samples += len(several)
        if made is None or same < len(expected):
            again.give_up()
        if good:
            self.statistics += self._count(good)
        elif made is not None and made.statistics is not None and same == len(expected):
            self.statistics += replace(
                made.statistics,
                depth=self._count_depth(depths) if self.predicted else made.statistics.depth,
            )

    def _completed(
        self, path: str, row: Row, sample: Sample
    ) -> tuple[Sample | None, np.ndarray | None]:
        """A sample made again with the predicted depth of its row; None where the row differs."""
        key = sample.placement.key
        for field, found in zip(self.fields, row, strict=True):
            if field.name in self.predicted:
                continue
            value = field.value(sample)
            if not same_value(found, value):
                text = f"is {found}, not {value}"
                if isinstance(value, Picture):
                    text = "is not what the inputs give"
                self.faults.add(path, f"{key}: {field.name} {text}")
                return None, None
        if not self.predicted:
            return sample, None
        try:
            pixels = self._depth_pixels(row)
        except ValueError as error:
            self.faults.add(path, f"{key}: {error}")
            return None, None
        depth, scale, offset = (row[self.index[name]] for name in _PREDICTED)
        assert isinstance(depth, Picture)
        assert isinstance(scale, float) and isinstance(offset, float)
        jpegs = sample.jpegs
        if jpegs is not None:
            jpegs = (*jpegs[:2], shown_depth(pixels, self.recipe))
        complete = replace(
            sample, depth=depth.data, depth_scale=scale, depth_offset=offset, jpegs=jpegs
        )
        return complete, pixels

    def _as_sample(self, row: Row, placement: Placement) -> Sample:
        """What the gallery shows of a row."""
        depth = self._picture(row, "depth") if self.schema.depth else None
        image, mask = self._picture(row, "image"), self._picture(row, "mask")
        instances = self._picture(row, "instances") if self.schema.scenes else None
        nowhere = BoundingBox(0, 0, 0, 0)
        return Sample(placement, image, mask, nowhere, 0, depth, instances=instances)

    def _depth_pixels(self, row: Row) -> np.ndarray:
        return decoded(self._picture(row, "depth"), "I;16", self.schema.size)

    def _decode(self, path: str, row: Row, wanted: Placement) -> _Decoded | None:
        key = wanted.key
        try:
            image = decoded(self._picture(row, "image"), "RGB", self.schema.size)
            mask = decoded(self._picture(row, "mask"), "L", self.schema.size)
            depth = self._depth_pixels(row) if self.schema.depth else None
        except ValueError as error:
            self.faults.add(path, f"{key}: {error}")
            return None
        box, area = bounding_box(mask)
        facts = {
            "fg_id": wanted.fg_id,
            "bg_id": wanted.bg_id,
            "flip": wanted.flip,
            "seq": wanted.seq,
            "bbox": (box.x, box.y, box.width, box.height),
            "area": area,
            **({} if self.schema.scenes else self._category(wanted.fg_id)),
        }
        for name, value in facts.items():
            if row[self.index[name]] != value:
                self.faults.add(path, f"{key}: {name} is {row[self.index[name]]}, not {value}")
                return None
        if self.schema.scenes:
            return self._decode_scene(path, row, wanted, _Decoded(image, mask, depth))
        if not within(mask, wanted):
            text = f"{key}: the mask is not where the plan has placed the foreground"
            self.faults.add(path, text)
            return None
        if depth is not None and not self._layers_agree(path, row, wanted, mask, depth):
            return None
        return _Decoded(image, mask, depth)

    def _decode_scene(
        self, path: str, row: Row, wanted: Placement, found: _Decoded
    ) -> _Decoded | None:
        """Holds the objects of a scene against instances, mask and depth."""
        try:
            instances = decoded(self._picture(row, "instances"), "L", self.schema.size)
        except ValueError as error:
            self.faults.add(path, f"{wanted.key}: {error}")
            return None
        stored = None
        if found.depth is not None:
            scale, offset = (
                np.array([row[self.index[name]]], np.float32)
                for name in ("depth_scale", "depth_offset")
            )
            stored = QuantisedDepth(found.depth[None], scale, offset)
        values = {field.name: value for field, value in zip(self.fields, row, strict=True)}
        objects = objects_of(values, self.plan, self.recipe)
        fault = scene_fault(
            values, objects, wanted, instances, found.mask, stored, self.plan, self.recipe
        )
        self.decoded += 1
        if fault is None and self.recipe.layered and self.decoded % EVERY == 1:
            assert stored is not None
            fault = scene_depth_fault(objects, wanted, instances, stored, self.plan, self.recipe)
        if fault is not None:
            self.faults.add(path, f"{wanted.key}: {fault}")
            return None
        self.objects.append(objects)
        return found

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
            self.faults.add(path, f"{wanted.key}: {fault}")
        return fault is None

    def _category(self, fg_id: int) -> dict[str, object]:
        category = self.plan.category_of(fg_id)
        if category is None:
            return {}
        return {"category": category, "label": self.plan.categories.index(category)}

    def _picture(self, row: Row, name: str) -> bytes:
        value = row[self.index[name]]
        return value.data if isinstance(value, Picture) else b""

    def _size(self, rows: list[Row], name: str) -> int:
        return sum(len(self._picture(row, name)) for row in rows)

    def _count_depth(self, depths: list[tuple[Row, np.ndarray]]) -> DepthCounts:
        rows = [row for row, _ in depths]

        def numbers(name: str) -> np.ndarray:
            return np.array([row[self.index[name]] for row in rows], np.float32)

        pixels = np.stack([pixels for _, pixels in depths])
        scale, offset = numbers("depth_scale"), numbers("depth_offset")
        return DepthCounts.of(pixels, scale, offset, self._size(rows, "depth"))

    def _count(self, good: list[tuple[Row, _Decoded]]) -> Statistics:
        rows = [row for row, _ in good]
        depths = [(row, pixels.depth) for row, pixels in good if pixels.depth is not None]
        return Statistics.of_samples(
            np.stack([pixels.image for _, pixels in good]),
            np.stack([pixels.mask for _, pixels in good]),
            self._size(rows, "image"),
            self._size(rows, "mask"),
            self._count_depth(depths) if depths else None,
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
        said = record.statistics
        if found.depth is None:
            said = replace(said, depth=None)  # Without tables, predicted depth is not read back.
        if found.to_record() != said.to_record():
            path = record_name(self.shard)
            self.faults.add(path, "its statistics are not those of the files")


def paths_first(paths: dict[str, str]) -> str:
    """The first of a shard's paths."""
    return next(iter(paths.values()))


def within(mask: np.ndarray, placement: Placement) -> bool:
    """Whether all that a mask shows lies where a foreground was placed.

    Args:
        mask: uint8 [height, width].
        placement: the place.
    """
    ys, xs = np.nonzero(mask)
    return bool(
        ys.size
        and placement.x <= xs.min()
        and xs.max() < placement.x + placement.width
        and placement.y <= ys.min()
        and ys.max() < placement.y + placement.height
    )


def checked_record(folder: Folder, shard: ShardSpec) -> tuple[ShardRecord | None, Fault | None]:
    """The record of a finished shard, or what is wrong with it."""
    path = record_name(shard)
    try:
        text = storage.read_text(record_path(folder, shard))
    except Exception as error:  # Each store has errors of its own.
        if not storage.exists(record_path(folder, shard)):
            return None, Fault(path, "it is missing")
        return None, Fault(path, f"it cannot be read: {reason(error)}")
    try:
        record = ShardRecord.from_json(text)
        if record.shard == shard and record.to_json() == text:
            if record.digest != wanted_digest(folder, shard):
                return None, Fault(path, "the shard's record is of another data set")
            return record, None
    except Exception as error:  # A damaged file may contain anything.
        return None, Fault(path, f"the shard's record cannot be read: {type(error).__name__}")
    return None, Fault(path, "the shard's record is damaged")


def decoded(data: bytes, mode: str, size: Size) -> np.ndarray:
    """Decodes a picture of known mode and size. Raises ValueError when it is anything else."""
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except Exception as error:
        raise ValueError(f"a picture cannot be decoded: {error}") from None
    if image.mode != mode or image.size != size.pair:
        raise ValueError(
            f"a picture is {image.mode} {image.width}x{image.height}, not {mode} {size}"
        )
    return np.asarray(image)


def verify_unit(unit: Unit, inspection: Inspection) -> ShardReport:
    """Reads a shard or a joined file back."""
    if isinstance(unit, OutputFile):
        return verify_joined(unit, inspection.recipe, inspection.again)
    record, fault = None, None
    if unit.split in (FOREGROUNDS, BACKGROUNDS):
        record, fault = checked_record(inspection.recipe.folder, unit)
        why_not = None if inspection.again else inspection.why_not
        return verify_clean_shard(unit, inspection.recipe, record, fault, why_not)
    return _Shard(unit, inspection).read()


class _VerifyDoFn(beam.DoFn):
    def __init__(self, inspection: Inspection) -> None:
        self._inspection = inspection

    def process(self, unit: Unit) -> Iterator[ShardReport]:
        yield verify_unit(unit, self._inspection)


class Verify(beam.PTransform):
    """Shards and joined files to one Report.

    Args:
        inspection: how they are read back.
    """

    def __init__(self, inspection: Inspection) -> None:
        super().__init__()
        self._inspection = inspection

    def expand(self, units: beam.PCollection[Unit]) -> beam.PCollection[Report]:
        """Adds the step to a pipeline."""
        return (
            units
            | "Verify" >> beam.ParDo(_VerifyDoFn(self._inspection))
            | "Report" >> beam.CombineGlobally(ReportFn())
        )
