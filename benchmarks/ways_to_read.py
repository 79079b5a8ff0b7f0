"""The readers that are measured: each yields the samples of a split with all pictures decoded."""

import glob
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import raw_reads
from benchmarks.raw_reads import BATCH, WORKERS, Job, Raw, pillow_pixels
from transforms.formats.base import SAMPLES, VERSION

Item = tuple[int, tuple[Any, ...]]
"""How many samples, and their composites, masks and, where there are some, depth maps."""


@dataclass(frozen=True)
class Way:
    """A way to read a data set.

    Attributes:
        name: what reads.
        format: the format that it reads.
        modules: what must be installed for it.
        read: yields all samples of a split.
        bound: the plain reads that it is held against.
        raw: which pictures these read: `table`, `coco` or `zip`.
    """

    name: str
    format: str
    modules: tuple[str, ...]
    read: Callable[[Job], Iterator[Item]]
    bound: Callable[[Job, Raw], Iterator[int]]
    raw: str = "table"


def _names(job: Job) -> list[str]:
    return ["image", "mask", *(["depth"] if job.spec.with_depth else [])]


def _torch_in_order(job: Job) -> Iterator[Item]:
    from pipeline.readers.torch import MaskDepthDataset

    names = ["fg_bg", *_names(job)[1:]]
    for sample in MaskDepthDataset(job.data, job.split):
        yield 1, tuple(sample[name] for name in names)


def _torch_at_random(job: Job) -> Iterator[Item]:
    from pipeline.readers.torch import MaskDepthDataset

    samples, names = MaskDepthDataset(job.data, job.split), ["fg_bg", *_names(job)[1:]]
    for index in raw_reads.random_order(len(samples)).tolist():
        sample = samples[index]
        yield 1, tuple(sample[name] for name in names)


def _torch_loader(job: Job, dtype: str = "float32") -> Iterator[Item]:
    import torch
    from torch.utils.data import DataLoader

    from pipeline.readers.torch import MaskDepthDataset

    samples = MaskDepthDataset(job.data, job.split, dtype=getattr(torch, dtype))
    names = ["fg_bg", *_names(job)[1:]]
    for batch in DataLoader(samples, batch_size=BATCH, num_workers=WORKERS):
        yield len(batch["key"]), tuple(batch[name] for name in names)


def _torch_loader_of_bytes(job: Job) -> Iterator[Item]:
    return _torch_loader(job, "uint8")


def _tensorflow_load(job: Job) -> Iterator[Item]:
    from pipeline.readers.tensorflow import load

    for (_, fg_bg), targets in load(job.data, job.split, BATCH):
        pictures = targets if isinstance(targets, tuple) else (targets,)
        yield int(fg_bg.shape[0]), (fg_bg, *pictures)


def _tf_data(job: Job) -> Iterator[Item]:
    import tensorflow as tf

    wanted = {name: tf.io.FixedLenFeature([], tf.string) for name in _names(job)}

    def decode(record: tf.Tensor) -> tuple:
        found = tf.io.parse_single_example(record, wanted)
        files = [found[name] for name in wanted]
        return tuple(raw_reads.tensorflow_pixels(files, job.spec.image_format))

    records = tf.data.TFRecordDataset(job.files("tfrecord"))
    samples = records.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    for batch in samples.batch(BATCH).prefetch(tf.data.AUTOTUNE):
        yield int(batch[0].shape[0]), batch


def _tfds(job: Job) -> Iterator[Item]:
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(f"{job.data}/tfrecord/{SAMPLES}/{VERSION}")
    for batch in builder.as_dataset(split=job.split, batch_size=BATCH):
        yield int(batch["key"].shape[0]), tuple(batch[name] for name in _names(job))


def _tensorflow_io(job: Job) -> Iterator[Item]:
    import tensorflow as tf
    import tensorflow_io as tfio

    names = [f"{name}.bytes" for name in _names(job)]

    def decode(record: dict) -> tuple:
        files = [record[name] for name in names]
        return tuple(raw_reads.tensorflow_pixels(files, job.spec.image_format))

    for path in job.files("parquet"):
        records = tfio.IODataset.from_parquet(path, columns=names)
        samples = records.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
        for batch in samples.batch(BATCH).prefetch(tf.data.AUTOTUNE):
            yield int(batch[0].shape[0]), batch


def _datasets(job: Job, streaming: bool = False) -> Iterator[Item]:
    import datasets

    datasets.disable_progress_bars()
    samples = datasets.load_dataset(
        job.data, split=job.split, streaming=streaming, cache_dir=job.scratch
    )
    for sample in samples:
        yield 1, tuple(np.asarray(sample[name]) for name in _names(job))


def _datasets_streaming(job: Job) -> Iterator[Item]:
    return _datasets(job, streaming=True)


def _webdataset(job: Job) -> Iterator[Item]:
    import webdataset

    def decode(name: str, data: bytes) -> np.ndarray | None:
        return pillow_pixels(data) if name.endswith(("jpg", "png")) else None

    extension = "jpg" if job.spec.image_format == "jpeg" else "png"
    names = [f"image.{extension}", *(f"{name}.png" for name in _names(job)[1:])]
    for sample in webdataset.WebDataset(job.files("webdataset"), shardshuffle=False).decode(decode):
        yield 1, tuple(sample[name] for name in names)


def _pyarrow(job: Job) -> Iterator[Item]:
    import pyarrow.parquet as pq

    for path in job.files("parquet"):
        for batch in pq.ParquetFile(path).iter_batches(BATCH):
            for row in batch.to_pylist():
                yield 1, tuple(pillow_pixels(row[name]["bytes"]) for name in _names(job))


def _coco(job: Job) -> Iterator[Item]:
    from pycocotools.coco import COCO

    folder = Path(job.data, "coco", job.split)
    coco = COCO(str(folder / "annotations.json"))
    for number, image in coco.imgs.items():
        [annotation] = coco.imgToAnns[number]
        pixels = np.asarray(Image.open(folder / image["file_name"]))
        yield 1, (pixels, coco.annToMask(annotation))


def _zip(job: Job) -> Iterator[Item]:
    kinds = ["mask_black_jpg/bg_mask_"]
    kinds += ["depth_fg_bg_jpg/depth_fg_bg_"] if job.spec.with_depth else []
    first = "fg_bg_jpg/fg_bg_"
    for path in sorted(glob.glob(f"{job.data}/zip/*.zip")):
        with zipfile.ZipFile(path) as entries:
            keys = [n.removeprefix(first) for n in entries.namelist() if n.startswith(first)]
            for key in keys:
                files = (entries.read(kind + key) for kind in (first, *kinds))
                yield 1, tuple(np.asarray(Image.open(io.BytesIO(data))) for data in files)


WAYS = (
    Way("MaskDepthDataset, in order", "parquet", ("torch",), _torch_in_order, raw_reads.in_tensors),
    Way(
        "MaskDepthDataset, random access",
        "parquet",
        ("torch",),
        _torch_at_random,
        raw_reads.in_tensors_at_random,
    ),
    Way(
        f"MaskDepthDataset, DataLoader with {WORKERS} workers",
        "parquet",
        ("torch",),
        _torch_loader,
        raw_reads.in_tensors_by_processes,
    ),
    Way(
        f"the same, dtype=uint8, {WORKERS} workers",
        "parquet",
        ("torch",),
        _torch_loader_of_bytes,
        raw_reads.in_tensors_by_processes,
    ),
    Way(
        "pipeline.readers.tensorflow.load",
        "tfrecord",
        ("tensorflow",),
        _tensorflow_load,
        raw_reads.in_tensorflow_as_floats,
    ),
    Way("tf.data", "tfrecord", ("tensorflow",), _tf_data, raw_reads.in_tensorflow),
    Way(
        "tfds.builder_from_directory",
        "tfrecord",
        ("tensorflow", "tensorflow_datasets"),
        _tfds,
        raw_reads.in_tensorflow_by_default,
    ),
    Way(
        "tensorflow-io, IODataset.from_parquet",
        "parquet",
        ("tensorflow", "tensorflow_io"),
        _tensorflow_io,
        raw_reads.in_tensorflow,
    ),
    Way("datasets, whole", "parquet", ("datasets",), _datasets, raw_reads.in_pillow),
    Way("datasets, streaming", "parquet", ("datasets",), _datasets_streaming, raw_reads.in_pillow),
    Way("webdataset", "webdataset", ("webdataset",), _webdataset, raw_reads.in_pillow),
    Way("pyarrow + Pillow", "parquet", (), _pyarrow, raw_reads.in_pillow),
    Way(
        "pycocotools + Pillow",
        "coco",
        ("pycocotools",),
        _coco,
        raw_reads.in_pycocotools,
        raw="coco",
    ),
    Way("zipfile + Pillow", "zip", (), _zip, raw_reads.in_pillow, raw="zip"),
)
"""All of them, in the order of the table."""


def first(items: Iterator[Item], samples: int) -> Iterator[Item]:
    """The items up to a number of samples."""
    left = samples
    for count, pictures in items:
        yield count, pictures
        left -= count
        if left <= 0:
            return


def by_name(name: str) -> Way:
    """The way of that name."""
    return next(way for way in WAYS if way.name == name)
