"""Data sets in object stores."""

import dataclasses
import hashlib
from pathlib import Path

from pipeline import DatasetSpec, GenerateResult, generate
from tests.conftest import make_spec
from tests.stores.servers import Store
from transforms import storage

# These name the folders of the inputs or of the output.
WITH_PATHS = {
    "manifest.json",
    "manifest.json.sha256",
    "plan.json",
    "spec.json",
    "index.json",
    "lock",
}


def stored_spec(store: Store, name: str, **changes: object) -> DatasetSpec:
    """The small spec of the tests, with inputs from and output into an object store."""
    root = store.root
    places = {"foregrounds": f"{root}/fg", "backgrounds": f"{root}/bg"}
    changed: dict[str, object] = {**places, "output": f"{root}/{name}", **changes}
    return dataclasses.replace(make_spec(Path(), Path()), **changed)  # type: ignore[arg-type]


def make(store: Store, name: str, **changes: object) -> GenerateResult:
    """Makes a data set in this process."""
    flags = [*store.flags, "--direct_num_workers=1"]
    return generate(stored_spec(store, name, **changes), flags, progress=False)


def names(store: Store, name: str) -> list[str]:
    """Every object of a data set, relative to its folder."""
    root = f"{store.root}/{name}"
    return [path.removeprefix(root + "/") for path in storage.list_files(root)]


def checksums(root: str) -> dict[str, str]:
    """Checksums of every file of a data set that holds no path, in a store or on disk."""
    return {
        path.removeprefix(root).lstrip("/"): hashlib.sha256(storage.read_bytes(path)).hexdigest()
        for path in storage.list_files(root)
        if storage.file_name(path) not in WITH_PATHS
    }
