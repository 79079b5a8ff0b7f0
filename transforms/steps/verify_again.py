"""The files of a shard that are no tables, written again elsewhere and compared by checksum."""

import contextlib
import tempfile
from types import TracebackType

from transforms.elements import CleanImage, Sample, ShardSpec
from transforms.formats import FORMATS, JOINED_FORMATS, TABLE_FORMATS
from transforms.formats.base import FRAGMENT, Folder, OutputFile, ScratchFolder, Sink, fragment_name
from transforms.plan.plan import load_plan
from transforms.recipe import Recipe
from transforms.records import ShardRecord, record_name
from transforms.report.verify_report import Part, Total
from transforms.steps.verify_files import Faults, compare_checksum


class Again:
    """A shard being written again in the formats that cannot be read back record by record.

    Args:
        shard: the shard.
        recipe: how it was made.
        depth_known: whether samples come with their depth, where the data set has it.
        clean: whether it is a shard of clean images.
    """

    def __init__(
        self, shard: ShardSpec, recipe: Recipe, depth_known: bool, clean: bool = False
    ) -> None:
        self.whole = True
        self._shard = shard
        self._recipe = recipe
        self._clean = clean
        self._names = [
            name
            for name in recipe.formats
            if name not in TABLE_FORMATS and (depth_known or not FORMATS[name].holds_depth)
        ]
        self._scratch = tempfile.TemporaryDirectory(prefix="mask-depth-verify-")
        self._sinks: list[Sink] = []

    def __enter__(self) -> "Again":
        folder = ScratchFolder(self._recipe.root, self._scratch.name)
        for name in self._names:
            open_shard = FORMATS[name].open_clean if self._clean else FORMATS[name].open_samples
            sink = open_shard(folder, self._shard, self._recipe.schema)
            if sink is not None:
                self._sinks.append(sink)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.give_up()
        self._scratch.cleanup()

    def add(self, item: Sample | CleanImage) -> None:
        """Writes one item."""
        for sink in self._sinks:
            sink.write(item)

    def give_up(self) -> None:
        """Drops what was written: an item could not be made again."""
        self.whole = False
        for sink in self._sinks:
            with contextlib.suppress(OSError):
                sink.discard()
        self._sinks = []

    def compare(
        self, record: ShardRecord | None, folder: Folder, faults: Faults
    ) -> tuple[int, tuple[Part, ...]]:
        """Reads the shard's other files and compares all with their record and with this.

        Args:
            record: the shard's record, None where there is none.
            folder: the data set's folder.
            faults: takes what is wrong.

        Returns:
            How many files were read, and what the shard contributes to joined files.
        """
        whole = self.whole
        made = {file.path: file for sink in self._sinks for file in sink.close()}
        self._sinks = []
        if record is None:
            return 0, ()
        tables = set(TABLE_FORMATS)
        files = [file for file in record.files if file.format not in tables]
        names = {*self._names, *(fragment_name(name) for name in self._names)}
        count = 0
        for file in files:
            known = made.pop(file.path, None)
            judged = whole and file.format in names
            if judged and known is None:
                faults.add(record_name(self._shard), f"it lists {file.path}, which is not its own")
            if file.format.endswith(FRAGMENT):
                if judged and known is not None and known.sha256 != file.sha256:
                    text = f"its part of the {file.split} of {file.format.removesuffix(FRAGMENT)}"
                    faults.add(record_name(self._shard), f"{text} is not what the inputs give")
                continue
            count += 1
            before = len(faults.found)
            compare_checksum(folder, file.path, file.sha256, faults)
            said = len(faults.found) > before
            if judged and not said and known is not None and known.sha256 != file.sha256:
                faults.add(file.path, "it is not what the inputs give")
        for path in sorted(made) if whole else ():
            faults.add(record_name(self._shard), f"it does not list {path}")
        return count, tuple(self._part(file, whole) for file in files if _is_fragment(file))

    def _part(self, file: OutputFile, whole: bool) -> Part:
        name = file.format.removesuffix(FRAGMENT)
        joined = JOINED_FORMATS[name]
        total = None
        if whole and name in self._names:
            path = ScratchFolder(self._recipe.root, self._scratch.name).path(file.path)
            with contextlib.suppress(FileNotFoundError):  # The record says what no sample gives.
                total = Total.of(joined.fragment_entries(path, load_plan(self._recipe.plan_path)))
        return Part(joined.joined_path(file.split), file.count, total)


def _is_fragment(file: OutputFile) -> bool:
    return file.format.removesuffix(FRAGMENT) in JOINED_FORMATS and file.format.endswith(FRAGMENT)
