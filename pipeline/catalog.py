"""The catalog: every input is opened once, checked, given its id, and listed with its checksum."""

import hashlib
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from apache_beam.io.filesystems import FileSystems
from PIL import Image

from pipeline.categories import read_categories
from pipeline.spec import DatasetSpec, SpecError
from transforms import storage
from transforms.elements import SOLID
from transforms.pixels.images import BadImage, fit_foreground
from transforms.pixels.input_cache import decode_background, decode_foreground
from transforms.plan.inputs import InputError, InputImage
from transforms.plan.placement import Canvas

_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Catalog:
    """The usable inputs, and those that were left out.

    Attributes:
        foregrounds: by id.
        backgrounds: by id.
        errors: what was left out and why, by path.
    """

    foregrounds: tuple[InputImage, ...]
    backgrounds: tuple[InputImage, ...]
    errors: tuple[InputError, ...]


def find_files(pattern: str, flag: str) -> list[str]:
    """Lists a folder, with the folders in it, or what matches a glob; hidden files are passed over.

    Raises:
        SpecError: there is no such path, or no file.
    """
    if storage.is_local(pattern):
        pattern = storage.absolute(pattern)
        if os.path.isdir(pattern):
            paths = storage.list_files(pattern)
        elif _GLOB.search(pattern) and not os.path.exists(pattern):
            paths = _match(pattern, flag)
        elif os.path.exists(pattern):
            paths = [pattern]
        else:
            raise SpecError(f"--{flag}={pattern}: there is no such folder or file")
    else:
        glob = pattern if _GLOB.search(pattern) else pattern.rstrip("/") + "/**"
        paths = _match(glob, flag)
    paths = [path for path in paths if not storage.file_name(path).startswith(".")]
    if not paths:
        raise SpecError(f"--{flag}={pattern}: there is no file; give a folder or glob of images")
    return sorted(paths)


def _match(pattern: str, flag: str) -> list[str]:
    try:
        [result] = FileSystems.match([pattern])
    except Exception as error:  # Each store has errors of its own.
        reason = f"{error}".splitlines()[0]
        raise SpecError(f"--{flag}={pattern} cannot be listed: {reason}") from None
    paths = [entry.path for entry in result.metadata_list]
    return [path for path in paths if not (storage.is_local(path) and os.path.isdir(path))]


def has_image_name(path: str) -> bool:
    """Whether the extension is one of those that Pillow reads."""
    return os.path.splitext(path)[1].lower() in Image.registered_extensions()


def number_files(paths: list[str]) -> dict[int, str]:
    """Gives each file its id.

    The id is the last number in the file's name, without extension, when every file has one and no
    two are equal; else the position in sorted order, from 1.
    """
    stems = [os.path.splitext(storage.file_name(path))[0] for path in paths]
    numbers = [re.findall(r"[0-9]+", stem) for stem in stems]
    ids = [int(found[-1]) if found else -1 for found in numbers]
    if min(ids) < 0 or max(ids) >= 2**63 or len(set(ids)) < len(ids):
        ids = list(range(1, len(paths) + 1))
    return dict(sorted(zip(ids, paths, strict=True)))


def build_catalog(spec: DatasetSpec) -> Catalog:
    """Reads and checks all inputs.

    Raises:
        SpecError: a path that does not exist, nothing usable, or a bad input with `on_error=fail`.
    """
    errors: list[InputError] = []
    categories = read_categories(spec.categories) if spec.categories else None
    foreground_files = _images(spec.foregrounds, "foregrounds", errors)
    background_files = _images(spec.backgrounds, "backgrounds", errors)
    mask_files = _images(spec.masks, "masks", errors) if spec.masks else {}
    canvas = Canvas(spec.image_size, spec.foreground_size, spec.scale_jitter)

    def foreground(number: int, path: str) -> InputImage:
        return read_foreground_input(number, path, mask_files.get(number), canvas)

    foregrounds = _read_all(foreground_files, foreground, errors)
    backgrounds = _read_all(background_files, read_background_input, errors)
    errors.sort(key=lambda error: error.path)
    if errors and spec.on_error == "fail":
        raise SpecError(f"{errors[0].path}: {errors[0].reason} (stopped by --on_error=fail)")
    for flag, found, files in (
        ("foregrounds", foregrounds, foreground_files),
        ("backgrounds", backgrounds, background_files),
    ):
        if not found:
            named = next((e for e in errors if e.path in files.values()), None) or (
                errors[0] if errors else None
            )
            reason = f"; for example {named.path}: {named.reason}" if named else ""
            raise SpecError(f"--{flag}={getattr(spec, flag)}: no usable image{reason}")
    if categories is not None:
        foregrounds = list(categories.applied(foregrounds))
    return Catalog(tuple(foregrounds), tuple(backgrounds), tuple(errors))


def _images(pattern: str, flag: str, errors: list[InputError]) -> dict[int, str]:
    images: list[str] = []
    for path in find_files(pattern, flag):
        printable = path.encode("utf-8", "backslashreplace").decode()
        if printable != path:
            errors.append(InputError(printable, "the file's name is not Unicode; rename it"))
        elif not has_image_name(path):
            extension = os.path.splitext(path)[1] or "(none)"
            errors.append(InputError(path, f"the extension {extension} is not of an image"))
        else:
            images.append(path)
    return number_files(images) if images else {}


def _read_all(
    files: dict[int, str], read: Callable[[int, str], InputImage], errors: list[InputError]
) -> list[InputImage]:
    def attempt(item: tuple[int, str]) -> InputImage | InputError:
        try:
            return read(*item)
        except BadImage as error:
            return InputError(item[1], str(error))
        except Exception as error:  # Any reason why one file cannot be read costs that file.
            return InputError(item[1], f"cannot be read: {error}")

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(attempt, files.items()))
    errors += [result for result in results if isinstance(result, InputError)]
    return [result for result in results if isinstance(result, InputImage)]


def read_foreground_input(
    number: int, path: str, mask_path: str | None, canvas: Canvas
) -> InputImage:
    """Reads and checks one foreground.

    Raises:
        BadImage: it cannot be used.
    """
    data = storage.read_bytes(path)
    mask = storage.read_bytes(mask_path) if mask_path else None
    image = decode_foreground(data, mask)
    for box in (canvas.smallest_box, canvas.largest_box):
        if np.max(fit_foreground(image, box)[..., 3]) < SOLID:
            raise BadImage(
                f"no pixel is left with alpha >= {SOLID} when it is pasted at {box} pixels"
            )
    return InputImage(
        number,
        path,
        hashlib.sha256(data).hexdigest(),
        len(data),
        image.width,
        image.height,
        mask_path,
        hashlib.sha256(mask).hexdigest() if mask is not None else None,
    )


def read_background_input(number: int, path: str) -> InputImage:
    """Reads and checks one background.

    Raises:
        BadImage: it cannot be used.
    """
    data = storage.read_bytes(path)
    image = decode_background(data)
    return InputImage(
        number, path, hashlib.sha256(data).hexdigest(), len(data), image.width, image.height
    )
