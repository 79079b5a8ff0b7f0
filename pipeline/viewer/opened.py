"""A finished data set opened for viewing: what it is, its index, and its pictures."""

import hashlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline.places import check_given
from pipeline.run import make_recipe
from pipeline.spec import DatasetSpec, SpecError
from pipeline.viewer.columns import Columns
from pipeline.viewer.pictures import rendered
from transforms import storage
from transforms.formats import INDEXED_FORMATS
from transforms.formats.base import Folder, IndexedFormat, RowFile
from transforms.formats.schema import Field, Picture, Value
from transforms.models.depth.base import DepthMeaning
from transforms.plan.plan import PLAN, Plan
from transforms.recipe import Recipe
from transforms.records import ShardRecord, read_record
from transforms.report.sample_index import INDEX, shard_rows, write_index
from transforms.report.statistics import Statistics
from transforms.steps.finish import MANIFEST, read_manifest
from transforms.steps.index import indexed_format

_OPEN_FILES = 16


@dataclass(frozen=True)
class OpenedSet:
    """A finished data set.

    Attributes:
        folder: where it is.
        digest: a short name of just this state of it.
        manifest: contents of its manifest.
        plan: its plan.
        recipe: how its samples were made.
        columns: its index.
        files: its files, open.
    """

    folder: Folder
    digest: str
    manifest: dict[str, Any]
    plan: Plan
    recipe: Recipe
    columns: Columns
    files: "RowFiles"

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of its samples."""
        return self.recipe.schema.sample_fields()

    @property
    def views(self) -> tuple[str, ...]:
        """Names of what a sample can be seen as."""
        names = {field.name for field in self.fields}
        wanted = (("composite", "image"), ("mask", "mask"), ("instances", "instances"))
        views = [view for view, field in wanted if field in names]
        views += ["depth"] if "depth" in names else []
        return (*views, "overlay")

    def values(self, row: int, names: tuple[str, ...] | None = None) -> dict[str, Value]:
        """Fields of a sample, by default all that are no pictures; none of one that failed.

        Raises:
            FormatError: its file is damaged.
            OSError: its file cannot be read.
        """
        if self.columns.number("row", row) < 0:
            return {}
        fields = tuple(
            field
            for field in self.fields
            if (field.kind != "picture" if names is None else field.name in names)
        )
        offset = self.columns.number("offset", row)
        path = self.columns.word("file", row)
        assert path is not None
        with self.files.opened(path) as file:
            found = file.read(
                self.columns.number("row", row), None if offset < 0 else offset, fields
            )
        return {field.name: value for field, value in zip(fields, found, strict=True)}

    def picture(self, row: int, view: str) -> tuple[bytes, str] | None:
        """A sample's picture file and its media type; None where there is none.

        Raises:
            FormatError: its file is damaged.
            OSError: its file cannot be read.
        """
        if view not in self.views:
            return None
        needs = {"composite": ("image",), "overlay": ("image", "mask")}.get(view, (view,))
        found = self.values(row, needs)
        pictures = [found[name] for name in needs if name in found]
        data = [picture.data for picture in pictures if isinstance(picture, Picture)]
        if len(data) < len(needs):
            return None
        return rendered(view, data, self.recipe.near_is_large)


class RowFiles:
    """Files of a data set, the last few of which stay open."""

    def __init__(self, folder: Folder, table: IndexedFormat) -> None:
        self._folder = folder
        self._table = table
        self._files: OrderedDict[str, tuple[RowFile, threading.Lock]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def opened(self, path: str) -> Iterator[RowFile]:
        """A file, given relative to the data set's folder, for one thread at a time."""
        with self._lock:
            found = self._files.get(path)
            if found is None:
                found = self._table.open_rows(self._folder.path(path)), threading.Lock()
                self._files[path] = found
            self._files.move_to_end(path)
            if len(self._files) > _OPEN_FILES:
                self._files.popitem(last=False)  # It closes when its last reader lets go of it.
        with found[1]:
            yield found[0]


def open_set(output: str, cache: str) -> OpenedSet:
    """Opens a finished data set; one of an older version gets its index in `cache`.

    Args:
        output: its folder, on a disk or an object store.
        cache: an empty local folder, which must stay.

    Raises:
        SpecError: there is no finished data set in the folder, or none that can be shown.
    """
    check_given("output", output)
    folder = Folder(storage.absolute(output))
    manifest, spec, plan = _described(folder)
    table = indexed_format(spec.formats)
    if table is None:
        raise SpecError(
            f"{folder.root}: pictures are shown out of {' or '.join(INDEXED_FORMATS)}, and the data"
            f" set has only {', '.join(spec.formats)}; look at its gallery/index.html, or make it"
            " with one of them"
        )
    depth = manifest["depth"]
    meaning = depth and DepthMeaning(depth["kind"], depth["unit"], depth["near_is_large"])
    recipe = make_recipe(spec, plan, meaning)
    path = _index(folder, plan, table, recipe, cache)
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:16]
    files = RowFiles(folder, table)
    return OpenedSet(folder, digest, manifest, plan, recipe, Columns(path, plan), files)


def _described(folder: Folder) -> tuple[dict[str, Any], DatasetSpec, Plan]:
    try:
        if not storage.exists(folder.path(MANIFEST)):
            there = storage.exists(folder.plan_path)
            state = "is unfinished; the same command continues it" if there else "is no data set"
            raise SpecError(f"{folder.root} {state}")
        manifest = read_manifest(folder)
        if manifest is None:
            raise SpecError(f"{folder.path(MANIFEST)} is damaged; see verify")
        spec = DatasetSpec.from_json(json.dumps({**manifest["spec"], "output": folder.root}))
        if not storage.exists(folder.plan_path):
            raise SpecError(
                f"{folder.root} has no {PLAN}, which is not published with a data set; look at it"
                " where it was made, or at its gallery/index.html"
            )
        plan = Plan.from_json(storage.read_text(folder.plan_path))
    except SpecError:
        raise
    except Exception as error:  # Each store has errors of its own, and any file may be damaged.
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise SpecError(f"{folder.root} cannot be read: {reason}") from None
    return manifest, spec, plan


def _index(folder: Folder, plan: Plan, table: IndexedFormat, recipe: Recipe, cache: str) -> str:
    """A local file with the index of a data set."""
    there = folder.path(INDEX)
    if storage.exists(there) and storage.is_local(there):
        return there
    path = os.path.join(cache, "index.parquet")
    with open(path, "wb") as file:
        if storage.exists(there):
            file.write(storage.read_bytes(there))
        else:
            write_index(file, _rows(folder, plan, table, recipe))
    return path


def _rows(folder: Folder, plan: Plan, table: IndexedFormat, recipe: Recipe) -> Iterator[Any]:
    for shard in plan.shards():
        record = read_record(folder, shard) or ShardRecord(shard, (), (), Statistics())
        yield from shard_rows(folder, plan, record, table, recipe.schema)
