"""Edges and colours, held against plain, slow computations of the same thing."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from transforms.pixels.matting import (
    box_mean,
    enlarged,
    foreground_colours,
    guided_filter,
    stretched,
)


def windows(shape, radius):
    for y in range(shape[0]):
        for x in range(shape[1]):
            yield (
                (y, x),
                np.s_[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1],
            )


@pytest.mark.parametrize("radius", [1, 3, 40])
@pytest.mark.parametrize("shape", [(7, 11), (6, 5, 3), (1, 1)])
def test_a_box_mean_is_the_mean_of_its_window(radius, shape):
    values = np.random.default_rng(radius).random(shape)
    expected = np.empty(shape)
    for place, window in windows(shape, radius):
        expected[place] = values[window].mean((0, 1))
    np.testing.assert_allclose(box_mean(values, radius), expected, rtol=1e-5)


def test_a_guided_filter_is_the_mean_of_ridge_regressions():
    draw = np.random.default_rng(0)
    picture, values = draw.random((8, 9, 3)), draw.random((8, 9))
    slopes, offsets = np.empty((8, 9, 3)), np.empty((8, 9))
    for place, window in windows((8, 9), 2):
        colours, wanted = picture[window].reshape(-1, 3), values[window].ravel()
        mean = colours.mean(0)
        spread = (colours - mean).T @ (colours - mean) / len(colours) + 0.01 * np.eye(3)
        slope = np.linalg.solve(spread, (colours - mean).T @ (wanted - wanted.mean()) / len(wanted))
        slopes[place], offsets[place] = slope, wanted.mean() - slope @ mean
    found = guided_filter(picture, values, 2, 0.01)
    np.testing.assert_allclose(found[0], box_mean(slopes, 2), atol=1e-4)
    np.testing.assert_allclose(found[1], box_mean(offsets, 2), atol=1e-4)


def test_a_guided_filter_moves_an_edge_to_the_edge_of_the_picture():
    picture = np.zeros((40, 40, 3))
    picture[:, 20:] = 1
    rough = np.zeros((40, 40))
    rough[:, 23:] = 1  # Three pixels beside the edge of the picture.
    slopes, offsets = guided_filter(picture, rough, 6, 1e-4)
    fine = (slopes * picture).sum(-1) + offsets
    # Within the windows that see both sides the step is at column 20 and nowhere else.
    steps = np.diff(fine[20])
    assert int(np.argmax(steps)) == 19 and steps[19] > 3 * np.delete(steps, 19).max()


def test_alpha_is_stretched_to_its_ends():
    found = stretched(np.array([0.0, 0.1, 0.5, 0.9, 1.2]), 0.1, 0.9)
    np.testing.assert_allclose(found, [0, 0, 0.5, 1, 1], atol=1e-6)


def test_maps_are_enlarged_one_channel_at_a_time():
    values = np.random.default_rng(0).random((4, 6, 2)).astype(np.float32)
    both = enlarged(values, (12, 8))
    assert both.shape == (8, 12, 2)
    np.testing.assert_array_equal(both[..., 1], enlarged(values[..., 1], (12, 8)))
    np.testing.assert_array_equal(enlarged(values, (6, 4)), values)


@pytest.mark.parametrize("side", [120, 800])
def test_soft_edges_get_the_colours_of_the_object(side):
    alpha = Image.new("L", (side, side))
    inset = side // 5
    ImageDraw.Draw(alpha).ellipse((inset, inset, side - inset, side - inset), fill=255)
    share = np.asarray(alpha.filter(ImageFilter.GaussianBlur(side / 120))) / 255
    shade = np.linspace(0, 60, side)[:, None, None]
    front = np.array([200, 60, 40]) - shade * [1, 0, 0] + np.zeros((side, side, 1))
    back = np.array([20, 160, 220]) + shade * [0, 1, 0] + np.zeros((side, side, 1))
    picture = front * share[..., None] + back * (1 - share[..., None])
    picture = np.rint(picture).astype(np.uint8)
    found = foreground_colours(picture, share)
    soft = (share > 0.05) & (share < 0.95)
    before = np.abs(picture[soft].astype(float) - front[soft]).mean()
    after = np.abs(found[soft] - front[soft]).mean()
    assert after < 0.12 * before, (before, after)
    np.testing.assert_array_equal(found[share == 1], picture[share == 1])
