"""Any damage to any file of a data set is found."""

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline import SpecError, generate
from pipeline.cli import main
from pipeline.verify import verify
from tests.conftest import make_spec


@pytest.fixture(scope="module")
def sound(inputs, tmp_path_factory) -> Path:
    """A data set of 24 samples in 2 shards, with everything but depth."""
    output = tmp_path_factory.mktemp("sound") / "set"
    spec = make_spec(
        inputs,
        output,
        max_samples=24,
        num_shards=2,
        image_size="40x32",
        foreground_size=16,
        formats=("tfrecord", "parquet", "zip"),
    )
    generate(spec, ["--direct_num_workers=1"], progress=False)
    return output


@pytest.fixture
def copy(sound, tmp_path) -> Path:
    """A copy to be damaged."""
    return shutil.copytree(sound, tmp_path / "set")


def files_of(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "lock"]


def faults(folder: Path) -> list[str]:
    result = verify(str(folder), ["--direct_num_workers=1"])
    return [f"{fault.path}: {fault.what}" for fault in result.faults]


def test_a_sound_set_has_no_fault(sound, full, plain):
    for output in (str(sound), full.output, plain.output):
        result = verify(output, ["--direct_num_workers=1"])
        assert result.faults == () and result.samples > 0 and result.files > 20


@pytest.mark.slow
def test_two_workers_find_the_same(plain):
    one = verify(plain.output, ["--direct_num_workers=1"])
    two = verify(plain.output, ["--direct_num_workers=2"])
    assert one == two


def test_a_flipped_bit_in_a_record_is_found(copy):
    """Wherever it is: a record says what a continued run may skip."""
    path = copy / "state/records/train-00000-of-00002.json"
    before = path.read_bytes()
    for position in range(0, len(before), len(before) // 40):
        data = bytearray(before)
        data[position] ^= 1
        path.write_bytes(data)
        assert faults(copy), position
    path.write_bytes(before)
    assert not faults(copy)


@pytest.mark.slow
def test_a_flipped_bit_in_any_file_is_found(copy):
    for number, path in enumerate(files_of(copy)):
        before = path.read_bytes()
        data = bytearray(before)
        if not data:
            continue
        position = number * 7919 % len(data)
        data[position] ^= 1 << number % 8
        path.write_bytes(data)
        found = faults(copy)
        assert found, f"bit {number % 8} of byte {position} of {path}"
        path.write_bytes(before)
    assert not faults(copy)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["missing", "truncated", "duplicated"])
def test_other_damage_to_any_file_is_found(copy, damage):
    for path in files_of(copy):
        before = path.read_bytes()
        if damage == "missing" and path.name == "manifest.json":
            continue  # Without it, the set is unfinished; see below.
        if damage == "missing":
            path.unlink()
        elif damage == "truncated":
            if not before:
                continue
            path.write_bytes(before[:-1])
        else:
            extra = path.with_name(f"{path.stem}-copy{path.suffix}")
            extra.write_bytes(before)
        assert faults(copy), path
        if damage == "duplicated":
            extra.unlink()
        path.write_bytes(before)


@pytest.mark.parametrize(
    "pattern", ["data/*.parquet", "tfrecord/mask_depth/*/*.tfrecord-*", "assets/*.parquet"]
)
def test_swapped_files_are_found(copy, pattern):
    first, second = sorted(copy.glob(pattern))
    spare = copy.parent / "spare"
    first.rename(spare)
    second.rename(first)
    spare.rename(second)
    assert faults(copy)


def test_content_is_checked_beyond_checksums(copy):
    """A shard with two samples exchanged, and its checksum corrected everywhere."""
    [path, *_] = sorted(copy.glob("data/*.parquet"))
    table = pq.read_table(path)
    order = [1, 0, *range(2, table.num_rows)]
    old = hashlib.sha256(path.read_bytes()).hexdigest()
    pq.write_table(table.take(order), path)
    new = hashlib.sha256(path.read_bytes()).hexdigest()
    record = copy / f"state/records/{path.stem}.json"
    old_record = hashlib.sha256(record.read_bytes()).hexdigest()
    record.write_text(record.read_text().replace(old, new))
    new_record = hashlib.sha256(record.read_bytes()).hexdigest()
    text = (copy / "manifest.json").read_text()
    text = text.replace(old, new).replace(old_record, new_record)
    (copy / "manifest.json").write_text(text)
    manifest = (copy / "manifest.json").read_bytes()
    (copy / "manifest.json.sha256").write_text(hashlib.sha256(manifest).hexdigest() + "\n")
    assert json.loads(manifest)["samples"] == 24
    assert any("record 0 is not the same as in" in fault for fault in faults(copy))


def test_a_quick_look_reads_whole_shards(sound):
    result = verify(str(sound), ["--direct_num_workers=1"], sample=5)
    assert result.samples == 12 and not result.faults


def test_exit_codes_and_report(copy, capsys):
    assert main(["verify", str(copy), "--direct_num_workers=1"]) == 0
    assert "no fault" in capsys.readouterr().out
    (copy / "data" / "train-00000-of-00002.parquet").unlink()
    assert main(["verify", str(copy), "--direct_num_workers=1"]) == 1
    assert "fault: data/train-00000-of-00002.parquet: it is missing" in capsys.readouterr().out
    (copy / "manifest.json").unlink()
    assert main(["verify", str(copy)]) == 2
    assert "is unfinished; the same command continues it" in capsys.readouterr().err


def test_no_data_set_at_all(tmp_path):
    with pytest.raises(SpecError, match="holds no data set of this program"):
        verify(str(tmp_path))
