"""YOLO labels: outlines against the masks, and `supervision` as their reader."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline import generate
from pipeline.verify import verify
from tests.conftest import make_spec
from tests.readers.rows import pixels, rows_by_key
from transforms.formats.base import Description, SplitFiles
from transforms.formats.yolo import YoloFormat, label_line


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union."""
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)


def test_every_sample_has_its_picture_and_its_outline(full):
    for split, count in (("train", 216), ("test", 72)):
        rows = rows_by_key(full.output, split)
        labels = sorted(Path(full.output, "yolo/labels", split).rglob("*.txt"))
        pictures = sorted(Path(full.output, "yolo/images", split).rglob("*.jpg"))
        assert len(labels) == len(pictures) == count
        for label, picture in zip(labels, pictures, strict=True):
            assert picture.as_posix() == label.as_posix().replace("/labels/", "/images/").replace(
                ".txt", ".jpg"
            )
            row = rows[label.stem]
            assert picture.read_bytes() == row["image"]["bytes"]
            [line] = label.read_text().splitlines()
            number, *shares = line.split()
            points = np.array(shares, float).reshape(-1, 2)
            assert number == "0" and len(points) >= 3 and points.min() >= 0 and points.max() <= 1
            drawn = Image.new("L", (640, 512))
            ImageDraw.Draw(drawn).polygon([tuple(p) for p in points * drawn.size], fill=255)
            solid = (pixels(row["mask"]["bytes"]) >= 128).repeat(4, 0).repeat(4, 1)
            assert overlap(np.asarray(drawn) > 0, solid) > 0.93


def test_data_yaml_names_splits_and_classes(full):
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    data = yaml.safe_load(Path(full.output, "yolo/data.yaml").read_text())
    assert data == {
        "train": "images/train",
        "val": "images/test",
        "test": "images/test",
        "names": {0: "fg"},
    }


@pytest.mark.parametrize(
    ("splits", "train", "val"),
    [
        (("train",), "train", "train"),
        (("fit", "dev"), "fit", "dev"),
        (("val", "train", "test"), "train", "val"),
    ],
)
def test_trainers_find_a_split_for_each_role(splits, train, val):
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    files = tuple(SplitFiles(name, ()) for name in splits)
    samples = Description("", (), files, ('Ä "b": c', "on"))
    [(path, text)] = YoloFormat().describe(samples, Description("", (), ()))
    data = yaml.safe_load(text)
    assert path == "yolo/data.yaml"
    assert (data["train"], data["val"]) == (f"images/{train}", f"images/{val}")
    assert data["names"] == {0: 'Ä "b": c', 1: "on"}
    assert set(data) == {"train", "val", "names", *splits}


def test_a_mask_without_solid_pixels_has_an_empty_label():
    assert label_line(3, np.full((4, 4), 127, np.uint8)) == ""


@pytest.mark.slow
def test_classes_are_numbered_from_0_and_bytes_are_equal_for_any_workers(inputs, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("id,category\n" + "".join(f"{n},c{n % 2}\n" for n in range(1, 13)))
    found = []
    for workers in (1, 2):
        spec = make_spec(
            inputs,
            tmp_path / str(workers),
            formats=("yolo",),
            max_samples=48,
            categories=str(table),
        )
        result = generate(spec, [f"--direct_num_workers={workers}"], progress=False)
        assert verify(result.output, ["--direct_num_workers=1"]).faults == ()
        folder = Path(result.output, "yolo")
        found.append({str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.*")})
    assert found[0] == found[1] and len(found[0]) == 2 * 48 + 1
    for name, data in found[0].items():
        if name.startswith("labels"):
            fg_id = int(name.rpartition("/")[2].split("_")[2])
            assert data.startswith(f"{fg_id % 2} ".encode())


def test_supervision_reads_masks_and_classes(full):
    supervision = pytest.importorskip("supervision", reason="supervision is not installed")
    rows = rows_by_key(full.output, "test")
    seen = 0
    manifest = json.loads(Path(full.manifest).read_text())
    for shard in range(manifest["splits"]["test"]["shards"]):
        data = supervision.DetectionDataset.from_yolo(
            images_directory_path=f"{full.output}/yolo/images/test/{shard:05d}",
            annotations_directory_path=f"{full.output}/yolo/labels/test/{shard:05d}",
            data_yaml_path=f"{full.output}/yolo/data.yaml",
            force_masks=True,
        )
        assert data.classes == ["fg"]
        for path, image, detections in data:
            row = rows[Path(path).stem]
            assert image.shape == (128, 160, 3)
            [mask] = np.asarray(detections.mask)
            assert overlap(mask.astype(bool), pixels(row["mask"]["bytes"]) >= 128) > 0.9
            seen += 1
    assert seen == len(rows)
