"""Where results are kept that a model computes from one input, once per input.

They are kept in `state/prepared/NAME/`, under the digest of the input and of their settings.
They are the only output of a model that samples depend on: given them, a sample is a pure function
of its spec, and no model needs to give equal bits on two machines.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transforms import storage
from transforms.plan.inputs import InputImage
from transforms.recipe import Recipe

PLACE = "state/prepared"
_REFUSED = "refused"


class Refused(ValueError):
    """An input that a model cannot handle; the message says why."""


@dataclass(frozen=True)
class Thing:
    """A kind of result that is made once for each background.

    Attributes:
        name: its name; also that of its folder.
        extension: of its files.
        wanted: whether a recipe needs it.
        settings: all beside the input that decides it: digests of models, numbers, sizes.
        make: makes the content of its file. Raises Refused if the model cannot handle the
            input, which costs the input; anything else stops the job.
        check: raises any exception when a file's content is damaged.
    """

    name: str
    extension: str
    wanted: Callable[[Recipe], bool]
    settings: Callable[[Recipe], Sequence[str]]
    make: Callable[[InputImage, Recipe], bytes]
    check: Callable[[bytes], object]

    def path(self, source: InputImage, recipe: Recipe) -> str:
        """Path of the result of an input, relative to the data set's folder."""
        words = (self.name, source.sha256, *self.settings(recipe))
        digest = hashlib.sha256("\n".join(words).encode()).hexdigest()
        return f"{PLACE}/{self.name}/{digest}.{self.extension}"

    def refused_path(self, source: InputImage, recipe: Recipe) -> str:
        """Path, relative to the data set's folder, of the reason why there is no result."""
        return f"{self.path(source, recipe).rpartition('.')[0]}.{_REFUSED}"

    def read(self, source: InputImage, recipe: Recipe) -> bytes:
        """The result of an input that was prepared.

        Raises:
            Refused: there is none; the message says why.
        """
        data = storage.read_if_there(recipe.folder.path(self.path(source, recipe)))
        if data is None:
            path = recipe.folder.path(self.refused_path(source, recipe))
            raise Refused(storage.read_text(path))
        return data
