"""Where the cut-outs of a data set are that models have made of photographs."""

from transforms.plan.inputs import PreparedCutout
from transforms.plan.plan import Plan

CUTOUTS = "state/prepared/cutouts/"
"""Their folder, relative to the data set's: a PNG file for each cut-out, and a JSON file for each
photograph, which is written last."""


def listed_path(cutout: PreparedCutout) -> str:
    """Path of a cut-out relative to the data set's folder."""
    return CUTOUTS + cutout.path.replace("\\", "/").rpartition("/")[2]


def cutout_files(plan: Plan) -> set[str]:
    """Paths of all files in `CUTOUTS` that a plan needs, relative to the data set's folder."""
    cutouts = [listed_path(asset.cutout) for asset in plan.foregrounds if asset.cutout]
    return {*cutouts, *(f"{path.rpartition('-')[0]}.json" for path in cutouts)}
