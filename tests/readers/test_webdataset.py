"""WebDataset tars, read by the packages `webdataset` and `datasets`, and by `tarfile`."""

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline import generate
from pipeline.verify import verify
from tests.conftest import make_spec
from tests.readers.rows import clean_rows, pixels, rows_by_key
from transforms.elements import BoundingBox, Placement, Sample, ShardSpec
from transforms.formats.base import Folder, FormatError
from transforms.formats.schema import Schema
from transforms.formats.webdataset import WebDatasetFormat
from transforms.pixels.size import Size

NUMBERS = ("fg_id", "bg_id", "flip", "seq", "area", "bbox", "depth_scale", "depth_offset")


def tars(output: str, pattern: str) -> list[str]:
    return sorted(str(path) for path in Path(output).glob(f"webdataset/{pattern}.tar"))


def grey(key: str, data: bytes) -> np.ndarray | None:
    """A decoder that leaves 16-bit pictures as they are; those of webdataset make them 8-bit."""
    if not key.endswith(".png"):
        return None
    return np.asarray(Image.open(io.BytesIO(data)))


def test_webdataset_reads_every_sample(full):
    wds = pytest.importorskip("webdataset", reason="webdataset is not installed")
    rows = rows_by_key(full.output)
    seen = set()
    for split, count in (("train", 216), ("test", 72)):
        files = tars(full.output, f"mask_depth-{split}-*")
        samples = list(wds.WebDataset(files, shardshuffle=False).decode(grey, "rgb8"))
        assert len(samples) == count
        for sample in samples:
            facts = sample["json"]
            row = rows[facts["key"]]
            assert sample["__key__"] == facts["key"]
            assert {name: facts[name] for name in NUMBERS} == {name: row[name] for name in NUMBERS}
            np.testing.assert_array_equal(sample["image.jpg"], pixels(row["image"]["bytes"]))
            np.testing.assert_array_equal(sample["mask.png"], pixels(row["mask"]["bytes"]))
            assert sample["depth.png"].dtype == np.uint16
            np.testing.assert_array_equal(sample["depth.png"], pixels(row["depth"]["bytes"]))
            seen.add(facts["key"])
    assert seen == set(rows)


def test_clean_pictures_join_by_id(full):
    wds = pytest.importorskip("webdataset", reason="webdataset is not installed")
    for kind, count in (("backgrounds", 6), ("foregrounds", 12)):
        files = tars(full.output, f"mask_depth_assets-{kind}-*")
        found = {
            sample["json"]["id"]: sample
            for sample in wds.WebDataset(files, shardshuffle=False).decode(grey)
        }
        expected = clean_rows(full.output, kind)
        assert len(found) == count and set(found) == set(expected)
        for number, row in expected.items():
            for name in ("image", "mask"):
                np.testing.assert_array_equal(
                    found[number][f"{name}.png"], pixels(row[name]["bytes"])
                )
            assert found[number]["json"]["file"] == row["file"]
    assert {row["bg_id"] for row in rows_by_key(full.output).values()} == set(
        clean_rows(full.output, "backgrounds")
    )


def keys_of(samples) -> list[str]:
    return [sample["json"]["key"] for sample in samples]


def test_workers_of_a_loader_share_the_tars(full):
    wds = pytest.importorskip("webdataset", reason="webdataset is not installed")
    from torch.utils.data import DataLoader

    files = tars(full.output, "mask_depth-train-*")
    assert len(files) > 2
    samples = wds.WebDataset(files, shardshuffle=100, seed=1).shuffle(50).decode(grey)
    loader = DataLoader(samples, batch_size=None, num_workers=2)
    first, second = keys_of(loader), keys_of(loader)
    assert sorted(first) == sorted(second) == sorted(rows_by_key(full.output, "train"))


def test_nodes_share_the_tars(full, monkeypatch):
    wds = pytest.importorskip("webdataset", reason="webdataset is not installed")
    files = tars(full.output, "mask_depth-train-*")
    shares = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", "2")
        samples = wds.WebDataset(files, shardshuffle=False, nodesplitter=wds.split_by_node)
        shares.append(keys_of(samples.decode(grey)))
    assert all(shares)
    assert sorted(shares[0] + shares[1]) == sorted(rows_by_key(full.output, "train"))


def test_hugging_face_streams_the_tars(full):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    files = tars(full.output, "mask_depth-train-*")
    samples = datasets.load_dataset("webdataset", data_files=files, split="train", streaming=True)
    rows = rows_by_key(full.output, "train")
    for sample in samples.take(5):
        row = rows[sample["json"]["key"]]
        np.testing.assert_array_equal(
            np.asarray(sample["image.jpg"]), pixels(row["image"]["bytes"])
        )
        np.testing.assert_array_equal(
            np.asarray(sample["depth.png"]), pixels(row["depth"]["bytes"])
        )


def test_the_files_of_a_sample_stand_together(full):
    with tarfile.open(tars(full.output, "mask_depth-train-*")[0]) as tar:
        members = tar.getmembers()
    endings = ("image.jpg", "mask.png", "depth.png", "json")
    assert [m.name.partition(".")[2] for m in members] == list(endings) * (len(members) // 4)
    for first in range(0, len(members), 4):
        assert len({m.name.partition(".")[0] for m in members[first : first + 4]}) == 1
    assert {(m.mtime, m.uid, m.gid, m.uname, m.mode) for m in members} == {(0, 0, 0, "", 0o644)}


@pytest.mark.slow
def test_a_set_of_tars_alone_is_verified_and_equal_for_any_workers(inputs, tmp_path):
    tables = []
    for workers in (1, 2):
        spec = make_spec(
            inputs,
            tmp_path / str(workers),
            formats=("webdataset",),
            max_samples=40,
            image_encoding="png",
        )
        result = generate(spec, [f"--direct_num_workers={workers}"], progress=False)
        assert verify(result.output, ["--direct_num_workers=1"]).faults == ()
        tables.append({Path(f).name: Path(f).read_bytes() for f in tars(result.output, "*")})
    assert len(tables[0]) == 5 and tables[0] == tables[1]


def test_damaged_tars_are_refused(tmp_path):
    schema = Schema(Size.square(8), "png", depth=False)
    shard = ShardSpec("train", 0, 1, 0, 2)
    sample = Sample(
        Placement(1, 2, 0, 1, 0, 0, 4, 4), b"image", b"mask", BoundingBox(0, 0, 1, 1), 1
    )
    tar = WebDatasetFormat()
    sink = tar.open_samples(Folder(str(tmp_path)), shard, schema)
    sink.write(sample)
    sink.write(replace(sample, area=2))
    sink.close()
    path = tmp_path / "webdataset/mask_depth-train-000000.tar"
    fields = schema.sample_fields()
    assert [row[-1] for row in tar.read(str(path), fields)] == [1, 2]
    data = path.read_bytes()
    for damaged, what in (
        (data[:514], "cannot be read as tar"),
        (data[: 3 * 1024 + 1024] + bytes(1024), "within a sample"),
        (data.replace(b'"area"', b'"aria"'), "cannot be read as tar"),
        (data.replace(b".mask.png", b".task.png"), "within a sample"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(FormatError, match=what):
            list(tar.read(str(path), fields))


def test_a_discarded_shard_leaves_nothing(tmp_path):
    sink = WebDatasetFormat().open_samples(
        Folder(str(tmp_path)),
        ShardSpec("train", 0, 1, 0, 2),
        Schema(Size.square(8), "png", depth=False),
    )
    sink.discard()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
