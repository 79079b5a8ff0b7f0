"""The cache of inputs: bounded, and right with many threads."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.catalog import build_catalog
from pipeline.run import make_plan
from tests.conftest import make_spec
from transforms.pixels.input_cache import InputCache, read_background, read_foreground


@pytest.fixture
def plan(inputs, tmp_path):
    """The plan of 12 foregrounds and 6 backgrounds."""
    spec = make_spec(inputs, tmp_path / "set")
    return make_plan(spec, build_catalog(spec))


def test_threads_share_a_cache_that_is_too_small(plan, monkeypatch):
    expected = {asset.id: read_background(asset, plan.image_size) for asset in plan.backgrounds}
    monkeypatch.setattr(
        "transforms.pixels.input_cache.read_background", lambda asset, side: expected[asset.id]
    )
    store = InputCache(plan, limit=2 * expected[1].nbytes)

    def look(seed: int) -> None:
        for i in range(20000):
            bg_id = 1 + (seed + i * i) % 6
            assert store.background(bg_id) is expected[bg_id]
            assert store._held <= 6 * expected[1].nbytes

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(look, range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert store._held == sum(pixels.nbytes for pixels in store._cache.values())


def test_the_cache_is_bounded_and_spares_reading(plan, monkeypatch):
    reads = []

    def counted(asset, box, ringing):
        reads.append(asset.id)
        return read_foreground(asset, box, ringing)

    monkeypatch.setattr("transforms.pixels.input_cache.read_foreground", counted)
    store = InputCache(plan)
    for _ in range(3):
        for asset in plan.foregrounds:
            store.foreground(asset.id)
    assert reads == [asset.id for asset in plan.foregrounds]
    smallest = InputCache(plan, limit=1)
    smallest.foreground(1)
    smallest.foreground(2)
    reads.clear()
    smallest.foreground(2)
    smallest.foreground(1)
    assert reads == [1]


def test_pasted_cutouts_are_bounded_by_their_bytes(plan):
    sizes = [(8 + n, 8 + n % 5) for n in range(60)]
    small = InputCache(plan, limit=4 * 20_000)
    kept = {}
    for width, height in sizes:
        kept[width] = small.cutout(1, 0, width, height)
        held = [cutout.nbytes for cutout in small._cutouts.values()]
        assert small._cutouts_held == sum(held) <= 20_000
    width, height = sizes[-1]
    assert len(held) > 1 and small.cutout(1, 0, width, height) is kept[width]
    assert small.cutout(1, 0, *sizes[0]) is not kept[sizes[0][0]]
    # One larger than the bound is kept while it is the only one; small ones may be many.
    one = InputCache(plan, limit=4)
    assert one.cutout(1, 0, 60, 60) is one.cutout(1, 0, 60, 60)
    assert one.cutout(2, 0, 60, 60) is not None and len(one._cutouts) == 1
    large = InputCache(plan)
    for width, height in sizes + [(height, width) for width, height in sizes]:
        large.cutout(1, 0, width, height)
    assert len(large._cutouts) > 64
