import numpy as np
import pytest

from benchmarks.transfer.scores import (
    Scores,
    best_threshold,
    curve,
    depth_scores,
    edges,
    score,
    sizes,
)


def test_a_curve_of_four_pixels():
    found = curve(np.array([0.9, 0.2, 0.6, 0.4]), np.array([True, True, False, False]))
    np.testing.assert_array_equal(found.thresholds, [0.9, 0.6, 0.4, 0.2])
    np.testing.assert_array_equal(found.found, [1, 2, 3, 4])
    assert found.precision == pytest.approx((1 / 1 + 2 / 4) / 2)
    np.testing.assert_allclose(found.ious, [1 / 2, 1 / 3, 1 / 4, 2 / 4])
    assert found.best() == (0.5, 0.9)
    assert [found.iou(t) for t in (0.95, 0.9, 0.5, 0.1)] == [0, 0.5, pytest.approx(1 / 3), 0.5]


def test_pixels_of_the_same_chance_are_found_together():
    one = curve(np.full(10, 0.5), np.arange(10) < 3)
    assert one.precision == pytest.approx(0.3) and one.best() == (0.3, 0.5)


def test_average_precision_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    draw = np.random.default_rng(3)
    objects = draw.random(500) < 0.2
    chance = np.round(draw.random(500) + 0.4 * objects, 2)
    expected = metrics.average_precision_score(objects, chance)
    assert curve(chance, objects).precision == pytest.approx(expected)


def scene():
    """A small and a large object, a stripe that is unknown, and chances that find the large one."""
    target = np.zeros((40, 50), np.float32)
    target[5:8, 5:11] = 1  # 18 of 2,000 pixels: small
    target[20:24, 20:25] = 0.5  # 20: large
    target[30:] = np.nan
    chance = np.zeros((40, 50), np.float32)
    chance[20:24, 20:25] = 0.9
    chance[30:] = 1
    return chance, target


def test_sizes_of_objects():
    kinds = sizes(scene()[1])
    assert [int((kinds == kind).sum()) for kind in (-1, 0, 1, 2)] == [500, 1462, 18, 20]
    assert kinds[6, 6] == 1 and kinds[22, 22] == 2


def test_large_and_small_objects_are_scored_apart_and_the_unknown_never():
    chance, target = scene()
    found = score([chance], [target], 0.5)
    assert found.large == 1
    assert found.small == pytest.approx(18 / 1480)
    assert found.precision == pytest.approx(20 / 38 + 18 / 38 * 38 / 1500)
    assert found.best_iou == found.iou == pytest.approx(20 / 38)
    chance[10, 10] = 0.95
    assert score([chance], [target], None).large == pytest.approx(20 / 21)
    assert score([chance], [target], None).iou is None
    chance[10, 10] = 0
    assert best_threshold([chance], [target]) == pytest.approx(0.9)
    chance[5:8, 5:11] = 0.3
    chance[30:] = 0.5
    assert best_threshold([chance], [target]) == pytest.approx(0.3)


def test_pictures_of_different_sizes_are_scored_together():
    chance, target = scene()
    more = np.zeros((20, 20), np.float32)
    more[0, 0] = 1  # one of 400 pixels, missed
    found = score([chance, np.zeros_like(more)], [target, more], 0.95)
    assert isinstance(found, Scores)
    assert found.large == 1 and found.best_iou == pytest.approx(20 / 39) and found.iou == 0


def steps():
    """Inverse depth with one step from 1 to 2 at column 30 of 60, a slope, and a hole."""
    target = np.ones((16, 60))
    target[:, 30:] = 2
    target += np.linspace(0, 0.05, 60)
    target[:2] = np.nan
    return target


def test_order_and_step_at_the_edges_of_depth():
    target = steps()
    np.testing.assert_allclose(edges(3 * np.nan_to_num(target) - 1, target), (1, 1))
    order, step = edges(-target, target)
    assert order == 0 and step == 0

    half = np.nan_to_num(target).copy()
    half[8:] = np.where(half[8:] < 1.5, 2, 1)  # The lower eight of 14 rows are the wrong way round.
    assert edges(half, target)[0] == pytest.approx(6 / 14)
    ramp = np.tile(np.arange(60.0), (16, 1))  # Rises by 3 of 59 across the edge.
    order, step = edges(ramp, target)
    assert order == 1 and 0.05 < step < 0.15
    assert np.isnan(edges(ramp, np.full((16, 60), 1.0))).all()


def test_sources_of_depth_count_the_same():
    right = steps()
    wrong = 4 - right
    targets = [right, right, right, right]
    found = depth_scores([right, right, right, wrong], targets, ["a", "a", "a", "b"])
    assert found.edge_order == pytest.approx(0.5) and found.edge_step == pytest.approx(0.5)
    assert found.spearman == pytest.approx(0, abs=1e-6)
    whole = depth_scores([right], [2 * right], ["a"])
    assert whole.within_rows == pytest.approx(1) and whole.abs_rel == pytest.approx(0, abs=1e-6)


def test_a_picture_without_edges_counts_in_the_other_scores():
    right = steps()
    ramp = np.tile(np.linspace(1, 1.01, 60), (16, 1))
    found = depth_scores([right, ramp], [right, ramp], ["a", "a"])
    assert found.edge_order == 1 and found.spearman == pytest.approx(1)
