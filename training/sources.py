"""The sources of training and evaluation, their weights, and the terms under which each stands."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A folder of pictures with depth.

    Attributes:
        name: name of the folder.
        weight: factor on how often it is drawn, beside the root of its size; made-up or coarse
            depth counts less than measured one.
        terms: what is known of its licence.
        free: whether its terms, as stated by whoever owns it, allow any use; a source without
            stated terms is not free.
        farthest: raw depth values above this one are left out, in the units of the file.
        zero_is_value: whether 0 is a value (the farthest) and not a hole.
        sparse: whether the values are single points.
        indoors: whether all of its pictures are of rooms, where the farthest is no sky.
    """

    name: str
    weight: float
    terms: str
    free: bool
    farthest: float | None = None
    zero_is_value: bool = False
    sparse: bool = False
    indoors: bool = False


TRAINING = (
    Source("nyu", 1.4, "NYU Depth v2, no licence stated", False),
    Source("tartan", 1.4, "no licence stated; synthetic", False),
    Source("aims", 1.4, "no licence stated", False, farthest=8000),
    Source("cup", 1.0, "no licence stated", False),
    Source("vins", 1.0, "no licence stated", False),
    Source("planehec", 1.0, "no licence stated", False),
    Source("midd2005", 1.0, "Middlebury 2005, research", False),
    Source("reloc", 1.0, "no licence stated", False),
    Source("shift", 1.0, "SHIFT, CC BY-NC-SA", False),
    Source("kittipred", 0.6, "KITTI, CC BY-NC-SA", False),
    Source("zedstreet", 0.6, "no licence stated", False),
    Source("kittilidar", 1.0, "KITTI, CC BY-NC-SA", False, sparse=True),
    Source("vkitti", 1.0, "Virtual KITTI 2, CC BY-NC-SA", False),
    Source("furrow", 1.0, "no licence stated", False),
    Source("midair", 1.0, "no licence stated; synthetic", False),
    Source("lensblur", 0.6, "MIT repository, owners of the photographs not named", False),
)
"""RGB-D sources that are trained on."""

HELD_OUT = (
    Source("sevenscenes", 1.0, "7-Scenes, research", False),
    Source("replica0", 1.0, "no licence stated; rendered", False),
    Source("omnidata", 1.0, "Omnidata EULA", False, zero_is_value=True),
    Source("ttbb", 1.0, "no licence stated", False),
    Source("kittistereo", 1.0, "KITTI, CC BY-NC-SA", False),
    Source("cityscapes", 1.0, "Cityscapes terms", False),
    Source("wild", 1.0, "no licence stated", False, zero_is_value=True),
)
"""RGB-D sources that are never trained on: two rooms, three streets, two of mixed pictures."""

DRAWN = (
    Source("rooms", 1.5, "drawn by `training.draw_scenes`", True, zero_is_value=True, indoors=True),
    Source("streets", 0.8, "drawn by `training.draw_scenes`", True, zero_is_value=True),
    Source("landscapes", 0.8, "drawn by `training.draw_scenes`", True, zero_is_value=True),
)
"""Scenes drawn with exact depth."""

PHOTOGRAPHS = Source("photos", 1.6, "ImageNet and BSDS500 samples, research; teachers MIT", False)
"""Photographs with the maps of two teachers."""

FREE_PHOTOGRAPHS = Source(
    "free_photos", 1.6, "CC BY, CC BY-SA, CC0, GPL or no known restrictions; teacher MIT", True
)
"""Photographs that anyone may use, with the maps of the first teacher."""

FREE_PAIRS = (
    Source("tum", 1.4, "TUM RGB-D, CC BY 4.0", True, indoors=True),
    Source("tables", 1.4, "YCB-Video and recordings in MIT repositories", True, indoors=True),
)
"""RGB-D sources that anyone may use."""

TEACHERS = ("tcmono", "tiefenrausch")
"""Names of the teachers; the first counts about twice as much as the second."""

ROOM_TEACHER = "fastdepth"
"""Teacher that is trained on rooms; only photographs of rooms have maps of it."""

HELD_OUT_NUMBER = 70
"""Foregrounds and backgrounds with numbers above this one are kept for the test on composites."""


def by_name(name: str) -> Source:
    """The source of a folder's name; an unknown folder counts as a plain one."""
    known = {source.name: source for source in (*TRAINING, *HELD_OUT, *DRAWN, *FREE_PAIRS)}
    return known.get(name, Source(name, 1.0, "unknown", False))
