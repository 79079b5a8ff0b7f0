"""PyTorch: a data set's Parquet files as a map-style `torch.utils.data.Dataset`.

from pipeline.readers.torch import MaskDepthDataset
samples = MaskDepthDataset("DIR", split="train")
loader = torch.utils.data.DataLoader(samples, batch_size=32, shuffle=True, num_workers=4)

Needs the extra `torch`.
"""

import io
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from transforms.extras import missing
from transforms.pixels.codecs import decode_jpeg

try:
    import torch
    from torch.utils.data import Dataset
except ImportError:
    raise missing(__name__, "PyTorch", "torch") from None

Sample = dict[str, Any]

_FIELDS = ("key", "image", "mask", "depth", "depth_scale", "depth_offset", "fg_id", "bg_id")
_CLEAN_FIELDS = ("id", "image", "mask")
_CACHED_GROUPS = 4
_CACHED_BYTES = 2**26
_JPEG = b"\xff\xd8"


class MaskDepthDataset(Dataset[Sample]):
    """The samples of one split, each with its clean background.

    Any sample is read without the others: the files are memory-mapped, and one row group of a
    hundred samples is read at a time. It can be sent to worker processes and works with
    every sampler. Neighbouring samples share their foregrounds: train with `shuffle=True`.

    A sample is a dict that the default collation takes:

    - `bg`, `fg_bg`: float32 [3, height, width] in 0..1, clean background and composite.
    - `mask`: float32 [1, height, width] in 0..1, alpha of the paste.
    - `depth`: float32 [1, height, width], in the depth model's own values; only in data sets with
      depth.
    - `key`: str; `fg_id`, `bg_id`: int.

    Args:
        root: folder of the data set, on a local file system.
        split: name of the split.
        transform: called with each sample; what it returns takes the sample's place.

    Raises:
        FileNotFoundError: the data set has no such split in Parquet.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transform: Callable[[Sample], Any] | None = None,
    ) -> None:
        self.transform = transform
        self._samples = _Table(_files(root, "data", split), _FIELDS)
        self._clean = {
            kind: _CleanPictures(_files(root, "assets", kind))
            for kind in ("backgrounds", "foregrounds")
        }
        self.has_depth = "depth" in self._samples.columns

    def __len__(self) -> int:
        """Number of samples."""
        return self._samples.rows

    def __getitem__(self, index: int) -> Any:
        """One sample. Raises IndexError when there is no such one."""
        row = self._samples.row(index)
        bg_id = row("bg_id")
        sample: Sample = {
            "bg": self.background(bg_id),
            "fg_bg": _image(_decoded(row("image"))),
            "mask": _image(_decoded(row("mask"))),
            "key": row("key"),
            "fg_id": row("fg_id"),
            "bg_id": bg_id,
        }
        if self.has_depth:
            pixels = _decoded(row("depth")).astype(np.float32)
            values = pixels * np.float32(row("depth_scale")) + np.float32(row("depth_offset"))
            sample["depth"] = torch.from_numpy(values)[None]
        return sample if self.transform is None else self.transform(sample)

    def __iter__(self) -> Iterator[Any]:
        """All samples in the order of the files."""
        return (self[index] for index in range(len(self)))

    def background(self, bg_id: int) -> torch.Tensor:
        """The clean background of an id: float32 [3, height, width] in 0..1."""
        return _image(self._clean["backgrounds"].pictures(bg_id)[0])

    def foreground(self, fg_id: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The clean foreground of an id and its alpha.

        Returns:
            float32 [3, height, width], black where it is transparent, and float32
            [1, height, width], both in 0..1 and at its largest pasted size.
        """
        image, alpha = self._clean["foregrounds"].pictures(fg_id)
        return _image(image), _image(alpha)


def _files(root: str | Path, place: str, split: str) -> list[str]:
    folder = Path(root, place)
    files = sorted(str(path) for path in folder.glob(f"{split}-?????-of-?????.parquet"))
    if not files:
        found = sorted({path.name.rsplit("-", 3)[0] for path in folder.glob("*.parquet")})
        raise FileNotFoundError(
            f"{folder}: there are no Parquet files of the split {split!r};"
            f" {f'the splits are {found}' if found else 'make it with --formats=parquet'}"
        )
    return files


def _decoded(data: bytes) -> np.ndarray:
    """Pixels of a JPEG or PNG file: [height, width] or [height, width, 3]."""
    return decode_jpeg(data) if data.startswith(_JPEG) else np.array(Image.open(io.BytesIO(data)))


def _image(pixels: np.ndarray) -> torch.Tensor:
    """Bytes [height, width] or [height, width, 3] as float32 [channels, height, width] in 0..1."""
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    # In NumPy: on so few pixels, PyTorch's threads wait for one another where cores are busy.
    return torch.from_numpy(np.divide(planes, np.float32(255), order="C"))


class _Table:
    """The rows of several Parquet files, numbered through, read a row group at a time.

    Of `fields`, those that the files have are read; of pictures, the files without their names.
    """

    def __init__(self, paths: Sequence[str], fields: Collection[str]) -> None:
        self._paths = list(paths)
        footers = [pq.read_metadata(path) for path in self._paths]
        self._groups = [
            (file, group)
            for file, footer in enumerate(footers)
            for group in range(footer.num_row_groups)
        ]
        sizes = (footers[file].row_group(group).num_rows for file, group in self._groups)
        self._starts = list(accumulate(sizes, initial=0))
        found = [field for field in pq.read_schema(self._paths[0]) if field.name in fields]
        self.columns = frozenset(field.name for field in found)
        self._leaves = [
            f"{field.name}.bytes" if pa.types.is_struct(field.type) else field.name
            for field in found
        ]
        self._open: dict[int, pq.ParquetFile] = {}
        self._cache: dict[int, pa.Table] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Open files and what was read from them stay in their process.
        return {**self.__dict__, "_open": {}, "_cache": {}}

    @property
    def rows(self) -> int:
        return self._starts[-1]

    def row(self, index: int) -> Callable[[str], Any]:
        """A function that gives the row's value in a column; of a picture, its file."""
        position = index + self.rows if index < 0 else index
        if not 0 <= position < self.rows:
            raise IndexError(f"there is no sample {index}; there are {self.rows}")
        number = bisect_right(self._starts, position) - 1
        return partial(_value, self._group(number), position - self._starts[number])

    def _group(self, number: int) -> pa.Table:
        table = self._cache.pop(number, None)
        if table is None:
            file, group = self._groups[number]
            if file not in self._open:
                # Mapped files need no buffers ahead of them.
                self._open[file] = pq.ParquetFile(
                    self._paths[file], memory_map=True, pre_buffer=False
                )
            table = self._open[file].read_row_group(group, self._leaves, use_threads=False)
            while len(self._cache) >= _CACHED_GROUPS:
                del self._cache[next(iter(self._cache))]
        self._cache[number] = table  # The most recently used is last.
        return table


def _value(table: pa.Table, row: int, name: str) -> Any:
    [column] = table.column(name).chunks
    return (column.field("bytes") if pa.types.is_struct(column.type) else column)[row].as_py()


class _CleanPictures:
    """Clean pictures by id; about 64 MiB of decoded ones are kept."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._table = _Table(paths, _CLEAN_FIELDS)
        ids = pa.concat_tables(pq.read_table(path, columns=["id"]) for path in paths)
        self._rows = {number: row for row, number in enumerate(ids.column("id").to_pylist())}
        self._cache: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._bytes = 0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cache": {}, "_bytes": 0}

    def pictures(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Colour, uint8 [height, width, 3], and alpha, uint8 [height, width]."""
        found = self._cache.pop(number, None)
        if found is None:
            row = self._table.row(self._rows[number])
            found = _decoded(row("image")), _decoded(row("mask"))
            self._bytes += sum(pixels.nbytes for pixels in found)
        self._cache[number] = found
        while self._bytes > _CACHED_BYTES and len(self._cache) > 1:
            oldest = self._cache.pop(next(iter(self._cache)))
            self._bytes -= sum(pixels.nbytes for pixels in oldest)
        return found
