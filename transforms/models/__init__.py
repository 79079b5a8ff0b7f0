"""Depth models behind one interface; `load_model` is the way in."""

from transforms.models.depth.base import DepthModel, ModelError


def load_model(
    name: str, *, threads: int = 1, device: str | None = None, half_precision: bool = False
) -> DepthModel:
    """Loads a depth model.

    Args:
        name: `builtin`, `hf:ID_OR_DIR` (a depth-estimation model of transformers) or
            `torchscript:PATH`.
        threads: CPU threads of one prediction.
        device: torch device such as `cuda:0`; None for CUDA where there is one, else the CPU.
        half_precision: whether CUDA computes in 16 bits.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
    """
    kind, _, rest = name.partition(":")
    if name == "builtin":
        from transforms.models.depth.builtin import BuiltinModel

        return BuiltinModel(threads, device, half_precision)
    if kind == "hf" and rest:
        from transforms.models.depth.hugging_face import HuggingFaceModel

        return HuggingFaceModel(rest, threads, device, half_precision)
    if kind == "torchscript" and rest:
        from transforms.models.depth.torchscript import TorchScriptModel

        return TorchScriptModel(rest, threads, device, half_precision)
    raise ModelError(f"{name!r} is no depth model; give builtin, hf:ID_OR_DIR or torchscript:PATH")
