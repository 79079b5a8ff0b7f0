"""Index step: the rows of each finished shard in the index of samples.

They are read back from the shard, so those that a former run has made count as well.
"""

from transforms.formats import INDEXED_FORMATS
from transforms.formats.base import IndexedFormat
from transforms.plan.clean_shards import BACKGROUNDS, FOREGROUNDS
from transforms.plan.plan import load_plan
from transforms.recipe import Recipe
from transforms.records import ShardRecord
from transforms.report.sample_index import fragment_path, shard_rows, write_index


def indexed_format(formats: tuple[str, ...]) -> IndexedFormat | None:
    """The format that the index points into; Parquet where there is, None where there is none."""
    found = [name for name in formats if name in INDEXED_FORMATS]
    # Its columns are read without the pictures.
    found.sort(key=lambda name: name != "parquet")
    return INDEXED_FORMATS[found[0]] if found else None


def index_shard(record: ShardRecord, recipe: Recipe) -> ShardRecord:
    """Writes the rows of a shard of samples; returns its record as it is."""
    table = indexed_format(recipe.formats)
    if table is None or record.shard.split in (FOREGROUNDS, BACKGROUNDS):
        return record
    plan = load_plan(recipe.plan_path)
    rows = shard_rows(recipe.folder, plan, record, table, recipe.schema)
    with recipe.folder.create(fragment_path(record.shard)) as file:
        write_index(file, rows)
    return record
