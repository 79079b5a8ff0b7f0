"""The measurement of the readers: each way reads all pictures, and the command makes its tables."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.raw_reads import Raw, prepare
from benchmarks.reading import Pace, Result, Round, job_of, markdown, missing, timed
from benchmarks.ways_to_read import WAYS, by_name, first
from tests.readers.rows import pixels, rows_by_key

ROOT = Path(__file__).parents[2]


def total(pictures) -> float:
    """Sum of the pixels in 0..255, whatever a reader gives."""
    values = np.asarray(pictures)
    return float(values.sum(dtype=np.float64)) * (255 if values.dtype.kind == "f" else 1)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_each_way_reads_every_picture_once(full, way, tmp_path):
    job = job_of(full.output, "test", 1000, str(tmp_path))
    if why := missing(way, job):
        pytest.skip(why)
    count, images, masks, kinds = 0, 0.0, 0.0, set()
    for number, pictures in way.read(job):
        count += number
        images += total(pictures[0])
        masks += total(pictures[1])
        kinds.add(len(pictures))
    # Batch zips are apart from splits, and hold masks as JPEG; COCO's masks are 0 and 1.
    rows = rows_by_key(full.output, "*" if way.format == "zip" else "test")
    assert count == len(rows)
    expected = sum(total(pixels(row["image"]["bytes"])) for row in rows.values())
    # tfds decodes JPEG by the fast transform, which is a little darker.
    assert images == pytest.approx(expected, rel=1e-2 if "tfds" in way.name else 1e-6)
    if way.format == "coco":
        assert kinds == {2} and masks == sum(row["area"] for row in rows.values())
    else:
        expected = sum(total(pixels(row["mask"]["bytes"])) for row in rows.values())
        assert kinds == {3} and masks == pytest.approx(
            expected, rel=1e-2 if way.format == "zip" else 1e-6
        )


@pytest.mark.parametrize("result", ["full", "plain"])
def test_plain_reads_decode_as_many_samples(result, request, tmp_path):
    output = request.getfixturevalue(result).output
    job = job_of(output, "train", 50, str(tmp_path))
    for kind in ("table", "coco", "zip") if result == "full" else ("table",):
        prepare(job, kind, f"{tmp_path}/{kind}")
    ways = [way for way in WAYS if not missing(way, job)]
    assert ways
    for way in ways:
        raw = Raw.load(f"{tmp_path}/{way.raw}")
        assert sum(way.bound(job, raw)) == 50, way.name
        assert Path(raw.path).stat().st_size == raw.ends[-1, -1]


@pytest.mark.slow
def test_the_command_makes_its_tables(plain, tmp_path):
    command = [sys.executable, "-m", "benchmarks.reading", f"--data={plain.output}"]
    command += [f"--output={tmp_path}", "--samples=60", "--rounds=2"]
    names = ["MaskDepthDataset, in order", "pyarrow + Pillow"]
    command += [f"--readers={name}" for name in [*names, "zipfile + Pillow"]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "reading.json").read_text())
    assert [reader["name"] for reader in content["readers"]] == names
    for reader in content["readers"]:
        assert len(reader["rounds"]) == 2
        assert all(
            figure > 0 for pace in ("best", "best_plain") for figure in reader[pace].values()
        )
    table = (tmp_path / "reading.md").read_text()
    assert all(f"| {name} | parquet |" in table for name in names)
    assert "- Left out: zipfile + Pillow: the data set has no zip.\n" in table


def test_the_best_round_stands_in_the_table():
    rounds = (
        Round(Pace(1, 100, 3.0), Pace(0, 400, 2.0)),
        Round(Pace(3, 300, 2.0), Pace(0, 1000, 1.5)),
        Round(Pace(2, 200, 4.0), Pace(0, 500, 1.0)),
    )
    line = markdown([Result("a", "zip", rounds)], []).splitlines()[-1]
    assert line == "| a | zip | 300 | 1,000 | 30% | 2.00 | 1.00 | 1.0 s |"


def test_reading_ends_at_the_number_of_samples(full, tmp_path):
    job = job_of(full.output, "train", 10, str(tmp_path))
    way = by_name("pyarrow + Pillow")
    assert sum(count for count, _ in first(way.read(job), 10)) == 10


def test_what_comes_after_the_first_sample_is_timed():
    def counts():
        time.sleep(0.2)
        yield 10
        time.sleep(0.1)
        yield 5

    pace = timed(counts())
    assert pace.start >= 0.2 and 5 < pace.rate <= 50


def test_a_split_that_is_not_there_is_said(plain, tmp_path):
    with pytest.raises(SystemExit, match=r"has no split 'val'; its splits are \['train'\]"):
        job_of(plain.output, "val", 1, str(tmp_path))
