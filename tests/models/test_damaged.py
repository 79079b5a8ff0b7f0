"""Files of users' models that are truncated or belong to another architecture: one clear error."""

from pathlib import Path

import pytest
import torch

from transforms.models import load_model
from transforms.models.base import ModelError


@pytest.fixture
def folder(tmp_path) -> Path:
    """A small DPT model with its image processor."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    config = transformers.DPTConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
        is_hybrid=False,
    )
    transformers.DPTForDepthEstimation(config).save_pretrained(tmp_path)
    transformers.DPTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    return tmp_path


def test_the_whole_folder_loads(folder):
    assert load_model(f"hf:{folder}").meaning.near_is_large


def test_truncated_weights_of_transformers(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(f"hf:{folder}")


def test_weights_of_another_architecture(folder):
    from safetensors.torch import save_file

    save_file({"other.weight": torch.zeros(3)}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"weights lack .* tensors of the architecture"):
        load_model(f"hf:{folder}")


def test_a_truncated_torchscript_file(tmp_path):
    path = tmp_path / "half.pt"
    torch.jit.script(torch.nn.Conv2d(3, 1, 3, padding=1)).save(str(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match=r"half\.pt: not a whole TorchScript file"):
        load_model(f"torchscript:{path}")


def test_a_missing_torchscript_file(tmp_path):
    with pytest.raises(ModelError, match="there is no such file"):
        load_model(f"torchscript:{tmp_path / 'absent.pt'}")


def test_a_torchscript_file_that_cannot_take_pictures(tmp_path):
    import numpy as np

    path = tmp_path / "five.pt"
    torch.jit.script(torch.nn.Conv2d(5, 1, 3)).save(str(path))
    with pytest.raises(ModelError, match="cannot take pictures of 50x40"):
        load_model(f"torchscript:{path}").predict(np.zeros((1, 40, 50, 3), np.uint8))
