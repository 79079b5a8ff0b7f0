"""What the plan is made from: usable inputs, and the shares of the splits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transforms.terms import Credit


def one_line(text: str) -> str:
    """A text with line breaks and other control characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


CUTOUTS = "state/prepared/cutouts/"
"""Folder of what models have cut out of photographs, relative to the data set's: a PNG file for
each cut-out, and a JSON file for each photograph, which is written last."""


@dataclass(frozen=True)
class PreparedCutout:
    """What a model has cut out of a photograph.

    Attributes:
        path: an RGBA file in the data set's folder.
        sha256: its checksum, hexadecimal.
        bytes: its size.
        model: name of the model.
        note: text that says how sure the model is and what was found.
    """

    path: str
    sha256: str
    bytes: int
    model: str
    note: str

    @property
    def listed(self) -> str:
        """Its path relative to the data set's folder, with slashes."""
        return CUTOUTS + self.path.replace("\\", "/").rpartition("/")[2]


@dataclass(frozen=True)
class InputImage:
    """One usable input image.

    Attributes:
        id: its id, unique among the foregrounds or the backgrounds.
        path: where the file is.
        sha256: checksum of the file, hexadecimal.
        bytes: size of the file.
        width: width in pixels, upright and cropped.
        height: height in pixels, upright and cropped.
        mask_path: file that holds its alpha, if the image itself has none.
        mask_sha256: checksum of that file.
        category: what a foreground shows, if a table of categories names it.
        crop: left, top, right and bottom in pixels of the part that is used, the last two
            exclusive; None for all of it.
        cutout: what is used in its place, where a model has cut it out.
        credit: who made it and under which terms, if a table of credits names it.
    """

    id: int
    path: str
    sha256: str
    bytes: int
    width: int
    height: int
    mask_path: str | None = None
    mask_sha256: str | None = None
    category: str | None = None
    crop: tuple[int, int, int, int] | None = None
    cutout: PreparedCutout | None = None
    credit: Credit | None = None

    @classmethod
    def of(cls, fields: dict[str, Any]) -> "InputImage":
        """Reads what `dataclasses.asdict` and JSON have made of one."""
        crop, cutout, credit = (fields.get(name) for name in ("crop", "cutout", "credit"))
        return cls(
            **{
                **fields,
                "crop": None if crop is None else tuple(crop),
                "cutout": None if cutout is None else PreparedCutout(**cutout),
                "credit": None if credit is None else Credit(**credit),
            }
        )

    @property
    def category_name(self) -> str:
        """What it shows: its category, or else the name of the folder that its file is in."""
        folder = self.path.rpartition("/")[0].rpartition("/")[2]
        return self.category or folder or "foreground"


def known_categories(foregrounds: Sequence[InputImage]) -> tuple[str, ...]:
    """Names of the categories, sorted; empty where nothing says what the foregrounds show.

    They are known from a table of categories, or from the folders where there are several.
    """
    folders = {asset.path.rpartition("/")[0] for asset in foregrounds}
    if len(folders) < 2 and all(asset.category is None for asset in foregrounds):
        return ()
    return tuple(sorted({asset.category_name for asset in foregrounds}))


@dataclass(frozen=True)
class SplitShare:
    """A named share of the foregrounds, such as `train` with 0.9."""

    name: str
    share: float


@dataclass(frozen=True)
class InputError:
    """An input file that was left out.

    Attributes:
        path: the file.
        reason: why.
    """

    path: str
    reason: str

    @property
    def line(self) -> str:
        """Path and reason in one line; control characters in the path are replaced."""
        return f"{one_line(self.path)}: {one_line(self.reason)}"
