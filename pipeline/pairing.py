"""Which mask belongs to which picture."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipeline.listing import Listing
from transforms import storage

_SUFFIX = re.compile(r"[ _.-](mask|alpha|matte)s?[ _-]?[0-9]*$", re.IGNORECASE)

_Key = str | int | None


@dataclass(frozen=True)
class Pairing:
    """Masks and their pictures.

    Attributes:
        masks: path of the mask by path of its picture.
        without: why a picture has no mask, by its path.
        lone: why a mask belongs to no picture, by its path.
    """

    masks: dict[str, str]
    without: dict[str, str]
    lone: dict[str, str]


def divide(pictures: Listing, masks: Listing) -> tuple[Listing, Listing]:
    """Pictures and masks where both were looked for in one folder; no file is both.

    The narrower of the two decides; where neither is, files with a suffix such as `_mask` are
    masks.
    """
    both = set(pictures.paths) & set(masks.paths)
    if both and both == set(masks.paths) != set(pictures.paths):
        shared_masks = both
    elif both and both == set(pictures.paths) != set(masks.paths):
        shared_masks = set()
    else:
        shared_masks = {path for path in both if _SUFFIX.search(_stem(path))}
    return pictures.without(shared_masks), masks.without(both - shared_masks)


def pair(pictures: Listing, masks: Listing) -> Pairing:
    """Finds the mask of each picture.

    Both belong together when they have the same path below their folders, without extension; the
    mask's name may end in `_mask`, `-mask`, `_alpha`, `_matte` and a number after it. Else, when
    they have the same name wherever they are. Else, when the last numbers in their names are equal.
    Upper and lower case, and the forms of accented letters, make no difference where names do not
    clash. What could be meant in two ways is not paired, and nothing is paired by its position.
    """

    def path_of(listing: Listing) -> Callable[[str], str]:
        return lambda path: _composed(os.path.splitext(path[len(listing.root) :].lstrip("/"))[0])

    found: dict[str, str] = {}
    without: dict[str, str] = {}
    lone: dict[str, str] = {}
    picture_path, mask_path = path_of(pictures), path_of(masks)
    ways: list[tuple[Callable[[str], _Key], Callable[[str], _Key]]] = [
        (picture_path, mask_path),
        (picture_path, lambda path: _bare(mask_path(path))),
        (lambda path: _folded(picture_path(path)), lambda path: _folded(_bare(mask_path(path)))),
        (lambda path: _folded(_stem(path)), lambda path: _folded(_stem(path))),
        (lambda path: _folded(_stem(path)), lambda path: _folded(_bare(_stem(path)))),
        (lambda path: last_number(_stem(path)), lambda path: last_number(_bare(_stem(path)))),
    ]
    used: set[str] = set()
    for of_picture, of_mask in ways:
        by_key = _grouped(pictures.paths, of_picture)
        for key, candidates in _grouped(masks.paths, of_mask).items():
            owners = by_key.get(key, [])
            if len(owners) == len(candidates) == 1:
                if owners[0] not in found and candidates[0] not in used:
                    found[owners[0]] = candidates[0]
                    used.add(candidates[0])
            elif owners:
                for owner in owners:
                    without.setdefault(owner, f"several match: {_names(candidates)}")
                for mask in candidates:
                    lone.setdefault(mask, f"it matches several: {_names(owners)}")
    return Pairing(
        found,
        {
            path: without.get(path, "none has its path, name or number")
            for path in pictures.paths
            if path not in found
        },
        {
            path: lone.get(path, "none has its path, name or number")
            for path in masks.paths
            if path not in used
        },
    )


def last_number(stem: str) -> int | None:
    """The last number in a name, None where it has none."""
    numbers = re.findall(r"[0-9]+", stem)
    return int(numbers[-1]) if numbers else None


def _grouped(paths: Iterable[str], key_of: Callable[[str], _Key]) -> dict[_Key, list[str]]:
    groups: dict[_Key, list[str]] = defaultdict(list)
    for path in paths:
        if (key := key_of(path)) is not None:
            groups[key].append(path)
    return groups


def _stem(path: str) -> str:
    return _composed(os.path.splitext(storage.file_name(path))[0])


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _folded(text: str) -> str:
    return text.casefold()


def _bare(stem: str) -> str:
    return _SUFFIX.sub("", stem) or stem


def _names(paths: list[str]) -> str:
    shown = ", ".join(storage.file_name(path) for path in paths[:3])
    return shown if len(paths) <= 3 else f"{shown} and {len(paths) - 3} more"
