"""One loader for the models of every task: a name leads to the code that loads it and its files."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from transforms.models.base import ModelError, Running

Model = TypeVar("Model")


@dataclass(frozen=True)
class Kind(Generic[Model]):
    """Models that are loaded in one way.

    Attributes:
        form: how a name is written, such as `builtin`, or `onnx:PATH` where it names a source.
        load: loads a model from its source (what follows the colon, or the empty string), and
            imports what it needs only then. Raises ModelError.
        files: the files that decide what a model of this source predicts: weights, and settings
            that come with them. Raises ModelError when there is no such model.
        terms: under which terms its predictions may be used, in a sentence or two.
    """

    form: str
    load: Callable[[str, Running], Model]
    files: Callable[[str], Iterable[Path]]
    terms: str = "Its terms are those of its file, which are not known here."


class Registry(Generic[Model]):
    """The models of one task by the kinds of their names.

    Args:
        task: what the models are for, such as `depth`.
        kinds: the kinds; the text before the colon of a form is unique.
    """

    def __init__(self, task: str, kinds: Iterable[Kind[Model]]) -> None:
        self._task = task
        self._kinds: Mapping[str, Kind[Model]] = {
            kind.form.partition(":")[0]: kind for kind in kinds
        }

    @property
    def forms(self) -> str:
        """The forms of names as a list to read, such as `builtin, hf:ID or onnx:PATH`."""
        *most, last = (kind.form for kind in self._kinds.values())
        return f"{', '.join(most)} or {last}" if most else last

    def load(self, name: str, running: Running) -> Model:
        """Loads a model. Raises ModelError when there is no such one, or it cannot be loaded."""
        kind, source = self._find(name)
        return kind.load(source, running)

    def digest(self, name: str) -> str:
        """The digest of a model's files; equal digests mean equal weights and settings.

        Of one file it is its SHA-256. Of several it is the SHA-256 of the lines that `sha256sum`
        prints for them, in the order of their names, without their folders.

        Returns:
            64 hexadecimal digits.

        Raises:
            ModelError: there is no such model, or a file cannot be read.
        """
        kind, source = self._find(name)
        found = []
        for path in kind.files(source):
            try:
                found.append((path.name, _sha256(path)))
            except OSError as error:
                reason = error.strerror or error
                raise ModelError(f"{path}: cannot be read ({reason})") from None
        if len(found) == 1:
            return found[0][1]
        lines = "".join(f"{checksum}  {name}\n" for name, checksum in sorted(found))
        return hashlib.sha256(lines.encode()).hexdigest()

    def terms(self, name: str) -> str:
        """Under which terms a model stands. Raises ModelError when there is no such one."""
        kind, _ = self._find(name)
        return kind.terms

    def _find(self, name: str) -> tuple[Kind[Model], str]:
        prefix, _, source = name.partition(":")
        kind = self._kinds.get(prefix)
        if kind is None or (":" in kind.form) != bool(source) or name == f"{prefix}:":
            raise ModelError(f"{name!r} is no {self._task} model; give {self.forms}")
        return kind, source


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(2**20):
            digest.update(data)
    return digest.hexdigest()


def local_file(source: str, made_by: str) -> Path:
    """The file that a source names; `~` is the home folder.

    Args:
        source: path of the file.
        made_by: what writes such files, for the message.

    Raises:
        ModelError: there is no such file.
    """
    path = Path(source).expanduser()
    if not path.is_file():
        raise ModelError(f"{source}: there is no such file; give a file made by {made_by}")
    return path
