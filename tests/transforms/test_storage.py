"""Files that take their names whole: a second rename, a missing one, a damaged one."""

import hashlib

import pytest

from transforms import storage


def test_a_rename_may_be_sent_twice(tmp_path):
    source, target = str(tmp_path / "source"), str(tmp_path / "target")
    storage.write_bytes(source, b"shard")
    storage.rename(source, target, 5)
    storage.rename(source, target, 5)
    assert storage.read_bytes(target) == b"shard"


def test_a_rename_of_nothing_is_an_error(tmp_path):
    source, target = str(tmp_path / "source"), str(tmp_path / "target")
    with pytest.raises(OSError, match="source"):
        storage.rename(source, target, 5)
    storage.write_bytes(target, b"another file")
    with pytest.raises(OSError, match="source"):
        storage.rename(source, target, 5)


def test_intact_is_the_same_size_and_checksum(tmp_path):
    path, data = str(tmp_path / "file"), b"some bytes"
    checksum = hashlib.sha256(data).hexdigest()
    assert not storage.is_intact(path, len(data), checksum)
    storage.write_bytes(path, data)
    assert storage.is_intact(path, len(data), checksum)
    storage.write_bytes(path, b"lost bytes")
    assert not storage.is_intact(path, len(data), checksum)
    storage.write_bytes(path, b"some")
    assert not storage.is_intact(path, len(data), checksum)
