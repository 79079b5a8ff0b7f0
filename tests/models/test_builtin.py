"""The built-in model: sizes, batches, both runtimes, and damaged files."""

import numpy as np
import pytest

from tests.drawing import draw_background
from transforms.models.base import ModelError, Running
from transforms.models.depth import builtin
from transforms.models.depth.builtin import BuiltinModel, network_size

SCENES = np.stack([np.asarray(draw_background(i).resize((160, 160))) for i in range(9)])


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((160, 160), (160, 160)),
        ((100, 70), (96, 64)),
        ((320, 320), (192, 192)),
        ((4000, 3000), (256, 192)),
        ((5, 3000), (32, 640)),
        ((1, 1), (32, 32)),
    ],
)
def test_size_in_the_network(size, expected):
    assert network_size(*size) == expected


@pytest.mark.parametrize("count", [1, 3, 4, 5, 9])
def test_batches_of_any_length_give_each_picture_its_own_map(count):
    model = BuiltinModel(Running(device="cpu"))
    together = model.predict(SCENES[:count])
    alone = np.concatenate([model.predict(picture[None]) for picture in SCENES[:count]])
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.ptp(together[0]) > 0.1


def test_both_runtimes_agree():
    in_onnx = BuiltinModel(Running(device="cpu")).predict(SCENES)
    in_torch = builtin._TorchNetwork("cpu", False).run(SCENES)
    np.testing.assert_allclose(in_onnx, in_torch, atol=1e-3)


def test_a_large_picture_has_the_depth_of_a_small_one():
    model = BuiltinModel(Running(device="cpu"))
    large = draw_background(3).resize((800, 600))
    found = model.predict(np.asarray(large)[None])[0]
    assert found.shape == (600, 800)
    small = model.predict(np.asarray(large.resize((256, 192)))[None])[0]
    assert np.corrcoef(found[::25, ::25].ravel(), small[::8, ::8].ravel())[0, 1] > 0.95


def test_a_truncated_graph_is_named(tmp_path, monkeypatch):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(builtin.GRAPH.read_bytes()[:50_000])
    monkeypatch.setattr(builtin, "GRAPH", broken)
    with pytest.raises(ModelError, match=r"broken\.onnx.*reinstall the package"):
        BuiltinModel(Running(device="cpu"))


def test_a_device_that_is_not_there():
    with pytest.raises(ModelError, match="builtin on cuda:77"):
        BuiltinModel(Running(device="cuda:77"))
