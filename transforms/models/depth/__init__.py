"""Depth models behind one interface."""

from collections.abc import Sequence
from pathlib import Path

from transforms.models.base import Running
from transforms.models.depth.base import DepthModel
from transforms.models.devices import require_torch
from transforms.models.hub import HUB_TERMS, transformers_files
from transforms.models.registry import Kind, Registry, local_file

# The code of a model is imported when the model is loaded: torch and ONNX Runtime take seconds.


def _builtin(source: str, running: Running) -> DepthModel:
    from transforms.models.depth.builtin import BuiltinModel

    return BuiltinModel(running)


def _builtin_files(source: str) -> Sequence[Path]:
    from transforms.models.depth.builtin import GRAPH, WEIGHTS

    return [GRAPH, WEIGHTS]


def _onnx(source: str, running: Running) -> DepthModel:
    from transforms.models.depth.onnx import OnnxModel

    return OnnxModel(source, running)


def _onnx_files(source: str) -> Sequence[Path]:
    from transforms.models.depth.onnx import onnx_files

    return onnx_files(source)


def _hugging_face(source: str, running: Running) -> DepthModel:
    require_torch(f"hf:{source}", "hf")
    from transforms.models.depth.hugging_face import HuggingFaceModel

    return HuggingFaceModel(source, running)


def _torchscript(source: str, running: Running) -> DepthModel:
    require_torch(f"torchscript:{source}", "torch")
    from transforms.models.depth.torchscript import TorchScriptModel

    return TorchScriptModel(source, running)


def _torchscript_files(source: str) -> Sequence[Path]:
    return [local_file(source, "torch.jit.save")]


_BUILTIN_TERMS = (
    "MIT, as this program. It is trained on drawn scenes and on photographs and cut-outs whose"
    " terms allow any use (CC BY, CC BY-SA, CC0, GPL, LGPL, no known restrictions), with depth by"
    " a network under MIT. Its model card lists all of them."
)

DEPTH_MODELS: Registry[DepthModel] = Registry(
    "depth",
    [
        Kind("builtin", _builtin, _builtin_files, _BUILTIN_TERMS),
        Kind("onnx:PATH", _onnx, _onnx_files),
        Kind("hf:ID_OR_DIR", _hugging_face, transformers_files, HUB_TERMS),
        Kind("torchscript:PATH", _torchscript, _torchscript_files),
    ],
)
