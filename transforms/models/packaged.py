"""The graphs that the package brings, run by ONNX Runtime on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transforms.models.base import ModelError

if TYPE_CHECKING:
    import onnxruntime


def open_packaged(graph: Path, threads: int) -> onnxruntime.InferenceSession:
    """Opens a graph of the package.

    Args:
        graph: its file.
        threads: threads of one inference.

    Raises:
        ModelError: the file is damaged.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"{graph}: {error}; reinstall the package") from None
