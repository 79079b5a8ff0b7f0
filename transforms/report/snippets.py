"""A few lines of code for each reader, for the data set card and the gallery."""

from collections.abc import Collection

from transforms.formats import FORMATS
from transforms.formats.base import Snippet


def snippets(formats: Collection[str], split: str, image_format: str) -> tuple[Snippet, ...]:
    """The snippets of a data set.

    Args:
        formats: names of its formats.
        split: name of a split.
        image_format: `jpeg` or `png`, of the composites.
    """
    extension = "jpg" if image_format == "jpeg" else "png"
    return tuple(
        Snippet(each.title, each.code.replace("SPLIT", split).replace("EXTENSION", extension))
        for name, format in FORMATS.items()
        if name in formats
        for each in format.snippets
    )
