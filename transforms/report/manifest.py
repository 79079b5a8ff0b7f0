"""The manifest: what the data set is made of and every file it has."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from transforms.elements import Failure
from transforms.formats.base import FRAGMENT, OtherFile, OutputFile
from transforms.models.depth.base import DepthMeaning
from transforms.plan.inputs import InputError, InputImage
from transforms.plan.plan import Plan
from transforms.report.published import Places
from transforms.steps.summarise import Summary


@dataclass(frozen=True)
class LayeredDepth:
    """How depth maps are composed of layers.

    Attributes:
        passes: passes of the depth model over each clean background.
        model_sha256: digest of the depth model's weights.
    """

    passes: int
    model_sha256: str


@dataclass(frozen=True)
class Origin:
    """What is known of where a data set comes from.

    Attributes:
        spec: the data set's spec as JSON text, with its paths.
        versions: name and version of each package that decides bytes.
        input_errors: inputs that were left out.
        depth_model: name of the depth model as it is published, None without depth.
        meaning: what its numbers say, None without depth.
        layers: how depth is composed of layers, None where it is predicted from composites.
    """

    spec: str
    versions: tuple[tuple[str, str], ...]
    input_errors: tuple[InputError, ...]
    depth_model: str | None
    meaning: DepthMeaning | None
    layers: LayeredDepth | None = None

    @property
    def published(self) -> str | None:
        """The day on which the data set is published, None where none is given."""
        return json.loads(self.spec).get("published")

    @property
    def creator(self) -> str | None:
        """Who makes the data set, None where that is not given."""
        return json.loads(self.spec).get("creator")

    @property
    def places(self) -> Places:
        """Where it was made; nothing that is published says so."""
        return Places.of(self.spec)

    def without(self, errors: tuple[InputError, ...]) -> "Origin":
        """The origin after more inputs were left out."""
        found = sorted((*self.input_errors, *errors), key=lambda error: error.path)
        return dataclasses.replace(self, input_errors=tuple(found))


def data_files(summary: Summary) -> tuple[OutputFile, ...]:
    """The files that belong to the data set, without the fragments that others are joined from."""
    return tuple(file for file in summary.files if not file.format.endswith(FRAGMENT))


def manifest_json(
    plan: Plan, origin: Origin, summary: Summary, other_files: tuple[OtherFile, ...]
) -> str:
    """The manifest as JSON text; its paths say nothing of the machine that made the data set."""
    places = origin.places
    content = {
        "spec": places.spec(origin.spec),
        "layout": plan.layout,
        "samples": summary.statistics.fg_bg.count,
        "failed": summary.statistics.failed,
        "splits": {
            name: {"foregrounds": sorted(ids), "shards": plan.shard_counts.get(name, 0)}
            for name, ids in plan.split_foregrounds.items()
        },
        "depth": None
        if origin.meaning is None
        else {
            "model": origin.depth_model,
            **dataclasses.asdict(origin.meaning),
            **({} if origin.layers is None else _layers(origin.layers)),
        },
        "versions": dict(origin.versions),
        "inputs": {
            "foregrounds": [_input(asset, places) for asset in plan.foregrounds],
            "backgrounds": [_input(asset, places) for asset in plan.backgrounds],
            "left_out": [error_fields(error, places) for error in origin.input_errors],
        },
        "files": [dataclasses.asdict(file) for file in data_files(summary)],
        "other_files": [dataclasses.asdict(file) for file in other_files],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _layers(layers: LayeredDepth) -> dict[str, object]:
    return {
        "labels": "layered",
        "background": "predicted from the clean background, once each",
        "object": "placed by rule: nearer than all that it covers and touches",
        **dataclasses.asdict(layers),
    }


def _input(asset: InputImage, places: Places) -> dict[str, Any]:
    """What is listed of an input; the path of a cut-out is relative to the data set's folder."""
    fields = published_input(dataclasses.asdict(asset), places)
    if asset.cutout is not None:
        fields["cutout"]["path"] = asset.cutout.listed
    return fields


def published_input(fields: dict[str, Any], places: Places) -> dict[str, Any]:
    """The fields of an input with its paths cut down."""
    found = {**fields, "path": places.text(fields["path"])}
    if fields.get("mask_path"):
        found["mask_path"] = places.text(fields["mask_path"])
    if fields.get("cutout"):
        cutout = fields["cutout"]
        texts = {name: places.text(cutout[name]) for name in ("model", "note")}
        found["cutout"] = {**cutout, **texts}
    return found


def error_fields(error: InputError | Failure, places: Places) -> dict[str, Any]:
    """What is published of an input or a sample that was left out."""
    return {
        name: places.text(value) if isinstance(value, str) else value
        for name, value in dataclasses.asdict(error).items()
    }
