"""The writer under runners that cut and repeat: equal results each time."""

import contextlib
import dataclasses
import hashlib
import itertools
import json
import random
import shutil
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to, is_not_empty

from pipeline.catalog import build_catalog
from pipeline.output import claim
from pipeline.performance import Performance
from pipeline.run import make_plan, make_recipe
from pipeline.runner import choose_runner
from tests.conftest import make_spec
from transforms.elements import Block, Failure, ShardSpec
from transforms.formats import FORMATS
from transforms.plan.plan import load_plan
from transforms.records import ShardRecord
from transforms.steps.place import place
from transforms.steps.remake import Remake, make_shard
from transforms.steps.sequence import make_block
from transforms.steps.write import UNFINISHED, TooManyFailures, Write, _WriteDoFn


@pytest.fixture
def recipe(inputs, tmp_path):
    """A claimed output folder of three shards, all formats, blocks of 8."""
    spec = make_spec(inputs, tmp_path / "set", formats=tuple(FORMATS))
    plan = make_plan(spec, build_catalog(spec))
    claim(spec, plan)
    return make_recipe(spec, plan, None, Performance(batch_size=8), None)


def encoded_blocks(recipe):
    plan = load_plan(recipe.plan_path)
    return {
        shard: [make_block(block, recipe) for block in place(shard, recipe)]
        for shard in plan.shards()
    }


def checksums(root: str) -> dict[str, str]:
    base = Path(root)
    return {
        str(path.relative_to(base)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(base.rglob("*"))
        if path.is_file() and "gallery" not in path.parts
    }


def run_bundles(recipe, bundles) -> list[ShardRecord]:
    """Feeds the writer bundle by bundle, as a runner would, and remakes what is unfinished."""
    writer = _WriteDoFn(recipe)
    records, unfinished = [], set()
    for bundle in bundles:
        writer.start_bundle()
        for block in bundle:
            records += list(writer.process(block))
        for tagged in writer.finish_bundle():
            assert tagged.tag == UNFINISHED
            unfinished.add(tagged.value.value)
    return records + [make_shard(shard, recipe) for shard in sorted(unfinished)]


@pytest.fixture
def expected(recipe, inputs, tmp_path):
    """Checksums after each shard was made in one piece."""
    plan = load_plan(recipe.plan_path)
    for shard in plan.shards():
        make_shard(shard, recipe)
    sums = checksums(recipe.root)
    for path in sums:
        if "records" in path or not path.startswith("state"):
            (Path(recipe.root) / path).unlink()
    return sums


@pytest.mark.parametrize("cut", ["whole", "halves", "single", "interleaved", "twice", "backwards"])
def test_any_cutting_gives_the_same_files(recipe, expected, cut):
    shards = list(encoded_blocks(recipe).values())
    everything = [block for blocks_ in shards for block in blocks_]
    bundles = {
        "whole": [everything],
        "halves": [part for b in shards for part in (b[: len(b) // 2], b[len(b) // 2 :])],
        "single": [[block] for block in everything],
        "interleaved": [[b[i] for i in range(max(map(len, shards))) for b in shards if i < len(b)]],
        "twice": [everything, everything],
        "backwards": [everything[::-1]],
    }[cut]
    run_bundles(recipe, bundles)
    assert checksums(recipe.root) == expected


class Engine:
    """Delivers bundles as an engine does that has trouble with its workers.

    What an attempt gives counts only when it has ended well, and of two that have, one counts.
    """

    def __init__(self, recipe, trouble: random.Random) -> None:
        self.records: list[ShardRecord] = []
        self.unfinished: set[ShardSpec] = set()
        self._recipe = recipe
        self._trouble = trouble

    def deliver(self, bundle: list[Block]) -> None:
        """Delivers a bundle until an attempt has ended well, and perhaps once more."""
        how = self._trouble.choice(["once", "twice", "at the same time", "fails", "dies"])
        if how == "fails":
            self._fail(bundle)
        elif how == "dies":
            self._die(bundle)
        attempts = 1 if how == "once" else 2
        writers = [_WriteDoFn(self._recipe) for _ in range(attempts)]
        if how == "at the same time":
            results = self._alternate(writers, bundle)
        else:
            results = [self._alternate([writer], bundle)[0] for writer in writers]
        records, unfinished = self._trouble.choice(results)
        self.records += records
        self.unfinished |= unfinished

    def _alternate(self, writers, bundle):
        results: list[tuple[list[ShardRecord], set[ShardSpec]]] = [([], set()) for _ in writers]
        for writer in writers:
            writer.start_bundle()
        for block in bundle:
            for writer, (records, _) in zip(writers, results, strict=True):
                records += list(writer.process(block))
        for writer, (_, unfinished) in zip(writers, results, strict=True):
            unfinished |= {tagged.value.value for tagged in writer.finish_bundle()}
        return results

    def _fail(self, bundle) -> None:
        moment = self._trouble.randrange(len(bundle))
        writer = self._begin(bundle[:moment])
        broken = dataclasses.replace(bundle[moment].samples[0], image=None)
        block = dataclasses.replace(bundle[moment], samples=(broken,))
        with contextlib.suppress(TypeError):  # The block of a shard that is given up is not read.
            list(writer.process(block))

    def _die(self, bundle) -> None:
        self._begin(bundle[: self._trouble.randrange(len(bundle) + 1)])

    def _begin(self, blocks_) -> _WriteDoFn:
        writer = _WriteDoFn(self._recipe)
        writer.start_bundle()
        for block in blocks_:
            list(writer.process(block))
        return writer


@pytest.mark.parametrize("seed", range(8))
def test_trouble_with_workers_changes_nothing(recipe, expected, seed):
    trouble = random.Random(seed)
    everything = [block for blocks_ in encoded_blocks(recipe).values() for block in blocks_]
    if seed % 2:
        trouble.shuffle(everything)
    cuts = sorted(trouble.sample(range(1, len(everything)), trouble.randrange(1, 8)))
    bundles = [everything[a:b] for a, b in itertools.pairwise([0, *cuts, len(everything)])]
    trouble.shuffle(bundles)
    engine = Engine(recipe, trouble)
    for bundle in bundles:
        engine.deliver(bundle)
    remade = [make_shard(shard, recipe) for shard in sorted(engine.unfinished)]
    made = sorted(record.shard for record in [*engine.records, *remade])
    assert made == list(load_plan(recipe.plan_path).shards())  # Each is counted once.
    shutil.rmtree(recipe.folder.temporary)  # What the dead have left.
    assert checksums(recipe.root) == expected


def test_a_bundle_that_fails_half_way_leaves_nothing_behind(recipe, expected):
    shards = list(encoded_blocks(recipe).values())
    writer = _WriteDoFn(recipe)
    writer.start_bundle()
    for block in shards[0][:-1]:
        assert list(writer.process(block)) == []
    broken = shards[0][-1].samples[0]
    object.__setattr__(broken, "image", None)
    with pytest.raises(TypeError):
        list(writer.process(shards[0][-1]))
    assert not [path for path in checksums(recipe.root) if path.endswith(".part")]
    run_bundles(recipe, encoded_blocks(recipe).values())
    assert checksums(recipe.root) == expected


def test_the_same_in_a_real_pipeline(recipe, expected):
    shards = encoded_blocks(recipe)
    scattered = [block for blocks_ in shards.values() for block in blocks_][::-1]
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        written = pipeline | beam.Create(scattered) | Write(recipe)
        written[UNFINISHED] | Remake(recipe)
    assert checksums(recipe.root) == expected


@pytest.mark.slow
def test_the_same_on_workers_that_share_a_shard(recipe, expected):
    blocks_ = [block for blocks_ in encoded_blocks(recipe).values() for block in blocks_]
    with choose_runner(["--direct_num_workers=2"], 3).pipeline() as pipeline:
        written = pipeline | beam.Create(blocks_) | beam.Reshuffle() | Write(recipe)
        remade = written[UNFINISHED] | Remake(recipe)
        made = (written.records, remade) | beam.Flatten() | beam.Map(lambda record: record.shard)
        assert_that(made, equal_to(list(load_plan(recipe.plan_path).shards())))
        assert_that(remade | beam.Map(type), is_not_empty(), label="Some were cut")
    assert checksums(recipe.root) == expected


def test_too_many_failures_stop_the_job(recipe):
    [first, *_] = next(iter(encoded_blocks(recipe).values()))
    failures = tuple(Failure(f"k{i}", "Depth", "the map is 0 everywhere") for i in range(3))
    object.__setattr__(first, "failures", failures)
    with pytest.raises(TooManyFailures, match=r"3 samples have failed.*k0 in step Depth"):
        run_bundles(recipe, [[first]])
    assert not [path for path in checksums(recipe.root) if path.endswith(".part")]


def test_records_survive_json(recipe):
    shard = next(iter(load_plan(recipe.plan_path).shards()))
    record = make_shard(shard, recipe)
    again = ShardRecord.from_json(record.to_json())
    assert again.to_json() == record.to_json()
    assert json.loads(record.to_json())["shard"]["split"] == "train"
    assert {file.format for file in again.files} == {
        "tfrecord",
        "parquet",
        "webdataset",
        "coco",
        "coco-part",
        "yolo",
        "zip-part",
    }
