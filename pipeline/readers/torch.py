"""PyTorch: a data set's Parquet files as a map-style `torch.utils.data.Dataset`.

from pipeline.readers.torch import MaskDepthDataset
samples = MaskDepthDataset("DIR", split="train")
loader = torch.utils.data.DataLoader(samples, batch_size=32, shuffle=True, num_workers=4)

Needs the extra `torch`.
"""

import copy
import operator
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, SupportsIndex, overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.readers.rows import Rows
from transforms.extras import missing
from transforms.pixels.codecs import decode_jpeg, decode_png

try:
    import torch
    from torch.utils.data import Dataset
except ImportError:
    raise missing(__name__, "PyTorch", "torch") from None

Sample = dict[str, Any]
Several = slice | Sequence[int] | np.ndarray | torch.Tensor

_FIELDS = ("key", "image", "mask", "depth", "depth_scale", "depth_offset", "fg_id", "bg_id")
_CLEAN_FIELDS = ("id", "image", "mask")
_CACHED_BYTES = 2**26
# Just below the 32 MiB up to which glibc follows the sizes of blocks.
_LARGEST_MAPPED = 2**25 - 2**13
_JPEG = b"\xff\xd8"


class MaskDepthDataset(Dataset[Sample]):
    """The samples of one split, each with its clean background.

    Any sample is read without the others: the files are memory-mapped. It can be sent to worker
    processes and works with every sampler. Neighbouring samples share their foregrounds: train
    with `shuffle=True`.

    A sample is a dict that the default collation takes:

    - `bg`, `fg_bg`: float32 [3, height, width] in 0..1, clean background and composite.
    - `mask`: float32 [1, height, width] in 0..1, alpha of the paste.
    - `depth`: float32 [1, height, width], in the depth model's own values; only in data sets with
      depth.
    - `key`: str; `fg_id`, `bg_id`: int.

    `samples[i]` is one sample, `samples[~i]` the same from the end. A slice, or a list, array or
    tensor of numbers or of truth values, gives a data set of these samples, which reads the same
    files.

    Args:
        root: folder of the data set, on a local file system.
        split: name of the split.
        transform: called with each sample; what it returns takes the sample's place. Those of
            torchvision and albumentations go into `Torchvision` and `Albumentations` of
            `pipeline.readers.augment`.
        dtype: of `bg`, `fg_bg` and `mask`. With `torch.uint8` they are in 0..255: a batch from a
            worker process is a third as large, and is divided by 255 where it is used.

    Raises:
        FileNotFoundError: the data set has no such split in Parquet.
        ValueError: `dtype` is another.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transform: Callable[[Sample], Any] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if dtype not in (torch.float32, torch.uint8):
            raise ValueError(f"dtype is {dtype}; it may be torch.float32 or torch.uint8")
        self.transform = transform
        self.dtype = dtype
        self._samples = Rows(_files(root, "data", split), _FIELDS)
        self._positions: range | np.ndarray = range(len(self._samples))
        self._clean = {
            kind: _CleanPictures(_files(root, "assets", kind))
            for kind in ("backgrounds", "foregrounds")
        }
        self.has_depth = "depth" in self._samples.fields

    def __len__(self) -> int:
        """Number of samples."""
        return len(self._positions)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, index: Several) -> "MaskDepthDataset": ...
    def __getitem__(self, index: Any) -> Any:
        """One sample, or a data set of several. Raises IndexError when there is no such one."""
        if isinstance(index, slice) or np.ndim(index):
            chosen = copy.copy(self)
            chosen._positions = _chosen(self._positions, index)
            return chosen
        return self._sample(_position(self._positions, operator.index(index)))

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """Several samples, read in the order of the files and returned in the given one.

        Loaders call it for a batch. Raises IndexError when there is no such one.
        """
        _keep_freed_memory()
        positions = [_position(self._positions, index) for index in indices]
        samples: list[Any] = [None] * len(positions)
        for place in sorted(range(len(positions)), key=positions.__getitem__):
            samples[place] = self._sample(positions[place])
        return samples

    def __iter__(self) -> Iterator[Any]:
        """All samples in order."""
        return (self[index] for index in range(len(self)))

    def _sample(self, position: int) -> Any:
        row = self._samples.row(position)
        bg_id = row("bg_id")
        sample: Sample = {
            "bg": self.background(bg_id),
            "fg_bg": self._picture(_planes(row("image"))),
            "mask": self._picture(_planes(row("mask"))),
            "key": row("key"),
            "fg_id": row("fg_id"),
            "bg_id": bg_id,
        }
        if self.has_depth:
            values = _planes(row("depth")).astype(np.float32)
            values *= np.float32(row("depth_scale"))
            values += np.float32(row("depth_offset"))
            sample["depth"] = torch.from_numpy(values)
        return sample if self.transform is None else self.transform(sample)

    def _picture(self, planes: np.ndarray, kept: bool = False) -> torch.Tensor:
        """Bytes as a tensor, in 0..1 where it holds floats; of its own where they are `kept`."""
        if self.dtype == torch.uint8:
            return torch.from_numpy(planes.copy() if kept else planes)
        # In NumPy: on so few pixels, PyTorch's threads wait for one another where cores are busy.
        return torch.from_numpy(np.divide(planes, np.float32(255)))

    def background(self, bg_id: int) -> torch.Tensor:
        """The clean background of an id: [3, height, width], float32 in 0..1 or uint8."""
        return self._picture(self._clean["backgrounds"].pictures(bg_id)[0], kept=True)

    def foreground(self, fg_id: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The clean foreground of an id and its alpha.

        Returns:
            [3, height, width], black where it is transparent, and [1, height, width], at its
            largest pasted size; float32 in 0..1 or uint8.
        """
        image, alpha = self._clean["foregrounds"].pictures(fg_id)
        return self._picture(image, kept=True), self._picture(alpha, kept=True)


@lru_cache(maxsize=1)
def _keep_freed_memory() -> None:
    """Makes glibc keep the memory of a batch for the next one, up to 64 MiB.

    Until it has freed one large block it returns all of it to the system, and the pages of a
    batch of floats, mapped anew each time, cost more than its decoding. Untouched, the block
    itself costs nothing.
    """
    np.empty(_LARGEST_MAPPED, np.uint8)


def _position(positions: range | np.ndarray, index: int) -> int:
    if not -len(positions) <= index < len(positions):
        raise IndexError(f"there is no sample {index}; there are {len(positions)}")
    return int(positions[index])


def _chosen(positions: range | np.ndarray, index: Several) -> range | np.ndarray:
    if isinstance(index, slice):
        return positions[index]
    numbers, count = np.asarray(index), len(positions)
    if numbers.dtype == bool:
        if numbers.shape != (count,):
            raise IndexError(f"{numbers.shape} truth values do not choose from {count} samples")
        numbers = np.flatnonzero(numbers)
    elif not numbers.size:
        numbers = numbers.astype(np.int64)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise TypeError(f"numbers of samples are a list of whole numbers, not {index!r}")
    return np.array([_position(positions, number) for number in numbers.tolist()], np.int64)


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


def _planes(data: bytes | memoryview) -> np.ndarray:
    """Pixels of a JPEG or PNG file: uint8 or uint16 [channels, height, width]."""
    pixels = decode_jpeg(data) if data[:2] == _JPEG else decode_png(data)
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))


class _CleanPictures:
    """Clean pictures by id; about 64 MiB of decoded ones are kept."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._rows = Rows(paths, _CLEAN_FIELDS)
        ids = pa.concat_tables(pq.read_table(path, columns=["id"]) for path in paths)
        self._places = {number: row for row, number in enumerate(ids.column("id").to_pylist())}
        self._cache: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._bytes = 0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cache": {}, "_bytes": 0}

    def pictures(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Colour, uint8 [3, height, width], and alpha, uint8 [1, height, width]."""
        found = self._cache.pop(number, None)
        if found is None:
            row = self._rows.row(self._places[number])
            found = _planes(row("image")), _planes(row("mask"))
            self._bytes += sum(pixels.nbytes for pixels in found)
        self._cache[number] = found
        while self._bytes > _CACHED_BYTES and len(self._cache) > 1:
            oldest = self._cache.pop(next(iter(self._cache)))
            self._bytes -= sum(pixels.nbytes for pixels in oldest)
        return found
