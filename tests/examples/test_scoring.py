"""Scores of predictions that are known."""

import numpy as np
import pytest

from examples.scoring import Scorer


def test_scores_of_known_predictions():
    true_mask = np.zeros((2, 4, 4))
    true_mask[0, :2] = 1.0  # 8 pixels; nothing in the second.
    mask = np.zeros((2, 4, 4))
    mask[0, 1:3] = 0.6  # 8 pixels, 4 of them right.
    depth = np.full((2, 4, 4), 0.5)
    depth[0, :2] = 2.0
    scorer = Scorer()
    for sample in range(2):
        batch = (mask, depth, true_mask, np.zeros((2, 4, 4)))
        scorer.add(*(planes[sample : sample + 1] for planes in batch))
    scores = scorer.scores()
    assert scores.samples == 2
    assert scores.mask_iou == pytest.approx((4 / 12 + 1) / 2)
    assert scores.depth_error == pytest.approx((8 * 2.0 + 24 * 0.5) / 32)
    assert scores.depth_error_inside == pytest.approx(2.0)
