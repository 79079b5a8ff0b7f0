"""Scenes as options: what each option may be, what the presets say, and what becomes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.option import Kind, Refused, SpecError, items, real, spelt, whole
from transforms.scenes.scene import MOST_OBJECTS, SceneOptions

if TYPE_CHECKING:
    from pipeline.spec import DatasetSpec

PRESETS = ("classic", "natural")

_NEUTRAL: Mapping[str, Any] = {
    "objects": (1, 1),
    "min_visible": 0.3,
    "placing": "anywhere",
    "occlude": False,
    "truncation": 0.0,
    "rotation": (0.0, 0.0),
    "colour_jitter": 0.0,
    "harmonise": 0.0,
    "edges": "alpha",
    "shadow": 0.0,
    "photo_effects": 0.0,
    "negatives": 0.0,
    "distractor_share": 0.0,
    "background_crop": "centre",
}
_NATURAL: Mapping[str, Any] = {
    "objects": (1, 4),
    "placing": "grounded",
    "truncation": 0.5,
    "rotation": (-5.0, 5.0),
    "colour_jitter": 0.7,
    "harmonise": 0.7,
    "edges": "mixed",
    "shadow": 0.7,
    "photo_effects": 0.5,
    "negatives": 0.15,
}
_DISTRACTOR_SHARE = 0.5
_NATURAL_JITTER = (0.4, 1.0)

SCENE_FIELDS = tuple(_NEUTRAL)
"""Names of the options that decide scenes; those of `DatasetSpec` have None for what the preset
says."""


def resolved_options(spec: "DatasetSpec") -> dict[str, Any]:
    """The values of all options that a preset decides, with what was given beside it.

    A data set that is no set of scenes has None for all that decides scenes.

    Raises:
        SpecError: options that do not go together.
    """
    natural = spec.preset == "natural"
    values = {**_NEUTRAL, **(_NATURAL if natural else {})}
    if spec.distractors is not None:
        values["distractor_share"] = _DISTRACTOR_SHARE
    given = {name: getattr(spec, name) for name in SCENE_FIELDS}
    values.update({name: value for name, value in given.items() if value is not None})
    if values["distractor_share"] and spec.distractors is None:
        raise SpecError(
            f"--distractor_share={values['distractor_share']:g} needs things to show; give"
            " --distractors=DIR"
        )
    if not natural and values == {**_NEUTRAL, "min_visible": values["min_visible"]}:
        values = dict.fromkeys(SCENE_FIELDS)
    layered = natural and spec.with_depth
    return {
        **values,
        "depth_labels": spec.depth_labels or ("layered" if layered else "predicted"),
        "scale_jitter": spec.scale_jitter or (_NATURAL_JITTER if natural else None),
    }


def scene_options(spec: "DatasetSpec") -> SceneOptions | None:
    """Which scenes a data set has; None where a sample is one object as it was placed."""
    values = resolved_options(spec)
    if values["objects"] is None:
        return None
    return SceneOptions(
        width=spec.size.width,
        height=spec.size.height,
        foreground_size=spec.foreground_size,
        scale_jitter=values["scale_jitter"] or (1.0, 1.0),
        objects=values["objects"],
        min_visible=values["min_visible"],
        grounded=values["placing"] == "grounded",
        truncation=values["truncation"],
        rotation=values["rotation"],
        colour_jitter=values["colour_jitter"],
        harmonise=values["harmonise"],
        mixed_edges=values["edges"] == "mixed",
        shadow=values["shadow"],
        photo_effects=values["photo_effects"],
        negatives=values["negatives"],
        distractor_share=values["distractor_share"],
        random_crops=values["background_crop"] == "random",
        occlude=bool(values["occlude"]),
    )


@dataclass(frozen=True)
class Objects(Kind):
    """The fewest and the most objects of a picture, such as `1:4`."""

    metavar: str = "LOW:HIGH"

    def accept(self, value: object) -> tuple[int, int]:
        """The value as a pair of ints."""
        if isinstance(value, str):
            value = [spelt(part, "1:4") for part in value.split(":")]
        numbers = [whole(part) for part in items(value)]
        if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
            raise Refused("is not understood; give two whole numbers such as 1:4")
        low, high = numbers[0], numbers[1]
        if not 1 <= low <= high <= MOST_OBJECTS:
            raise Refused(f"is invalid; give LOW:HIGH, 1 <= LOW <= HIGH <= {MOST_OBJECTS}")
        return low, high

    def text(self, value: Any) -> str:
        """As on the command line."""
        return f"{value[0]}:{value[1]}"


@dataclass(frozen=True)
class Angles(Kind):
    """The lowest and the highest angle in degrees, such as `-10:10`."""

    metavar: str = "LOW:HIGH"

    def accept(self, value: object) -> tuple[float, float]:
        """The value as a pair of floats."""
        if isinstance(value, str):
            value = [spelt(part, "-10:10") for part in value.split(":")]
        numbers = [real(part) for part in items(value)]
        if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
            raise Refused("is not understood; give two angles such as -10:10")
        low, high = numbers[0], numbers[1]
        if not -180 <= low <= high <= 180:
            raise Refused("is invalid; give LOW:HIGH, -180 <= LOW <= HIGH <= 180")
        return low, high

    def text(self, value: Any) -> str:
        """As on the command line."""
        return f"{value[0]:g}:{value[1]:g}"
