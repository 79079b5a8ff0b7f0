"""What models of every task share: how they run, and the error of one that cannot."""

from dataclasses import dataclass


class ModelError(ValueError):
    """A model that cannot be loaded or used; the message says why and what would be right."""


@dataclass(frozen=True)
class Running:
    """How a model runs.

    Attributes:
        threads: CPU threads of one prediction.
        device: `cpu`, `cuda` or `cuda:N`; None for CUDA where the model can use it, else the CPU.
        half_precision: whether CUDA computes in 16 bits, where the model allows it.
    """

    threads: int = 1
    device: str | None = None
    half_precision: bool = False
