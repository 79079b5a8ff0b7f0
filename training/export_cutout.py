"""Writes a trained cut-out network into the package: safetensors, and the same as an ONNX graph.

    python -m training.export_cutout NETWORK.pt

Weights are stored in 16 bits: 3 MB each.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from transforms.models.cutout.builtin import GRAPH, SIDE, WEIGHTS
from transforms.models.cutout.network import CutoutNetwork


def export(network: CutoutNetwork, weights: Path = WEIGHTS, graph: Path = GRAPH) -> None:
    """Writes both files.

    Args:
        network: the trained network.
        weights: target of the weights.
        graph: target of the graph, whose batch norms are folded into its convolutions.
    """
    network = network.eval()
    stored = {
        name: (value.half() if value.dtype.is_floating_point else value).contiguous()
        for name, value in network.state_dict().items()
    }
    save_file(stored, weights)
    weights.chmod(0o644)  # A package may be installed by another user than uses it.
    axes = {0: "batch", 1: "height", 2: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The exporter used here needs no package of its own.
        torch.onnx.export(
            network,
            (torch.zeros(1, SIDE, SIDE, 3, dtype=torch.uint8),),
            str(graph),
            dynamo=False,
            input_names=["pictures"],
            output_names=["chance"],
            dynamic_axes={"pictures": axes, "chance": axes},
            opset_version=17,
        )
    _halve(graph)


def _halve(path: Path) -> None:
    """Stores a graph's weights in 16 bits; they are cast back when the graph is loaded."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(path)
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 64:
            continue
        name = f"{tensor.name}_16"
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), name))
        graph.initializer.remove(tensor)
        casts.append(helper.make_node("Cast", [name], [tensor.name], to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def main() -> None:
    """Reads the flags and writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", type=Path, help="network.pt of a training run")
    options = parser.parse_args()
    network = CutoutNetwork()
    network.load_state_dict(torch.load(options.network, map_location="cpu", weights_only=True))
    export(network)


if __name__ == "__main__":
    main()
