"""Inputs whose names hold spaces, quotes and letters of other alphabets, in every reader."""

import shutil
from pathlib import Path

import pytest

from pipeline import GenerateResult, generate
from tests.conftest import make_spec
from tests.readers.rows import clean_rows

FILES = {
    1: "delivery vans/white van 1.png",
    2: "🚚 Laster/Kipper, grün 2.png",
    3: '🚚 Laster/a "quoted" name 3.png',
    4: "машины/🚗 красная 4.png",
}


@pytest.fixture(scope="module")
def named(inputs, tmp_path_factory) -> GenerateResult:
    """A small data set of inputs with such names."""
    root = tmp_path_factory.mktemp("named inputs ü")
    shutil.copytree(inputs / "bg", root / "bg")
    for number, name in FILES.items():
        path = root / "fg" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(inputs / "fg" / f"fg_img_{number}.png", path)
    spec = make_spec(
        root,
        root / "out",
        formats=("tfrecord", "parquet", "webdataset", "coco"),
        max_samples=48,
        num_shards=1,
    )
    return generate(spec, ["--direct_num_workers=1"], progress=False)


def names() -> dict[int, str]:
    return {number: Path(path).name for number, path in FILES.items()}


def test_pycocotools_has_the_folders_as_categories(named):
    coco_module = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    path = Path(named.output, "coco", "train", "annotations.json")
    assert path.read_bytes().isascii()
    coco = coco_module.COCO(str(path))
    assert {c["name"] for c in coco.loadCats(coco.getCatIds())} == {
        "delivery vans",
        "🚚 Laster",
        "машины",
    }
    [lorries] = coco.getCatIds(catNms=["🚚 Laster"])
    found = coco.loadImgs(coco.getImgIds(catIds=[lorries]))
    assert {image["fg_id"] for image in found} == {2, 3}
    others = set(coco.getImgIds()) - {image["id"] for image in found}
    assert {image["fg_id"] for image in coco.loadImgs(list(others))} == {1, 4}


def test_pyarrow_has_the_names(named):
    rows = clean_rows(named.output, "foregrounds")
    assert {number: row["file"] for number, row in rows.items()} == names()


def test_tfds_has_the_names(named):
    tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")
    folder = f"{named.output}/tfrecord/mask_depth_assets/1.0.0"
    rows = tfds.builder_from_directory(folder).as_dataset(split="foregrounds")
    assert {int(row["id"]): row["file"].numpy().decode() for row in rows} == names()


def test_datasets_has_the_names(named, tmp_path):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    for streaming in (False, True):
        rows = datasets.load_dataset(
            named.output,
            "assets",
            split="foregrounds",
            streaming=streaming,
            cache_dir=str(tmp_path),
        )
        assert {row["id"]: row["file"] for row in rows} == names()


def test_webdataset_has_the_names(named):
    wds = pytest.importorskip("webdataset", reason="webdataset is not installed")
    [path] = Path(named.output).glob("webdataset/mask_depth_assets-foregrounds-*.tar")
    rows = [sample["json"] for sample in wds.WebDataset([str(path)], shardshuffle=False).decode()]
    assert {row["id"]: row["file"] for row in rows} == names()


def test_mlcroissant_has_the_names(named):
    mlc = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    records = mlc.Dataset(Path(named.output, "croissant.json")).records("foregrounds")
    found = {r["foregrounds/id"]: r["foregrounds/file"].decode() for r in records}
    assert found == names()
