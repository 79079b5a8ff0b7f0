"""What is published of paths: enough to tell a file, nothing of the machine that it was on."""

import json
import re
from dataclasses import dataclass

_WHOLE = re.compile(r"/|[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_GLOB = re.compile(r"[*?\[]")
# Folders of an absolute path; no part of an address or of a relative path.
_FOLDERS = re.compile(r"(?<![\w./~-])/(?:[^\s/'\":]+/)+")


@dataclass(frozen=True)
class Places:
    """The folders and files that a data set was made from and in.

    Attributes:
        roots: absolute paths and addresses, the longest first.
    """

    roots: tuple[str, ...]

    @classmethod
    def of(cls, spec: str) -> "Places":
        """The places of a spec, given as JSON text: its absolute paths, globs up to their first
        wildcard."""
        values = [value for value in json.loads(spec).values() if isinstance(value, str)]
        found = {_base(value) for value in values if _WHOLE.match(value)}
        return cls(tuple(sorted(found - {""}, key=lambda root: (-len(root), root))))

    def text(self, text: str) -> str:
        """A text with its absolute paths cut down.

        A path within one of the places begins with the name of that place; any other is the name of
        its file. What is cut down already stays as it is.
        """
        for root in self.roots:
            name = root.rpartition("/")[2]
            pattern = rf"(?<![\w./-]){re.escape(root)}(?=[/'\"\s:,;)]|$)"
            text = re.sub(pattern, lambda _, name=name: name, text)  # type: ignore[misc]
        return _FOLDERS.sub("", text)

    def spec(self, spec: str) -> dict[str, object]:
        """The options of a spec, given as JSON text, with their paths cut down."""
        return {
            name: self.text(value) if isinstance(value, str) else value
            for name, value in json.loads(spec).items()
        }


def _base(place: str) -> str:
    found = _GLOB.search(place)
    return (place if found is None else place[: found.start()].rpartition("/")[0]).rstrip("/")
