"""What a job costs an object store: requests grow with shards and inputs, never with samples."""

from urllib.parse import unquote

import pytest

from tests.stores.jobs import make

# Beam asks of both kinds of store for the same; here one is enough.
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("store", ["gs"], indirect=True)]

SOME = 4
"""The client asks for the bucket itself now and then."""


def requests_of(store, name: str, **changes: object) -> list[tuple[str, str]]:
    """Method and place, without the data set's name and what is random, of a job's requests."""
    begin = len(store.requests)
    make(store, name, image_encoding="png", **changes)
    return store.requests[begin:]


def lists(requests: list[tuple[str, str]]) -> int:
    """How many of some requests list a folder."""
    return sum(m == "GET" and path.split("?")[0].endswith("/o") for m, path in requests)


def test_requests_do_not_grow_with_samples(store):
    few = requests_of(store, "few", placements=2, num_shards=4)  # 24 samples
    many = requests_of(store, "many", placements=32, num_shards=4)  # 384 samples
    assert abs(len(many) - len(few)) <= SOME
    assert any("/many/" in unquote(path) for _, path in many) and len(few) > 50


def test_requests_grow_evenly_with_shards_and_no_folder_is_listed_for_them(store):
    runs = [
        requests_of(store, f"shards{shards}", placements=1, num_shards=shards)
        for shards in (2, 4, 6)
    ]
    first, second = len(runs[1]) - len(runs[0]), len(runs[2]) - len(runs[1])
    assert 0 < first < 2 * 60 and abs(second - first) <= SOME
    assert 0 < lists(runs[0]) == lists(runs[2])
