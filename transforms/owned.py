"""Which files of a data set's folder the program has written: nothing else is ever deleted."""

import re
from collections.abc import Collection

from transforms.formats import FORMATS, JOINED_FORMATS
from transforms.plan.clean_shards import BACKGROUNDS, FOREGROUNDS
from transforms.plan.plan import KEY_PREFIX

_PART = r"\.[^/]+\.[0-9a-f]{32}\.part"
_NUMBERS = r"\d+_\d+_[01]_\d+"
_PICTURE = r"(jpg|png)"

# A file at one of these paths was written by the program itself.
_ALWAYS = (
    r"manifest\.json(\.sha256)?",
    r"(README|CREDITS)\.md|statistics\.(json|md)",
    r"errors/(inputs|samples|ground)\.jsonl",
    r"gallery/index\.(html|parquet)",
    r"gallery/((back|fore)grounds|masks|composites|composite_masks|depth|objects|triples)\.png",
    r"gallery/plots/(histogram_\w+|coverage|heat)(_dark)?\.png",
    rf"gallery/images/((bg|fg|mask)_\d+|(fg_bg|bg_mask|depth_fg_bg|objects)_{_NUMBERS})\.{_PICTURE}",
    r"state/verify\.json",
    r"state/prepared/cutouts/[0-9a-f]{64}(-\d+\.png|\.json)",
    rf"state/tmp/{_PART}",
    r"state/prepared/(index\.json|[a-z]+/[0-9a-f]{64}\.(npz|refused))",
    rf"state/gallery/({KEY_PREFIX})?{_NUMBERS}\.(image|mask|depth|instances)",
)
_BY_SHARD = (r"state/records/{shard}\.json", r"state/index/{shard}\.parquet")

RECORDS = "state/records/"
TEMPORARY = "state/tmp/"

_STRAY_NAMES = frozenset(
    (".DS_Store", "Thumbs.db", "ehthumbs.db", "desktop.ini", ".gitattributes", ".gitignore",
     ".directory")
)  # fmt: skip
_STRAY_FOLDERS = (
    (".cache", "huggingface"), (".git",), ("__MACOSX",), ("@eaDir",), ("#recycle",),
    ("$RECYCLE.BIN",), ("System Volume Information",), ("lost+found",), (".Trashes",),
)  # fmt: skip


def is_stray(path: str) -> bool:
    """Whether a file is one that file managers, Git or downloads leave in any folder.

    Args:
        path: relative to the data set's folder, with slashes.
    """
    *folders, name = path.split("/")
    if name in _STRAY_NAMES or name.startswith("._"):  # The latter are macOS's on foreign disks.
        return True
    return any(
        tuple(folders[i : i + len(stray)]) == stray
        for stray in _STRAY_FOLDERS
        for i in range(len(folders))
    )


def for_a_run() -> tuple[str, ...]:
    """Folders of what only an unfinished data set needs."""
    return (
        TEMPORARY,
        "state/gallery/",
        "state/index/",
        *(f"state/{name}/" for name in JOINED_FORMATS),
    )


def written_names(splits: Collection[str]) -> re.Pattern[str]:
    """What the names of the files match that the program writes, but plan, spec and lock.

    Args:
        splits: names of the data set's splits.

    Returns:
        A pattern for `fullmatch` on paths relative to the data set's folder, with slashes.
    """
    split = "|".join(re.escape(name) for name in (*sorted(splits), FOREGROUNDS, BACKGROUNDS))
    patterns = (*_ALWAYS, *_BY_SHARD, *(p for each in FORMATS.values() for p in each.file_names))
    full = (
        pattern.replace("{shard}", r"{split}-\d+-of-\d+")
        .replace("{split}", f"({split})")
        .replace("{numbers}", _NUMBERS)
        .replace("{picture}", _PICTURE)
        for pattern in patterns
    )
    return re.compile("|".join(f"({pattern})" for pattern in full), re.ASCII)
