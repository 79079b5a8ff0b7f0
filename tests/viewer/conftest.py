"""Sets as the viewer serves them, and a browser."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.viewer.opened import open_set
from pipeline.viewer.server import Viewer
from tests.viewer.chromium import Page, browser, found


@contextmanager
def served(output: str, cache: Path) -> Iterator[Viewer]:
    """A set on a port of its own."""
    with Viewer(open_set(output, str(cache)), 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="session")
def viewer(full, tmp_path_factory) -> Iterator[Viewer]:
    """The set with everything, served."""
    with served(full.output, tmp_path_factory.mktemp("cache")) as server:
        yield server


@pytest.fixture
def copied(plain, tmp_path) -> Path:
    """A set without depth that a test may change."""
    return Path(shutil.copytree(plain.output, tmp_path / "set"))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory) -> Iterator[Page]:
    """A headless Chromium, where there is one."""
    program = found()
    if program is None:
        pytest.skip("no Chromium on this machine")
    with browser(program, tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(chromium: Page) -> Iterator[Page]:
    """A window of 1280 by 800 that has thrown nothing at the end."""
    chromium.resize(1280, 800)
    chromium.open("about:blank")
    chromium.errors.clear()
    yield chromium
    assert chromium.errors == []
