"""What the plan is made from: usable inputs, and the shares of the splits."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class InputImage:
    """One usable input image.

    Attributes:
        id: its id, unique among the foregrounds or the backgrounds.
        path: where the file is.
        sha256: checksum of the file, hexadecimal.
        bytes: size of the file.
        width: width in pixels, upright.
        height: height in pixels, upright.
        mask_path: file that holds its alpha, if the image itself has none.
        mask_sha256: checksum of that file.
        category: what a foreground shows, where a table of categories says so.
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
