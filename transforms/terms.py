"""Under which terms pictures stand, and which terms are stricter than others."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

_LICENSES = "https://spdx.org/licenses/"
_MOST_CITED = 10


@dataclass(frozen=True)
class Credit:
    """Who made a picture, and under which terms; empty for what is not known.

    Attributes:
        author: who made it.
        license: its terms, as they were given.
        source: where it is from.
    """

    author: str = ""
    license: str = ""
    source: str = ""


class Family(IntEnum):
    """What licences ask for, from the least to the most."""

    PUBLIC_DOMAIN = 0
    PERMISSIVE = 1
    SHARE_ALIKE = 2
    NON_COMMERCIAL = 3
    NO_DERIVATIVES = 4


# SPDX identifiers without those of Creative Commons, whose names say what they ask for.
_IDENTIFIERS = {
    Family.PUBLIC_DOMAIN: "CC0-1.0 CC-PDDC CC-PDM-1.0 PDDL-1.0 Unlicense 0BSD MIT-0",
    Family.PERMISSIVE: "MIT Apache-2.0 BSD-2-Clause BSD-3-Clause ISC Zlib ODC-By-1.0 Artistic-2.0"
    " CDLA-Permissive-1.0 CDLA-Permissive-2.0 etalab-2.0 OGL-UK-3.0 DL-DE-BY-2.0 NLOD-2.0",
    Family.SHARE_ALIKE: "ODbL-1.0 CDLA-Sharing-1.0 LAL-1.3 MPL-2.0 GFDL-1.2-only GFDL-1.2-or-later"
    " GFDL-1.3-only GFDL-1.3-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later"
    " LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later AGPL-3.0-only"
    " AGPL-3.0-or-later",
    Family.NON_COMMERCIAL: "PolyForm-Noncommercial-1.0.0",
}
_KNOWN = {
    name.upper(): (name, family) for family, names in _IDENTIFIERS.items() for name in names.split()
}
_SPELT = {"CC0": "CC0-1.0", "CC-0": "CC0-1.0", "CC-ZERO": "CC0-1.0", "APACHE2": "Apache-2.0"}
_PUBLIC = frozenset(("PUBLIC-DOMAIN", "PUBLICDOMAIN", "PD", "PDM"))
_CREATIVE = re.compile(r"CC-(BY(?:-NC)?(?:-SA|-ND)?)(-[1-4]\.[0-9])?(-[A-Z]{2,3})?")
_ADDRESS = re.compile(
    r"https?://(?:www\.)?(?:creativecommons\.org/(?:licenses/(?P<by>[a-z-]+)/(?P<version>[0-9.]+)"
    r"|publicdomain/(?P<public>zero|mark)/1\.0)|spdx\.org/licenses/(?P<spdx>[\w.+-]+?)(?:\.html)?)"
    r"(?:/.*)?",
    re.IGNORECASE,
)


@lru_cache(maxsize=1024)
def identifier(text: str) -> str | None:
    """The SPDX identifier that a licence as people write it has, None where none is known.

    `CC BY-SA 4.0`, `cc-by-sa-4.0` and the licence's address are `CC-BY-SA-4.0`.
    """
    word = _word(text)
    found = _CREATIVE.fullmatch(word)
    if found is not None:
        return word if found[2] else None  # Each version is a licence of its own.
    return _KNOWN.get(_SPELT.get(word, word).upper(), (None, None))[0]


def is_own(license: str) -> bool:
    """Whether an SPDX identifier is for a licence that SPDX does not list."""
    return license.lower().startswith("licenseref-")


@lru_cache(maxsize=1024)
def family(text: str) -> Family | None:
    """What a licence, as people write it, asks for; None where that is not known."""
    word = _word(text)
    if word in _PUBLIC:
        return Family.PUBLIC_DOMAIN
    found = _CREATIVE.fullmatch(word)
    if found is None:
        return _KNOWN.get(_SPELT.get(word, word).upper(), (None, None))[1]
    asked = found[1].split("-")
    if "ND" in asked:
        return Family.NO_DERIVATIVES
    if "NC" in asked:
        return Family.NON_COMMERCIAL
    return Family.SHARE_ALIKE if "SA" in asked else Family.PERMISSIVE


def address(text: str) -> str | None:
    """Where a licence, as people write it, can be read; None where that is not known."""
    name = identifier(text)
    return None if name is None else f"{_LICENSES}{name}"


def strictest(licenses: Iterable[str]) -> str | None:
    """The licence that asks for the most, the first of several; None without any.

    One of which it is not known what it asks for counts as stricter than all others.
    """

    def rank(license: str) -> int:
        found = family(license)
        return len(Family) if found is None else found

    return max(licenses, key=rank, default=None)


def _word(text: str) -> str:
    """A licence in capitals, with hyphens between its parts."""
    text = text.strip()
    found = _ADDRESS.fullmatch(text)
    if found is not None:
        if found["spdx"]:
            text = found["spdx"]
        elif found["public"]:
            text = "CC0-1.0" if found["public"].lower() == "zero" else "CC-PDM-1.0"
        else:
            text = f"CC-{found['by']}-{found['version']}"
    word = re.sub(r"[\s_-]+", "-", text.upper())
    return re.sub(r"^(CC-BY)-(SA|ND)-NC\b", r"\1-NC-\2", word)


@dataclass(frozen=True)
class Terms:
    """What the descriptions of a data set say of terms and authors.

    Attributes:
        license: SPDX identifier of the data set's licence, None where none is given.
        published: day on which it is published, as YYYY-MM-DD; None where none is given.
        authors: who made its pictures, as far as that is known, sorted.
        creator: who makes the data set, None where that is not given.
    """

    license: str | None = None
    published: str | None = None
    authors: tuple[str, ...] = ()
    creator: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Who makes the data set and its pictures, in this order."""
        others = tuple(name for name in self.authors if name != self.creator)
        return others if self.creator is None else (self.creator, *others)

    @property
    def license_address(self) -> str | None:
        """Where the data set's licence can be read; the name of one of the maker's own."""
        if self.license is None or is_own(self.license):
            return self.license
        return f"{_LICENSES}{self.license}"

    @property
    def citation(self) -> str:
        """How to cite the data set, in BibTeX; empty where nothing is known of it."""
        if self == NO_TERMS:
            return ""
        names = [f"{{{_plain(name)}}}" for name in self.names[:_MOST_CITED]]
        names += ["others"] if len(self.names) > _MOST_CITED else []
        notes = [f"License: {self.license}"] if self.license else []
        notes += ["CREDITS.md names the pictures of each author"] if self.authors else []
        fields = (
            ("title", "Mask and depth data set"),
            ("author", " and ".join(names)),
            ("year", (self.published or "")[:4]),
            ("note", "; ".join(notes)),
        )
        lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields if value)
        return f"@misc{{mask_depth,\n{lines}}}"


NO_TERMS = Terms()
"""Of a data set of which nothing is known."""


def _plain(text: str) -> str:
    """A text without what BibTeX would read as its own."""
    return re.sub(r"[{}\\%#$&~^_]", " ", text).strip()
