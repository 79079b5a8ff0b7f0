"""The choice of the torch device that a depth model runs on."""

from typing import TYPE_CHECKING

from transforms.extras import needs
from transforms.models.base import ModelError

if TYPE_CHECKING:
    import torch


def require_torch(user: str, extra: str) -> None:
    """Checks that PyTorch is installed.

    Args:
        user: what needs it, as the message names it.
        extra: the extra that brings it, with all else that the user needs.

    Raises:
        ModelError: it is not.
    """
    try:
        import torch  # noqa: F401
    except ImportError:
        raise ModelError(f"{user} {needs('PyTorch', extra)}") from None


def choose_device(device: str | None) -> "torch.device":
    """Finds the device to run on.

    Args:
        device: torch device such as `cuda:0`; None for CUDA where there is one, else the CPU.

    Raises:
        ModelError: torch does not know the device, or it is not in this machine.
    """
    import torch

    chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(chosen)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"device {chosen!r} cannot be used ({reason}); give cpu or cuda") from None
    return found


def describe(device: "torch.device") -> str:
    """The device as a person reads it, such as `cpu` or `cuda:0 (NVIDIA L4)`."""
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else "cpu"
