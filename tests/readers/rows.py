"""The records of a data set as pyarrow reads them, to hold every other reader against."""

import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image


def rows_by_key(output: str, split: str = "*") -> dict[str, dict]:
    """All records of a split by their key."""
    files = sorted(Path(output).glob(f"data/{split}-*.parquet"))
    assert files
    return {row["key"]: row for file in files for row in pq.read_table(file).to_pylist()}


def clean_rows(output: str, kind: str) -> dict[int, dict]:
    """All clean foregrounds or backgrounds by their id."""
    files = sorted(Path(output).glob(f"assets/{kind}-*.parquet"))
    assert files
    return {row["id"]: row for file in files for row in pq.read_table(file).to_pylist()}


def pixels(data: bytes) -> np.ndarray:
    """A picture as Pillow decodes it."""
    return np.asarray(Image.open(io.BytesIO(data)))


def depth_values(row: dict) -> np.ndarray:
    """The depth map of a record as the card describes it, float64."""
    return pixels(row["depth"]["bytes"]) * row["depth_scale"] + row["depth_offset"]
