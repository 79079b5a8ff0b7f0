"""Draws the curves of a training run: `python -m training.plot OUTPUT/curve.json PICTURE.png`."""

import json
import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def draw(curve: list[list[float]], picture: Path) -> None:
    """Draws total, data and border loss over the minutes of a run.

    Args:
        curve: step, seconds, total loss, data loss and border loss, in order.
        picture: PNG file to write.
    """
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.add_subplot()
    minutes = [point[1] / 60 for point in curve]
    for index, name in ((2, "total"), (3, "scale and shift invariant"), (4, "border order")):
        axes.plot(minutes, [point[index] for point in curve], label=name, linewidth=1.2)
    axes.set(xlabel="minutes on one core", ylabel="loss", yscale="log")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    FigureCanvasAgg(figure).print_png(str(picture))


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
