"""Fixtures: few inputs, and object stores that hold them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from tests.stores.servers import Store, amazon_store, google_store
from transforms import storage


@pytest.fixture(scope="package")
def few(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three foregrounds and two backgrounds: 12 samples at one placement."""
    root = tmp_path_factory.mktemp("few")
    for kind, count in (("fg", 3), ("bg", 2)):
        (root / kind).mkdir()
        for number in range(1, count + 1):
            shutil.copy(inputs / kind / f"{kind}_img_{number}.png", root / kind)
    return root


@pytest.fixture(scope="package", params=["gs", "s3"])
def store(
    request: pytest.FixtureRequest, few: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """An object store that this process reaches, with the inputs under `fg` and `bg`."""
    folder = tmp_path_factory.mktemp("store")
    opened = google_store(folder) if request.param == "gs" else amazon_store()
    with opened as store, pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment.items():
            patch.setenv(name, value)
        FileSystems.set_options(PipelineOptions(list(store.flags)))
        for path in sorted(few.rglob("*.png")):
            storage.write_bytes(f"{store.root}/{path.relative_to(few)}", path.read_bytes())
        yield store
        FileSystems.set_options(PipelineOptions([]))
