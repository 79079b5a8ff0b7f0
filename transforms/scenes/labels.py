"""What is known of a finished scene beside its picture and mask."""

from dataclasses import dataclass

import numpy as np

from transforms.scenes.scene import Crop


@dataclass(frozen=True)
class SceneObject:
    """A labelled object as it is seen.

    Attributes:
        fg_id: id of its foreground.
        flip: 1 for the mirror image.
        box: x, y, width, height of its pixels in the instances.
        area: number of them.
        visible: share of its pixels with alpha >= 128 that no nearer thing hides and that lie in
            the picture, above 0 to 1; a float32 number.
        layer: number of its layer, from 0, the farthest.
        depth: its value in the depth map; a float32 number, None where depth is not layered.
        category: what it shows; None where the samples have no categories.
    """

    fg_id: int
    flip: int
    box: tuple[int, int, int, int]
    area: int
    visible: float
    layer: int
    depth: float | None = None
    category: str | None = None


@dataclass(frozen=True, eq=False)
class SceneLayer:
    """One pasted thing in the picture.

    Attributes:
        x: left column of the part inside the picture.
        y: its top row.
        alpha: uint8 [h, w], its alpha inside the picture, after occlusion by the background.
        contact: row of the picture on which it stands, one below its lowest row.
        nearness: nearness of its ground, 0 to 255; -1 where nothing of the background hides it.
        labelled: whether it is in the labels.
    """

    x: int
    y: int
    alpha: np.ndarray
    contact: int
    nearness: int
    labelled: bool


@dataclass(frozen=True, eq=False)
class SceneLabels:
    """The objects of a scene.

    Attributes:
        instances: uint8 [height, width], 0 is background, k the k-th object; above 0 where the mask
            is 128 or more, and nowhere else.
        objects: labelled objects that are visible enough, from far to near.
        layers: all pastes, from far to near.
        crop: the part of the background that is shown; None for its middle.
    """

    instances: np.ndarray
    objects: tuple[SceneObject, ...]
    layers: tuple[SceneLayer, ...]
    crop: Crop | None = None
