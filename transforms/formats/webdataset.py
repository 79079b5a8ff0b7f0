"""WebDataset shards: a tar of each, in which the files of a sample stand together.

The files of a sample share their name up to the first dot, and what follows is the field:
`fg_bg_1_4_0_15.image.jpg`, `.mask.png`, `.depth.png`, and `.json` for all numbers and texts
(https://github.com/webdataset/webdataset). Clean foregrounds and backgrounds are tars of their own.
"""

import json
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO, Generic, TypeVar

from transforms.elements import CleanImage, Sample, ShardSpec
from transforms.formats.base import (
    CLEAN,
    SAMPLES,
    Description,
    EncodedSize,
    Folder,
    FormatError,
    OutputFile,
    Sink,
    Snippet,
    TableFormat,
)
from transforms.formats.schema import (
    Field,
    Picture,
    Row,
    Schema,
    Value,
    row_of,
)
from transforms.storage import opened

Item = TypeVar("Item")
Member = tuple[str, bytes]


_WEBDATASET = f"""\
import glob, io, numpy, webdataset
from PIL import Image

def decode(name, data):
    return numpy.array(Image.open(io.BytesIO(data))) if name.endswith(("jpg", "png")) else None

def read(name):
    tars = sorted(glob.glob(f"DIR/webdataset/{{name}}-*.tar"))
    return webdataset.WebDataset(tars, shardshuffle=False).decode(decode)

samples = read("{SAMPLES}-SPLIT")
backgrounds = {{b["json"]["id"]: b["image.png"] for b in read("{CLEAN}-backgrounds")}}

sample = next(iter(samples))
image, mask = sample["image.EXTENSION"], sample["mask.png"]
background = backgrounds[sample["json"]["bg_id"]]"""


class WebDatasetFormat(TableFormat):
    """Tar files readable by the package `webdataset`, by `datasets`, and by `tar`."""

    name = "webdataset"
    file_names = (r"webdataset/mask_depth(_assets)?-{split}-\d+\.tar",)
    snippets = (Snippet("WebDataset", _WEBDATASET),)

    def sample_bytes(self, size: EncodedSize) -> float:
        """What a sample takes on a disk: each file has a head of 512 bytes and is filled up."""
        files = 3 if size.depth == 0 else 4
        return size.pictures + 200 + files * (tarfile.BLOCKSIZE * 3 / 2)

    def open_samples(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[Sample]:
        """Starts a shard of samples."""
        members = partial(sample_members, schema.sample_fields())
        return _TarSink(folder, self.sample_path(shard), shard, members)

    def open_clean(self, folder: Folder, shard: ShardSpec, schema: Schema) -> Sink[CleanImage]:
        """Starts a shard of clean images."""
        members = partial(clean_members, shard.split, schema.clean_fields())
        return _TarSink(folder, self.clean_path(shard), shard, members)

    def sample_path(self, shard: ShardSpec) -> str:
        """Path of a shard of samples, relative to the data set's folder."""
        return _path(SAMPLES, shard)

    def clean_path(self, shard: ShardSpec) -> str:
        """Path of a shard of clean images, relative to the data set's folder."""
        return _path(CLEAN, shard)

    def read(self, source: str | BinaryIO, fields: tuple[Field, ...]) -> Iterator[Row]:
        """Reads a file in order. Raises FormatError where it is damaged."""
        pictures = [field for field in fields if field.picture is not None]
        found: dict[str, bytes] = {}
        try:
            with (
                opened(source) as file,
                tarfile.open(fileobj=file, mode="r|") as tar,
            ):
                for member in tar:
                    data = tar.extractfile(member)
                    key, _, field = member.name.partition(".")
                    found[field] = b"" if data is None else data.read()
                    if field == "json":
                        yield _row(key, fields, pictures, found)
                        found = {}
        except (tarfile.TarError, EOFError, ValueError, KeyError) as error:
            raise FormatError(f"it cannot be read as tar: {error}") from None
        if found:
            raise FormatError(f"it ends within a sample, after {sorted(found)}")

    def describe(self, samples: Description, clean: Description) -> tuple[tuple[str, str], ...]:
        """Nothing: a tar describes itself."""
        return ()


def sample_members(fields: tuple[Field, ...], sample: Sample) -> Iterator[Member]:
    """Names and contents of the files of a sample."""
    return _members(f"fg_bg_{sample.placement.numbers}", fields, row_of(fields, sample))


def clean_members(kind: str, fields: tuple[Field, ...], clean: CleanImage) -> Iterator[Member]:
    """Names and contents of the files of a clean image; `kind` is the name of its split."""
    return _members(f"{kind}_{clean.id}", fields, row_of(fields, clean))


def _members(stem: str, fields: tuple[Field, ...], row: Row) -> Iterator[Member]:
    others: dict[str, Value] = {}
    for field, value in zip(fields, row, strict=True):
        if isinstance(value, Picture):
            extension = value.name.rpartition(".")[2]
            yield f"{stem}.{field.name}.{extension}", value.data
        else:
            others[field.name] = value
    yield f"{stem}.json", json.dumps(others, ensure_ascii=False).encode()


def _row(
    key: str, fields: tuple[Field, ...], pictures: list[Field], found: dict[str, bytes]
) -> Row:
    others: dict[str, Any] = json.loads(found["json"])
    names = {name.partition(".")[0]: name for name in found}
    if len(found) != len(pictures) + 1 or len(others) != len(fields) - len(pictures):
        raise FormatError(f"{key} does not have the fields of this data set")

    def value(field: Field) -> Value:
        if field.picture is not None:
            return Picture(f"{key}.{names[field.name]}", found[names[field.name]])
        other = others[field.name]
        if field.kind == "boxes":
            return tuple(tuple(box) for box in other)
        return tuple(other) if isinstance(other, list) else other

    return tuple(value(field) for field in fields)


def _path(dataset: str, shard: ShardSpec) -> str:
    return f"webdataset/{dataset}-{shard.split}-{shard.index:06d}.tar"


class _TarSink(Generic[Item]):
    def __init__(
        self,
        folder: Folder,
        path: str,
        shard: ShardSpec,
        members: Callable[[Item], Iterator[Member]],
    ) -> None:
        self._path = path
        self._shard = shard
        self._members = members
        self._file = folder.create(path)
        self._count = 0

    def write(self, item: Item) -> None:
        for name, data in self._members(item):
            # Owner, rights and time stay at their defaults: equal bytes at any time and place.
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            self._file.write(entry.tobuf(tarfile.USTAR_FORMAT))
            self._file.write(data)
            self._file.write(bytes(-len(data) % tarfile.BLOCKSIZE))
        self._count += 1

    def close(self) -> tuple[OutputFile, ...]:
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))
        self._file.commit()
        file = self._file
        return (
            OutputFile(
                "webdataset", self._path, self._shard.split, self._count, file.size, file.sha256
            ),
        )

    def discard(self) -> None:
        self._file.discard()
