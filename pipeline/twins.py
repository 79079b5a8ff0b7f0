"""Inputs with the same pixels: they count double, and can be in both training and test."""

import hashlib
import threading
from collections import defaultdict

import numpy as np

from transforms import storage
from transforms.plan.inputs import one_line

_NAMED = 5
"""Largest number of groups that are named."""


class Twins:
    """Finds inputs with the same pixels among those of one kind; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paths: dict[bytes, list[str]] = defaultdict(list)

    def add(self, path: str, pixels: np.ndarray) -> None:
        """Takes note of an input, given as its pixels resized in one way for all."""
        digest = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
        digest.update(pixels.tobytes())
        with self._lock:
            self._paths[digest.digest()].append(path)

    def notes(self, flag: str) -> list[str]:
        """A line for each group of twins, up to the limit."""
        groups = sorted(sorted(paths) for paths in self._paths.values() if len(paths) > 1)
        lines = [
            f"(nearly) the same pixels among the {flag}:"
            f" {', '.join(one_line(storage.file_name(path)) for path in paths)}"
            for paths in groups[:_NAMED]
        ]
        if len(groups) > _NAMED:
            lines.append(
                f"(nearly) the same pixels among the {flag}: {len(groups) - _NAMED} more groups"
            )
        return lines
