"""Transforms of torchvision and albumentations on the samples of `MaskDepthDataset`.

    from pipeline.readers.augment import Torchvision
    MaskDepthDataset("DIR", transform=Torchvision(v2.Compose([v2.RandomHorizontalFlip()])))

All pictures of a sample are turned, cut and scaled alike. Colours change in the background and the
composite alike, and never in the mask and the depth map, of which pixels are moved, not mixed.
With `dtype=torch.uint8` the mask stays in 0..255 when a transform makes floats of the colours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

Sample = dict[str, Any]

_COLOURS = ("bg", "fg_bg")
_LABELS = ("mask", "depth")


@dataclass(frozen=True)
class Torchvision:
    """A transform of `torchvision.transforms.v2` for samples.

    It sees `bg` and `fg_bg` as `tv_tensors.Image`, and `mask` and `depth` as `tv_tensors.Mask`,
    which are resampled by the nearest pixel. The sample has plain tensors again.

    Args:
        transform: called with a dict of these; what it returns has the same keys.
    """

    transform: Callable[[dict[str, Any]], dict[str, Any]]

    def __call__(self, sample: Sample) -> Sample:
        """The sample with its pictures transformed."""
        from torchvision import tv_tensors

        pictures: dict[str, Any] = {name: tv_tensors.Image(sample[name]) for name in _COLOURS}
        labels = [name for name in _LABELS if name in sample]
        pictures |= {name: tv_tensors.Mask(sample[name]) for name in labels}
        found = self.transform(pictures)
        return {**sample, **{name: found[name].as_subclass(torch.Tensor) for name in pictures}}


@dataclass(frozen=True)
class Albumentations:
    """A transform of albumentations for samples.

    It sees the composite as `image` and the mask as `mask`; `bg` and `depth` are added to its
    targets as further ones of these kinds. Masks are resampled by the nearest pixel.

    Args:
        transform: `Compose`, or a single one.
    """

    transform: Any

    def __post_init__(self) -> None:
        self.transform.add_targets({"bg": "image", "depth": "mask"})

    def __call__(self, sample: Sample) -> Sample:
        """The sample with its pictures transformed."""
        names = {"fg_bg": "image", "bg": "bg", "mask": "mask", "depth": "depth"}
        there = {name: target for name, target in names.items() if name in sample}
        found = self.transform(**{there[name]: _rows(sample[name]) for name in there})
        return {**sample, **{name: _planes(found[there[name]]) for name in there}}


def _rows(planes: torch.Tensor) -> np.ndarray:
    """[height, width, 3], or [height, width] of one channel."""
    pixels = planes.numpy()
    return pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))


def _planes(pixels: Any) -> torch.Tensor:
    """[channels, height, width], of what `_rows` gave or of a tensor."""
    if isinstance(pixels, torch.Tensor):
        return pixels[None] if pixels.ndim == 2 else pixels
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(planes))
