"""Write step: each shard is written as its blocks arrive, and appears whole.

A shard's blocks normally arrive one after another in one bundle, since everything after the one
Reshuffle is fused. Where a runner decides otherwise, the shard is dropped and named as unfinished,
and made again in one piece: it is a pure function of its spec, so nothing needs to be merged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.counters import MADE, count
from transforms.elements import Block, Failure, Sample, ShardSpec
from transforms.formats import FORMATS
from transforms.formats.base import Sink
from transforms.plan.plan import Plan, load_plan
from transforms.recipe import Recipe
from transforms.records import ShardRecord, write_record
from transforms.report.gallery_samples import keep_for_gallery
from transforms.report.statistics import Statistics
from transforms.steps.index import write_rows

UNFINISHED = "unfinished"
"""Tag of the shards that did not arrive in one piece."""


class TooManyFailures(RuntimeError):
    """More samples have failed than the job allows."""


class ShardWriter:
    """One shard being written in all formats.

    Args:
        shard: the shard.
        recipe: where and how.
        plan: the data set's plan.
    """

    def __init__(self, shard: ShardSpec, recipe: Recipe, plan: Plan) -> None:
        self.shard = shard
        self.seen = 0
        self._recipe = recipe
        self._plan = plan
        self._statistics = Statistics()
        self._failures: list[Failure] = []
        self._sinks: list[Sink[Sample]] = []
        try:
            for name in recipe.formats:
                sink = FORMATS[name].open_samples(recipe.folder, shard, recipe.schema)
                self._sinks.append(sink)
        except BaseException:
            self.discard()
            raise

    def add(self, block: Block) -> None:
        """Appends a block.

        Raises:
            TooManyFailures: the shard alone has more failed samples than the job allows.
        """
        assert block.statistics is not None
        self.seen += block.promised
        self._failures += block.failures
        check_failures(self._failures, self._recipe.allowed_failures)
        for sample in block.samples:
            for sink in self._sinks:
                sink.write(sample)
        self._statistics += block.statistics
        keep_for_gallery(self._recipe.folder, self._plan, block)
        count(self._recipe.progress_folder, MADE, block.promised)

    def finish(self) -> ShardRecord:
        """Finishes the shard: files get their names, then index and record are written."""
        files = tuple(file for sink in self._sinks for file in sink.close())
        statistics = replace(self._statistics, failed=len(self._failures))
        record = ShardRecord(self.shard, files, tuple(self._failures), statistics)
        write_rows(record, self._recipe)
        write_record(self._recipe.folder, record)
        return record

    def discard(self) -> None:
        """Drops what has been written."""
        for sink in self._sinks:
            sink.discard()


def check_failures(failures: Sequence[Failure], allowed: int) -> None:
    """Stops a job with too many failed samples; those of a faulty input count as one input.

    Raises:
        TooManyFailures: there are more than allowed; it names the first.
    """
    counted = [failure for failure in failures if not failure.of_input]
    if len(counted) <= allowed:
        return
    first = counted[0]
    raise TooManyFailures(
        f"{len(counted)} samples have failed, more than the {allowed} that --max_failures allows;"
        f" the first is {first.key} in step {first.step}: {first.reason}"
    )


class _WriteDoFn(beam.DoFn):
    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._writer: ShardWriter | None = None
        self._broken: set[ShardSpec] = set()

    def start_bundle(self) -> None:
        self._writer, self._broken = None, set()

    def process(self, block: Block) -> Iterator[ShardRecord]:
        if block.shard in self._broken:
            return
        if self._writer is None and block.first == 0:
            plan = load_plan(self._recipe.folder.plan_path)
            self._writer = ShardWriter(block.shard, self._recipe, plan)
        writer = self._writer
        if writer is None or writer.shard != block.shard or writer.seen != block.first:
            self._broken.add(block.shard)
            self._drop()
            return
        try:
            writer.add(block)
            if writer.seen == block.shard.count:
                self._writer = None
                yield writer.finish()
        except BaseException:
            self._writer = None
            writer.discard()
            raise

    def finish_bundle(self) -> Iterator[beam.pvalue.TaggedOutput]:
        self._drop()
        window = GlobalWindow()
        for shard in sorted(self._broken):
            value = WindowedValue(shard, window.max_timestamp(), (window,))
            yield beam.pvalue.TaggedOutput(UNFINISHED, value)

    def _drop(self) -> None:
        if self._writer is not None:
            self._broken.add(self._writer.shard)
            self._writer.discard()
            self._writer = None


class Write(beam.PTransform):
    """Blocks with samples to ShardRecords.

    The output has a second PCollection under the tag `UNFINISHED`: the shards to be made again.

    Args:
        recipe: where and how.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self._recipe = recipe

    def expand(self, blocks: beam.PCollection[Block]) -> beam.pvalue.DoOutputsTuple:
        """Adds the step to a pipeline."""
        write = beam.ParDo(_WriteDoFn(self._recipe))
        return blocks | "Write" >> write.with_outputs(UNFINISHED, main="records")
