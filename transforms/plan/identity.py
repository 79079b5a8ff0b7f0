"""What ties a shard's record to its data set: settings, program, depth model, inputs and plan.

A record holds a digest of all that decides its shard. A record of another data set, however it came
into the folder, has another one and never counts.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from transforms import storage
from transforms.elements import ShardSpec
from transforms.plan.inputs import InputImage
from transforms.plan.plan import Plan, load_plan


@dataclass(frozen=True)
class Identity:
    """What `state/identity.json` holds; it is written once, when a data set is begun.

    Attributes:
        settings: SHA-256 of the settings that an extension cannot change, hexadecimal.
        program: name and version of the program.
        weights: SHA-256 of the depth model's weights, hexadecimal; None without depth.
        computed_by: names and versions of the packages that compute depth; None without depth.
    """

    settings: str
    program: str
    weights: str | None = None
    computed_by: str | None = None

    def to_json(self) -> str:
        """The identity as JSON text, equal for equal ones."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Identity":
        """Reads what `to_json` has written. Raises ValueError or TypeError for anything else."""
        found = cls(**json.loads(text))
        if not all(isinstance(text, str) for text in (found.settings, found.program)):
            raise ValueError("settings and program must be texts")
        return found


def shard_digest(plan_path: str, identity_path: str, shard: ShardSpec) -> str | None:
    """The digest that the record of a shard must hold.

    An extension does not change the digests of existing shards.

    Args:
        plan_path: file of the data set's plan.
        identity_path: file of its identity.
        shard: one of its shards, also under a name that it had before an extension.

    Returns:
        SHA-256, hexadecimal; None for an older data set without an identity.
    """
    identity = _load_identity(identity_path)
    if identity is None:
        return None
    return _digest(plan_path, identity, part_of(load_plan(plan_path), shard))


def part_of(plan: Plan, shard: ShardSpec) -> int:
    """The number of the plan's part that a shard belongs to; clean images belong to the last."""
    known = 0
    for number, part in enumerate(plan.part_shards):
        known += part.get(shard.split, (0, 0))[1]
        if shard.index < known:
            return number
    return len(plan.all_parts) - 1


def plan_digest(plan: Plan, last: int) -> str:
    """SHA-256 of a plan up to one of its parts, without later additions, hexadecimal.

    Paths of inputs do not count: inputs may move. Nor do terms and credits, which change no
    picture, nor fields that have their default, so that a later version with more fields has the
    same digests.
    """
    parts = plan.all_parts[: last + 1]
    fields = _set_fields(plan)
    for name in ("placements", "parts", "license"):
        fields.pop(name, None)
    fields["image_size"] = plan.image_size.spelt  # Of a square its side, as ever.
    fields["parts"] = [dataclasses.asdict(part) for part in parts]
    if plan.distractors:
        fields["distractors"] = [_without_paths(asset) for asset in plan.distractors]
    for kind in ("foregrounds", "backgrounds"):
        used = {number for part in parts for number in getattr(part, kind)}
        fields[kind] = [_without_paths(each) for each in getattr(plan, kind) if each.id in used]
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _without_paths(asset: InputImage) -> dict[str, Any]:
    fields = _set_fields(asset)
    for name in ("path", "mask_path", "credit"):
        fields.pop(name, None)
    if "cutout" in fields:
        fields["cutout"] = fields["cutout"]["sha256"]
    return fields


def _set_fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not at their default, by name."""
    plain = dataclasses.asdict(value)
    return {
        field.name: plain[field.name]
        for field in dataclasses.fields(value)
        if getattr(value, field.name) != field.default
    }


@lru_cache(maxsize=4)
def _load_identity(path: str) -> bytes | None:
    return storage.read_if_there(path)


@lru_cache(maxsize=64)
def _digest(plan_path: str, identity: bytes, part: int) -> str:
    plan = plan_digest(load_plan(plan_path), part)
    return hashlib.sha256(identity + plan.encode()).hexdigest()


def forget_identities() -> None:
    """Empties this process's caches: a data set of the same folder may be another one by now."""
    _load_identity.cache_clear()
    _digest.cache_clear()
