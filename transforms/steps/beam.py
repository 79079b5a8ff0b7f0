"""The steps on Beam: one transform for every function of an element and the recipe.

The functions are importable, so they travel by name.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam

from transforms.elements import Block
from transforms.models.inference import RunInference
from transforms.recipe import Recipe
from transforms.steps.sequence import Step


class _EachDoFn(beam.DoFn):
    def __init__(self, function: Callable[[Any, Recipe], Any], recipe: Recipe) -> None:
        self._function = function
        self._recipe = recipe

    def process(self, element: Any) -> Iterator[Any]:
        yield self._function(element, self._recipe)


class _EachToManyDoFn(_EachDoFn):
    def process(self, element: Any) -> Iterator[Any]:
        yield from self._function(element, self._recipe)


class Each(beam.PTransform):
    """Maps each element with a function.

    Args:
        function: an importable function of an element and the recipe.
        recipe: its second argument.
    """

    def __init__(self, function: Callable[[Any, Recipe], Any], recipe: Recipe) -> None:
        super().__init__()
        self._do_fn: beam.DoFn = _EachDoFn(function, recipe)

    def expand(self, elements: beam.PCollection[Any]) -> beam.PCollection[Any]:
        """Adds the step to a pipeline."""
        return elements | "Each" >> beam.ParDo(self._do_fn)


class EachToMany(Each):
    """Maps each element to any number of elements with a function.

    Args:
        function: an importable function of an element and the recipe.
        recipe: its second argument.
    """

    def __init__(self, function: Callable[[Any, Recipe], Iterable[Any]], recipe: Recipe) -> None:
        super().__init__(function, recipe)
        self._do_fn = _EachToManyDoFn(function, recipe)


class EachBlock(beam.PTransform):
    """Blocks to Blocks: one step of the sequence.

    A step with a model runs under RunInference, which keeps one model a process.

    Args:
        step: the step.
        recipe: what it is given with each block.
    """

    def __init__(self, step: Step, recipe: Recipe) -> None:
        super().__init__()
        self._step = step
        self._recipe = recipe

    def expand(self, blocks: beam.PCollection[Block]) -> beam.PCollection[Block]:
        """Adds the step to a pipeline."""
        if self._step.handler is not None:
            return blocks | "Inference" >> RunInference(self._step.handler(self._recipe))
        return blocks | "Each" >> beam.ParDo(_EachDoFn(self._step.run, self._recipe))
