"""Which files a folder or a glob names, and what in it cannot be used."""

import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from apache_beam.io.filesystem import FileSystem
from apache_beam.io.filesystems import FileSystems

from pipeline.spec import SpecError
from transforms import storage
from transforms.plan.inputs import InputError

_GLOB = re.compile(r"[*?\[]")

_SYSTEM_NAMES = frozenset(
    ("@eaDir", "__MACOSX", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found",
     "Thumbs.db", "desktop.ini")
)  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """The files that a flag names.

    Attributes:
        root: the folder that all of them are in, as far as the flag has no glob characters.
        paths: regular files, sorted.
        errors: folders that cannot be listed, and what is neither file nor folder.
    """

    root: str
    paths: tuple[str, ...]
    errors: tuple[InputError, ...] = ()

    def without(self, paths: Collection[str]) -> "Listing":
        """The listing less some of its files."""
        return replace(self, paths=tuple(path for path in self.paths if path not in paths))


def find_files(pattern: str, flag: str) -> Listing:
    """Lists a folder with all folders in it, or what matches a glob.

    Hidden files and folders are ignored, and so are those that systems put beside pictures (such as
    `__MACOSX` and `@eaDir`). Links to folders are followed, each folder is listed once. A glob's
    folders are listed like a folder that is given by name. A name that exists is no glob, whatever
    characters it has. `**` matches any number of folders.

    Raises:
        SpecError: there is no such path, or no file.
    """
    if not pattern.strip():
        raise SpecError(f"--{flag} is empty; give a folder or glob of images")
    if storage.is_local(pattern):
        listing = _Local(flag, storage.absolute(pattern)).listing()
    else:
        listing = _in_store(pattern, flag)
    if not listing.paths and not listing.errors:
        raise SpecError(f"--{flag}={pattern}: there is no file; give a folder or glob of images")
    return listing


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is ignored."""
    return name.startswith(".") or name in _SYSTEM_NAMES


def _in_store(pattern: str, flag: str) -> Listing:
    glob = pattern if _GLOB.search(pattern) else pattern.rstrip("/") + "/**"
    try:
        [result] = FileSystems.match([glob])
    except Exception as error:  # Each store has errors of its own.
        reason = f"{error}".splitlines()[0]
        raise SpecError(f"--{flag}={pattern} cannot be listed: {reason}") from None
    root = _GLOB.split(glob, maxsplit=1)[0].rpartition("/")[0]
    paths = sorted(entry.path for entry in result.metadata_list)
    shown = [path for path in paths if not any(map(is_hidden, path[len(root) :].split("/")))]
    # Stores that show folders at all show them as objects whose names end in a slash.
    return Listing(root, tuple(path for path in shown if not path.endswith("/")))


class _Local:
    """One walk over the local file system."""

    def __init__(self, flag: str, path: str) -> None:
        self._flag = flag
        self._path = path
        self._files: set[str] = set()
        self._errors: dict[str, str] = {}
        self._seen: set[tuple[int, int]] = set()

    def listing(self) -> Listing:
        """Lists everything that the path names."""
        root, rest = self._divided()
        for path in self._matches(root, rest) if rest else [root]:
            self._take(path)
        errors = (InputError(path, reason) for path, reason in sorted(self._errors.items()))
        base = root if rest or os.path.isdir(root) else os.path.dirname(root)
        return Listing(base, tuple(sorted(self._files)), tuple(errors))

    def _divided(self) -> tuple[str, list[str]]:
        """The part of the path that exists by name, and the components of the glob after it."""
        root, *parts = self._path.split("/")
        root = root or "/"
        while parts:
            path = os.path.join(root, parts[0])
            if not os.path.lexists(path):
                if _GLOB.search(parts[0]):
                    break
                raise SpecError(f"--{self._flag}={self._path}: there is no such folder or file")
            root, parts = path, parts[1:]
        return root, parts

    def _matches(self, folder: str, parts: list[str]) -> Iterator[str]:
        """Paths below a folder that match the components of a glob."""
        if not parts:
            yield folder
            return
        name, rest = parts[0], parts[1:]
        if "**" in name:
            matched = re.compile(FileSystem.translate_pattern("/".join(parts)))
            below = _Local(self._flag, folder)
            below._take(folder)
            self._errors |= below._errors
            for path in sorted(below._files):
                name = path[len(folder) :].lstrip("/")
                if matched.match(name) or matched.match(f"/{name}"):  # `**/` may be no folder.
                    yield path
        elif os.path.lexists(os.path.join(folder, name)):
            yield from self._matches(os.path.join(folder, name), rest)
        elif _GLOB.search(name):
            matched = re.compile(FileSystem.translate_pattern(name))
            for entry in self._entries(folder):
                if matched.match(entry.name) and (not rest or entry.is_dir()):
                    yield from self._matches(entry.path, rest)

    def _take(self, path: str) -> None:
        """Adds a file, or a folder with all that is in it; linked folders after the others."""
        links: list[str] = []
        folders = [path]
        while folders or links:
            path = folders.pop() if folders else links.pop(0)
            try:
                found = os.stat(path)
            except OSError as error:
                self._errors[path] = f"cannot be read: {error.strerror}"
                continue
            if stat.S_ISREG(found.st_mode):
                self._files.add(path)
            elif not stat.S_ISDIR(found.st_mode):
                self._errors[path] = f"is {_kind(found.st_mode)}, not a regular file"
            elif (found.st_dev, found.st_ino) not in self._seen:
                self._seen.add((found.st_dev, found.st_ino))
                for entry in self._entries(path):
                    linked = entry.is_symlink() and entry.is_dir()
                    (links if linked else folders).append(entry.path)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        """What a folder holds, sorted, without what is hidden."""
        try:
            with os.scandir(folder) as entries:
                shown = [entry for entry in entries if not is_hidden(entry.name)]
        except OSError as error:
            self._errors[folder] = f"the folder cannot be listed: {error.strerror}"
            return []
        return sorted(shown, key=lambda entry: entry.name)


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((kind for test, kind in kinds if test(mode)), "of an unknown kind")
