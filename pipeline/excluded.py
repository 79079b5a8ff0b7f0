"""Keys of samples that are not made, from a list that the user gives."""

import os
import re

from pipeline.spec import SpecError
from transforms import storage
from transforms.plan.plan import KEY_PREFIX

_NUMBER = r"(0|[1-9][0-9]*)"
_KEY = re.compile(rf"(?:{KEY_PREFIX})?{_NUMBER}_{_NUMBER}_([01])_([1-9][0-9]*)", re.ASCII)


def read_excluded(path: str) -> tuple[str, ...]:
    """Reads a list of keys, a line each; empty lines and lines that begin with `#` do not count.

    Returns:
        Their numbers (`Placement.numbers`), each once, sorted.

    Raises:
        SpecError: the list cannot be read, or a line is not a key.
    """
    flag = f"--exclude={path}"
    path = storage.absolute(path)
    if storage.is_local(path) and os.path.exists(path) and not os.path.isfile(path):
        raise SpecError(f"{flag} is not a regular file; give a list of keys")
    try:
        lines = storage.read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SpecError(f"{flag} is not UTF-8; give a list of keys") from None
    except Exception as error:  # Each store has errors of its own.
        reason = f"{error}".splitlines()[0] if f"{error}" else type(error).__name__
        raise SpecError(f"{flag} cannot be read: {reason}") from None
    numbers = set()
    for row, line in enumerate(lines, 1):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        found = _KEY.fullmatch(word)
        if found is None:
            raise SpecError(
                f"{flag}: line {row}, {word[:60]!r}, is not a key; give one such as fg_bg_7_12_1_20"
            )
        numbers.add("_".join(found.groups()))
    return tuple(sorted(numbers))
