"""What reading cannot be faster than: plain reads of the same picture files and the same decode.

The picture files of the samples stand one after another in one file without names or structure;
their sizes are known beforehand. Each bound reads and decodes them as the readers that are held
against it do, and yields after each sample or batch how many samples that were.
"""

import io
import json
import multiprocessing
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.spec import DatasetSpec
from transforms.formats import TABLE_FORMATS
from transforms.formats.schema import CLEAN_FIELDS, Picture, Row, Schema
from transforms.pixels.codecs import decode_jpeg, decode_png
from transforms.plan.plan import Plan

BATCH = 32
WORKERS = 2

Facts = tuple[int, float, float]
"""A sample's bg_id, depth_scale and depth_offset."""

NO_FACTS: Facts = (0, 0.0, 0.0)


@dataclass(frozen=True)
class Job:
    """What is read.

    Attributes:
        data: folder of the data set.
        split: name of the split.
        samples: how many samples of it.
        spec: the data set's spec.
        scratch: an empty folder, for readers that keep files of their own.
    """

    data: str
    split: str
    samples: int
    spec: DatasetSpec
    scratch: str

    @property
    def schema(self) -> Schema:
        """Decides the fields of a sample."""
        spec = self.spec
        plan = Plan.from_json(Path(self.data, "state", "plan.json").read_text())
        return Schema(spec.size, spec.image_format, spec.with_depth, plan.categories)

    def files(self, format_name: str, split: str | None = None) -> list[str]:
        """The files of a split in one format, in order; without `split`, of the job's."""
        manifest = json.loads(Path(self.data, "manifest.json").read_text())
        return [
            str(Path(self.data, file["path"]))
            for file in manifest["files"]
            if file["format"] == format_name and file["split"] == (split or self.split)
        ]


@dataclass(frozen=True, eq=False)
class Raw:
    """Picture files without a format around them.

    Attributes:
        path: the file that contains them, one after another.
        ends: int64 [samples, pictures], where each ends.
        scales: float32 [samples, 2], scale and offset of the depth maps; 0 without them.
        places: int64 [samples], the row in `backgrounds` of a sample's background.
        backgrounds: uint8 [backgrounds, height, width, 3], decoded.
    """

    path: str
    ends: np.ndarray
    scales: np.ndarray
    places: np.ndarray
    backgrounds: np.ndarray

    def save(self) -> None:
        """Writes all but the pictures beside them."""
        arrays = {name: value for name, value in vars(self).items() if name != "path"}
        np.savez(f"{self.path}.npz", **arrays)

    @classmethod
    def load(cls, path: str) -> "Raw":
        """Reads what `save` has written."""
        with np.load(f"{path}.npz") as arrays:
            return cls(path, **arrays)

    @property
    def starts(self) -> np.ndarray:
        """int64 [samples, pictures], where each picture begins."""
        return np.concatenate([[0], self.ends.ravel()[:-1]]).reshape(self.ends.shape)

    def read(self, order: np.ndarray | None = None) -> Iterator[tuple[int, list[bytes]]]:
        """Number and picture files of each sample, in the order of the file or in another."""
        starts = self.starts
        with open(self.path, "rb", buffering=2**20 if order is None else 0) as file:
            for i in range(len(starts)) if order is None else order.tolist():
                if order is not None:
                    file.seek(starts[i, 0])
                bounds = [*starts[i].tolist(), int(self.ends[i, -1])]
                data = file.read(bounds[-1] - bounds[0])
                cuts = [at - bounds[0] for at in bounds]
                yield i, [data[a:b] for a, b in pairwise(cuts)]


def prepare(job: Job, kind: str, path: str) -> None:
    """Writes the pictures of a kind of file: `table`, `coco` or `zip`."""
    pictures = {"table": _of_table, "coco": _of_coco, "zip": _of_zip}[kind](job)
    ends: list[list[int]] = []
    facts: list[Facts] = []
    position = 0
    with open(path, "wb") as file:
        for parts, fact in islice(pictures, job.samples):
            sizes = [file.write(part) for part in parts]
            ends.append((np.cumsum(sizes) + position).tolist())
            position = ends[-1][-1]
            facts.append(fact)
    places, backgrounds = np.empty(0, np.int64), np.empty(0, np.uint8)
    if kind == "table":
        clean = {row[0]: row[2] for row in _rows(job, "backgrounds")}
        row_of = {number: row for row, number in enumerate(clean)}
        places = np.array([row_of[bg_id] for bg_id, _, _ in facts])
        decoded = [pillow_pixels(p.data) for p in clean.values() if isinstance(p, Picture)]
        backgrounds = np.stack(decoded)
    scales = np.array([fact[1:] for fact in facts], np.float32)
    Raw(path, np.array(ends), scales, places, backgrounds).save()


def _rows(job: Job, split: str) -> Iterator[Row]:
    name = next(name for name in TABLE_FORMATS if name in job.spec.formats)
    fields = CLEAN_FIELDS if split == "backgrounds" else job.schema.sample_fields()
    for path in job.files(name, split):
        yield from TABLE_FORMATS[name].read(path, fields)


def _of_table(job: Job) -> Iterator[tuple[list[bytes], Facts]]:
    names = [field.name for field in job.schema.sample_fields()]
    for values in _rows(job, job.split):
        row: dict[str, Any] = dict(zip(names, values, strict=True))
        scale, offset = row.get("depth_scale", 0.0), row.get("depth_offset", 0.0)
        files = [value.data for value in values if isinstance(value, Picture)]
        yield files, (row["bg_id"], scale, offset)


def _of_coco(job: Job) -> Iterator[tuple[list[bytes], Facts]]:
    folder = Path(job.data, "coco", job.split)
    content = json.loads((folder / "annotations.json").read_text())
    for image, annotation in zip(content["images"], content["annotations"], strict=True):
        data = (folder / image["file_name"]).read_bytes()
        yield [data, annotation["segmentation"]["counts"].encode()], NO_FACTS


def _of_zip(job: Job) -> Iterator[tuple[list[bytes], Facts]]:
    kinds = ["fg_bg_jpg/fg_bg_", "mask_black_jpg/bg_mask_"]
    kinds += ["depth_fg_bg_jpg/depth_fg_bg_"] if job.spec.with_depth else []
    for path in sorted(Path(job.data, "zip").iterdir()):
        with zipfile.ZipFile(path) as entries:
            for name in entries.namelist():
                if name.startswith(kinds[0]):
                    key = name.removeprefix(kinds[0])
                    yield [entries.read(kind + key) for kind in kinds], NO_FACTS


def pillow_pixels(data: bytes) -> np.ndarray:
    """A picture as Pillow decodes it."""
    return np.asarray(Image.open(io.BytesIO(data)))


def in_pillow(job: Job, raw: Raw) -> Iterator[int]:
    """Decoded by Pillow."""
    for _, parts in raw.read():
        for part in parts:
            pillow_pixels(part)
        yield 1


def in_pycocotools(job: Job, raw: Raw) -> Iterator[int]:
    """Pictures decoded by Pillow, masks by pycocotools."""
    from pycocotools import mask

    size = list(job.spec.size.shape)
    for _, (image, counts) in raw.read():
        pillow_pixels(image)
        mask.decode({"size": size, "counts": counts})
        yield 1


def in_tensors(job: Job, raw: Raw, order: np.ndarray | None = None) -> Iterator[int]:
    """Decoded as in `MaskDepthDataset`, as PyTorch's float tensors; a background to each."""
    import torch

    def tensor(pixels: np.ndarray) -> torch.Tensor:
        planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        return torch.from_numpy(np.divide(planes, np.float32(255), order="C"))

    jpeg = job.spec.image_format == "jpeg"
    for i, (image, mask, *depth) in raw.read(order):
        tensor(raw.backgrounds[raw.places[i]])
        tensor(decode_jpeg(image) if jpeg else decode_png(image))
        tensor(decode_png(mask))
        for data in depth:
            pixels = decode_png(data).astype(np.float32)
            torch.from_numpy(pixels * raw.scales[i, 0] + raw.scales[i, 1])
        yield 1


def in_tensors_at_random(job: Job, raw: Raw) -> Iterator[int]:
    """The same in a random order."""
    return in_tensors(job, raw, random_order(len(raw.ends)))


def in_tensors_by_processes(job: Job, raw: Raw) -> Iterator[int]:
    """The same in two processes, each with its half; pixels stay where they are decoded."""
    halves = np.array_split(np.arange(len(raw.ends)), WORKERS)
    context = multiprocessing.get_context("fork")
    with context.Pool(WORKERS, _start_worker, (job, raw)) as pool:
        pool.map(_one_part, [half[:1] for half in halves])
        yield WORKERS
        pool.map(_one_part, [half[1:] for half in halves], chunksize=1)
    yield len(raw.ends) - WORKERS


_work: tuple[Job, Raw] | None = None


def _start_worker(job: Job, raw: Raw) -> None:
    import torch

    global _work
    torch.set_num_threads(1)
    _work = job, raw


def _one_part(order: np.ndarray) -> None:
    assert _work is not None
    for _ in in_tensors(*_work, order):
        pass


def random_order(count: int) -> np.ndarray:
    """The numbers below `count`, mixed; equal at each call."""
    return np.random.default_rng(0).permutation(count)


def in_tensorflow(
    job: Job, raw: Raw, floats: bool = False, method: str = "INTEGER_ACCURATE"
) -> Iterator[int]:
    """Decoded by TensorFlow on all cores; with `floats`, as floats with a background to each."""
    import tensorflow as tf

    every = tf.io.read_file(raw.path)
    backgrounds = tf.constant(raw.backgrounds)

    def decode(starts: tf.Tensor, ends: tf.Tensor, place: tf.Tensor, scale: tf.Tensor) -> object:
        files = [
            tf.strings.substr(every, starts[i], ends[i] - starts[i])
            for i in range(raw.ends.shape[1])
        ]
        image, mask, *depth = tensorflow_pixels(files, job.spec.image_format, method)
        if not floats:
            return (image, mask, *depth)
        pixels = [tf.cast(p, tf.float32) / 255 for p in (backgrounds[place], image, mask)]
        return (*pixels, *(tf.cast(d, tf.float32) * scale[0] + scale[1] for d in depth))

    numbers = tf.data.Dataset.from_tensor_slices((raw.starts, raw.ends, raw.places, raw.scales))
    samples = numbers.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    for batch in samples.batch(BATCH).prefetch(tf.data.AUTOTUNE):
        yield int(batch[0].shape[0])


def in_tensorflow_as_floats(job: Job, raw: Raw) -> Iterator[int]:
    """Decoded by TensorFlow on all cores, as floats, with a background to each."""
    return in_tensorflow(job, raw, floats=True)


def in_tensorflow_by_default(job: Job, raw: Raw) -> Iterator[int]:
    """Decoded by TensorFlow on all cores, JPEG by the transform that it takes by default."""
    return in_tensorflow(job, raw, method="")


def tensorflow_pixels(files: list, image_format: str, method: str = "INTEGER_ACCURATE") -> list:
    """Composite, mask and depth map, if there is one, as TensorFlow decodes them.

    Args:
        files: their files.
        image_format: `jpeg` or `png`, of the composite.
        method: how JPEG is transformed; `INTEGER_ACCURATE` gives the pixels of other readers.
    """
    import tensorflow as tf

    image, mask, *depth = files
    return [
        tf.io.decode_jpeg(image, channels=3, dct_method=method)
        if image_format == "jpeg"
        else tf.io.decode_png(image, channels=3),
        tf.io.decode_png(mask, channels=1),
        *(tf.io.decode_png(data, channels=1, dtype=tf.uint16) for data in depth),
    ]
