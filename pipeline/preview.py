"""A sheet of samples of a job, made in seconds, before the job is run."""

import dataclasses
import os
import tempfile

import numpy as np
from PIL import Image

from pipeline.performance import Performance
from pipeline.run import Job, checked, make_recipe
from pipeline.spec import DatasetSpec, SpecError
from transforms import storage
from transforms.elements import Block, ShardSpec
from transforms.formats.base import Folder
from transforms.pixels.input_cache import forget_plans
from transforms.recipe import Recipe
from transforms.report.exhibits import colour_depth
from transforms.report.instances import draw_instances
from transforms.steps.prepare import prepare_input
from transforms.steps.sequence import steps_of

COLUMNS = 4
_GAP = 6
_PAPER = (250, 251, 252)


def write_preview(
    path: str, spec: DatasetSpec, beam_arguments: list[str], performance: Performance
) -> int:
    """Makes the samples that the gallery of a data set would show, and draws them on a sheet.

    Args:
        path: file of the sheet, PNG or JPEG by its extension.
        spec: the data set.
        beam_arguments: pipeline flags as Beam spells them.
        performance: how the machine is used.

    Returns:
        Number of samples on the sheet.

    Raises:
        SpecError: `generate` would refuse, or the file cannot be written.
    """
    extension = os.path.splitext(path)[1].lower()
    if extension not in (".png", ".jpg", ".jpeg"):
        raise SpecError(f"--preview={path} is impossible; give a file that ends with .png or .jpg")
    with tempfile.TemporaryDirectory() as folder:
        cutouts = os.path.join(folder, "cutouts")
        job = checked(spec, beam_arguments, True, False, progress=False, cutouts=cutouts)
        block, recipe = make_samples(job, performance, os.path.join(folder, "set"))
    sheet = draw_sheet(block, recipe)
    try:
        sheet.save(path, quality=90)
    except OSError as error:
        reason = error.strerror or error
        raise SpecError(f"--preview={path} cannot be written: {reason}") from None
    return len(block.placements)


def make_samples(job: Job, performance: Performance, root: str) -> tuple[Block, Recipe]:
    """Makes samples spread evenly over a data set, without encoding them.

    Args:
        job: the data set.
        performance: how the machine is used.
        root: an empty folder.

    Returns:
        The samples as one block, and the recipe.
    """
    plan = job.plan
    storage.write_text(Folder(root).plan_path, plan.to_json())
    forget_plans()
    trial = dataclasses.replace(job.spec, output=root)
    recipe = make_recipe(trial, plan, job.meaning, performance, weights=job.maker.weights)
    placements = tuple(
        plan.samples(split, position, position + 1)[0]
        for split, positions in plan.gallery_positions.items()
        for position in positions
    )
    for bg_id in sorted({placement.bg_id for placement in placements}):
        for _ in prepare_input(plan.background_by_id[bg_id], recipe):
            pass
    shard = ShardSpec(next(iter(plan.shard_counts)), 0, 1, 0, len(placements))
    block = Block(shard, 0, len(placements), placements)
    for step in steps_of(recipe):
        if step.name != "Encode":
            block = step.run(block, recipe)
    return block, recipe


def draw_sheet(block: Block, recipe: Recipe) -> Image.Image:
    """A sheet of samples: composite, mask or objects, and depth where there is any, side by side.

    Args:
        block: with images and masks.
        recipe: how they were made.
    """
    assert block.images is not None and block.masks is not None
    groups = []
    for i in range(len(block.placements)):
        image = Image.fromarray(block.images[i])
        shown = [image, Image.fromarray(block.masks[i])]
        if block.scenes:
            shown[1] = draw_instances(image, block.scenes[i].instances)
        if block.depth is not None:
            levels = _levels(block.depth[i])
            shown.append(colour_depth(levels, recipe.near_is_large))
        groups.append(shown)
    if not groups:
        raise SpecError("there is nothing to preview: every sample has failed")
    size, of = recipe.image_size, len(groups[0])
    columns = min(COLUMNS, len(groups))
    rows = -(-len(groups) // columns)
    width = columns * (of * size.width + _GAP) + _GAP
    sheet = Image.new("RGB", (width, rows * (size.height + _GAP) + _GAP), _PAPER)
    for number, shown in enumerate(groups):
        left = _GAP + number % columns * (of * size.width + _GAP)
        top = _GAP + number // columns * (size.height + _GAP)
        for k, picture in enumerate(shown):
            sheet.paste(picture.convert("RGB"), (left + k * size.width, top))
    return sheet


def _levels(depth: np.ndarray) -> np.ndarray:
    low, high = float(depth.min()), float(depth.max())
    return ((depth - low) * (65535 / max(high - low, 1e-30))).astype(np.uint16)
