"""Hugging Face `datasets`, whole and streaming, and the data set card."""

from pathlib import Path

import numpy as np
import pytest

from tests.readers.rows import clean_rows, pixels, rows_by_key

datasets = pytest.importorskip("datasets", reason="datasets is not installed")


def assert_equal(sample: dict, row: dict) -> None:
    for name in ("image", "mask", "depth"):
        np.testing.assert_array_equal(np.asarray(sample[name]), pixels(row[name]["bytes"]))
    for name in set(row) - {"image", "mask", "depth"}:
        assert sample[name] == row[name]


def test_every_sample_loads_decoded(full, tmp_path):
    loaded = datasets.load_dataset(full.output, cache_dir=str(tmp_path))
    for split in ("train", "test"):
        rows = rows_by_key(full.output, split)
        assert sorted(loaded[split]["key"]) == sorted(rows)
        for sample in loaded[split]:
            assert_equal(sample, rows[sample["key"]])


def test_every_sample_streams_decoded(full):
    for split in ("train", "test"):
        rows = rows_by_key(full.output, split)
        samples = list(datasets.load_dataset(full.output, split=split, streaming=True))
        assert sorted(sample["key"] for sample in samples) == sorted(rows)
        for sample in samples:
            assert_equal(sample, rows[sample["key"]])


@pytest.mark.parametrize("streaming", [False, True])
def test_clean_pictures_join_by_id(full, tmp_path, streaming):
    for kind, name in (("backgrounds", "bg_id"), ("foregrounds", "fg_id")):
        clean = datasets.load_dataset(
            full.output, "assets", split=kind, streaming=streaming, cache_dir=str(tmp_path)
        )
        by_id, expected = {row["id"]: row for row in clean}, clean_rows(full.output, kind)
        assert set(by_id) == set(expected)
        for sample in rows_by_key(full.output, "test").values():
            found, row = by_id[sample[name]], expected[sample[name]]
            for picture in ("image", "mask"):
                np.testing.assert_array_equal(
                    np.asarray(found[picture]), pixels(row[picture]["bytes"])
                )


def test_torch_format_gives_batches_of_tensors(full, tmp_path):
    torch = pytest.importorskip("torch")
    samples = datasets.load_dataset(full.output, split="test", cache_dir=str(tmp_path))
    loader = torch.utils.data.DataLoader(samples.with_format("torch"), batch_size=9, num_workers=1)
    batches = list(loader)
    assert len(batches) == 8 and batches[0]["image"].shape == (9, 3, 128, 160)
    assert batches[0]["mask"].shape[-2:] == (128, 160)


@pytest.mark.slow
def test_workers_and_nodes_share_a_stream(full):
    torch = pytest.importorskip("torch")
    from datasets.distributed import split_dataset_by_node

    stream = datasets.load_dataset(full.output, split="train", streaming=True)
    stream = stream.select_columns(["key", "mask"]).shuffle(seed=1, buffer_size=30)
    expected = sorted(rows_by_key(full.output, "train"))
    loader = torch.utils.data.DataLoader(
        stream.with_format("torch"), batch_size=9, num_workers=2, drop_last=False
    )
    keys = [key for batch in loader for key in batch["key"]]
    assert sorted(keys) == expected and keys != expected
    shares = [
        [sample["key"] for sample in split_dataset_by_node(stream, rank=rank, world_size=2)]
        for rank in range(2)
    ]
    assert all(shares) and sorted(shares[0] + shares[1]) == expected


def test_the_card_says_what_is_in_the_files(full, tmp_path):
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    card = hub.DatasetCard.load(Path(full.output, "README.md"))
    data = card.data.to_dict()
    assert data["task_categories"] == ["image-segmentation", "depth-estimation"]
    assert data["size_categories"] == ["n<1K"]
    assert [config["config_name"] for config in data["configs"]] == ["default", "assets"]
    for name, counts in (
        ("default", {"train": 216, "test": 72}),
        ("assets", {"foregrounds": 12, "backgrounds": 6}),
    ):
        info = datasets.load_dataset_builder(full.output, name, cache_dir=str(tmp_path)).info
        assert {split: found.num_examples for split, found in info.splits.items()} == counts
    for part in (
        "](gallery/triples.png)",
        "| `mask` | PNG uint8 160x128x1 |",
        "## Statistics",
        "288 samples",
    ):
        assert part in card.text
    assert Path(full.output, "gallery/triples.png").stat().st_size > 10_000
