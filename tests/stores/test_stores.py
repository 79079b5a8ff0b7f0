"""Whole data sets on object stores: the same as on a disk, with nothing left over."""

import json
import posixpath
import re
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image

from pipeline import SpecError, generate
from pipeline.verify import verify
from tests.conftest import make_spec
from tests.stores.jobs import checksums, make, names, stored_spec
from tests.viewer.conftest import served
from transforms import storage

EVERYTHING = {
    "formats": ("tfrecord", "parquet", "zip"),
    "depth_model": "builtin",
    "placements": 1,
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def on_disk(few, store, tmp_path_factory) -> dict[str, str]:
    """Checksums of the same data set made from a disk, on a disk."""
    output = tmp_path_factory.mktemp("disk") / "set"
    # The last flags count for what a test itself reads.
    flags = [*store.flags, "--direct_num_workers=1"]
    generate(make_spec(few, output, **EVERYTHING), flags, progress=False)
    return checksums(str(output))


@pytest.fixture(scope="module")
def stored(store):
    """A finished data set with everything in an object store."""
    return make(store, "whole", **EVERYTHING)


def test_the_files_are_those_of_a_disk(store, stored, on_disk):
    assert checksums(f"{store.root}/whole") == on_disk
    assert stored.samples == 3 * 2 * 2


def test_nothing_is_left_over(store, stored):
    found = names(store, "whole")
    assert "manifest.json" in found
    assert not [name for name in found if name.endswith(".part") or "/tmp/" in name]
    assert not [name for name in found if name.startswith(("state/zip", "state/gallery"))]
    assert "state/lock" not in found


def test_verify_reads_it_back(store, stored):
    result = verify(stored.output, [*store.flags, "--direct_num_workers=1"])
    assert result.faults == () and result.samples == stored.samples


def test_verify_finds_an_object_that_was_changed(store, stored):
    path = next(p for p in storage.list_files(stored.output) if p.endswith(".parquet"))
    before = storage.read_bytes(path)
    storage.write_bytes(path, before[:-9] + bytes(9))
    try:
        faults = verify(stored.output, [*store.flags, "--direct_num_workers=1"]).faults
    finally:
        storage.write_bytes(path, before)
    assert any(fault.path in path for fault in faults)


def test_the_gallery_and_the_manifest_are_whole(store, stored):
    found = set(names(store, "whole"))
    page = storage.read_text(stored.gallery)
    shown = set(re.findall(r'(?:src|href|srcset)="([^":#]+?\.\w+)"', page))
    assert len(shown) > 40
    assert {posixpath.normpath(f"gallery/{name}") for name in shown} <= found
    manifest = json.loads(storage.read_text(stored.manifest))
    listed = {file["path"] for file in (*manifest["files"], *manifest["other_files"])}
    assert found == listed | {"manifest.json", "manifest.json.sha256"}
    assert manifest["inputs"]["foregrounds"][0]["path"] == "fg/fg_img_1.png"


def test_the_viewer_shows_it(store, stored, tmp_path):
    (tmp_path / "cache").mkdir()
    with served(stored.output, tmp_path / "cache") as server:
        columns = server.opened.columns
        assert columns.count == stored.samples
        for row in (0, columns.count - 1):
            with urlopen(f"{server.address}picture/{row}/mask") as answer:
                mask = np.asarray(Image.open(answer))
            record = server.opened.values(row)
            assert record["key"] == columns.key(row)
            assert record["area"] == int((mask >= 128).sum()) > 0


def test_scenes_are_made_checked_and_shown(store, few, tmp_path):
    scenes = {"preset": "natural", "background_crop": "random", "depth_passes": 1}
    changes = {**scenes, "depth_model": "builtin", "placements": 1, "max_samples": 8}
    result = make(store, "scenes", **changes)
    flags = [*store.flags, "--direct_num_workers=1"]
    assert result.samples == 8 and verify(result.output, flags).faults == ()
    generate(make_spec(few, tmp_path / "set", **changes), flags, progress=False)
    assert checksums(result.output) == checksums(str(tmp_path / "set"))
    (tmp_path / "cache").mkdir()
    with served(result.output, tmp_path / "cache") as server:
        assert "instances" in server.opened.views
        for row in range(8):
            with urlopen(f"{server.address}picture/{row}/instances") as answer:
                coloured = np.asarray(Image.open(answer))
            areas = np.array(server.opened.values(row)["object_areas"])
            assert np.count_nonzero(coloured.any(axis=2)) == areas.sum()


def test_a_finished_one_is_left_alone(store, stored):
    begin = len(store.requests)
    again = make(store, "whole", **EVERYTHING)
    assert again.already_finished and again.samples == stored.samples
    assert not [path for _, path in store.requests[begin:] if "/data/" in path]
    with pytest.raises(SpecError, match="holds another data set: its seed is 0, not 5"):
        make(store, "whole", **EVERYTHING, seed=5)


def test_overwrite_makes_another(store):
    make(store, "again", placements=1, max_samples=6)
    flags = [*store.flags, "--direct_num_workers=1"]
    spec = stored_spec(store, "again", placements=1, max_samples=4, seed=1)
    assert generate(spec, flags, progress=False, overwrite=True).samples == 4
    assert verify(spec.output, flags).faults == ()


def test_foreign_objects_are_not_touched(store):
    storage.write_bytes(f"{store.root}/holiday/photo.jpg", b"sea")
    with pytest.raises(SpecError, match=r"is not empty and .* \(it has 'photo.jpg'\)"):
        make(store, "holiday")
    assert names(store, "holiday") == ["photo.jpg"]


def test_a_bucket_that_is_not_there_costs_one_line(store):
    nowhere = store.root + "-elsewhere"
    for change in ({"foregrounds": f"{nowhere}/fg"}, {"output": f"{nowhere}/set"}):
        with pytest.raises(SpecError) as refused:
            generate(stored_spec(store, "lost", **change), list(store.flags), progress=False)
        assert len(str(refused.value).splitlines()) == 1 and nowhere in str(refused.value)
