"""The few samples that are kept aside, as they pass, for the gallery."""

from dataclasses import dataclass

from transforms import storage
from transforms.elements import Block, ShardSpec, key_numbers
from transforms.formats.base import Folder, TableFormat
from transforms.formats.schema import Picture, Schema
from transforms.plan.plan import Plan

_PLACE = "state/gallery"
_KINDS = ("image", "mask", "depth", "instances")


@dataclass(frozen=True)
class KeptSample:
    """A sample kept for the gallery.

    Attributes:
        key: the sample's key.
        image: the composite as a JPEG or PNG file.
        mask: the mask as an 8-bit grey PNG file.
        depth: the depth map as a 16-bit grey PNG file, None without depth.
        instances: the instances as an 8-bit grey PNG file, None where samples are no scenes.
    """

    key: str
    image: bytes
    mask: bytes
    depth: bytes | None
    instances: bytes | None = None

    @property
    def ids(self) -> tuple[int, int, int, int]:
        """fg_id, bg_id, flip and seq."""
        return key_numbers(self.key)

    @property
    def numbers(self) -> str:
        """They as in file names."""
        return "_".join(map(str, self.ids))


def keep_for_gallery(folder: Folder, plan: Plan, block: Block) -> None:
    """Stores those samples of a block that the gallery shows."""
    for sample in block.samples:
        key = sample.placement.key
        if key in plan.gallery_keys:
            files = {
                "image": sample.image,
                "mask": sample.mask,
                "depth": sample.depth,
                "instances": sample.instances,
            }
            for kind, data in files.items():
                if data is not None:
                    folder.write(f"{_PLACE}/{key}.{kind}", data)


def keep_from_shard(
    folder: Folder, plan: Plan, shard: ShardSpec, table: TableFormat, schema: Schema
) -> None:
    """Stores those samples of a finished shard that the gallery shows, read from its file.

    Those that are kept already are left as they are.
    """
    positions = plan.gallery_positions.get(shard.split, ())
    keys = (
        plan.samples(shard.split, position, position + 1)[0].key
        for position in positions
        if shard.start <= position < shard.stop
    )
    wanted = {key for key in keys if not _is_kept(folder, key, schema)}
    if not wanted:
        return
    fields = schema.sample_fields()
    for row in table.read(folder.path(table.sample_path(shard)), fields):
        by_name = dict(zip((field.name for field in fields), row, strict=True))
        if by_name["key"] in wanted:  # Its number in the file says nothing: others may have failed.
            for kind in _KINDS:
                picture = by_name.get(kind)
                if isinstance(picture, Picture):
                    folder.write(f"{_PLACE}/{by_name['key']}.{kind}", picture.data)


def _is_kept(folder: Folder, key: str, schema: Schema) -> bool:
    lacking = {"depth": not schema.depth, "instances": not schema.scenes}
    kinds = [kind for kind in _KINDS if not lacking.get(kind)]
    return all(storage.exists(folder.path(f"{_PLACE}/{key}.{kind}")) for kind in kinds)


def kept_samples(folder: Folder, plan: Plan) -> list[KeptSample]:
    """The kept samples in the order of the run; those that failed are missing."""

    def read(key: str, kind: str) -> bytes | None:
        return storage.read_if_there(folder.path(f"{_PLACE}/{key}.{kind}"))

    found: list[KeptSample] = []
    for key in plan.gallery_keys:
        image, mask = read(key, "image"), read(key, "mask")
        if image is not None and mask is not None:
            depth, instances = read(key, "depth"), read(key, "instances")
            found.append(KeptSample(key, image, mask, depth, instances))
    return found
