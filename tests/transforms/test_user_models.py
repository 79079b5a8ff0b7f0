"""Models that a user brings, on small ones that the tests build and save."""

import numpy as np
import pytest
import torch

from transforms.models import load_model
from transforms.models.base import ModelError
from transforms.models.depth.base import METRIC_DEPTH, RELATIVE_INVERSE_DEPTH

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 70, 50, 3)).astype(np.uint8)


@pytest.fixture(scope="module", params=["relative", "metric"])
def depth_anything(request, tmp_path_factory) -> tuple[str, str]:
    """A Depth Anything model of toy size, saved as a folder."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    backbone = transformers.Dinov2Config(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        out_features=["stage1", "stage2"],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=32,
        reassemble_factors=[2, 1],
        neck_hidden_sizes=[16, 16],
        fusion_hidden_size=16,
        head_in_index=-1,
        head_hidden_size=8,
        depth_estimation_type=request.param,
        max_depth=20,
    )
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp(request.param)
    transformers.DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    transformers.DPTImageProcessor(size={"height": 56, "width": 56}).save_pretrained(folder)
    return str(folder), request.param


def test_a_model_of_transformers(depth_anything):
    folder, kind = depth_anything
    model = load_model(f"hf:{folder}")
    depth = model.predict(IMAGES)
    assert depth.shape == (3, 70, 50) and depth.dtype == np.float32 and np.isfinite(depth).all()
    assert model.meaning == (METRIC_DEPTH if kind == "metric" else RELATIVE_INVERSE_DEPTH)
    alone = np.concatenate([model.predict(IMAGES[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(depth, alone, atol=1e-4)


def test_a_folder_that_is_no_model(tmp_path):
    pytest.importorskip("transformers", reason="transformers is not installed")
    with pytest.raises(ModelError, match=str(tmp_path)):
        load_model(f"hf:{tmp_path}")


class Brightness(torch.nn.Module):
    """Depth that can be told by hand: the mean of the three colours."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(1, keepdim=True)


def test_a_torchscript_file(tmp_path):
    path = tmp_path / "brightness.pt"
    torch.jit.script(Brightness()).save(str(path))
    depth = load_model(f"torchscript:{path}").predict(IMAGES)
    np.testing.assert_allclose(depth, IMAGES.mean(-1) / 255, atol=1e-6)


def test_a_torchscript_file_of_another_shape(tmp_path):
    path = tmp_path / "flat.pt"
    torch.jit.script(torch.nn.Flatten()).save(str(path))
    with pytest.raises(ModelError, match="must return"):
        load_model(f"torchscript:{path}").predict(IMAGES)


@pytest.mark.parametrize("content", [b"", b"no model"])
def test_files_that_are_no_torchscript(tmp_path, content):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.pt"):
        load_model(f"torchscript:{path}")


def test_pickled_code_is_never_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

    path = tmp_path / "bomb.pt"
    torch.save(Bomb(), path)
    with pytest.raises(ModelError):
        load_model(f"torchscript:{path}")
    assert not (tmp_path / "ran").exists()
