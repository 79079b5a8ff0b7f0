"""Depth of scenes: flat objects over the background's map, in the order of their layers."""

from dataclasses import replace

import numpy as np
import pytest

from tests.scenes.making import ALL, OFF, SIDE, floor_and_wall, make
from transforms.pixels.layers import Background
from transforms.scenes.depth import scene_depth
from transforms.scenes.ground import find_ground

NEARNESS = floor_and_wall()


@pytest.mark.parametrize("metric", [False, True])
def test_objects_are_flat_and_nearer_than_what_they_hide(metric: bool) -> None:
    depth = 1 / (NEARNESS + np.float32(0.2)) if metric else NEARNESS
    background = Background(depth, not metric)
    sign = -1 if metric else 1
    options = replace(OFF, objects=(3, 4), grounded=True, truncation=0.4)
    for number in range(12):
        labels = make(options, number).composed.labels
        found, labelled = scene_depth(background, None, labels)
        untouched = np.ones((SIDE, SIDE), bool)
        for layer in labels.layers:
            height, width = layer.alpha.shape
            view = untouched[layer.y : layer.y + height, layer.x : layer.x + width]
            view[layer.alpha >= 128] = False
        untouched &= labels.instances == 0
        np.testing.assert_array_equal(found[untouched], depth[untouched])
        for k, each in enumerate(labelled.objects, 1):
            own = labels.instances == k
            assert set(found[own].tolist()) == {each.depth}
            assert each.depth is not None
            assert (sign * (each.depth - depth[own]) > 0).all()
        values = np.array([0.0, *(sign * (each.depth or 0.0) for each in labelled.objects)])
        for first, second in _neighbours(labels.instances):
            low, high = min(first, second), max(first, second)
            assert values[high] > values[low]


def _neighbours(instances: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of objects that touch each other."""
    pairs = [(instances[:, 1:], instances[:, :-1]), (instances[1:], instances[:-1])]
    return {
        (int(one), int(other))
        for first, second in pairs
        for one, other in zip(first.ravel(), second.ravel(), strict=True)
        if one and other and one != other
    }


def test_a_hidden_object_is_behind_what_hides_it() -> None:
    ground = find_ground(NEARNESS)
    background = Background(NEARNESS, True)
    plain = replace(ALL, random_crops=False, distractor_share=0.0, negatives=0.0)
    options = replace(plain, objects=(1, 1), min_visible=0.2)
    behind = 0
    for number in range(120):
        made = make(options, number)
        [layer] = made.composed.labels.layers
        hiding = ground.nearness.astype(int) > layer.nearness + 25
        top, left = layer.y, layer.x
        height, width = layer.alpha.shape
        near = hiding[top : top + height, left : left + width]
        if layer.nearness < 0 or not near.any() or not (near & (layer.alpha == 0)).any():
            continue
        found, labels = scene_depth(background, ground, made.composed.labels)
        [one] = labels.objects
        assert one.depth is not None
        # The thing in front keeps its depth, and the object is no nearer than it.
        inside = np.zeros_like(hiding)
        inside[top : top + height, left : left + width] = near
        np.testing.assert_array_equal(found[inside], NEARNESS[inside])
        assert one.depth < NEARNESS[inside].max()
        behind += 1
    assert behind > 3
