"""Files that many shards have contributed to are read back."""

from typing import BinaryIO, cast

from transforms.formats import JOINED_FORMATS
from transforms.formats.base import OutputFile
from transforms.plan.inputs import one_line
from transforms.plan.plan import load_plan
from transforms.recipe import Recipe
from transforms.report.verify_report import Joined, ShardReport, Total
from transforms.steps.verify_files import Faults, read_once


def verify_joined(listed: OutputFile, recipe: Recipe, again: bool) -> ShardReport:
    """Reads a joined file back, whatever it is that the shards should have contributed.

    Args:
        listed: what the manifest says of it.
        recipe: how the data set was made.
        again: whether what no shard contributes is made from the inputs.
    """
    form, plan, faults = JOINED_FORMATS[listed.format], load_plan(recipe.plan_path), Faults()
    total = None
    size, sha256 = listed.bytes, listed.sha256
    with read_once(recipe.folder, listed.path, None, faults) as file:
        if file is not None:
            total = Total.of(form.joined_entries(cast(BinaryIO, file), plan))
            size, sha256 = file.finish()
    if total is None or faults.found:
        return ShardReport(files=1, faults=tuple(faults.found))
    shared: Total | None = None
    unchecked: tuple[str, ...] = ()
    if again:
        try:
            shared = Total.of(form.shared_entries(recipe.plan_path, listed.split))
        except Exception as error:  # Inputs may be gone, or be anything by now.
            unchecked = (one_line(f"{error}"),)
    found = OutputFile(listed.format, listed.path, listed.split, total.count, size, sha256)
    shared_count = form.shared_count(plan, listed.split)
    joined = Joined(found, total, shared_count, shared)
    return ShardReport(files=1, unchecked=unchecked, joined=(joined,))
