"""ReadRecords step: the records of finished shards, read back where they are added up.

Only names cross between workers: records hold counts by pixel, and thousands of them would fill a
machine that sees them all.
"""

from transforms.elements import ShardSpec
from transforms.recipe import Recipe
from transforms.records import ShardRecord, read_record


def shard_of(record: ShardRecord) -> ShardSpec:
    """The shard of a record."""
    return record.shard


def read_finished(shard: ShardSpec, recipe: Recipe) -> ShardRecord:
    """The record of a finished shard. Raises FileNotFoundError when it is not there."""
    record = read_record(recipe.folder, shard)
    if record is None:
        raise FileNotFoundError(f"{shard.name}: its record is missing; start the job again")
    return record
