"""Beam's RunInference, imported without torch.

Beam's model manager imports torch wherever it is installed, to look at GPUs for a feature that is
not used here. That costs every process two seconds and 250 MB; models that need torch import it
themselves.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def _absent(module: str) -> Iterator[None]:
    """Makes the import of a module fail, unless it has been imported already."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


with _absent("torch"):
    from apache_beam.ml.inference import base
    from apache_beam.ml.inference.base import ModelHandler, RunInference

with suppress(ImportError):  # There is none on Windows.
    import resource

    # Beam drops it together with the model manager, and then warns that it lacks it.
    base.resource = resource  # type: ignore[attr-defined]

__all__ = ["ModelHandler", "RunInference"]
