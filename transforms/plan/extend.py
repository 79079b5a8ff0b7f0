"""Extending a data set: more placements or more inputs, and nothing made twice.

A sample is a function of its key, so what an extended data set has besides the former one is whole
products of foregrounds, backgrounds and placements. They follow as parts of their own, in shards of
their own. Existing shards stay the same under new names, because a name says how
many shards there are.
"""

from collections.abc import Iterator
from dataclasses import replace

from transforms import storage
from transforms.elements import ShardSpec
from transforms.formats import TABLE_FORMATS
from transforms.formats.base import Folder
from transforms.plan.dealing import Part
from transforms.plan.plan import Plan
from transforms.records import ShardRecord, read_record, record_path, write_record


def extended(former: Plan, wanted: Plan) -> Plan:
    """The plan of a data set that is extended.

    Args:
        former: its plan so far.
        wanted: the plan of the whole extended set, made at once, with at least the former's
            foregrounds, backgrounds and placements.

    Returns:
        The wanted samples: first the former's, where they were, then the others.
    """
    old_fg, old_bg = ({a.id for a in kind} for kind in (former.foregrounds, former.backgrounds))
    fg, bg = ([a.id for a in kind] for kind in (wanted.foregrounds, wanted.backgrounds))
    here_fg, new_fg = _divided(fg, old_fg)
    here_bg, new_bg = _divided(bg, old_bg)
    more = wanted.placements - former.placements
    added = (
        Part(here_fg, here_bg, former.placements + 1, more),
        Part(here_fg, new_bg, 1, wanted.placements),
        Part(new_fg, tuple(bg), 1, wanted.placements),
    )
    parts = former.all_parts + tuple(part for part in added if part.cells > 0)
    return replace(
        wanted,
        parts=parts if len(parts) > 1 else (),
        layout=former.layout,
        shard_samples=former.shard_samples,
        categories=former.categories,  # Their names and numbers are in the shards.
        ringing=former.ringing,
    )


def _divided(ids: list[int], old: set[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(i for i in ids if i in old), tuple(i for i in ids if i not in old)


def former_shards(plan: Plan, shard: ShardSpec) -> Iterator[ShardSpec]:
    """What a shard was called before the set was extended, the last name first."""
    totals = [0]
    for part in plan.part_shards:
        totals.append(totals[-1] + part.get(shard.split, (0, 0))[1])
    for of in sorted(set(totals), reverse=True):
        if shard.index < of < shard.of:
            yield replace(shard, of=of)


def adopt(folder: Folder, plan: Plan, shard: ShardSpec, formats: tuple[str, ...]) -> None:
    """Gives the files of a finished shard the names that they have in the extended set.

    It can be stopped anywhere and done again: the record of the former name goes last.

    Args:
        folder: the data set's folder.
        plan: the plan of the extended set.
        shard: one of its shards.
        formats: names of its formats.
    """
    for former in former_shards(plan, shard):
        record = read_record(folder, former)
        if record is not None and read_record(folder, shard) is None:
            write_record(folder, _renamed(folder, record, shard))
        for name in formats:  # A run that was killed may have left files without a record.
            path = TABLE_FORMATS[name].sample_path(former)
            if path != TABLE_FORMATS[name].sample_path(shard):
                storage.delete(folder.path(path))
        storage.delete(record_path(folder, former))


def _renamed(folder: Folder, record: ShardRecord, shard: ShardSpec) -> ShardRecord:
    files = []
    for file in record.files:
        path = TABLE_FORMATS[file.format].sample_path(shard)
        source, target = folder.path(file.path), folder.path(path)
        # One that is lost is noticed where records are checked.
        if source != target and storage.exists(source):
            storage.rename(source, target, file.bytes)
        files.append(replace(file, path=path))
    return replace(record, shard=shard, files=tuple(files))
