"""The one list of steps from placements to encoded samples.

The Beam graph, the remaking of a shard and the trial of a dry run are all made from it. A new step
is a module with one function `(Block, Recipe) -> Block` and one line here, in the order in which
blocks pass. Before it stands `place.blocks`, which cuts a shard into blocks; after it the writer.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from transforms.elements import Block
from transforms.models.inference import ModelHandler
from transforms.recipe import Recipe
from transforms.steps.arrange import add_scenes, has_scenes, has_single_objects
from transforms.steps.composite import add_composites
from transforms.steps.depth import DepthHandler, add_depth, is_predicted
from transforms.steps.encode import encode
from transforms.steps.layers import add_layers, is_layered
from transforms.steps.mask import add_masks


@dataclass(frozen=True)
class Step:
    """A named pure function of a block.

    Attributes:
        name: its name on Beam and in the failures of samples.
        run: the function, importable; a sample that it cannot make becomes a failure of the block.
        wanted: whether a recipe has the step; None where every recipe has it.
        handler: for a step with a model, the handler that runs it under RunInference on Beam.
    """

    name: str
    run: Callable[[Block, Recipe], Block]
    wanted: Callable[[Recipe], bool] | None = None
    handler: Callable[[Recipe], ModelHandler[Block, Block, Any]] | None = None


STEPS = (
    Step("Composite", add_composites, wanted=has_single_objects),
    Step("Mask", add_masks, wanted=has_single_objects),
    Step("Arrange", add_scenes, wanted=has_scenes),
    Step("Depth", add_depth, wanted=is_predicted, handler=DepthHandler),
    Step("Layers", add_layers, wanted=is_layered),
    Step("Encode", encode),
)
"""All steps, in the order in which a block passes them."""


def steps_of(recipe: Recipe) -> Iterator[Step]:
    """The steps that a recipe has, in order."""
    return (step for step in STEPS if step.wanted is None or step.wanted(recipe))


def make_block(block: Block, recipe: Recipe) -> Block:
    """Takes one block through all steps, from its placements to its encoded samples."""
    for step in steps_of(recipe):
        block = step.run(block, recipe)
    return block
