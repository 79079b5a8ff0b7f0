"""Depth models that a user brings as an ONNX file."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from transforms.models.base import ModelError, Running
from transforms.models.depth.base import METRIC_DEPTH, RELATIVE_INVERSE_DEPTH, DepthMeaning
from transforms.models.onnx_graph import OnnxGraph, graph_files, settings_file
from transforms.models.registry import local_file

_MEANINGS = {meaning.kind: meaning for meaning in (RELATIVE_INVERSE_DEPTH, METRIC_DEPTH)}


class OnnxModel:
    """An ONNX graph that gives depth; `OnnxGraph` says what it may take.

    NAME.json beside NAME.onnx says what its numbers mean, such as
    `{"kind": "metric_depth"}`; else in the `depth_estimation_type` of a `config.json` beside it;
    else they are relative inverse depth.

    Args:
        path: the file.
        running: threads and device.

    Raises:
        ModelError: it cannot be loaded; the message says why.
    """

    def __init__(self, path: str, running: Running) -> None:
        self.name = f"onnx:{path}"
        self.meaning = _meaning(local_file(path, "an ONNX exporter"))
        self._graph = OnnxGraph(path, running)
        self.device = self._graph.device

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Predicts the graph's own values, at the size of the pictures.

        Args:
            images: uint8 [n, height, width, 3], RGB.

        Returns:
            float32 [n, height, width].

        Raises:
            ModelError: the graph cannot take such pictures, or gives something else than maps.
        """
        return self._graph.run(images)


def onnx_files(path: str) -> list[Path]:
    """The files that decide what a model predicts and what it means. Raises ModelError."""
    says = _meaning_file(local_file(path, "an ONNX exporter"))
    return [*graph_files(path), *([says] if says else [])]


def _meaning_file(file: Path) -> Path | None:
    own = file.with_suffix(".json")
    return own if own.is_file() else settings_file(file, "config.json")


def _meaning(file: Path) -> DepthMeaning:
    path = _meaning_file(file)
    if path is None:
        return RELATIVE_INVERSE_DEPTH
    try:
        says = json.loads(path.read_text("utf-8"))
        if path.name == "config.json":
            metric = says.get("depth_estimation_type") == "metric"
            return METRIC_DEPTH if metric else RELATIVE_INVERSE_DEPTH
        meaning = _MEANINGS[says["kind"]]
        if not says.items() <= dataclasses.asdict(meaning).items():
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ModelError(
            f'{path}: does not say what the depth means; write {{"kind": "{_WORDS}"}}'
        ) from None
    return meaning


_WORDS = '"} or {"kind": "'.join(_MEANINGS)
