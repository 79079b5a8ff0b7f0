"""Index step: the rows of each shard in the index of samples, read back from its files."""

from transforms import storage
from transforms.formats import INDEXED_FORMATS
from transforms.formats.base import IndexedFormat
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


def write_rows(record: ShardRecord, recipe: Recipe) -> None:
    """Writes the rows of a shard whose files have their names."""
    table = indexed_format(recipe.formats)
    if table is None:
        return
    plan = load_plan(recipe.plan_path)
    rows = shard_rows(recipe.folder, plan, record, table, recipe.schema)
    with recipe.folder.create(fragment_path(record.shard)) as file:
        write_index(file, rows)


def index_shard(record: ShardRecord, recipe: Recipe) -> ShardRecord:
    """Sees to the rows of a shard that a former run has made; returns its record as it is.

    A finished data set keeps the joined index only, and an older program wrote none. Where the rows
    are there they are those of this shard: they are written before its record.
    """
    if not storage.exists(recipe.folder.path(fragment_path(record.shard))):
        write_rows(record, recipe)
    return record
