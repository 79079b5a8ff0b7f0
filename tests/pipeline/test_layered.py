"""Data sets with layered depth: read back, made by several workers, stopped, extended, damaged."""

import dataclasses
import io
import json
import os
import re
import shutil
import time
from pathlib import Path

import numpy as np
import onnx
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from pipeline import DatasetSpec, SpecError, generate
from pipeline.dry_run import forecast
from pipeline.performance import Performance
from pipeline.verify import verify
from tests.conftest import make_spec
from tests.faults.jobs import checksums, command, kill, run, start
from transforms.pixels.input_cache import forget_plans
from transforms.pixels.layers import Background, stack
from transforms.pixels.shape import Shape
from transforms.steps.background_depth import forget_backgrounds

LOCAL = ["--direct_num_workers=1"]
TABLES = ("tfrecord", "parquet", "webdataset")


def spec_of(inputs: Path, output: Path, **changes: object) -> DatasetSpec:
    values = {"depth_model": "builtin", "depth_labels": "layered", "depth_passes": 2}
    changes = {"image_size": "80x64", **changes}
    return make_spec(inputs, output, **{"placements": 1, **values, **changes})


def rows(output: str | Path, place: str = "data/*.parquet") -> list[dict]:
    files = sorted(Path(output).glob(place))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def picture(value: dict) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(value["bytes"])))


def prepared(output: str | Path) -> dict[int, np.ndarray]:
    """Prepared maps by the id of their background."""
    index = json.loads(Path(output, "state/prepared/index.json").read_text())
    return {
        one["id"]: np.load(Path(output, one["path"]))["depth"]
        for one in index
        if one["refused"] is None
    }


@pytest.fixture(scope="module")
def layered(inputs, tmp_path_factory):
    """144 samples in three table formats."""
    output = tmp_path_factory.mktemp("layered") / "set"
    return generate(spec_of(inputs, output, formats=TABLES), LOCAL, progress=False)


def test_labels_are_those_of_the_layers(layered):
    maps = prepared(layered.output)
    found = rows(layered.output)
    assert len(found) == 12 * 6 * 2 and set(maps) == set(range(1, 7))
    for row in found:
        stored = picture(row["depth"]).astype(np.float32)
        depth = stored * row["depth_scale"] + row["depth_offset"]
        half_a_step = row["depth_scale"] * 2**6 / 2 * 1.01
        mask, clean = picture(row["mask"]), maps[row["bg_id"]]
        solid = mask >= 128
        assert np.abs(depth - clean)[~solid].max() <= half_a_step
        assert np.abs(depth[solid] - row["object_depth"]).max() <= half_a_step
        assert row["object_depth"] > clean[solid].max()
        ys, xs = np.nonzero(mask)
        x, y = xs.min(), ys.min()
        shape = Shape(mask[y : ys.max() + 1, x : xs.max() + 1])
        _, [value] = stack(Background(clean, True), [(shape, int(x), int(y))])
        assert row["object_depth"] == value


def test_clean_backgrounds_have_their_depth(layered):
    maps = prepared(layered.output)
    for row in rows(layered.output, "assets/backgrounds-*"):
        depth = picture(row["depth"]) * row["depth_scale"] + row["depth_offset"]
        np.testing.assert_allclose(depth, maps[row["id"]], atol=row["depth_scale"])
    for row in rows(layered.output, "assets/foregrounds-*"):
        assert picture(row["depth"]).shape == (row["height"], row["width"])
        assert not picture(row["depth"]).any() and row["depth_scale"] == 0


def test_what_is_said_of_it(layered):
    output = Path(layered.output)
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["depth"]["labels"] == "layered" and manifest["depth"]["passes"] == 2
    listed = {file["path"] for file in manifest["other_files"]}
    there = {str(p.relative_to(output)) for p in output.glob("state/prepared/**/*") if p.is_file()}
    assert there <= listed and len(there) == 7
    for name in ("README.md", "croissant.json"):
        text = (output / name).read_text()
        assert "placed by rule" in text and "averaged over 2 passes" in text
        assert "object_depth" in text
    assert "composed of layers" in (output / "gallery/index.html").read_text()


def test_tfds_and_hugging_face_read_the_fields(layered):
    tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    by_key = {row["key"]: row["object_depth"] for row in rows(layered.output)}
    [folder] = Path(layered.output).glob("tfrecord/mask_depth/*")
    samples = tfds.builder_from_directory(str(folder)).as_dataset(split="train")
    for sample in samples.take(5):
        key = sample["key"].numpy().decode()
        assert sample["object_depth"].numpy() == np.float32(by_key[key])
    [folder] = Path(layered.output).glob("tfrecord/mask_depth_assets/*")
    clean = next(iter(tfds.builder_from_directory(str(folder)).as_dataset(split="backgrounds")))
    assert clean["depth"].shape == (64, 80, 1) and clean["depth"].numpy().max() == 65535
    sample = datasets.load_dataset(layered.output, split="train")[3]
    assert sample["object_depth"] == pytest.approx(by_key[sample["key"]])
    clean = datasets.load_dataset(layered.output, "assets", split="foregrounds")[0]
    assert np.asarray(clean["depth"]).max() == 0


def test_verify_composes_labels_again(layered, tmp_path):
    assert verify(layered.output, LOCAL).faults == ()
    output = tmp_path / "set"
    shutil.copytree(layered.output, output)
    for file in output.glob("state/prepared/depth/*.npz"):
        depth = np.load(file)["depth"]
        np.savez(file, depth=depth + np.float32(0.01))
    forget_backgrounds()
    found = " ".join(fault.what for fault in verify(str(output), LOCAL).faults)
    assert re.search(r" depth_(scale|offset) is |depth is not what the inputs give", found)
    assert "SHA-256" in found
    forget_backgrounds()


@pytest.mark.slow
def test_two_workers_write_the_same_bytes(inputs, tmp_path):
    """Processes of their own: the maps are made by several, and samples by all."""
    outputs = [tmp_path / "one" / "set", tmp_path / "two" / "set"]
    for number, output in enumerate(outputs, 1):
        arguments = [
            word
            for word in command(inputs, output, "--depth_labels=layered", "--placements=1")
            if not word.startswith(("--depth_model", "--direct_num"))
        ]
        run([*arguments, f"--direct_num_workers={number}"])
    first, second = (checksums(output) for output in outputs)
    assert first == second and len(first) > 12


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_any_moment(inputs, tmp_path):
    changes = ("--depth_labels=layered", "--depth_model=builtin")
    undisturbed = tmp_path / "undisturbed"
    run(command(inputs, undisturbed, *changes))
    expected = checksums(undisturbed)
    unfinished = 0
    for number, (place, wanted) in enumerate(
        [("prepared/depth/*", 0), ("prepared/depth/*", 3), ("records/*", 0), ("records/*", 6)]
    ):
        output = tmp_path / f"set{number}"
        job = start(command(inputs, output, *changes))
        while job.poll() is None and len(list(output.glob(f"state/{place}"))) <= wanted:
            time.sleep(0.005)
        kill(job)
        unfinished += not (output / "manifest.json").exists()
        run(command(inputs, output, *changes))
        assert checksums(output) == expected
        assert not list(output.rglob("*.part"))
    assert unfinished >= 2  # Otherwise nothing was tested.


@pytest.mark.slow
def test_an_extended_set_predicts_new_backgrounds_alone(inputs, tmp_path):
    fewer = tmp_path / "inputs"
    shutil.copytree(inputs, fewer)
    for number in (1, 4):
        (fewer / f"bg/bg_img_{number}.png").unlink()
    output = tmp_path / "set"
    generate(spec_of(fewer, output), LOCAL, progress=False)
    before = {path: path.stat().st_mtime_ns for path in output.glob("state/prepared/depth/*")}
    generate(spec_of(inputs, output), LOCAL, progress=False, extend=True)
    after = {path: path.stat().st_mtime_ns for path in output.glob("state/prepared/depth/*")}
    assert len(before) == 4 and len(after) == 6 and before.items() <= after.items()
    assert verify(str(output), LOCAL).faults == ()
    at_once = generate(spec_of(inputs, tmp_path / "at_once"), LOCAL, progress=False)
    key = {row["key"]: row["depth"]["bytes"] for row in rows(at_once.output)}
    assert {row["key"]: row["depth"]["bytes"] for row in rows(output)} == key


def save_logarithm(path: Path) -> str:
    """A model whose depth is the logarithm of the red channel: black pictures have none."""
    nodes = [
        helper.make_node("Cast", ["pictures"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "red"], ["reds"]),
        helper.make_node("ReduceSum", ["reds", "axes"], ["sum"], keepdims=0),
        helper.make_node("Log", ["sum"], ["depth"]),
    ]
    tensors = [
        numpy_helper.from_array(np.array([1, 0, 0], np.float32).reshape(1, 1, 1, 3), "red"),
        numpy_helper.from_array(np.array([3], np.int64), "axes"),
    ]
    shape: list[str | int | None] = ["n", "height", "width", 3]
    graph = helper.make_graph(
        nodes,
        "logarithm",
        [helper.make_tensor_value_info("pictures", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("depth", TensorProto.FLOAT, None)],
        tensors,
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return f"onnx:{path}"


@pytest.mark.slow
def test_a_background_without_depth_costs_that_background(inputs, tmp_path):
    own = tmp_path / "inputs"
    shutil.copytree(inputs, own)
    Image.new("RGB", (90, 70)).save(own / "bg/bg_img_7.png")
    spec = spec_of(
        own, tmp_path / "set", depth_model=save_logarithm(tmp_path / "log.onnx"), depth_passes=1
    )
    result = generate(spec, LOCAL, progress=False)
    assert (result.samples, result.failed, result.left_out) == (12 * 6 * 2, 12 * 2, 1)
    [error] = Path(result.output, "errors/inputs.jsonl").read_text().splitlines()
    assert json.loads(error) == {
        "path": "bg/bg_img_7.png",
        "reason": "no depth: the depth map has values that are not finite",
    }
    [clean] = [row for row in rows(result.output, "assets/backgrounds-*") if row["id"] == 7]
    assert clean["depth_scale"] == 0 and not picture(clean["depth"]).any()
    assert verify(result.output, LOCAL).faults == ()
    # A run that continues keeps the shards that lack nothing but this background.
    for name in ("manifest.json", "manifest.json.sha256"):
        Path(result.output, name).unlink()
    before = {path: os.stat(path).st_mtime_ns for path in Path(result.output).glob("data/*")}
    forget_plans()
    again = generate(spec, LOCAL, progress=False)
    assert again.failed == 24 and verify(result.output, LOCAL).faults == ()
    assert {p: os.stat(p).st_mtime_ns for p in Path(result.output).glob("data/*")} == before
    with pytest.raises(Exception, match="stopped by --on_error=fail"):
        strict = dataclasses.replace(spec, output=str(tmp_path / "strict"), on_error="fail")
        generate(strict, LOCAL, progress=False)


def test_a_dry_run_says_what_layers_bring(inputs, tmp_path):
    found = forecast(spec_of(inputs, tmp_path / "set"), LOCAL, Performance())
    assert found.preparation_seconds > 0 and "the model sees each background once" in found.text()
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"depth_model": "none"}, "needs a depth model"),
        ({"depth_labels": "predicted"}, "add that"),
        ({"depth_labels": "guessed"}, "predicted"),
        ({"depth_passes": 13}, "12"),
    ],
)
def test_what_does_not_go_together_is_refused(inputs, tmp_path, changes, says):
    with pytest.raises(SpecError, match=says):
        spec_of(inputs, tmp_path / "set", **changes).check()
