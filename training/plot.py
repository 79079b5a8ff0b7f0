"""Draws the curves of training runs that follow each other.

python -m training.plot OUTPUT/curve.json [OUTPUT2/curve.json ...] PICTURE.png
"""

import json
import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def draw(curves: list[list[list[float]]], picture: Path) -> None:
    """Draws total, data and border loss over the minutes of all runs.

    Args:
        curves: of each run step, seconds, total loss, data loss and border loss, in order.
        picture: PNG file to write.
    """
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.add_subplot()
    before = 0.0
    for run, curve in enumerate(curves):
        minutes = [before + point[1] / 60 for point in curve]
        for index, name in ((2, "total"), (3, "scale and shift invariant"), (4, "border order")):
            label = None if run else name
            values = [point[index] for point in curve]
            axes.plot(minutes, values, label=label, linewidth=1.2, color=f"C{index - 2}")
        before = minutes[-1]
        if run + 1 < len(curves):
            axes.axvline(before, color="grey", linewidth=0.8, linestyle="dotted")
    axes.set(xlabel="minutes on one core", ylabel="loss", yscale="log")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    FigureCanvasAgg(figure).print_png(str(picture))


if __name__ == "__main__":
    *files, target = sys.argv[1:]
    draw([json.loads(Path(file).read_text()) for file in files], Path(target))
