"""Whole data sets, read back by readers that are not ours and held against the plain reference."""

import dataclasses
import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline import Performance, SpecError, generate
from pipeline.catalog import build_catalog
from pipeline.output import claim
from pipeline.run import make_plan, make_recipe
from pipeline.verify import verify
from tests.conftest import make_spec
from tests.reference import reference_background, reference_foreground, reference_sample
from transforms.steps.remake import make_shard


def picture(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def rows_of(output: str, pattern: str = "data/*.parquet") -> list[dict]:
    files = sorted(Path(output).glob(pattern))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def data_checksums(output: str) -> dict[str, str]:
    """Checksums of all that the spec alone decides, so not of the manifest."""
    root = Path(output)
    places = ("data", "assets", "tfrecord", "zip")
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for place in places
        for path in sorted((root / place).rglob("*"))
        if path.is_file()
    }


def place_of(row: dict, inputs: Path) -> tuple[np.ndarray, np.ndarray]:
    foreground = reference_foreground(
        inputs / "fg" / f"fg_img_{row['fg_id']}.png", 32, cropped=True
    )
    background = reference_background(inputs / "bg" / f"bg_img_{row['bg_id']}.png", 64, 64)
    return foreground, background


def test_every_sample_equals_the_reference(plain, inputs):
    """The place is recovered from the mask; image, mask, box and area are held against it."""
    rows = rows_of(plain.output)
    assert len(rows) == plain.samples == 12 * 6 * 2 * 3
    expected = {
        f"fg_bg_{fg}_{bg}_{flip}_{seq}"
        for fg in range(1, 13) for bg in range(1, 7) for flip in (0, 1) for seq in (1, 2, 3)
    }  # fmt: skip
    assert {row["key"] for row in rows} == expected
    for row in rows[::7]:
        assert row["key"] == f"fg_bg_{row['fg_id']}_{row['bg_id']}_{row['flip']}_{row['seq']}"
        image, mask = picture(row["image"]["bytes"]), picture(row["mask"]["bytes"])
        foreground, background = place_of(row, inputs)
        alpha = (
            np.rint(foreground[:, ::-1, 3] * 255)
            if row["flip"]
            else np.rint(foreground[..., 3] * 255)
        )
        ys, xs = np.nonzero(mask)
        fys, fxs = np.nonzero(alpha)
        x, y = xs.min() - fxs.min(), ys.min() - fys.min()
        wanted_image, wanted_mask = reference_sample(foreground, background, row["flip"], x, y)
        np.testing.assert_array_equal(mask, wanted_mask)
        difference = np.abs(image.astype(int) - wanted_image)
        assert difference.max() <= 1 and (difference > 0).mean() < 0.001
        solid = mask >= 128
        assert row["area"] == solid.sum()
        bx, by, width, height = row["bbox"]
        assert solid[by : by + height, bx : bx + width].sum() == row["area"]
        assert solid[by].any() and solid[by + height - 1].any()
        assert solid[:, bx].any() and solid[:, bx + width - 1].any()


def test_tensorflow_reads_the_same_records(full):
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    by_key = {row["key"]: row for row in rows_of(full.output)}
    files = sorted(str(p) for p in Path(full.output).glob("tfrecord/mask_depth/*/*.tfrecord-*"))
    features = {
        **dict.fromkeys(("key", "image", "mask", "depth"), tf.io.FixedLenFeature([], tf.string)),
        **dict.fromkeys(
            ("fg_id", "bg_id", "flip", "seq", "area"), tf.io.FixedLenFeature([], tf.int64)
        ),
        **dict.fromkeys(("depth_scale", "depth_offset"), tf.io.FixedLenFeature([], tf.float32)),
        "bbox": tf.io.FixedLenFeature([4], tf.int64),
    }
    count = 0
    for record in tf.data.TFRecordDataset(files):
        example = tf.io.parse_example(record, features)
        row = by_key[example["key"].numpy().decode()]
        for name in ("image", "mask", "depth"):
            assert example[name].numpy() == row[name]["bytes"]
        for name in ("fg_id", "bg_id", "flip", "seq", "area", "depth_scale", "depth_offset"):
            assert example[name].numpy() == row[name]
        assert example["bbox"].numpy().tolist() == row["bbox"]
        count += 1
    assert count == len(by_key) == full.samples


def test_tfds_opens_both_data_sets(full):
    tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")
    [folder] = Path(full.output).glob("tfrecord/mask_depth/*")
    builder = tfds.builder_from_directory(str(folder))
    by_key = {row["key"]: row for row in rows_of(full.output)}
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {
        "train": 9 * 6 * 2 * 2,
        "test": 3 * 6 * 2 * 2,
    }
    for example in builder.as_dataset(split="test").take(5):
        row = by_key[example["key"].numpy().decode()]
        assert example["image"].shape == (128, 160, 3) and example["depth"].dtype == "uint16"
        np.testing.assert_array_equal(
            example["mask"].numpy()[..., 0], picture(row["mask"]["bytes"])
        )
        np.testing.assert_array_equal(
            example["depth"].numpy()[..., 0], picture(row["depth"]["bytes"])
        )
    [folder] = Path(full.output).glob("tfrecord/mask_depth_assets/*")
    assets = tfds.builder_from_directory(str(folder))
    ids = [int(e["id"]) for e in assets.as_dataset(split="foregrounds")]
    assert ids == list(range(1, 13))


def test_datasets_opens_both_configs_with_pictures_decoded(full, tmp_path):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    loaded = datasets.load_dataset(full.output, cache_dir=str(tmp_path))
    assert {name: len(split) for name, split in loaded.items()} == {"train": 216, "test": 72}
    sample = loaded["test"][0]
    assert sample["image"].size == (160, 128) and sample["mask"].mode == "L"
    assert sample["depth"].mode == "I;16" and len(sample["bbox"]) == 4
    assets = datasets.load_dataset(full.output, "assets", cache_dir=str(tmp_path))
    assert len(assets["backgrounds"]) == 6 and assets["backgrounds"][0]["image"].size == (160, 128)
    streamed = datasets.load_dataset(full.output, split="train", streaming=True)
    assert next(iter(streamed))["image"].size == (160, 128)


def test_batch_zips_hold_every_picture(full):
    rows = {row["key"]: row for row in rows_of(full.output)}
    seen = set()
    batches = sorted(Path(full.output).glob("zip/batch*_images.zip"))
    assert [path.name for path in batches] == ["batch1_images.zip", "batch2_images.zip"]
    for path in batches:
        with zipfile.ZipFile(path) as batch:
            assert batch.testzip() is None
            names = set(batch.namelist())
            assert len(names) == len(batch.namelist())
            assert len([n for n in names if n.startswith("bg_jpg/bg_img_")]) == 6
            for name in names:
                size = Image.open(io.BytesIO(batch.read(name))).size
                assert size == (160, 128) and name.endswith(".jpg") and ".." not in name
            keys = {
                n.removeprefix("fg_bg_jpg/").removesuffix(".jpg")
                for n in names
                if n.startswith("fg_bg_jpg/")
            }
            for key in sorted(keys)[:20]:
                foreground, numbers = key.split("_")[2], key.removeprefix("fg_bg_")
                assert f"fg_jpg/fg_img_{foreground}.jpg" in names
                assert f"mask_jpg/mask_img_{foreground}.jpg" in names
                assert batch.read(f"fg_bg_jpg/{key}.jpg") == rows[key]["image"]["bytes"]
                mask = picture(batch.read(f"mask_black_jpg/bg_mask_{numbers}.jpg")).astype(int)
                assert np.abs(mask - picture(rows[key]["mask"]["bytes"])).mean() < 3
                depth = picture(batch.read(f"depth_fg_bg_jpg/depth_{key}.jpg")).astype(int)
                stored = picture(rows[key]["depth"]["bytes"]) >> 8
                assert np.abs(depth - stored).mean() < 3
            seen |= keys
    assert seen == set(rows)


def test_statistics_equal_those_of_the_files(full):
    rows = rows_of(full.output)
    images = np.stack([picture(row["image"]["bytes"]) for row in rows]) / 255
    masks = np.stack([picture(row["mask"]["bytes"]) for row in rows])
    pixels = np.stack([picture(row["depth"]["bytes"]) for row in rows]).astype(np.float64)
    scale = np.array([row["depth_scale"] for row in rows])[:, None, None]
    offset = np.array([row["depth_offset"] for row in rows])[:, None, None]
    statistics = full.statistics
    assert statistics["fg_bg"]["count"] == len(rows) == full.samples
    np.testing.assert_allclose(statistics["fg_bg"]["mean"], images.mean(axis=(0, 1, 2)), rtol=1e-9)
    np.testing.assert_allclose(statistics["fg_bg"]["std"], images.std(axis=(0, 1, 2)), rtol=1e-9)
    assert statistics["fg_bg"]["overall_mean"] == pytest.approx(images.mean(), rel=1e-9)
    assert statistics["fg_bg"]["overall_std"] == pytest.approx(images.std(), rel=1e-9)
    np.testing.assert_allclose(statistics["fg_bg_mask"]["mean"], [masks.mean() / 255], rtol=1e-9)
    assert statistics["fg_bg"]["bytes"] == sum(len(row["image"]["bytes"]) for row in rows)
    assert statistics["depth"]["overall_mean"] == pytest.approx(pixels.mean() / 65535, rel=1e-9)
    values = pixels * scale + offset
    assert statistics["depth"]["values"]["mean"] == pytest.approx(values.mean(), rel=1e-9)
    assert statistics["depth"]["values"]["std"] == pytest.approx(values.std(), rel=1e-9)


def test_manifest_lists_every_file_with_its_checksum(full, inputs):
    root = Path(full.output)
    manifest = json.loads((root / "manifest.json").read_text())
    assert manifest["samples"] == full.samples and manifest["failed"] == 0
    listed = {file["path"] for file in manifest["files"]}
    shards = {
        str(p.relative_to(root))
        for place in ("data", "assets", "webdataset", "coco", "yolo", "zip")
        for p in (root / place).rglob("*")
        if p.is_file() and p.name != "data.yaml"
    } | {str(p.relative_to(root)) for p in root.glob("tfrecord/*/*/*.tfrecord-*")}
    assert listed == shards
    for file in manifest["files"]:
        data = (root / file["path"]).read_bytes()
        assert len(data) == file["bytes"]
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
    sources = {a["path"]: a["sha256"] for a in manifest["inputs"]["foregrounds"]}
    for path, sha256 in sources.items():
        assert hashlib.sha256((inputs / path).read_bytes()).hexdigest() == sha256
    assert manifest["depth"]["kind"] == "relative_inverse_depth"
    assert not list(root.rglob("*.part"))


def test_without_depth_there_is_no_trace_of_it(plain):
    rows = rows_of(plain.output)
    assert not [name for name in rows[0] if "depth" in name]
    features = next(Path(plain.output).glob("tfrecord/mask_depth/*/features.json")).read_text()
    assert "depth" not in features
    assert json.loads(Path(plain.manifest).read_text())["depth"] is None


@pytest.mark.slow
def test_workers_and_their_number_change_no_byte(inputs, tmp_path, plain):
    spec = make_spec(inputs, tmp_path / "two", image_encoding="png")
    two = generate(spec, ["--direct_num_workers=2"], progress=False)
    assert data_checksums(two.output) == data_checksums(plain.output)
    assert two.statistics == plain.statistics


def test_the_seed_changes_the_places_and_nothing_else(inputs, tmp_path, plain):
    spec = make_spec(inputs, tmp_path / "seeded", image_encoding="png", seed=1)
    other = generate(spec, ["--direct_num_workers=1"], progress=False)
    rows, before = rows_of(other.output), {row["key"]: row for row in rows_of(plain.output)}
    assert {row["key"] for row in rows} == set(before)
    assert sum(row["bbox"] != before[row["key"]]["bbox"] for row in rows) > 0.9 * len(rows)


def test_a_finished_data_set_is_left_alone(inputs, plain):
    before = data_checksums(plain.output)
    again = generate(make_spec(inputs, Path(plain.output), image_encoding="png"), progress=False)
    assert again.already_finished and data_checksums(plain.output) == before


def test_overwrite_starts_afresh(inputs, tmp_path):
    small = {"placements": 1, "formats": ("parquet",), "max_samples": 20, "num_shards": 1}
    spec = make_spec(inputs, tmp_path / "out", **small)
    generate(spec, progress=False)
    other = dataclasses.replace(spec, seed=3)
    with pytest.raises(SpecError, match=r"its seed is 0, not 3; .*--overwrite"):
        generate(other, progress=False)
    result = generate(other, progress=False, overwrite=True)
    assert not result.already_finished and result.samples == 20
    assert verify(result.output).faults == ()


def test_another_data_set_is_never_overwritten(inputs, plain, tmp_path):
    with pytest.raises(SpecError, match="holds another data set: its seed is 0, not 5"):
        generate(
            make_spec(inputs, Path(plain.output), image_encoding="png", seed=5), progress=False
        )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(SpecError, match=r"not empty and holds no data set.*thesis\.txt"):
        generate(make_spec(inputs, tmp_path / "mine"), progress=False)


def test_bad_inputs_are_reported_in_the_output(inputs, tmp_path):
    import shutil

    folder = tmp_path / "fg"
    shutil.copytree(inputs / "fg", folder)
    (folder / "fg_img_13.png").write_bytes(b"broken")
    spec = make_spec(
        inputs, tmp_path / "out", foregrounds=str(folder), placements=1, formats=("parquet",)
    )
    result = generate(spec, ["--direct_num_workers=1"], progress=False)
    assert result.left_out == 1 and result.samples == 12 * 6 * 2
    [line] = (tmp_path / "out" / "errors" / "inputs.jsonl").read_text().splitlines()
    assert json.loads(line)["path"].endswith("fg_img_13.png")


@pytest.mark.parametrize("foregrounds", [1, 2])
def test_the_smallest_data_sets(inputs, tmp_path, foregrounds):
    spec = make_spec(
        inputs,
        tmp_path / "out",
        foregrounds=str(inputs / "fg" / f"fg_img_[1-{foregrounds}].png"),
        backgrounds=str(inputs / "bg" / "bg_img_1.png"),
        placements=1,
        flip=False,
        num_shards=None,
        image_size=8,
        foreground_size=8 if foregrounds == 1 else 4,
    )
    result = generate(spec, progress=False)
    assert result.samples == foregrounds


def test_the_order_in_which_shards_are_made_changes_no_byte(inputs, tmp_path, plain):
    spec = make_spec(inputs, tmp_path / "order", image_encoding="png")
    plan = make_plan(spec, build_catalog(spec))
    claim(spec, plan)
    recipe = make_recipe(spec, plan, None, Performance(batch_size=7), None)
    for shard in sorted(plan.shards(), reverse=True):
        make_shard(shard, recipe)
    made = data_checksums(spec.output)
    expected = data_checksums(plain.output)
    shards = [path for path in expected if "train" in path]
    assert len(shards) == 2 * 3 and [made[path] for path in shards] == [
        expected[path] for path in shards
    ]
