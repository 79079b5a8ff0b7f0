"""What is published says nothing of the machine that made a data set."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from pipeline import generate
from pipeline.verify import verify
from tests.conftest import make_spec
from transforms.report.published import Places

PLACES = Places.of(
    json.dumps(
        {
            "foregrounds": "/home/me/fg",
            "backgrounds": "/home/me/data/*/bg [1]/*.jpg",
            "masks": "gs://secret-bucket/in/masks/",
            "categories": "/home/me/fg.csv",
            "output": "/",
            "depth_model": "onnx:/opt/models/deep.onnx",
            "seed": 7,
            "objects": [1, 2],
        }
    )
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/me/fg", "fg"),
        ("/home/me/fg/cars/1.png", "fg/cars/1.png"),
        ("/home/me/fg.csv", "fg.csv"),
        ("/home/me/fg2/1.png", "1.png"),
        ("/home/me/data/*/bg [1]/*.jpg", "data/*/bg [1]/*.jpg"),
        ("/home/me/data/a/bg 1/1.jpg", "data/a/bg 1/1.jpg"),
        ("gs://secret-bucket/in/masks/1.png", "masks/1.png"),
        ("onnx:/opt/models/deep.onnx", "onnx:deep.onnx"),
        ("onnx:models/deep.onnx", "onnx:models/deep.onnx"),
        ("hf:someone/depth", "hf:someone/depth"),
        ("cannot be read: '/home/me/fg/1.png': denied", "cannot be read: 'fg/1.png': denied"),
        ("no space at /var/tmp/x/y.part (28)", "no space at y.part (28)"),
        ("1/2 or https://host/terms/of/use", "1/2 or https://host/terms/of/use"),
    ],
)
def test_paths_are_cut_down_and_stay_so(text, shown):
    assert PLACES.text(text) == shown
    assert PLACES.text(shown) == shown


@pytest.fixture(scope="module")
def damaged(inputs, tmp_path_factory) -> Path:
    """A data set with a table of categories, masks, and an input that cannot be read."""
    root = tmp_path_factory.mktemp("published")
    shutil.copytree(inputs, root / "in")
    (root / "in" / "bg" / "bg_img_9.png").write_bytes(b"no picture")
    (root / "masks").mkdir()
    shutil.copy(root / "in" / "bg" / "bg_img_1.png", root / "masks" / "lone_77.png")
    rows = "".join(f"fg_img_{number}.png,thing\n" for number in range(1, 13))
    (root / "table.csv").write_text(f"file,category\n{rows}")
    spec = make_spec(
        root / "in",
        root / "set",
        max_samples=12,
        masks=str(root / "masks"),
        categories=str(root / "table.csv"),
        formats=("tfrecord", "parquet", "webdataset", "coco", "yolo", "zip"),
        num_shards=1,
    )
    generate(spec, ["--direct_num_workers=1"], progress=False)
    return root


def test_no_published_file_holds_a_path_of_the_machine(damaged):
    folder = damaged / "set"
    files = [path for path in folder.rglob("*") if path.is_file()]
    named = [
        path.relative_to(folder).as_posix()
        for path in files
        if str(damaged).encode() in path.read_bytes()
    ]
    # A run continues from there; it is not for publication.
    assert sorted(named) == ["state/plan.json", "state/spec.json"]


def test_the_manifest_tells_the_files_apart(damaged):
    manifest = json.loads((damaged / "set" / "manifest.json").read_text())
    assert manifest["spec"]["foregrounds"] == "fg" and manifest["spec"]["masks"] == "masks"
    assert manifest["inputs"]["foregrounds"][0]["path"] == "fg/fg_img_1.png"
    assert [error["path"] for error in manifest["inputs"]["left_out"]] == [
        "bg/bg_img_9.png",
        "masks/lone_77.png",
    ]
    line = json.loads((damaged / "set" / "errors" / "inputs.jsonl").read_text().splitlines()[0])
    assert line["path"] == "bg/bg_img_9.png"


@pytest.mark.slow
def test_verify_takes_whole_paths_as_older_versions_published_them(damaged, tmp_path):
    folder = tmp_path / "set"
    shutil.copytree(damaged / "set", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    plan = json.loads((folder / "state" / "plan.json").read_text())
    manifest["spec"] = json.loads((folder / "state" / "spec.json").read_text())
    for kind in ("foregrounds", "backgrounds"):
        manifest["inputs"][kind] = plan[kind]
    text = json.dumps(manifest)
    (folder / "manifest.json").write_text(text)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json.sha256").write_text(f"{checksum}\n")
    assert verify(str(folder), ["--direct_num_workers=1"]).faults == ()
