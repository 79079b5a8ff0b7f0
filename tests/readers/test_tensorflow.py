"""TensorFlow's readers, held against pyarrow and Pillow."""

import gc
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.readers.rows import clean_rows, depth_values, pixels, rows_by_key

tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from pipeline.readers.tensorflow import load  # noqa: E402


def arrays(dataset) -> list[np.ndarray]:
    """Every element, flat, with its batches joined."""
    batches = [tf.nest.flatten(batch) for batch in dataset]
    return [
        np.concatenate([part.numpy() for part in parts]) for parts in zip(*batches, strict=True)
    ]


def test_load_gives_every_sample_in_the_order_of_the_files(full):
    rows = list(rows_by_key(full.output, "train").values())
    backgrounds = clean_rows(full.output, "backgrounds")
    dataset = load(full.output, "train", batch_size=50, shuffle=0)
    gc.collect()
    assert int(dataset.cardinality()) == 5
    bg, fg_bg, mask, depth = arrays(dataset)
    assert {part.dtype.name for part in (bg, fg_bg, mask, depth)} == {"float32"}
    assert bg.shape == fg_bg.shape == (216, 128, 160, 3)
    assert mask.shape == depth.shape == (216, 128, 160, 1)
    for i, row in enumerate(rows):
        clean = pixels(backgrounds[row["bg_id"]]["image"]["bytes"])
        np.testing.assert_allclose(bg[i], clean / 255, atol=1e-6)
        np.testing.assert_allclose(fg_bg[i], pixels(row["image"]["bytes"]) / 255, atol=1e-6)
        np.testing.assert_allclose(mask[i, ..., 0], pixels(row["mask"]["bytes"]) / 255, atol=1e-6)
        np.testing.assert_allclose(depth[i, ..., 0], depth_values(row), rtol=1e-5, atol=1e-5)


def test_backgrounds_that_are_too_many_to_keep_decoded_are_kept_as_files(full, monkeypatch):
    decoded = arrays(load(full.output, "test", shuffle=0))[0]
    monkeypatch.setattr("pipeline.readers.tensorflow._DECODED_BYTES", 6 * 128 * 160 * 3 - 1)
    as_files = load(full.output, "test", shuffle=0)
    gc.collect()
    np.testing.assert_array_equal(arrays(as_files)[0], decoded)


def test_load_mixes_anew_each_time_and_equally_for_a_seed(full):
    ordered = arrays(load(full.output, "test", shuffle=0))[2]

    def masks(dataset) -> list[bytes]:
        return [mask.tobytes() for mask in arrays(dataset)[2]]

    mixed = load(full.output, "test", seed=3)
    first, second, again = masks(mixed), masks(mixed), masks(load(full.output, "test", seed=3))
    assert first == again and first != second
    in_order = [mask.tobytes() for mask in ordered]
    assert sorted(first) == sorted(second) == sorted(in_order) and first != in_order
    assert sorted(masks(load(full.output, "test"))) == sorted(in_order)


def test_keras_trains_on_it(full):
    inputs = [tf.keras.Input((128, 160, 3)) for _ in range(2)]
    both = tf.keras.layers.Concatenate()(inputs)
    outputs = [tf.keras.layers.Conv2D(1, 1, name=name)(both) for name in ("mask", "depth")]
    model = tf.keras.Model(inputs, outputs)
    model.compile("adam", ["mse", "mse"])
    history = model.fit(load(full.output, "train"), epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    assert set(model.evaluate(load(full.output, "test"), return_dict=True, verbose=0)) >= {"loss"}


def test_without_depth_the_mask_stands_alone(plain):
    (bg, fg_bg), mask = load(plain.output, shuffle=0).element_spec
    assert bg.shape[1:] == fg_bg.shape[1:] == (64, 64, 3) and mask.shape[1:] == (64, 64, 1)
    _, fg_bg, mask = arrays(load(plain.output, shuffle=0))
    row = next(iter(rows_by_key(plain.output).values()))
    np.testing.assert_allclose(fg_bg[0], pixels(row["image"]["bytes"]) / 255, atol=1e-6)
    assert len(mask) == plain.samples


def test_a_split_that_is_not_there_is_said(full):
    with pytest.raises(FileNotFoundError, match="no TFRecord files of the split 'val'"):
        load(full.output, "val")


def test_without_tensorflow_the_reader_says_what_brings_it():
    hide = "import sys; sys.modules['tensorflow'] = None; import pipeline.readers.tensorflow"
    done = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True)
    assert re.search(
        r"needs TensorFlow, .* pip install .*\[tensorflow\]", done.stderr.splitlines()[-1]
    )


def test_tfds_decodes_and_joins_the_clean_pictures(full):
    tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")
    [folder] = Path(full.output).glob("tfrecord/mask_depth_assets/*")
    assets = tfds.builder_from_directory(str(folder))
    for kind in ("backgrounds", "foregrounds"):
        found = {int(row["id"]): row for row in assets.as_dataset(split=kind)}
        expected = clean_rows(full.output, kind)
        assert set(found) == set(expected)
        for number, row in expected.items():
            np.testing.assert_array_equal(found[number]["image"], pixels(row["image"]["bytes"]))
            np.testing.assert_array_equal(
                found[number]["mask"][..., 0], pixels(row["mask"]["bytes"])
            )
    [folder] = Path(full.output).glob("tfrecord/mask_depth/*")
    samples = tfds.builder_from_directory(str(folder)).as_dataset(split="test", batch_size=72)
    [batch] = list(samples)
    assert set(batch["bg_id"].numpy().tolist()) <= set(clean_rows(full.output, "backgrounds"))


def test_tfds_gives_every_field_of_every_split(full):
    tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")
    builder = tfds.builder_from_directory(f"{full.output}/tfrecord/mask_depth/1.0.0")
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {
        "train": 216,
        "test": 72,
    }
    splits = builder.as_dataset(shuffle_files=True)
    for name in ("train", "test"):
        rows = rows_by_key(full.output, name)
        seen = []
        for sample in tfds.as_numpy(splits[name]):
            row = rows[sample["key"].decode()]
            assert set(sample) == set(row)
            assert sample["image"].dtype == np.uint8 and sample["depth"].dtype == np.uint16
            # Its decoder takes the fast transform of JPEG.
            apart = sample["image"] - pixels(row["image"]["bytes"]).astype(float)
            assert np.abs(apart).mean() < 1.5
            for picture in ("mask", "depth"):
                np.testing.assert_array_equal(
                    sample[picture][..., 0], pixels(row[picture]["bytes"])
                )
            for field in ("depth_scale", "depth_offset", "fg_id", "bg_id", "flip", "seq", "area"):
                assert sample[field] == row[field]
            assert sample["bbox"].tolist() == row["bbox"]
            seen.append(row["key"])
        assert sorted(seen) == sorted(rows)


def test_tfds_gives_composites_with_masks_for_supervised_learning(full):
    tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")
    for name, split in (("mask_depth", "test"), ("mask_depth_assets", "foregrounds")):
        builder = tfds.builder_from_directory(f"{full.output}/tfrecord/{name}/1.0.0")
        assert builder.info.supervised_keys == ("image", "mask")
        whole = list(tfds.as_numpy(builder.as_dataset(split=split)))
        pairs = list(tfds.as_numpy(builder.as_dataset(split=split, as_supervised=True)))
        assert len(pairs) == len(whole) > 0
        for sample, (image, mask) in zip(whole, pairs, strict=True):
            np.testing.assert_array_equal(image, sample["image"])
            np.testing.assert_array_equal(mask, sample["mask"])


def test_tfds_cuts_splits(full):
    tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")
    builder = tfds.builder_from_directory(f"{full.output}/tfrecord/mask_depth/1.0.0")
    parts = builder.as_dataset(split=["train[:25%]", "train[25%:]", "train+test"])
    keys = [[sample["key"].decode() for sample in tfds.as_numpy(part)] for part in parts]
    assert [len(part) for part in keys] == [54, 162, 288]
    assert sorted(keys[0] + keys[1]) == sorted(rows_by_key(full.output, "train"))
    assert sorted(keys[2]) == sorted(rows_by_key(full.output))
