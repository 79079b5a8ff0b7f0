"""ONNX files that a user brings, on graphs of a few nodes whose depth is told by hand."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

from transforms.models import digest, load_model
from transforms.models.base import ModelError
from transforms.models.depth.base import METRIC_DEPTH, RELATIVE_INVERSE_DEPTH
from transforms.models.image_processor import IMAGENET_MEAN, IMAGENET_STD, ImageProcessor

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 30, 40, 3)).astype(np.uint8)
SMOOTH = np.asarray(
    [np.add.outer(np.arange(30), np.arange(40))[..., None] * [1, 2, 3] + i for i in range(2)]
).astype(np.uint8)
DPT = {
    "do_resize": True,
    "size": {"height": 64, "width": 64},
    "keep_aspect_ratio": True,
    "ensure_multiple_of": 16,
    "resample": 3,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.25, 0.5, 1.0],
}


def save(
    path: Path,
    size=("height", "width"),
    *,
    batch="n",
    dtype=TensorProto.FLOAT,
    channels_first=True,
    keepdims=1,
    external=None,
) -> str:
    """A graph that gives the weighted mean of the three colours: (R + 2 G + 5 B) / 8."""
    shape = [batch, 3, *size] if channels_first else [batch, *size, 3]
    axis = 1 if channels_first else 3
    weights = np.array([1, 2, 5], np.float32) / 8
    weights = weights.reshape((1, 3, 1, 1) if channels_first else (1, 1, 1, 3))
    nodes = [
        helper.make_node("Cast", ["pictures"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "weights"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "axes"], ["depth"], keepdims=keepdims),
    ]
    tensors = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(np.array([axis], np.int64), "axes"),
    ]
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("pictures", dtype, shape)],
        [helper.make_tensor_value_info("depth", TensorProto.FLOAT, None)],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if external:
        set_external_data(model.graph.initializer[0], location=external)
    onnx.save(model, path)
    return f"onnx:{path}"


def mean(values: np.ndarray) -> np.ndarray:
    return (values * (np.array([1, 2, 5]) / 8)).sum(-1)


def normalised(images: np.ndarray) -> np.ndarray:
    return (images / 255 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)


@pytest.mark.parametrize("channels_first", [True, False])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_floats_of_any_size_are_normalised_as_for_imagenet(tmp_path, channels_first, keepdims):
    name = save(tmp_path / "any.onnx", channels_first=channels_first, keepdims=keepdims)
    model = load_model(name)
    depth = model.predict(IMAGES)
    assert depth.dtype == np.float32 and model.name == name and model.device == "cpu"
    np.testing.assert_allclose(depth, mean(normalised(IMAGES)), atol=1e-5)


@pytest.mark.parametrize("channels_first", [True, False])
def test_bytes_pass_as_they_are(tmp_path, channels_first):
    name = save(tmp_path / "b.onnx", dtype=TensorProto.UINT8, channels_first=channels_first)
    np.testing.assert_allclose(load_model(name).predict(IMAGES), mean(IMAGES), atol=1e-3)


def test_halves(tmp_path):
    depth = load_model(save(tmp_path / "h.onnx", dtype=TensorProto.FLOAT16)).predict(IMAGES)
    np.testing.assert_allclose(depth, mean(normalised(IMAGES)), atol=5e-3)


@pytest.mark.parametrize("channels_first", [True, False])
def test_a_fixed_size_is_met_and_the_map_is_brought_back(tmp_path, channels_first):
    # No side is 3 but that of the colours; height and width differ, so a mix-up fails.
    name = save(
        tmp_path / "f.onnx", (60, 120), dtype=TensorProto.UINT8, channels_first=channels_first
    )
    depth = load_model(name).predict(SMOOTH)
    assert depth.shape == (2, 30, 40)
    np.testing.assert_allclose(depth[:, 3:-3, 3:-3], mean(SMOOTH)[:, 3:-3, 3:-3], atol=2)


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_fixed_batches_give_each_picture_its_own_map(tmp_path, batch):
    name = save(tmp_path / "batch.onnx", batch=batch)
    np.testing.assert_allclose(
        load_model(name).predict(IMAGES), mean(normalised(IMAGES)), atol=1e-5
    )


def test_the_settings_of_an_image_processor_are_followed(tmp_path):
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(DPT))
    model = load_model(save(tmp_path / "model.onnx"))
    expected = (SMOOTH / 255 - 0.5) / np.array([0.25, 0.5, 1.0])
    np.testing.assert_allclose(
        model.predict(SMOOTH)[:, 3:-3, 3:-3], mean(expected)[:, 3:-3, 3:-3], atol=0.02
    )


def test_settings_above_a_folder_named_onnx(tmp_path):
    (tmp_path / "onnx").mkdir()
    (tmp_path / "preprocessor_config.json").write_text(
        '{"do_rescale": false, "do_normalize": false}'
    )
    depth = load_model(save(tmp_path / "onnx" / "model.onnx")).predict(IMAGES)
    np.testing.assert_allclose(depth, mean(IMAGES), atol=1e-3)


@pytest.mark.parametrize(
    ("processor", "size", "expected"),
    [
        (ImageProcessor(), (640, 480), (640, 480)),
        (ImageProcessor(multiple=32), (100, 70), (96, 64)),
        (ImageProcessor(518, 518, multiple=14), (640, 480), (518, 518)),
        # As DPTImageProcessor computes it: the factor nearer to 1 is that of the longer side here.
        (ImageProcessor(518, 518, True, 14), (640, 480), (686, 518)),
        (ImageProcessor(384, 384, True, 32), (100, 200), (192, 384)),
        (ImageProcessor(384, 384, True, 32), (1, 3000), (32, 384)),
    ],
)
def test_size_in_the_network(processor, size, expected):
    assert processor.size(*size) == expected


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (100, 200), (333, 250)])
def test_sizes_are_those_of_transformers(size):
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("torch", reason="torch is not installed")
    theirs = transformers.DPTImageProcessor(
        size={"height": 518, "width": 518}, keep_aspect_ratio=True, ensure_multiple_of=14
    )
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    height, width = theirs(picture, return_tensors="pt")["pixel_values"].shape[2:]
    assert ImageProcessor(518, 518, True, 14).size(*size) == (width, height)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("[]", "not an object"),
        ("{", "no usable settings"),
        ('{"do_pad": true}', "do_pad is not supported"),
        ('{"size": {"shortest_edge": 256}}', "shortest_edge is not supported"),
        ('{"size": {"height": 0, "width": 4}}', "size 0 is not a number of pixels"),
        ('{"image_std": [1, 0, 1]}', "must not be 0"),
        ('{"image_mean": [1, 2]}', "image_mean must be three numbers"),
    ],
)
def test_settings_that_cannot_be_followed_are_named(tmp_path, settings, says):
    (tmp_path / "preprocessor_config.json").write_text(settings)
    with pytest.raises(ModelError, match=rf"preprocessor_config\.json.*{says}"):
        load_model(save(tmp_path / "model.onnx"))


@pytest.mark.parametrize(
    ("file", "content", "meaning"),
    [
        (None, "", RELATIVE_INVERSE_DEPTH),
        ("model.json", '{"kind": "metric_depth"}', METRIC_DEPTH),
        ("model.json", '{"kind": "metric_depth", "unit": "m"}', METRIC_DEPTH),
        ("model.json", '{"kind": "relative_inverse_depth"}', RELATIVE_INVERSE_DEPTH),
        ("config.json", '{"depth_estimation_type": "metric"}', METRIC_DEPTH),
        ("config.json", '{"depth_estimation_type": "relative"}', RELATIVE_INVERSE_DEPTH),
        ("config.json", "{}", RELATIVE_INVERSE_DEPTH),
    ],
)
def test_what_the_numbers_mean(tmp_path, file, content, meaning):
    if file:
        (tmp_path / file).write_text(content)
    assert load_model(save(tmp_path / "model.onnx")).meaning == meaning


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"kind": "far"}', '{"kind": "metric_depth", "unit": "mm"}']
)
def test_a_meaning_that_is_none_is_named(tmp_path, content):
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(ModelError, match=r'model\.json: .*write {"kind": "relative_inverse_depth"'):
        load_model(save(tmp_path / "model.onnx"))


@pytest.mark.parametrize("content", [b"", b"no model"])
def test_files_that_are_no_onnx(tmp_path, content):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx: not a complete ONNX file"):
        load_model(f"onnx:{path}")


def test_a_missing_file(tmp_path):
    for call in (load_model, digest):
        with pytest.raises(ModelError, match=r"absent\.onnx: there is no such file"):
            call(f"onnx:{tmp_path / 'absent.onnx'}")


def test_a_graph_of_something_else(tmp_path):
    with pytest.raises(ModelError, match=r"takes pictures .*must take one input"):
        load_model(save(tmp_path / "m.onnx", dtype=TensorProto.INT32))
    graph = helper.make_graph(
        [helper.make_node("Identity", ["pictures"], ["depth"])],
        "same",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("depth", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "same.onnx")
    with pytest.raises(ModelError, match=r"gives \[5, 3, 30, 40\]; its first output must be maps"):
        load_model(f"onnx:{tmp_path / 'same.onnx'}").predict(IMAGES)


def test_an_unknown_device(tmp_path):
    with pytest.raises(ModelError, match="give cpu, cuda or cuda:N"):
        load_model(save(tmp_path / "m.onnx"), device="tpu")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_digest_of_one_file_is_its_sha256(tmp_path):
    name = save(tmp_path / "model.onnx")
    assert digest(name) == sha256(tmp_path / "model.onnx")


def test_weights_and_settings_beside_the_graph_are_in_the_digest(tmp_path):
    name = save(tmp_path / "model.onnx", external="some weights.bin")
    load_model(name).predict(IMAGES)
    listed = "".join(
        f"{sha256(tmp_path / file)}  {file}\n" for file in ("model.onnx", "some weights.bin")
    )
    before = digest(name)
    assert before == hashlib.sha256(listed.encode()).hexdigest()
    found = {before}
    for file in ("some weights.bin", "preprocessor_config.json", "model.json"):
        path = tmp_path / file
        path.write_bytes((path.read_bytes() if path.exists() else b"") + b" ")
        found.add(digest(name))
    assert len(found) == 4
