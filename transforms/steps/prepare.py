"""Prepare step: computes what depends on a background alone, before any sample.

A new kind of result is a module with a `Thing` and one line in `THINGS`. A background passes the
kinds in their order, so that a later one may read what an earlier one has made.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import apache_beam as beam
from apache_beam.transforms.combiners import ToList

from transforms import storage
from transforms.counters import PREPARED, count
from transforms.formats.base import Folder, OtherFile, other_file
from transforms.plan.inputs import InputError, InputImage
from transforms.plan.plan import load_plan
from transforms.prepared import PLACE, Refused, Thing
from transforms.recipe import Recipe
from transforms.steps.background_depth import DEPTH
from transforms.steps.background_ground import GROUND
from transforms.steps.beam import Each, EachToMany

THINGS = (DEPTH, GROUND)
"""All that can be prepared, in the order in which a background passes them."""

INDEX = f"{PLACE}/index.json"
"""What was prepared and what was refused, relative to the data set's folder."""


class PrepareError(RuntimeError):
    """Inputs cannot be prepared, and the job stops; the message is one line."""


@dataclass(frozen=True, order=True)
class Prepared:
    """What has become of a background in one kind of result.

    Attributes:
        name: name of the kind.
        id: id of the background.
        source: its file.
        path: the result, or the file that says why there is none, relative to the data set's
            folder.
        bytes: size of that file.
        sha256: its checksum.
        refused: why there is no result; None if there is one.
    """

    name: str
    id: int
    source: str
    path: str
    bytes: int
    sha256: str
    refused: str | None = None


@dataclass(frozen=True)
class Preparation:
    """All that was prepared for a data set.

    Attributes:
        results: by kind and id.
    """

    results: tuple[Prepared, ...] = ()

    @property
    def errors(self) -> tuple[InputError, ...]:
        """The inputs that were refused, by path."""
        return tuple(
            InputError(result.source, result.refused)
            for result in self.results
            if result.refused is not None
        )

    @property
    def files(self) -> tuple[OtherFile, ...]:
        """The files, each once: equal inputs share theirs."""
        found = {
            result.path: OtherFile(result.path, result.bytes, result.sha256)
            for result in self.results
        }
        return tuple(found.values())


def things_of(recipe: Recipe) -> tuple[Thing, ...]:
    """The results that a recipe needs prepared."""
    return tuple(thing for thing in THINGS if thing.wanted(recipe))


def prepare_input(source: InputImage, recipe: Recipe) -> Iterator[Prepared]:
    """Prepares one background; complete results that exist are kept.

    Raises:
        BadImage: the file has changed since it was catalogued.
        ModelError: a model cannot be loaded.
    """
    for thing in things_of(recipe):
        yield _prepare(thing, source, recipe)
    count(recipe.progress_folder, PREPARED, 1)


def _prepare(thing: Thing, source: InputImage, recipe: Recipe) -> Prepared:
    folder = recipe.folder
    path, refused_path = thing.path(source, recipe), thing.refused_path(source, recipe)
    data, reason = _result_there(thing, folder, path), None
    if data is None:
        found = storage.read_if_there(folder.path(refused_path))
        reason = found.decode() if found else None
        if reason is None:
            try:
                data = thing.make(source, recipe)
                folder.write(path, data)
            except Refused as error:
                # Kept, so that a run that continues leaves out the same samples.
                reason = " ".join(f"{error}".split())
                folder.write(refused_path, reason.encode())
    content = (reason or "").encode() if data is None else data
    return Prepared(
        thing.name,
        source.id,
        source.path,
        refused_path if data is None else path,
        len(content),
        hashlib.sha256(content).hexdigest(),
        reason,
    )


def _result_there(thing: Thing, folder: Folder, path: str) -> bytes | None:
    data = storage.read_if_there(folder.path(path))
    if data is None:
        return None
    try:
        thing.check(data)
    except Exception:  # A damaged file may contain anything.
        return None
    return data


def store_preparation(results: Iterable[Prepared], recipe: Recipe) -> int:
    """Writes down what was prepared.

    Returns:
        The number of results.

    Raises:
        PrepareError: nothing of a kind could be prepared, or an input was refused in a data set
            that is to have no faulty ones.
    """
    found = tuple(sorted(results))
    refused = [result for result in found if result.refused is not None]
    for thing in things_of(recipe):
        of_kind = [result for result in found if result.name == thing.name]
        if of_kind and all(result.refused is not None for result in of_kind):
            first = of_kind[0]
            raise PrepareError(
                f"no background could be prepared; for example {first.source}: {first.refused}"
            )
    if refused and recipe.strict:
        first = refused[0]
        raise PrepareError(f"{first.source}: {first.refused} (stopped by --on_error=fail)")
    text = json.dumps([asdict(result) for result in found], indent=1, ensure_ascii=False)
    recipe.folder.write(INDEX, f"{text}\n".encode())
    return len(found)


def read_preparation(folder: Folder) -> Preparation:
    """What was prepared for a data set; nothing where it needs nothing."""
    data = storage.read_if_there(folder.path(INDEX))
    if data is None:
        return Preparation()
    return Preparation(tuple(Prepared(**fields) for fields in json.loads(data)))


def index_file(folder: Folder) -> tuple[OtherFile, ...]:
    """The list of what was prepared as a file of the data set; empty where there is none."""
    data = storage.read_if_there(folder.path(INDEX))
    return () if data is None else (other_file(INDEX, data),)


def _backgrounds(plan_path: str) -> Iterator[InputImage]:
    return iter(load_plan(plan_path).backgrounds)


class Prepare(beam.PTransform):
    """A pipeline's start to the number of prepared results, which is there when all of them are.

    Args:
        recipe: says what is wanted.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self._recipe = recipe

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection[int]:
        """Adds the step to a pipeline."""
        return (
            pipeline
            | "Plan" >> beam.Create([self._recipe.plan_path])
            | "Backgrounds" >> beam.FlatMap(_backgrounds)
            | "Spread" >> beam.Reshuffle()
            | "Prepare" >> EachToMany(prepare_input, self._recipe)
            | "All" >> ToList()
            | "Store" >> Each(store_preparation, self._recipe)
        )


def after(element: Any, prepared: int) -> Any:
    """An element, once everything is prepared."""
    del prepared
    return element
