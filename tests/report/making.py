"""Whole data sets made by the steps' functions, without a pipeline and in any size."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.catalog import build_catalog
from pipeline.performance import Performance
from pipeline.run import make_plan, make_recipe
from tests.conftest import make_spec
from transforms.formats.base import Folder
from transforms.models.depth.base import DepthMeaning
from transforms.plan.plan import Plan
from transforms.report.statistics import Statistics
from transforms.steps.clean import clean_background, clean_foreground
from transforms.steps.depth import predict_block
from transforms.steps.place import place
from transforms.steps.sequence import steps_of
from transforms.steps.write import ShardWriter


@dataclass
class RampModel:
    """Depth that grows from the top row to the bottom one and with brightness."""

    meaning: DepthMeaning
    name: str = "ramp"
    device: str = "cpu"

    def predict(self, images: np.ndarray) -> np.ndarray:
        rows = np.linspace(0, 4, images.shape[1], dtype=np.float32)[:, None]
        return rows + images.mean(axis=3, dtype=np.float32) / 255


@dataclass(frozen=True, eq=False)
class Made:
    """A data set in a folder."""

    folder: Folder
    plan: Plan
    statistics: Statistics
    meaning: DepthMeaning | None


def make_set(inputs: Path, output: Path, meaning: DepthMeaning | None, **changes: object) -> Made:
    """Makes all samples of a small data set and everything that a gallery is built from."""
    model = None if meaning is None else RampModel(meaning)
    changes = {"depth_model": "none" if meaning is None else "builtin", **changes}
    spec = make_spec(inputs, output, **changes)
    spec.check()
    plan = make_plan(spec, build_catalog(spec))
    recipe = make_recipe(spec, plan, meaning, Performance(), None)
    folder = Folder(spec.output)
    with folder.create("state/plan.json") as file:
        file.write(plan.to_json().encode())
    statistics = Statistics()
    for shard in plan.shards():
        writer = ShardWriter(shard, recipe, plan)
        for block in place(shard, recipe):
            for step in steps_of(recipe):
                if model is not None and step.name == "Depth":
                    block = predict_block(model, block)
                else:
                    block = step.run(block, recipe)
            writer.add(block)
        statistics += writer.finish().statistics
    for asset in plan.foregrounds:
        statistics += clean_foreground(plan, asset)[1]
    for asset in plan.backgrounds:
        statistics += clean_background(plan, asset)[1]
    return Made(folder, plan, statistics, meaning)
