"""Cut-outs of photographs: a model makes them of foregrounds that have neither alpha nor mask."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass

import numpy as np
from PIL import Image

from transforms.models.cutout.base import CutoutModel
from transforms.pixels.cutting import CutOut, CutoutRules, cut_out, fitted_within
from transforms.pixels.images import to_rgb

LONGEST_SIDE = 1024
"""Longer side, in pixels, to which larger photographs are reduced before they are cut out."""

PNG_LEVEL = 4
"""Compression of cut-outs: level 6 takes 2.5 times as long and saves 4 %."""

METHOD = 1
"""Changes whenever equal maps become other cut-outs."""


@dataclass(frozen=True)
class CutoutSettings:
    """What a cut-out depends on, beside its photograph.

    Attributes:
        model: name of the model, without `auto`.
        digest: of its weights and settings.
        rules: what becomes of several parts, and of doubtful cut-outs.
        longest_side: of the photograph when it is cut out, in pixels.
    """

    model: str
    digest: str
    rules: CutoutRules
    longest_side: int = LONGEST_SIDE

    def key(self, sha256: str) -> str:
        """Name of the result for a photograph: 64 hexadecimal digits.

        Args:
            sha256: checksum of the photograph's file.
        """
        settings = dataclasses.asdict(self)
        del settings["model"]  # Its digest says which it is, wherever its file lies.
        text = json.dumps([METHOD, sha256, settings], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def cut_photograph(
    picture: Image.Image, model: CutoutModel, rules: CutoutRules, longest_side: int
) -> list[CutOut]:
    """Cuts the objects out of a photograph.

    Args:
        picture: the photograph, upright, of any mode and size.
        model: finds the object.
        rules: what becomes of several parts, and of doubtful cut-outs.
        longest_side: the photograph is reduced to this size first, in pixels.

    Returns:
        One cut-out, or one for each part.

    Raises:
        BadImage: nothing was found, or the cut-out is doubtful and that is refused.
        ModelError: the model cannot take the picture.
    """
    size = fitted_within(picture.width, picture.height, longest_side)
    reduced = to_rgb(picture)
    if size != picture.size:
        reduced = reduced.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    pixels = np.asarray(reduced)
    return cut_out(pixels, model.alpha(pixels), rules)
