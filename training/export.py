"""Writes a trained network into the package: safetensors, and the same network as an ONNX graph.

    python -m training.export NETWORK.pt [--torchscript=FILE]

With --torchscript the package stays as it is, and the file can be tried and compared with
`--depth_model=torchscript:FILE` before it replaces the weights there.
"""

import argparse
import warnings
from pathlib import Path

from transforms.extras import missing

try:
    import torch
    from safetensors.torch import save_file
    from torch import nn
    from torch.nn import functional
except ImportError:
    raise missing(__name__, "PyTorch", "train") from None

from transforms.models.depth.builtin import GRAPH, WEIGHTS
from transforms.models.depth.network import MEAN, SCALE, DepthNetwork

SIDE = 160


class _Inference(nn.Module):
    """The network with the scale of its input folded into its first convolution."""

    def __init__(self, network: DepthNetwork) -> None:
        super().__init__()
        self.network = network
        convolution, norm = list(network.stem.children())[:2]
        assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None and norm.running_var is not None
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        kernel = convolution.weight * gain[:, None, None, None]
        shift = norm.bias - norm.running_mean * gain
        self.kernel = nn.Parameter(kernel.detach() / SCALE)
        self.shift = nn.Parameter(shift.detach())

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        planes = pictures.permute(0, 3, 1, 2).float() - MEAN
        stem = functional.conv2d(planes, self.kernel, self.shift, stride=2, padding=1)
        logits = self.network.after_stem(functional.relu6(stem))
        return torch.sigmoid(logits)[:, 0]


def export(network: DepthNetwork, weights: Path = WEIGHTS, graph: Path = GRAPH) -> None:
    """Writes both files.

    Args:
        network: the trained network.
        weights: target of the weights.
        graph: target of the graph, whose batch norms are folded into its convolutions.
    """
    network = network.eval()
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, weights)
    weights.chmod(0o644)  # A package may be installed by another user than uses it.
    axes = {0: "batch", 1: "height", 2: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The exporter used here needs no package of its own.
        torch.onnx.export(
            _Inference(network),
            (torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8),),
            str(graph),
            dynamo=False,
            input_names=["pictures"],
            output_names=["depth"],
            dynamic_axes={"pictures": axes, "depth": axes},
            opset_version=17,
        )


class _Plain(nn.Module):
    """The network as `torchscript:FILE` takes it: float [n, 3, height, width], RGB in 0..1."""

    def __init__(self, network: DepthNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.network.logits(images * 255))


def export_torchscript(network: DepthNetwork, path: Path) -> None:
    """Writes a file for `--depth_model=torchscript:FILE`; the package stays as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is what that flag takes.
        module = torch.jit.trace(_Plain(network).eval(), torch.zeros(2, 3, SIDE, SIDE))
        torch.jit.save(module, str(path))


def main() -> None:
    """Reads the flags and writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", type=Path, help="network.pt of a training run")
    parser.add_argument(
        "--torchscript", type=Path, help="write this file instead of those of the package"
    )
    options = parser.parse_args()
    network = DepthNetwork()
    network.load_state_dict(torch.load(options.network, map_location="cpu", weights_only=True))
    if options.torchscript:
        export_torchscript(network, options.torchscript)
    else:
        export(network)


if __name__ == "__main__":
    main()
