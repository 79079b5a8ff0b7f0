"""COCO annotations and pictures, read by pycocotools."""

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline import generate
from pipeline.verify import verify
from tests.conftest import make_spec
from tests.readers.rows import clean_rows, pixels, rows_by_key

pycocotools = pytest.importorskip("pycocotools", reason="pycocotools is not installed")


def load(folder: Path):
    from pycocotools.coco import COCO

    return COCO(str(folder / "annotations.json"))


def test_pycocotools_loads_every_mask_and_picture(full):
    seen = set()
    for split, count in (("train", 216), ("test", 72)):
        folder, rows = Path(full.output, "coco", split), rows_by_key(full.output, split)
        coco = load(folder)
        assert len(coco.imgs) == len(coco.anns) == count
        for image in coco.loadImgs(coco.getImgIds()):
            key = f"fg_bg_{image['fg_id']}_{image['bg_id']}_{image['flip']}_{image['seq']}"
            row = rows[key]
            data = (folder / image["file_name"]).read_bytes()
            assert data == row["image"]["bytes"] and image["file_name"].endswith(f"/{key}.jpg")
            assert Image.open(folder / image["file_name"]).size == (image["width"], image["height"])
            [annotation] = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
            solid = pixels(row["mask"]["bytes"]) >= 128
            np.testing.assert_array_equal(coco.annToMask(annotation), solid)
            assert annotation["area"] == row["area"] == solid.sum()
            assert annotation["bbox"] == row["bbox"]
            seen.add(key)
    assert seen == set(rows_by_key(full.output))


def test_pycocotools_scores_a_perfect_prediction_as_perfect(full, capsys):
    """The whole way of an evaluation: the annotations as detections against themselves."""
    from pycocotools.cocoeval import COCOeval

    coco = load(Path(full.output, "coco", "test"))
    detections = [
        {name: ann[name] for name in ("image_id", "category_id", "segmentation")} | {"score": 1.0}
        for ann in coco.dataset["annotations"]
    ]
    evaluation = COCOeval(coco, coco.loadRes(detections), "segm")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_clean_pictures_join_by_id(full):
    image = load(Path(full.output, "coco", "test")).loadImgs([1])[0]
    for kind, name in (("backgrounds", "bg_id"), ("foregrounds", "fg_id")):
        rows = clean_rows(full.output, kind)
        folder = Path(full.output, "coco", "assets", kind)
        assert len(list(folder.iterdir())) == 2 * len(rows)
        row = rows[image[name]]
        assert (folder / f"{image[name]}.png").read_bytes() == row["image"]["bytes"]
        assert (folder / f"{image[name]}_mask.png").read_bytes() == row["mask"]["bytes"]


@pytest.fixture
def sorted_inputs(inputs, tmp_path) -> Path:
    """The inputs with the foregrounds in folders by what they show."""
    root = tmp_path / "inputs"
    shutil.copytree(inputs / "bg", root / "bg")
    for number in range(1, 13):
        name = f"fg_img_{number}.png"
        folder = root / "fg" / ("cars" if number % 3 else "lorries")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(inputs / "fg" / name, folder / name)
    return root


@pytest.mark.slow
def test_categories_come_from_the_folders(sorted_inputs, tmp_path):
    results = []
    for workers in (1, 2):
        spec = make_spec(
            sorted_inputs,
            tmp_path / str(workers),
            formats=("coco",),
            max_samples=72,
            image_encoding="png",
        )
        result = generate(spec, [f"--direct_num_workers={workers}"], progress=False)
        assert verify(result.output, ["--direct_num_workers=1"]).faults == ()
        folder = Path(result.output, "coco")
        results.append({str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.*")})
    assert results[0] == results[1]
    coco = load(tmp_path / "1" / "coco" / "train")
    names = {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())}
    assert names == {1: "cars", 2: "lorries"}
    counts = Counter(names[annotation["category_id"]] for annotation in coco.anns.values())
    assert counts == {"cars": 48, "lorries": 24}
    for image in coco.imgs.values():
        [annotation] = coco.imgToAnns[image["id"]]
        assert names[annotation["category_id"]] == ("cars" if image["fg_id"] % 3 else "lorries")


def test_the_parts_are_gone_in_the_end(full):
    assert not Path(full.output, "state", "coco").exists()
    formats = Counter(
        file["format"] for file in json.loads(Path(full.manifest).read_text())["files"]
    )
    assert formats["coco"] == 288 + 2 + 2 * (12 + 6) and "coco-part" not in formats
