"""Cut-out models behind one interface."""

from collections.abc import Sequence
from pathlib import Path

from transforms.models.base import ModelError, Running
from transforms.models.cutout.base import CutoutModel
from transforms.models.hub import HUB_TERMS, find
from transforms.models.registry import Kind, Registry

# The code of a model is imported when the model is loaded: ONNX Runtime takes a while.

GRAPHS = ("onnx/model.onnx", "model.onnx")
"""Where models on the hub keep their graph, in the order of preference."""

AUTO = "auto"
"""Stands for `u2netp` where its package is installed, else for `builtin`."""


def _builtin(source: str, running: Running) -> CutoutModel:
    from transforms.models.cutout.builtin import BuiltinCutoutModel

    return BuiltinCutoutModel(running)


def _builtin_files(source: str) -> Sequence[Path]:
    from transforms.models.cutout.builtin import GRAPH

    return [GRAPH]


def _u2netp(source: str, running: Running) -> CutoutModel:
    from transforms.models.cutout.onnx import OnnxCutoutModel
    from transforms.models.cutout.u2netp import u2netp_file

    return OnnxCutoutModel("u2netp", str(u2netp_file()), running)


def _u2netp_files(source: str) -> Sequence[Path]:
    from transforms.models.cutout.u2netp import u2netp_file

    return [u2netp_file()]


def _onnx(source: str, running: Running) -> CutoutModel:
    from transforms.models.cutout.onnx import OnnxCutoutModel

    return OnnxCutoutModel(f"onnx:{source}", source, running)


def _onnx_files(source: str) -> Sequence[Path]:
    from transforms.models.onnx_graph import graph_files

    return graph_files(source)


def _hub(source: str, running: Running) -> CutoutModel:
    from transforms.models.cutout.onnx import OnnxCutoutModel

    return OnnxCutoutModel(f"hf:{source}", str(_hub_graph(source)), running)


def _hub_files(source: str) -> Sequence[Path]:
    return _onnx_files(str(_hub_graph(source)))


def _hub_graph(source: str) -> Path:
    """The graph of a model on the hub, with its settings and weights fetched beside it."""
    graph = find(source, GRAPHS)
    if graph is None:
        raise ModelError(
            f"hf:{source}: there is no {' or '.join(GRAPHS)}; give a model with an ONNX file"
        )
    find(source, ["preprocessor_config.json"])
    find(source, [f"{name}_data" for name in GRAPHS])
    return graph


_BUILTIN_TERMS = (
    "MIT, as this program; its encoder's weights are Apache-2.0. The pictures that it was trained"
    " on are for research; whether weights inherit that is for the user to judge."
)
_U2NETP_TERMS = "Apache-2.0 according to its authors; trained on DUTS, which is for research."

CUTOUT_MODELS: Registry[CutoutModel] = Registry(
    "cut-out",
    [
        Kind("builtin", _builtin, _builtin_files, _BUILTIN_TERMS),
        Kind("u2netp", _u2netp, _u2netp_files, _U2NETP_TERMS),
        Kind("onnx:PATH", _onnx, _onnx_files),
        Kind("hf:ID_OR_DIR", _hub, _hub_files, HUB_TERMS),
    ],
)


def resolved(name: str) -> str:
    """The model that a name means: `auto` becomes `u2netp` or `builtin`."""
    if name != AUTO:
        return name
    from transforms.models.cutout.u2netp import has_u2netp

    return "u2netp" if has_u2netp() else "builtin"
