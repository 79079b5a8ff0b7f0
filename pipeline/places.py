"""Where a data set is written, and that its inputs lie elsewhere."""

import os
import re
from functools import lru_cache

from apache_beam.io.filesystem import FileSystem

from pipeline.spec import DatasetSpec, SpecError
from transforms import storage
from transforms.plan.plan import Plan

_GLOB = re.compile(r"[*?\[]")

# Names at every depth of a data set: a pattern that matches one would read its files.
_WRITTEN = (
    "README.md",
    "picture.png",
    "picture.jpg",
    "zip/batch1_images.zip",
    "gallery/foregrounds.png",
    "gallery/images/fg_1.png",
    "gallery/images/bg_1.jpg",
    "coco/assets/foregrounds/1.png",
    "coco/train/images/00000/fg_bg_1_1_0_1.jpg",
    "coco/train/images/00000/fg_bg_1_1_0_1.png",
)


def check_given(flag: str, path: str | None) -> None:
    """Raises SpecError for an empty path, which an unset variable of a shell leaves."""
    if path is not None and not str(path).strip():
        raise SpecError(f"--{flag} is empty; give a path")


def check_places(spec: DatasetSpec) -> None:
    """Checks, before any work, that paths are given and that output and inputs are separate.

    Links are followed.

    Raises:
        SpecError: a path is empty, the output is inside an input, or an input inside the output.
    """
    for flag in (
        "foregrounds",
        "backgrounds",
        "masks",
        "categories",
        "credits",
        "exclude",
        "output",
    ):
        check_given(flag, getattr(spec, flag))
    output = _real(spec.output)
    inputs = [(flag, path) for flag, path in spec.paths() if flag != "output"]
    model = spec.depth_model.partition(":")[2]
    if model and os.path.exists(os.path.expanduser(model)):
        inputs.append(("depth_model", model))
    for flag, pattern in inputs:
        base, rest = _divided(pattern)
        base = _real(base)
        named = f"--{flag}={pattern}" if flag != "depth_model" else f"--{flag}={spec.depth_model}"
        if _is_inside(base, output):
            raise SpecError(
                f"{named} is inside --output={spec.output}, where the data set is written;"
                " choose another output"
            )
        if _is_inside(output, base) and (not rest or _reads_output(base, rest, output)):
            raise SpecError(
                f"--output={spec.output} is inside {named}: its files would be read as"
                " input; choose another output"
            )


def check_apart(output: str, plan: Plan) -> None:
    """Checks that no input file is inside the output, through links and globs too.

    Raises:
        SpecError: one does.
    """
    output = _real(output)
    folder = lru_cache(maxsize=None)(_real)
    for asset in (*plan.foregrounds, *plan.backgrounds):
        for path in (asset.path, asset.mask_path):
            if path is None:
                continue
            linked = storage.is_local(path) and os.path.islink(path)
            real = _real(path) if linked else folder(path.rpartition("/")[0])
            if _is_inside(real, output):
                raise SpecError(
                    f"the input {path} is inside --output={output}; choose another output"
                )


def _real(path: str) -> str:
    """A path with its links followed; of an object store, without a slash at its end."""
    return os.path.realpath(storage.absolute(path)) if storage.is_local(path) else path.rstrip("/")


def _divided(pattern: str) -> tuple[str, str]:
    """A path up to its first component with a wildcard, and the rest, empty without one."""
    if storage.is_local(pattern):
        pattern = storage.absolute(pattern)
        if os.path.exists(pattern):
            return pattern, ""
    found = _GLOB.search(pattern)
    if found is None:
        return pattern, ""
    base = pattern[: found.start()].rpartition("/")[0] or "/"
    return base, pattern[len(base) :].lstrip("/")


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _reads_output(base: str, rest: str, output: str) -> bool:
    pattern = re.compile(FileSystem.translate_pattern(f"{base.rstrip('/')}/{rest}"))
    return any(pattern.match(f"{output}/{name}") for name in _WRITTEN)
