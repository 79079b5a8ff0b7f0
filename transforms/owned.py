"""Which files of a data set's folder the program has written: nothing else is ever deleted."""

import re
from collections.abc import Collection

from transforms.plan.clean_shards import BACKGROUNDS, FOREGROUNDS

_PART = r"\.[^/]+\.[0-9a-f]{32}\.part"
_KEY = r"\d+_\d+_[01]_\d+"
_PICTURE = r"(jpg|png)"

# Where a file stands in the way of these, it is one that the program itself has written there.
_ALWAYS = (
    r"manifest\.json(\.sha256)?",
    r"README\.md|croissant\.json|statistics\.(json|md)",
    r"errors/(inputs|samples)\.jsonl",
    r"tfrecord/mask_depth(_assets)?/[\d.]+/(dataset_info|features)\.json",
    rf"coco/assets/({FOREGROUNDS}|{BACKGROUNDS})/\d+(_mask)?\.png",
    r"zip/batch\d+_images\.zip",
    r"gallery/index\.html",
    r"gallery/((back|fore)grounds|masks|composites|composite_masks|depth|triples)\.png",
    r"gallery/plots/(histogram_\w+|coverage|heat)(_dark)?\.png",
    rf"gallery/images/((bg|fg|mask)_\d+|(fg_bg|bg_mask|depth_fg_bg)_{_KEY})\.{_PICTURE}",
    r"state/verify\.json",
    rf"state/tmp/{_PART}",
    r"state/prepared/(index\.json|[a-z]+/[0-9a-f]{64}\.(npz|refused))",
    rf"state/gallery/{_KEY}\.(image|mask|depth)",
)
_BY_SHARD = (
    r"state/records/{shard}\.json",
    r"(data|assets)/{shard}\.parquet",
    r"tfrecord/mask_depth(_assets)?/[\d.]+/mask_depth(_assets)?-{split}\.tfrecord-\d+-of-\d+",
    r"webdataset/mask_depth(_assets)?-{split}-\d+\.tar",
    r"coco/{split}/annotations\.json",
    rf"coco/{{split}}/images/\d+/fg_bg_{_KEY}\.{_PICTURE}",
    r"state/zip/(batch\d+-)?{shard}\.zip",
    r"state/coco/{shard}\.jsonl",
)

RECORDS = "state/records/"
TEMPORARY = "state/tmp/"
FOR_A_RUN = (TEMPORARY, "state/gallery/", "state/zip/", "state/coco/")
"""Folders of what only an unfinished data set needs."""


def written_names(splits: Collection[str]) -> re.Pattern[str]:
    """What the names of the files match that the program writes, but plan, spec and lock.

    Args:
        splits: names of the data set's splits.

    Returns:
        A pattern for `fullmatch` on paths relative to the data set's folder, with slashes.
    """
    split = "|".join(re.escape(name) for name in (*sorted(splits), FOREGROUNDS, BACKGROUNDS))
    by_shard = (
        pattern.replace("{shard}", r"{split}-\d+-of-\d+").replace("{split}", f"({split})")
        for pattern in _BY_SHARD
    )
    return re.compile("|".join(f"({pattern})" for pattern in (*_ALWAYS, *by_shard)), re.ASCII)
