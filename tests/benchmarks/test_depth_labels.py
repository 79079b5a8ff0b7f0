import numpy as np

from benchmarks.depth_labels import dilated, edge_widths


def picture(rise):
    """An object whose edge takes `rise` pixels from the background's depth to its own."""
    mask = np.zeros((80, 80), np.uint8)
    mask[20:60, 20:60] = 255
    way = np.clip((np.arange(80) - 19.5 + rise / 2) / rise, 0, 1)
    way = np.minimum(way, way[::-1])
    return np.minimum(way[:, None], way[None]), mask


def test_a_step_from_pixel_to_pixel_has_an_edge_of_four_fifths():
    depth, mask = picture(0.5)
    assert abs(np.mean(edge_widths(depth, mask)) - 0.8) < 0.06


def test_a_slope_of_five_pixels_has_an_edge_of_four():
    depth, mask = picture(5)
    assert abs(np.mean(edge_widths(depth, mask)) - 4) < 0.2


def test_an_object_that_does_not_stand_out_has_no_edge():
    _, mask = picture(1)
    assert edge_widths(np.ones((80, 80)), mask) == []


def test_dilated_reaches_as_far_as_asked():
    one = np.zeros((9, 9), bool)
    one[4, 4] = True
    expected = np.zeros((9, 9), bool)
    expected[2:7, 2:7] = True
    np.testing.assert_array_equal(dilated(one, 2), expected)
