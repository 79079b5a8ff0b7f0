"""Batch zips: ten foregrounds each, all pictures as JPEG in folders by kind.

The layout that those who train on such sets read today: `batch1_images.zip` with `fg_jpg/`,
`bg_jpg/`, `mask_jpg/`, `fg_bg_jpg/`, `mask_black_jpg/` and `depth_fg_bg_jpg/`. A batch is a strip
of the plan, and several shards contribute to it: each shard writes a fragment for each batch it
touches, and these are joined when all are complete.
"""

import contextlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
from apache_beam.io.filesystems import FileSystems
from PIL import Image

from transforms.elements import CleanImage, Sample, ShardSpec
from transforms.formats.base import (
    EncodedSize,
    Entry,
    Folder,
    FormatError,
    JoinedFormat,
    OutputFile,
    Sink,
    fragment_name,
)
from transforms.formats.schema import Schema
from transforms.pixels.codecs import encode_jpeg
from transforms.pixels.input_cache import input_cache, read_foreground
from transforms.plan.clean_shards import BACKGROUNDS, clean_shards
from transforms.plan.plan import Plan, load_plan
from transforms.storage import RAW

_CLEAN_QUALITY = 95

_DATE = (1980, 1, 1, 0, 0, 0)  # The earliest date a zip can hold: equal bytes at any time.


class ZipFormat(JoinedFormat):
    """Batch zips of JPEG files."""

    name = "zip"
    file_names = (
        r"zip/batch\d+_images\.zip",
        r"state/zip/(batch\d+-)?{shard}\.zip",
    )
    needs = frozenset({"jpegs"})

    def sample_bytes(self, size: EncodedSize) -> float:
        """What a sample takes on a disk: its pictures and two entries for each."""
        return size.jpegs + (2 if size.depth == 0 else 3) * 190

    def passing_bytes(self, size: EncodedSize) -> float:
        """Additional bytes of a sample during a run: fragments exist beside the zips."""
        return self.sample_bytes(size)

    def open_samples(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[Sample]:
        """Starts a shard's fragments."""
        return _FragmentSink(folder, shard)

    def open_clean(
        self, folder: Folder, shard: ShardSpec, schema: Schema
    ) -> Sink[CleanImage] | None:
        """Starts a shard of the backgrounds, which each batch repeats when it is joined."""
        return _BackgroundSink(folder, shard) if shard.split == BACKGROUNDS else None

    def join(self, folder: Folder, group: str, fragments: Iterable[OutputFile]) -> OutputFile:
        """Joins the fragments of a batch; `group` is `batch` and its number."""
        batch = int(group.removeprefix("batch"))
        return join_batch(folder, load_plan(folder.plan_path), batch, fragments)

    def joined_path(self, group: str) -> str:
        """The zip of a batch."""
        return f"zip/{group}_images.zip"

    def joined_entries(self, file: BinaryIO, plan: Plan) -> Iterator[Entry]:
        """The entries of a zip. Raises FormatError where it is damaged."""
        try:
            yield from _entries(file)
        except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
            raise FormatError(f"it cannot be read as zip: {error}") from None

    def fragment_entries(self, path: str, plan: Plan) -> Iterator[Entry]:
        """The pictures that a shard contributes."""
        with FileSystems.open(path, compression_type=RAW) as file:
            yield from _entries(file)

    def shared_entries(self, plan_path: str, group: str) -> Iterator[Entry]:
        """The clean pictures."""
        plan, inputs = load_plan(plan_path), input_cache(plan_path)
        yield from _foreground_entries(plan, int(group.removeprefix("batch")))
        for background in plan.backgrounds:
            pixels = inputs.background(background.id)
            yield Entry(_background_name(background.id), encode_jpeg(pixels, _CLEAN_QUALITY))

    def shared_count(self, plan: Plan, group: str) -> int:
        """Each foreground of the batch with its mask, and all backgrounds."""
        strip = plan.strips[int(group.removeprefix("batch")) - 1]
        return 2 * len(strip.foregrounds) + len(plan.backgrounds)


def _entries(file: BinaryIO) -> Iterator[Entry]:
    with zipfile.ZipFile(file) as entries:
        for entry in entries.infolist():
            yield Entry(entry.filename, entries.read(entry))


def _background_name(bg_id: int) -> str:
    return f"bg_jpg/bg_img_{bg_id}.jpg"


def _foreground_entries(plan: Plan, batch: int) -> Iterator[Entry]:
    """The clean foregrounds of a batch, given by its number from 1."""
    for fg_id in plan.strips[batch - 1].foregrounds:
        image, mask = _standing_alone(plan, fg_id)
        yield Entry(f"fg_jpg/fg_img_{fg_id}.jpg", encode_jpeg(image, _CLEAN_QUALITY))
        yield Entry(f"mask_jpg/mask_img_{fg_id}.jpg", encode_jpeg(mask, _CLEAN_QUALITY))


class _FragmentSink:
    def __init__(self, folder: Folder, shard: ShardSpec) -> None:
        self._folder = folder
        self._shard = shard
        plan = load_plan(folder.plan_path)
        self._batch_of = {
            fg_id: strip.number + 1 for strip in plan.strips for fg_id in strip.foregrounds
        }
        self._fragments: dict[int, _ZipFile] = {}

    def write(self, item: Sample) -> None:
        assert item.jpegs is not None
        batch = self._batch_of[item.placement.fg_id]
        if batch not in self._fragments:
            path = f"state/zip/batch{batch}-{self._shard.name}.zip"
            self._fragments[batch] = _ZipFile(self._folder, path)
        fragment, numbers = self._fragments[batch], item.placement.numbers
        image, mask, depth = item.jpegs
        fragment.add(f"fg_bg_jpg/fg_bg_{numbers}.jpg", image)
        fragment.add(f"mask_black_jpg/bg_mask_{numbers}.jpg", mask)
        if depth is not None:
            fragment.add(f"depth_fg_bg_jpg/depth_fg_bg_{numbers}.jpg", depth)

    def close(self) -> tuple[OutputFile, ...]:
        return tuple(
            self._fragments[batch].close(fragment_name("zip"), f"batch{batch}")
            for batch in sorted(self._fragments)
        )

    def discard(self) -> None:
        for fragment in self._fragments.values():
            fragment.discard()


class _BackgroundSink:
    """Backgrounds as each batch holds them, encoded once; removed when the data set is finished."""

    def __init__(self, folder: Folder, shard: ShardSpec) -> None:
        self._zip = _ZipFile(folder, _background_path(shard))

    def write(self, item: CleanImage) -> None:
        pixels = np.asarray(Image.open(io.BytesIO(item.image)))
        self._zip.add(_background_name(item.id), encode_jpeg(pixels, _CLEAN_QUALITY))

    def close(self) -> tuple[OutputFile, ...]:
        self._zip.close("zip", BACKGROUNDS)
        return ()

    def discard(self) -> None:
        self._zip.discard()


def _background_path(shard: ShardSpec) -> str:
    return f"state/zip/{shard.name}.zip"


class _ZipFile:
    """A zip of stored (not compressed) entries; pictures are compressed already."""

    def __init__(self, folder: Folder, path: str) -> None:
        self._path = path
        self._file = folder.create(path)
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        self._count = 0

    def add(self, name: str, data: bytes) -> None:
        entry = zipfile.ZipInfo(name, _DATE)
        entry.external_attr = 0o644 << 16
        self._zip.writestr(entry, data)
        self._count += 1

    def close(self, format_name: str, split: str) -> OutputFile:
        self._zip.close()
        self._file.commit()
        file = self._file
        return OutputFile(format_name, self._path, split, self._count, file.size, file.sha256)

    def discard(self) -> None:
        with contextlib.suppress(OSError):  # The end of the zip need not fit on a full disk.
            self._zip.close()
        self._file.discard()


def join_batch(
    folder: Folder, plan: Plan, batch: int, fragments: Iterable[OutputFile]
) -> OutputFile:
    """Joins the fragments of a batch into its zip and adds the clean pictures.

    Args:
        folder: the data set's folder.
        plan: its plan.
        batch: number of the batch, from 1.
        fragments: what the shards have contributed to it; the backgrounds' shards are written too.

    Returns:
        The finished `zip/batch{batch}_images.zip`.
    """
    target = _ZipFile(folder, f"zip/batch{batch}_images.zip")
    try:
        for entry in _foreground_entries(plan, batch):
            target.add(entry.name, entry.data)
        shared = [_background_path(s) for s in clean_shards(plan) if s.split == BACKGROUNDS]
        for path in (*shared, *sorted(each.path for each in fragments)):
            with (
                FileSystems.open(folder.path(path), compression_type=RAW) as file,
                zipfile.ZipFile(file) as entries,
            ):
                for name in entries.namelist():
                    target.add(name, entries.read(name))
    except BaseException:
        target.discard()
        raise
    return target.close("zip", f"batch{batch}")


def _standing_alone(plan: Plan, fg_id: int) -> tuple[np.ndarray, np.ndarray]:
    """A foreground on white at the composite's size, as large as a square in its middle.

    Returns:
        uint8 [height, width, 3], and its alpha on black, uint8 [height, width].
    """
    size = plan.image_size
    rgba = Image.fromarray(read_foreground(plan.foreground_by_id[fg_id], size.short, plan.ringing))
    corner = ((size.width - rgba.width) // 2, (size.height - rgba.height) // 2)
    canvas = Image.new("RGBA", size.pair, (255, 255, 255, 255))
    canvas.alpha_composite(rgba, corner)
    mask = Image.new("L", size.pair)
    mask.paste(rgba.getchannel("A"), corner)
    return np.asarray(canvas.convert("RGB")), np.asarray(mask)
