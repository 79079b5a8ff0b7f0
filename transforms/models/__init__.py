"""Models behind one loader: each task has a registry of the kinds of models that it takes.

A task is a package here with its protocol in `base` and its `Registry`; `load_model` and `digest`
are the way in for depth.
"""

from transforms.models.base import ModelError, Running
from transforms.models.depth import DEPTH_MODELS
from transforms.models.depth.base import DepthModel

__all__ = ["ModelError", "digest", "load_model"]


def load_model(
    name: str, *, threads: int = 1, device: str | None = None, half_precision: bool = False
) -> DepthModel:
    """Loads a depth model.

    Args:
        name: `builtin`, `onnx:PATH`, `hf:ID_OR_DIR` (a depth-estimation model of transformers) or
            `torchscript:PATH`.
        threads: CPU threads of one prediction.
        device: torch device such as `cuda:0`; None for CUDA where there is one, else the CPU.
        half_precision: whether CUDA computes in 16 bits.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
    """
    return DEPTH_MODELS.load(name, Running(threads, device, half_precision))


def digest(name: str) -> str:
    """The digest of a depth model's weights and settings, as `Registry.digest` computes it.

    Args:
        name: as `load_model` takes it. The files of `hf:ID` are fetched where the cache lacks them.

    Returns:
        64 hexadecimal digits.

    Raises:
        ModelError: there is no such model, or a file of it cannot be read.
    """
    return DEPTH_MODELS.digest(name)
