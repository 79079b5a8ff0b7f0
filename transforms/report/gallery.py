"""The gallery: a page, contact sheets and plots that show what a data set holds."""

from collections.abc import Iterator, Sequence

from transforms.formats.base import Folder, OtherFile, Snippet, other_file
from transforms.models.depth.base import DepthMeaning
from transforms.plan.plan import Plan
from transforms.report.exhibits import Exhibits, gather
from transforms.report.gallery_samples import KeptSample, kept_samples
from transforms.report.page import ShownPlot, gallery_page
from transforms.report.plots import make_plots
from transforms.report.sheets import section_sheet, triples_sheet
from transforms.report.statistics import Statistics

_PLACE = "gallery"


def build_gallery(
    folder: Folder,
    plan: Plan,
    statistics: Statistics,
    meaning: DepthMeaning | None,
    title: str,
    snippets: Sequence[Snippet] = (),
    layered: bool = False,
) -> tuple[OtherFile, ...]:
    """Writes `gallery/` with `index.html`, its pictures, the sheets and the plots.

    Args:
        folder: the data set's folder, with the samples that were kept for the gallery.
        plan: its plan.
        statistics: exact counts.
        meaning: what depth values say, None without depth.
        title: heading of the page.
        snippets: how to read the data set.
        layered: whether depth is composed of layers.

    Returns:
        The files written; the page is the last.
    """
    samples = kept_samples(folder, plan)
    files = gallery_files(samples, plan, statistics, meaning, title, snippets, layered)
    for path, data in files.items():
        folder.write(path, data)
    return tuple(other_file(path, data) for path, data in files.items())


def gallery_files(
    samples: Sequence[KeptSample],
    plan: Plan,
    statistics: Statistics,
    meaning: DepthMeaning | None,
    title: str,
    snippets: Sequence[Snippet] = (),
    layered: bool = False,
) -> dict[str, bytes]:
    """The files of a gallery by their paths, relative to the data set's folder.

    Equal data sets have equal galleries, byte for byte, where the versions of Pillow and matplotlib
    are equal.

    Args:
        samples: the kept samples, in the order of the run.
        plan: as for `build_gallery`, like all that follow.
        statistics: exact counts.
        meaning: what depth values say, None without depth.
        title: heading of the page.
        snippets: how to read the data set.
        layered: whether depth is composed of layers.
    """
    exhibits = gather(samples, plan, meaning)
    made = dict(_pictures(exhibits))
    plots: list[ShownPlot] = []
    for plot in make_plots(statistics):
        shown = ShownPlot(f"plots/{plot.name}.png", f"plots/{plot.name}_dark.png", plot.text)
        made |= {shown.path: plot.png, shown.dark_path: plot.dark_png}
        plots.append(shown)
    page = gallery_page(title, plan, statistics, meaning, exhibits, plots, snippets, layered)
    made["index.html"] = page.encode()
    return {f"{_PLACE}/{path}": data for path, data in made.items()}


def _pictures(exhibits: Exhibits) -> Iterator[tuple[str, bytes]]:
    """Paths and contents of all pictures and sheets; a picture shown twice comes twice."""
    for triple in exhibits.triples:
        for exhibit in (triple.background, triple.foreground):
            if exhibit is not None:
                yield exhibit.path, exhibit.data
    for section in exhibits.sections:
        for exhibit in section.exhibits:
            yield exhibit.path, exhibit.data
        yield f"{section.name}.png", section_sheet(section, exhibits.size)
    if exhibits.triples:
        yield "triples.png", triples_sheet(exhibits.triples, exhibits.size)
