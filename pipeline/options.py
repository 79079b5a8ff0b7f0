"""Options of a dataclass on the command line and in a config file."""

import argparse
import dataclasses
import importlib.util
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pipeline.option import Declared, SpecError, Switch, declared, nearest
from pipeline.performance import Performance
from pipeline.spec import DatasetSpec

T = TypeVar("T")

COMMANDS = ("config", "overwrite", "extend", "dry_run", "preview", "debug")
"""Flags of `generate` that control a run and do not affect the samples."""


class _Toggle(argparse.Action):
    """`--name` and `--no_name`."""

    def __init__(self, option_strings: Sequence[str], dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **kwargs)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        word = (option_string or "").replace("-", "_")
        setattr(namespace, self.dest, not word.startswith("__no_"))


def add_options(parser: argparse.ArgumentParser, *classes: type) -> None:
    """Adds the options that dataclasses declare, under their headings.

    What is not given is absent from the parsed arguments, and what is given is text.
    """
    groups: dict[str, Any] = {}
    for each in (each for cls in classes for each in declared(cls)):
        name = each.option.group
        group = groups.get(name) or groups.setdefault(name, parser.add_argument_group(name))
        _add(group, each)


def _add(group: Any, each: Declared) -> None:
    common: dict[str, Any] = {"dest": each.flag, "default": argparse.SUPPRESS}
    text = each.help.replace("%", "%%")
    if not isinstance(each.option.kind, Switch):
        group.add_argument(f"--{each.flag}", metavar=each.option.kind.metavar, help=text, **common)
        return
    no = f"--no_{each.flag}"
    group.add_argument(f"--{each.flag}", no, action=_Toggle, help=text, **common)
    dashes = {f"--{each.flag}".replace("_", "-")[2:], no[2:].replace("_", "-")}
    for spelt in sorted(dashes - {each.flag}):
        group.add_argument(f"--{spelt}", action=_Toggle, help=argparse.SUPPRESS, **common)


def from_arguments(
    cls: type[T], arguments: argparse.Namespace, config: Mapping[str, Any] | None = None
) -> T:
    """An instance from the flags given and, where they are silent, from a config file.

    Raises:
        SpecError: a value that is not taken, or a required option that is missing.
    """
    values: dict[str, Any] = {}
    for each in declared(cls):
        if hasattr(arguments, each.flag):
            given = getattr(arguments, each.flag)
            values[each.name] = each.parse(given) if isinstance(given, str) else given
        elif config is not None and (key := _key(each, config)) is not None:
            values[each.name] = config[key]
        elif each.required:
            raise SpecError(
                f"--{each.flag}={each.option.kind.metavar} is missing ({each.option.help})"
            )
    return cls(**values)


def spec_of(arguments: argparse.Namespace, config: Mapping[str, Any] | None = None) -> DatasetSpec:
    """The spec that flags and config file describe. Raises SpecError for invalid options."""
    return from_arguments(DatasetSpec, arguments, config)


def performance_of(
    arguments: argparse.Namespace, config: Mapping[str, Any] | None = None
) -> Performance:
    """The performance options of flags and config file. Raises SpecError."""
    return from_arguments(Performance, arguments, config)


def generate_flags() -> tuple[str, ...]:
    """All flags of `generate` without dashes, those of Beam not among them."""
    options = [each for cls in (DatasetSpec, Performance) for each in declared(cls)]
    switches = [each for each in options if isinstance(each.option.kind, Switch)]
    return (
        *(each.flag for each in options),
        *(f"no_{each.flag}" for each in switches),
        *COMMANDS,
    )


def _key(each: Declared, config: Mapping[str, Any]) -> str | None:
    return next((key for key in (each.flag, each.name) if key in config), None)


@dataclasses.dataclass(frozen=True)
class Config:
    """What a config file says.

    Attributes:
        values: by option.
        beam: the other keys, as flags of Beam; none of them is checked.
    """

    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    beam: tuple[str, ...] = ()


def read_config(path: str) -> Config:
    """Reads a config file of `generate`: a mapping in TOML, JSON or YAML.

    Its keys are flags without dashes, Beam's too. The `state/spec.json` of a data set is one.

    Args:
        path: the file; its extension says what it is.

    Raises:
        SpecError: the file cannot be read or understood.
    """
    found = _load(path)
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise SpecError(f"--config={path}: give a mapping of options, such as image_size: 160")
    options = [each for cls in (DatasetSpec, Performance) for each in declared(cls)]
    names = {name for each in options for name in (each.flag, each.name)}
    for each in options:
        if each.flag != each.name and each.flag in found and each.name in found:
            raise SpecError(f"--config={path}: {each.flag} and {each.name} are the same option")
    beam: list[str] = []
    for key, value in found.items():
        if key in COMMANDS:
            raise SpecError(f"--config={path}: {key} is for the command line; give --{key} there")
        if key not in names:
            beam += _beam_flags(path, key, value, names)
    return Config({key: value for key, value in found.items() if key in names}, tuple(beam))


def _beam_flags(path: str, key: str, value: Any, names: Iterable[str]) -> list[str]:
    from pipeline.beam_flags import beam_flags

    if key not in beam_flags():
        like = nearest(key, [*names, *beam_flags()])
        hint = f"; did you mean {like}?" if like else "; see generate --help"
        raise SpecError(f"--config={path}: {key} is not an option{hint}")
    if isinstance(value, bool):
        return [f"--{key}"] if value else []
    values = value if isinstance(value, list) else [value]
    return [f"--{key}={json.dumps(v) if isinstance(v, dict) else v}" for v in values]


def _load(path: str) -> Any:
    file = os.path.expanduser(path)
    extension = os.path.splitext(file)[1].lower()
    try:
        with open(file, "rb") as stream:
            text = stream.read().decode("utf-8-sig")
    except OSError as error:
        raise SpecError(f"--config={path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SpecError(f"--config={path} is not UTF-8 text") from None
    try:
        if extension == ".json":
            return json.loads(text)
        if extension == ".toml":
            return _toml(text)
        import yaml

        return yaml.safe_load(text)
    except ImportError as error:
        raise SpecError(f"--config={path} cannot be read: {error}") from None
    except Exception as error:  # Each parser has errors of its own.
        reason = " ".join(f"{error}".split())
        raise SpecError(f"--config={path} is not understood: {reason}") from None


def _toml(text: str) -> Any:
    in_library = importlib.util.find_spec("tomllib") is not None  # From Python 3.11.
    return importlib.import_module("tomllib" if in_library else "tomli").loads(text)
