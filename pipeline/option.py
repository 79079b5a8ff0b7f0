"""What an option is: one declaration gives flag, config key, Python field, help and check.

An option is declared as a dataclass field:

    depth_bits: int = field(
        default=10, metadata=option(STORAGE, Whole(1, 16), "significant bits of the depth maps")
    )

Nothing here imports NumPy, Pillow or Beam, so that `--help` is quick.
"""

import dataclasses
import inspect
import math
import operator
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeVar

_KEY = "option"


class SpecError(ValueError):
    """A request that cannot be carried out; one line that says what would be right."""


class Refused(ValueError):
    """A value that an option does not take; the words follow the option's name and the value."""


class Kind(ABC):
    """The values that an option takes.

    Attributes:
        metavar: placeholder of the value in the help.
    """

    metavar: str = "VALUE"

    def parse(self, text: str) -> Any:
        """The value that a word of the command line means. Raises Refused."""
        return self.accept(text)

    @abstractmethod
    def accept(self, value: object) -> Any:
        """The value that one from Python or a config file means. Raises Refused."""

    def text(self, value: Any) -> str:
        """How a value is spelt on the command line."""
        return f"{value}"


@dataclass(frozen=True)
class Option:
    """What is declared of an option, beside its name, type and default.

    Attributes:
        group: heading in the help under which it stands.
        kind: the values that it takes.
        help: what it does, in a line.
        flag: its flag without dashes and its key in a config file; empty for the field's name.
        unset: text that says what None as default means.
    """

    group: str
    kind: Kind
    help: str
    flag: str = ""
    unset: str = ""


def option(
    group: str, kind: Kind, help: str, *, flag: str = "", unset: str = ""
) -> Mapping[str, Option]:
    """The metadata that make a dataclass field an option; the arguments are those of Option."""
    return {_KEY: Option(group, kind, help, flag, unset)}


@dataclass(frozen=True)
class Declared:
    """An option of a class.

    Attributes:
        name: the Python field.
        flag: the flag without dashes, and the key in a config file.
        option: what is declared.
        default: its default; None for a required one as well.
        required: whether it has no default.
    """

    name: str
    flag: str
    option: Option
    default: Any
    required: bool

    def parse(self, text: str) -> Any:
        """The value that a word of the command line means. Raises SpecError."""
        try:
            return self.option.kind.parse(text)
        except Refused as error:
            raise SpecError(f"--{self.flag}={self._shown(text)} {error}") from None

    def accept(self, value: object) -> Any:
        """The value that one from Python or a config file means. Raises SpecError."""
        if value is None and self.default is None and not self.required:
            return None
        try:
            return self.option.kind.accept(value)
        except Refused as error:
            raise SpecError(f"--{self.flag}={self._shown(value)} {error}") from None

    def _shown(self, value: object) -> str:
        text = f"{value}"
        if isinstance(value, tuple | list):
            try:
                text = self.option.kind.text(value)
            except (TypeError, ValueError, LookupError, AttributeError):
                text = repr(value)  # Not of its kind at all.
        return text if text.isprintable() else ascii(text)

    @property
    def help(self) -> str:
        """Its help with its default."""
        if self.required:
            return self.option.help
        unset = self.default is None
        default = self.option.unset if unset else self.option.kind.text(self.default)
        return f"{self.option.help} (default: {default})" if default else self.option.help


def declared(cls: type) -> tuple[Declared, ...]:
    """The options of a dataclass, in order."""
    return tuple(
        Declared(
            field.name,
            found.flag or field.name,
            found,
            None if field.default is dataclasses.MISSING else field.default,
            field.default is dataclasses.MISSING,
        )
        for field in dataclasses.fields(cls)
        if (found := field.metadata.get(_KEY)) is not None
    )


T = TypeVar("T")


def documented(cls: type[T]) -> type[T]:
    """Adds the attributes to a dataclass's docstring, from their declarations."""
    lines = "\n".join(f"    {each.name}: {each.help}." for each in declared(cls))
    cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\nAttributes:\n{lines}\n"
    return cls


def normalise(instance: Any) -> None:
    """Stores the checked values of a new dataclass instance's options.

    Raises:
        SpecError: an option does not take its value.
    """
    for each in declared(type(instance)):
        object.__setattr__(instance, each.name, each.accept(getattr(instance, each.name)))


@dataclass(frozen=True)
class Text(Kind):
    """Any text that is not empty."""

    metavar: str = "TEXT"

    def accept(self, value: object) -> str:
        """The text."""
        if not isinstance(value, str):
            raise Refused("is invalid; give text")
        if not value:
            raise Refused("is empty; give a value")
        return value


@dataclass(frozen=True)
class Place(Kind):
    """A path, as text or as a `pathlib.Path`."""

    metavar: str = "DIR"

    def accept(self, value: object) -> str:
        """The path as text."""
        path = os.fspath(value) if isinstance(value, os.PathLike) else value
        if not isinstance(path, str):
            raise Refused("is invalid; give a path")
        if not path:
            raise Refused("is empty; give a path")
        return path


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def metavar(self) -> str:  # type: ignore[override]
        """The words."""
        return "|".join(self.words)

    def accept(self, value: object) -> str:
        """The word."""
        if value not in self.words:
            raise Refused(f"is unknown; give {' or '.join(self.words)}")
        return str(value)


@dataclass(frozen=True)
class Switch(Kind):
    """Yes or no; on the command line a flag and its `--no_` form."""

    metavar: str = ""

    def accept(self, value: object) -> bool:
        """The value as a bool."""
        if isinstance(value, bool):
            return value
        if getattr(getattr(value, "dtype", None), "kind", "") == "b":  # NumPy's own.
            return bool(value)
        raise Refused("is invalid; give true or false")

    def text(self, value: bool) -> str:
        """In words."""
        return "yes" if value else "no"


@dataclass(frozen=True)
class Whole(Kind):
    """An integer.

    Attributes:
        least: the smallest, or None.
        most: the largest, or None.
        auto: whether the word `auto` means None.
    """

    least: int | None = None
    most: int | None = None
    auto: bool = False
    metavar: str = "N"

    @property
    def _wanted(self) -> str:
        return "auto or a number" if self.auto else "a whole number"

    def parse(self, text: str) -> int | None:
        """The number that a text spells."""
        if self.auto and text == "auto":
            return None
        if not re.fullmatch(r"[+-]?[0-9]{1,40}", text.strip()):
            raise Refused(f"is not understood; give {self._wanted}")
        return self.accept(int(text))

    def accept(self, value: object) -> int | None:
        """The value as an int."""
        if self.auto and value == "auto":
            return None
        number = whole(value)
        if number is None:
            raise Refused(f"is invalid; give {self._wanted}")
        if self.least is not None and number < self.least:
            raise Refused(
                f"is invalid; give at least {self.least}"
                if self.most is None
                else f"is invalid; give {self.least} to {self.most}"
            )
        if self.most is not None and number > self.most:
            raise Refused(f"is invalid; give {self.least} to {self.most}")
        return number


@dataclass(frozen=True)
class Share(Kind):
    """A number from 0 to 1."""

    metavar: str = "SHARE"

    def parse(self, text: str) -> float:
        """The number that a text spells."""
        return self.accept(spelt(text, "a number such as 0.001"))

    def accept(self, value: object) -> float:
        """The value as a float."""
        number = real(value)
        if number is None or not 0 <= number <= 1:
            raise Refused("is invalid; give 0 to 1")
        return number


@dataclass(frozen=True)
class Factors(Kind):
    """The lowest and the highest factor, such as `0.5:1.0`."""

    metavar: str = "LOW:HIGH"

    def parse(self, text: str) -> tuple[float, float]:
        """The two numbers that a text spells."""
        parts = text.split(":")
        if len(parts) != 2:
            raise Refused("is not understood; give 0.5:1.0")
        return self.accept([spelt(part, "0.5:1.0") for part in parts])

    def accept(self, value: object) -> tuple[float, float]:
        """The value as a pair of floats."""
        if isinstance(value, str):
            return self.parse(value)
        numbers = [real(part) for part in items(value)]
        if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
            raise Refused("is invalid; give two numbers such as 0.5 and 1.0")
        low, high = numbers[0], numbers[1]
        if not 0 < low <= high < math.inf:
            raise Refused("is invalid; give LOW:HIGH, 0 < LOW <= HIGH")
        return low, high

    def text(self, value: tuple[float, float]) -> str:
        """As on the command line."""
        return f"{value[0]:g}:{value[1]:g}"


@dataclass(frozen=True)
class Words(Kind):
    """A list of words, each at most once."""

    metavar: str = "LIST"

    def accept(self, value: object) -> tuple[str, ...]:
        """The value as a tuple."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        words = items(value)
        if not words or not all(isinstance(word, str) for word in words):
            raise Refused("is invalid; give names")
        return tuple(str(word) for word in words)

    def text(self, value: Sequence[str]) -> str:
        """As on the command line."""
        return ",".join(value)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The name that a misspelt one is most like, None when it is like none."""
    import difflib

    def plain(name: str) -> str:
        return name.lower().replace("-", "_").strip("_")

    by_plain = {plain(name): name for name in known}
    found = difflib.get_close_matches(plain(word), by_plain, n=1, cutoff=0.7)
    return by_plain[found[0]] if found else None


def items(value: object) -> list[object]:
    """The items of a list, tuple or similar; no items of anything else."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return []
    return list(value)


def whole(value: object) -> int | None:
    """A whole number as an int, None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = real(value)
        return int(number) if number is not None and number == int(number) else None


def real(value: object) -> float | None:
    """A finite number as a float; NumPy registers its own as numbers."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def spelt(text: str, right: str) -> float:
    """The number that a text spells. Raises Refused, which says what would be right."""
    try:
        return float(text)
    except ValueError:
        raise Refused(f"is not understood; give {right}") from None
