"""What a worker keeps of the inputs of scenes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.catalog import build_catalog
from pipeline.run import make_plan
from tests.conftest import make_spec
from transforms.pixels.input_cache import InputCache, decode_background
from transforms.scenes import inputs as scene_inputs
from transforms.scenes.crops import box_in, cut_picture, shown_part
from transforms.scenes.scene import Crop


def test_backgrounds_of_crops_are_read_once_and_bounded(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fits as it is, all of them packed; every part is cut from the same pixels."""
    spec = make_spec(inputs, tmp_path / "set", background_crop="random")
    plan = make_plan(spec, build_catalog(spec))
    one = 159 * 128 * 4
    monkeypatch.setattr(scene_inputs, "CACHE_BYTES", 6 * one)
    read = []

    def counted(data: bytes) -> Image.Image:
        read.append(data)
        return decode_background(data)

    monkeypatch.setattr(scene_inputs, "decode_background", counted)
    kept = scene_inputs.SceneInputs(InputCache(plan))
    crop = Crop(30, 20, 120, 120)
    for _ in range(2):
        for asset in plan.backgrounds:
            photo = Image.open(asset.path).convert("RGB")
            shown = shown_part(photo, plan.image_size)
            assert shown.size == (159, 128)
            box = box_in(crop, photo.size, shown.size, plan.image_size)
            wanted = np.asarray(cut_picture(shown, box, plan.image_size))
            np.testing.assert_array_equal(kept.background(asset.id, crop), wanted)
    assert len(read) == len(plan.backgrounds) == 6
    assert len(kept._wholes._values) == 1 and kept._wholes._held == one
    assert len(kept._packed._values) == 6 and kept._packed._held < 4.5 * one
