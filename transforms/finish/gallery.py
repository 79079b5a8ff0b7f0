"""The gallery: a page, contact sheets and plots that show what a data set holds."""

from collections.abc import Iterator

from transforms import storage
from transforms.finish.exhibits import Exhibits, gather
from transforms.finish.manifest import OtherFile, other_file
from transforms.finish.page import ShownPlot, Snippet, gallery_page
from transforms.finish.plots import DARK, LIGHT, make_plots
from transforms.finish.sheets import section_sheet, triples_sheet
from transforms.formats import TABLE_FORMATS
from transforms.formats.base import SAMPLES, VERSION, Folder
from transforms.models.base import DepthMeaning
from transforms.plan import Plan
from transforms.statistics import Statistics

_PLACE = "gallery"


def build_gallery(
    folder: Folder,
    plan: Plan,
    statistics: Statistics,
    meaning: DepthMeaning | None,
    title: str,
) -> tuple[OtherFile, ...]:
    """Writes `gallery/` with `index.html`, its pictures, the sheets and the plots.

    Equal data sets have equal galleries, byte for byte, where the versions of Pillow and matplotlib
    are equal.

    Args:
        folder: the data set's folder, with its shards in place.
        plan: its plan.
        statistics: exact counts.
        meaning: what depth values say, None without depth.
        title: heading of the page.

    Returns:
        The files written; the page is the last.
    """
    exhibits = gather(folder, plan, meaning)
    written = dict(_pictures(exhibits))
    plots: list[ShownPlot] = []
    for light, dark in zip(
        make_plots(statistics, LIGHT), make_plots(statistics, DARK), strict=True
    ):
        shown = ShownPlot(f"plots/{light.name}.png", f"plots/{light.name}_dark.png", light.text)
        written |= {shown.path: light.png, shown.dark_path: dark.png}
        plots.append(shown)
    snippets = tuple(_snippets(folder, plan))
    page = gallery_page(title, plan, statistics, meaning, exhibits, plots, snippets)
    written["index.html"] = page.encode()
    for path, data in written.items():
        folder.write(f"{_PLACE}/{path}", data)
    return tuple(other_file(f"{_PLACE}/{path}", data) for path, data in written.items())


def _pictures(exhibits: Exhibits) -> Iterator[tuple[str, bytes]]:
    """Paths and contents of all pictures and sheets; a picture shown twice comes twice."""
    for triple in exhibits.triples:
        for exhibit in (triple.background, triple.foreground):
            if exhibit is not None:
                yield exhibit.path, exhibit.data
    for section in exhibits.sections:
        for exhibit in section.exhibits:
            yield exhibit.path, exhibit.data
        yield f"{section.name}.png", section_sheet(section)
    if exhibits.triples:
        yield "triples.png", triples_sheet(exhibits.triples)


def _snippets(folder: Folder, plan: Plan) -> Iterator[Snippet]:
    """How to read the formats that the data set has."""
    shard = next(plan.shards(), None)
    found = {
        name
        for name, table in TABLE_FORMATS.items()
        if shard is not None and storage.exists(folder.path(table.sample_path(shard)))
    }
    split = plan.splits[0].name if shard is None else shard.split
    if "tfrecord" in found:
        yield Snippet(
            "TensorFlow",
            "import tensorflow_datasets as tfds\n\n"
            f'builder = tfds.builder_from_directory("DIR/tfrecord/{SAMPLES}/{VERSION}")\n'
            f'for sample in builder.as_dataset(split="{split}"):\n'
            '    image, mask = sample["image"], sample["mask"]',
        )
    if "parquet" in found:
        yield Snippet(
            "PyTorch and Hugging Face",
            "import datasets\n\n"
            f'samples = datasets.load_dataset("DIR", split="{split}")\n'
            'image, mask = samples[0]["image"], samples[0]["mask"]',
        )
