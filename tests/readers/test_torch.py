"""The PyTorch data set, held against pyarrow and Pillow, in PyTorch's own loaders."""

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler

from pipeline.readers.torch import MaskDepthDataset
from tests.readers.rows import clean_rows, depth_values, pixels, rows_by_key


def key_of(sample: dict) -> str:
    return sample["key"]


def channels_first(picture: np.ndarray) -> np.ndarray:
    return np.moveaxis(np.atleast_3d(picture), 2, 0) / 255


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_sample_is_what_the_files_hold(full, split):
    rows, backgrounds = rows_by_key(full.output, split), clean_rows(full.output, "backgrounds")
    samples = MaskDepthDataset(full.output, split)
    assert len(samples) == len(rows)
    seen = set()
    for sample in samples:
        row = rows[sample["key"]]
        assert (sample["fg_id"], sample["bg_id"]) == (row["fg_id"], row["bg_id"])
        background = backgrounds[row["bg_id"]]["image"]["bytes"]
        for name, data in (
            ("bg", background),
            ("fg_bg", row["image"]["bytes"]),
            ("mask", row["mask"]["bytes"]),
        ):
            assert sample[name].dtype == torch.float32
            np.testing.assert_allclose(sample[name], channels_first(pixels(data)), atol=1e-6)
        assert sample["depth"].shape == (1, 128, 160) and sample["depth"].dtype == torch.float32
        np.testing.assert_allclose(sample["depth"][0], depth_values(row), rtol=1e-5, atol=1e-5)
        seen.add(sample["key"])
    assert seen == set(rows)


def test_foregrounds_join_by_id(full):
    samples, rows = MaskDepthDataset(full.output), clean_rows(full.output, "foregrounds")
    sample = samples[7]
    image, alpha = samples.foreground(sample["fg_id"])
    row = rows[sample["fg_id"]]
    np.testing.assert_allclose(image, channels_first(pixels(row["image"]["bytes"])), atol=1e-6)
    np.testing.assert_allclose(alpha, channels_first(pixels(row["mask"]["bytes"])), atol=1e-6)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_loader_with_workers_gives_each_sample_once(full, start):
    samples = MaskDepthDataset(full.output)
    samples[3]  # With a file open, and rows in the cache.
    loader = DataLoader(
        samples, batch_size=32, shuffle=True, num_workers=2, multiprocessing_context=start
    )
    batches = list(loader)
    assert batches[0]["fg_bg"].shape == (32, 3, 128, 160)
    assert batches[0]["depth"].shape == batches[0]["mask"].shape == (32, 1, 128, 160)
    assert batches[0]["bg_id"].dtype == torch.int64
    keys = [key for batch in batches for key in batch["key"]]
    assert sorted(keys) == sorted(rows_by_key(full.output, "train"))
    assert keys != [sample["key"] for sample in samples]


def test_distributed_samplers_share_the_samples(full):
    samples = MaskDepthDataset(full.output, transform=key_of)
    shares = [
        [key for batch in DataLoader(samples, sampler=sampler, batch_size=8) for key in batch]
        for rank in range(2)
        for sampler in [DistributedSampler[dict](samples, num_replicas=2, rank=rank, shuffle=True)]
    ]
    assert len(shares[0]) == len(shares[1]) == 108
    assert sorted(shares[0] + shares[1]) == sorted(rows_by_key(full.output, "train"))


def test_a_sample_is_read_without_the_others(full, tmp_path):
    root = shutil.copytree(full.output, tmp_path / "set")
    samples = MaskDepthDataset(root)
    expected = [samples[0], samples[len(samples) - 1], samples[-1]]
    assert expected[1]["key"] == expected[2]["key"]
    fresh: MaskDepthDataset = pickle.loads(pickle.dumps(samples))
    first, *others = sorted(Path(root, "data").glob("train-*.parquet"))
    for path in others:
        path.unlink()
    assert fresh[0]["key"] == expected[0]["key"]
    torch.testing.assert_close(fresh[0]["depth"], expected[0]["depth"])
    with pytest.raises(FileNotFoundError):
        fresh[-1]
    # Of the file that is left, only the first row group and the end are needed.
    assert len(pickle.dumps(samples)) < first.stat().st_size / 20


def test_values_are_read_where_they_stand(full, monkeypatch):
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a row group is read as a whole")

    expected = MaskDepthDataset(full.output)[100]["key"]
    for name in ("read_row_group", "read", "iter_batches"):
        monkeypatch.setattr(pq.ParquetFile, name, refuse)
    sample = MaskDepthDataset(full.output)[100]
    assert sample["key"] == expected and sample["depth"].shape == (1, 128, 160)


def test_places_that_are_kept_are_bounded(full, monkeypatch):
    monkeypatch.setattr("pipeline.readers.rows._KEPT_PLACES", 1)
    samples, every = MaskDepthDataset(full.output), MaskDepthDataset(full.output)
    for index in (0, 215, 0, 100, 215):
        assert samples[index]["key"] == every[index]["key"]
        assert len(samples._samples._places) == 1


@pytest.mark.parametrize("options", [{"compression": "snappy"}, {"data_page_version": "2.0"}])
def test_files_that_another_program_has_written_anew_are_read(full, tmp_path, options):
    root = shutil.copytree(full.output, tmp_path / "set")
    for path in root.glob("data/test-*.parquet"):
        pq.write_table(pq.read_table(path), path, row_group_size=30, **options)
    expected, found = (MaskDepthDataset(folder, "test") for folder in (full.output, root))
    for index in (0, 29, 30, 71):
        assert found[index]["key"] == expected[index]["key"]
        for name in ("bg", "fg_bg", "mask", "depth"):
            torch.testing.assert_close(found[index][name], expected[index][name], rtol=0, atol=0)


def test_memory_is_bounded_whatever_is_read(full, tmp_path):
    root = shutil.copytree(full.output, tmp_path / "set")
    for path in root.glob("data/*.parquet"):
        pq.write_table(pq.read_table(path), path, row_group_size=6, compression="none")
    size = sum(path.stat().st_size for path in root.glob("data/train-*.parquet"))
    samples, before = MaskDepthDataset(root), pa.total_allocated_bytes()
    most = 0
    for index in range(len(samples)):
        samples[index]
        most = max(most, pa.total_allocated_bytes() - before)
    assert size / 100 < most < size / 5


def test_without_depth_there_is_none(plain):
    sample = MaskDepthDataset(plain.output)[0]
    assert set(sample) == {"bg", "fg_bg", "mask", "key", "fg_id", "bg_id"}
    np.testing.assert_allclose(
        sample["fg_bg"],
        channels_first(pixels(rows_by_key(plain.output)[sample["key"]]["image"]["bytes"])),
        atol=1e-6,
    )


def test_slices_and_lists_are_data_sets_of_what_they_choose(full):
    samples = MaskDepthDataset(full.output, transform=key_of)
    keys = list(samples)
    assert samples[~0] == samples[-1] == keys[215] and samples[~215] == samples[0]
    assert samples[np.int64(7)] == samples[torch.tensor(7)] == keys[7]
    even = np.arange(216) % 2 == 0
    for index, expected in (
        (slice(10, 20), keys[10:20]),
        (slice(None, None, -3), keys[::-3]),
        (slice(300, None), []),
        ([3, ~0, 3], [keys[3], keys[215], keys[3]]),
        ([], []),
        (torch.tensor([5, 1]), [keys[5], keys[1]]),
        (np.array([5, 1], np.uint8), [keys[5], keys[1]]),
        (even, keys[::2]),
        (torch.from_numpy(even), keys[::2]),
    ):
        part = samples[index]
        assert isinstance(part, MaskDepthDataset) and len(part) == len(expected)
        assert list(part) == expected
    part = samples[100:110][[1, 2, 9]][1:]
    assert list(part) == [keys[102], keys[109]] and part[~0] == keys[109]
    assert list(DataLoader(part, batch_size=None)) == list(part)
    fresh = pickle.loads(pickle.dumps(part))
    assert list(fresh) == list(part) and len(pickle.dumps(samples)) < 20_000


def test_batches_are_read_in_the_order_of_the_files_and_given_in_their_own(full):
    read = []

    def noted(sample: dict) -> str:
        read.append(sample["key"])
        return sample["key"]

    samples = MaskDepthDataset(full.output, transform=noted)
    keys = list(samples)
    read.clear()
    assert samples[10:].__getitems__([70, 5, ~0, 5]) == [keys[i] for i in (80, 15, 215, 15)]
    assert read == [keys[i] for i in (15, 15, 80, 215)]
    with pytest.raises(IndexError, match="there is no sample 10; there are 10"):
        samples[:10].__getitems__([0, 10])


def test_pictures_may_stay_bytes(full):
    samples, stored = (
        MaskDepthDataset(full.output),
        MaskDepthDataset(full.output, dtype=torch.uint8),
    )
    for name in ("bg", "fg_bg", "mask"):
        assert stored[9][name].dtype == torch.uint8
        torch.testing.assert_close(stored[9][name] / 255, samples[9][name], rtol=0, atol=0)
    torch.testing.assert_close(stored[9]["depth"], samples[9]["depth"], rtol=0, atol=0)
    stored[9]["bg"].zero_()  # The pixels are the sample's own.
    assert stored[9]["bg"].any()
    image, alpha = stored.foreground(stored[9]["fg_id"])
    assert image.dtype == alpha.dtype == torch.uint8 and image.shape[0] == 3
    for pixels_ in (image, alpha):
        pixels_.zero_()
    assert all(pixels_.any() for pixels_ in stored.foreground(stored[9]["fg_id"]))
    with pytest.raises(ValueError, match=r"dtype is torch.float16; it may be torch.float32 or"):
        MaskDepthDataset(full.output, dtype=torch.float16)


def test_clean_pictures_that_are_kept_are_bounded(full, monkeypatch):
    kept = MaskDepthDataset(full.output)._clean["backgrounds"]
    first = kept.pictures(1)
    assert kept.pictures(1)[0] is first[0]
    size = sum(pixels_.nbytes for pixels_ in first)
    monkeypatch.setattr("pipeline.readers.torch._CACHED_BYTES", 2 * size)
    for number in (2, 1, 3):
        kept.pictures(number)
    assert kept.pictures(1)[0] is first[0]  # What was asked for last stays.
    assert len(kept._cache) == 2 and kept._bytes == 2 * size


def test_what_is_not_there_is_said(full, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"split 'val'; the splits are \['test', 'train'\]"):
        MaskDepthDataset(full.output, "val")
    with pytest.raises(FileNotFoundError, match="make it with --formats=parquet"):
        MaskDepthDataset(tmp_path)
    samples = MaskDepthDataset(full.output)
    for index in (216, -217):
        with pytest.raises(IndexError, match=f"there is no sample {index}; there are 216"):
            samples[index]
    with pytest.raises(IndexError, match="there is no sample 216; there are 216"):
        samples[[0, 216]]
    with pytest.raises(IndexError, match="truth values do not choose from 216 samples"):
        samples[[True, False]]
    wrongs: list[Any] = [[0.5], [[1]]]
    for wrong in wrongs:
        with pytest.raises(TypeError, match="are a list of whole numbers, not "):
            samples[wrong]
    wrongs = ["key", 0.5]
    for wrong in wrongs:
        with pytest.raises(TypeError):
            samples[wrong]
