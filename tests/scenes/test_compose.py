"""Scenes equal those of a plain reference with the same layers, for each option and for all."""

from dataclasses import replace

import numpy as np
import pytest

from tests.scenes.making import ALL, OFF, make
from tests.scenes.reference import expected
from transforms.scenes.scene import SceneOptions

SEVERAL = replace(OFF, objects=(3, 4), scale_jitter=(0.4, 1.2))
OPTIONS = {
    "one object": OFF,
    "several objects": SEVERAL,
    "grounded": replace(SEVERAL, grounded=True),
    "occlude": replace(SEVERAL, grounded=True, occlude=True),
    "truncation": replace(SEVERAL, truncation=0.6),
    "rotation": replace(SEVERAL, rotation=(-30.0, 30.0)),
    "colour_jitter": replace(SEVERAL, colour_jitter=1.0),
    "harmonise": replace(SEVERAL, harmonise=1.0),
    "edges": replace(SEVERAL, mixed_edges=True),
    "shadow": replace(SEVERAL, shadow=1.0),
    "shadow on ground": replace(SEVERAL, shadow=1.0, grounded=True),
    "photo_effects": replace(SEVERAL, photo_effects=1.0),
    "negatives": replace(SEVERAL, negatives=0.5),
    "distractors": replace(SEVERAL, distractor_share=1.0),
    "background_crop": replace(SEVERAL, grounded=True, random_crops=True),
    "all": ALL,
    "wide": replace(ALL, width=110, height=60),
    "tall": replace(SEVERAL, width=60, height=84, grounded=True, shadow=1.0, harmonise=1.0),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_scene_is_what_the_reference_composes(options: SceneOptions) -> None:
    count = 6 if options == ALL else 2
    for number in range(count):
        made = make(options, number)
        wanted = expected(made, options)
        composed = made.composed
        np.testing.assert_array_equal(composed.image, wanted.image)
        np.testing.assert_array_equal(composed.mask, wanted.mask)
        np.testing.assert_array_equal(composed.labels.instances, wanted.instances)
        found = [(o.fg_id, o.flip, o.box, o.area, o.visible) for o in composed.labels.objects]
        assert found == wanted.objects


def test_instances_are_where_the_mask_is_solid() -> None:
    for number in range(60):
        composed = make(ALL, number).composed
        np.testing.assert_array_equal(composed.labels.instances > 0, composed.mask >= 128)
        areas = [found.area for found in composed.labels.objects]
        assert areas == np.bincount(composed.labels.instances.ravel())[1:].tolist()


def test_options_change_what_they_are_for() -> None:
    plain = [make(SEVERAL, number).composed for number in range(4)]
    for name in ("colour_jitter", "harmonise", "shadow", "photo_effects"):
        changed = [make(OPTIONS[name], number).composed for number in range(4)]
        for before, after in zip(plain, changed, strict=True):
            np.testing.assert_array_equal(before.mask, after.mask)
        assert any(
            (before.image != after.image).any()
            for before, after in zip(plain, changed, strict=True)
        ), name


def test_a_shadow_darkens_and_never_brightens() -> None:
    for number in range(8):
        dark = make(OPTIONS["shadow"], number).composed
        plain = make(SEVERAL, number).composed
        outside = dark.mask == 0
        assert (dark.image[outside] <= plain.image[outside]).all()
        assert (dark.image[outside] < plain.image[outside]).any()
