"""What makes a data set's samples: the program, the depth model and what computes it."""

from dataclasses import dataclass
from importlib import metadata

from pipeline.spec import SpecError
from pipeline.version import VERSION
from transforms import models
from transforms.plan.identity import Identity

PACKAGE = "mask-depth-dataset"

# By the kind of a depth model, the packages whose versions decide its numbers.
_COMPUTES = {
    "builtin": ("onnxruntime",),
    "onnx": ("onnxruntime",),
    "torchscript": ("torch",),
    "hf": ("torch", "transformers"),
}


@dataclass(frozen=True)
class Maker:
    """What one data set must be made by from its first sample to its last.

    Attributes:
        program: name and version of this program.
        weights: SHA-256 of the depth model's weights, hexadecimal; None without depth.
        computed_by: names and versions of the packages that compute depth; None without depth.
    """

    program: str
    weights: str | None = None
    computed_by: str | None = None

    def identity(self, settings: str) -> Identity:
        """The identity of a data set with these settings."""
        return Identity(settings, self.program, self.weights, self.computed_by)

    def difference(self, former: Identity, depth_model: str) -> str:
        """The difference from another maker of a data set, naming both; empty if there is none."""
        if former.program != self.program:
            return f"it was started by {former.program}, this is {self.program}"
        if former.weights != self.weights:
            return (
                f"the weights of its depth model {depth_model} have SHA-256 {former.weights},"
                f" the current ones have {self.weights}"
            )
        if former.computed_by != self.computed_by:
            return f"its depth is computed by {former.computed_by}, here is {self.computed_by}"
        return ""


def maker_of(depth_model: str) -> Maker:
    """What makes a data set with this depth model, here and now.

    Raises:
        SpecError: the model's weights cannot be read.
    """
    program = f"{PACKAGE} {VERSION}"
    if depth_model == "none":
        return Maker(program)
    try:
        weights = models.digest(depth_model)
    except models.ModelError as error:
        raise SpecError(f"--depth_model={depth_model}: {error}") from None
    packages = _COMPUTES.get(depth_model.partition(":")[0], ())
    return Maker(program, weights, ", ".join(_named(name) for name in packages))


def _named(package: str) -> str:
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return f"{package} (not installed)"
