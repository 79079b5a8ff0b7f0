"""Which cut-outs of photographs a plan needs."""

from transforms.plan.plan import Plan


def cutout_files(plan: Plan) -> set[str]:
    """Paths of all files in `CUTOUTS` that a plan needs, relative to the data set's folder."""
    cutouts = [asset.cutout.listed for asset in plan.foregrounds if asset.cutout]
    return {*cutouts, *(f"{path.rpartition('-')[0]}.json" for path in cutouts)}
