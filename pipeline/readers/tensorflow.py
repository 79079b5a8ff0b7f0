"""TensorFlow: a data set's TFRecord files as a `tf.data.Dataset` that Keras trains on.

    from pipeline.readers.tensorflow import load
    model.fit(load("DIR", "train"), validation_data=load("DIR", "test", shuffle=0))

Needs the extra `tensorflow`, for Python 3.10 to 3.13.
"""

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from transforms.extras import missing

try:
    import tensorflow as tf
except ImportError:
    raise missing(__name__, "TensorFlow", "tensorflow") from None

_SAMPLES, _CLEAN = "mask_depth", "mask_depth_assets"

_DECODED_BYTES = 2**28

# Files that are read at a time for shuffling; each has ten to nineteen foregrounds.
_FILES_AT_A_TIME = 16


@dataclass(frozen=True)
class _Files:
    """The files of a split and what their descriptions say.

    Attributes:
        paths: the files in order.
        count: records in them.
        features: descriptions of the fields by name, as in `features.json`.
    """

    paths: tuple[str, ...]
    count: int
    features: dict[str, Any]


def load(
    directory: str,
    split: str = "train",
    batch_size: int = 32,
    shuffle: int = 1000,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Batches of (bg, fg_bg) -> (mask, depth), shuffled and prefetched.

    Args:
        directory: folder of the data set, anywhere that `tf.io.gfile` reads.
        split: name of the split.
        batch_size: samples in a batch; the last batch may have fewer.
        shuffle: samples that are mixed at a time; with 0 they come in the order of the files.
        seed: seed of the mixing; None for another order at each start.

    Returns:
        Elements `((bg, fg_bg), (mask, depth))`, of float32: `bg` and `fg_bg`
        [batch, height, width, 3] in 0..1, `mask` [batch, height, width, 1] in 0..1, and `depth`
        [batch, height, width, 1] in the depth model's own values. Of a data set without depth,
        `((bg, fg_bg), mask)`.

    Raises:
        FileNotFoundError: the data set has no such split as TFRecord.
    """
    files = _files(directory, _SAMPLES, split)
    decode = partial(_decoded, features=files.features, backgrounds=_Backgrounds.load(directory))
    samples = tf.data.Dataset.from_tensor_slices(list(files.paths))
    if shuffle:
        samples = samples.shuffle(len(files.paths), seed=seed)
        samples = samples.interleave(
            tf.data.TFRecordDataset,
            cycle_length=_FILES_AT_A_TIME,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=seed is not None,
        ).shuffle(shuffle, seed=seed)
    else:
        samples = tf.data.TFRecordDataset(samples)
    return (
        samples.apply(tf.data.experimental.assert_cardinality(files.count))
        .map(
            decode,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=not shuffle or seed is not None,
        )
        .batch(batch_size)
        .prefetch(tf.data.AUTOTUNE)
    )


def _files(directory: str, name: str, split: str) -> _Files:
    """Raises FileNotFoundError when there is no such split."""
    paths = sorted(tf.io.gfile.glob(f"{directory}/tfrecord/{name}/*/{name}-{split}.tfrecord-*"))
    if not paths:
        raise FileNotFoundError(
            f"{directory}: there are no TFRecord files of the split {split!r}; its splits are in"
            f" tfrecord/{name} if it was made with --formats=tfrecord"
        )
    folder = paths[0].rpartition("/")[0]
    info = _read_json(f"{folder}/dataset_info.json")
    [lengths] = [part["shardLengths"] for part in info["splits"] if part["name"] == split]
    features = _read_json(f"{folder}/features.json")["featuresDict"]["features"]
    return _Files(tuple(paths), sum(int(length) for length in lengths), features)


def _read_json(path: str) -> dict[str, Any]:
    with tf.io.gfile.GFile(path) as file:
        return json.loads(file.read())


@dataclass(frozen=True)
class _Backgrounds:
    """The clean backgrounds.

    Attributes:
        rows: from an id to its place in `images`.
        images: uint8 [backgrounds, height, width, 3]; where these take too much memory, string
            [backgrounds], PNG files, which take a fifth.
    """

    rows: tf.lookup.StaticHashTable
    images: tf.Tensor

    @classmethod
    def load(cls, directory: str) -> "_Backgrounds":
        """Reads all of them."""
        paths = _files(directory, _CLEAN, "backgrounds").paths
        wanted = {
            "id": tf.io.FixedLenFeature([], tf.int64),
            "image": tf.io.FixedLenFeature([], tf.string),
        }
        records = list(tf.data.TFRecordDataset(list(paths)))
        found = tf.io.parse_example(tf.stack(records), wanted)
        numbers = tf.range(len(records), dtype=tf.int64)
        initial = tf.lookup.KeyValueTensorInitializer(found["id"], numbers)
        images = found["image"]
        if len(records) * int(tf.size(_rgb(images[0]))) <= _DECODED_BYTES:
            each = tf.data.Dataset.from_tensor_slices(images)
            each = each.map(_rgb, num_parallel_calls=tf.data.AUTOTUNE)
            images = each.batch(len(records)).get_single_element()
        return cls(tf.lookup.StaticHashTable(initial, default_value=-1), images)

    def of(self, bg_id: tf.Tensor) -> tf.Tensor:
        """The pixels of one background, uint8 [height, width, 3]."""
        image = self.images[self.rows.lookup(bg_id)]
        return _rgb(image) if image.dtype == tf.string else image


def _rgb(data: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_png(data, channels=3)


def _decoded(
    record: tf.Tensor, features: dict[str, Any], backgrounds: _Backgrounds
) -> tuple[tuple[tf.Tensor, tf.Tensor], Any]:
    wanted = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "mask": tf.io.FixedLenFeature([], tf.string),
        "bg_id": tf.io.FixedLenFeature([], tf.int64),
    }
    with_depth = "depth" in features
    if with_depth:
        wanted["depth"] = tf.io.FixedLenFeature([], tf.string)
        for name in ("depth_scale", "depth_offset"):
            wanted[name] = tf.io.FixedLenFeature([], tf.float32)
    found = tf.io.parse_single_example(record, wanted)
    image = features["image"]["image"]
    height, width, _ = (int(size) for size in image["shape"]["dimensions"])

    def shaped(pixels: tf.Tensor, channels: int) -> tf.Tensor:
        return tf.ensure_shape(pixels, [height, width, channels])

    def share(pixels: tf.Tensor) -> tf.Tensor:
        return tf.cast(pixels, tf.float32) / 255

    composite = (
        # The exact transform, as in other readers.
        tf.io.decode_jpeg(found["image"], channels=3, dct_method="INTEGER_ACCURATE")
        if image["encodingFormat"] == "jpeg"
        else tf.io.decode_png(found["image"], channels=3)
    )
    inputs = share(shaped(backgrounds.of(found["bg_id"]), 3)), share(shaped(composite, 3))
    mask = share(shaped(tf.io.decode_png(found["mask"], channels=1), 1))
    if not with_depth:
        return inputs, mask
    pixels = shaped(tf.io.decode_png(found["depth"], channels=1, dtype=tf.uint16), 1)
    depth = tf.cast(pixels, tf.float32) * found["depth_scale"] + found["depth_offset"]
    return inputs, (mask, depth)
