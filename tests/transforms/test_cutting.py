"""Cut-outs from a picture and a map: parts, edges, crops, reports and refusals."""

import numpy as np
import pytest

from transforms.pixels.cutting import CutoutRules, cut_out, large_parts, unsure_share
from transforms.pixels.images import BadImage

BACK, FRONT = (30, 90, 200), (220, 180, 40)


def scene(*boxes, size=(120, 160)):
    """A picture with a rectangle for each (top, left, bottom, right), and its map."""
    picture = np.empty((*size, 3), np.uint8)
    picture[:] = BACK
    chance = np.zeros(size, np.float32)
    for top, left, bottom, right in boxes:
        picture[top:bottom, left:right] = FRONT
        chance[top:bottom, left:right] = 1
    return picture, chance


def test_a_cut_out_is_cropped_to_its_object_with_its_colour():
    picture, chance = scene((30, 40, 90, 120))
    [found] = cut_out(picture, chance, CutoutRules())
    assert (found.top, found.left) == (30, 40) and found.rgba.shape == (60, 80, 4)
    assert found.rgba[..., 3].min() > 250
    assert np.abs(found.rgba[..., :3].astype(int) - FRONT).max() <= 2
    report = found.report
    assert report.area == pytest.approx(60 * 80 / (120 * 160))
    assert (report.unsure, report.touches, report.parts, report.dropped) == (0, (), 1, 0)
    assert report.doubt == ""


def test_without_cropping_a_cut_out_has_the_size_of_its_picture():
    picture, chance = scene((30, 40, 90, 120))
    [found] = cut_out(picture, chance, CutoutRules(crop=False))
    assert (found.top, found.left, found.rgba.shape) == (0, 0, (120, 160, 4))
    assert found.rgba[10, 10, 3] == 0 and found.rgba[60, 80, 3] == 255


def test_a_coarse_map_gets_the_edge_of_the_picture():
    picture, chance = scene((200, 240, 480, 640), size=(600, 800))
    coarse = chance.reshape(60, 10, 80, 10).mean((1, 3))
    [found] = cut_out(picture, coarse, CutoutRules(crop=False))
    alpha = found.rgba[..., 3] / 255
    assert np.abs(alpha - chance).mean() < 0.004


def test_a_hole_stays_open():
    picture, chance = scene((20, 20, 100, 140))
    picture[45:75, 60:100], chance[45:75, 60:100] = BACK, 0
    [found] = cut_out(picture, chance, CutoutRules(crop=False))
    assert found.rgba[60, 80, 3] == 0 and found.rgba[30, 80, 3] == 255


def test_small_parts_are_dropped_and_counted():
    picture, chance = scene((20, 20, 100, 80), (40, 110, 56, 126), (5, 150, 11, 156))
    [found] = cut_out(picture, chance, CutoutRules(crop=False))
    assert (found.report.parts, found.report.dropped) == (2, 1)  # 256 of 4,800 is 5.3 %, 36 is not.
    assert found.rgba[48, 118, 3] == 255 and found.rgba[8, 153, 3] == 0
    assert large_parts(chance)[8, 153] == 0 and large_parts(chance)[48, 118] == 1


def test_the_largest_part_alone_or_each_by_itself():
    picture, chance = scene((20, 10, 100, 70), (40, 90, 80, 150))
    [largest] = cut_out(picture, chance, CutoutRules(parts="largest"))
    assert largest.rgba.shape == (80, 60, 4) and largest.report.dropped == 1
    first, second = cut_out(picture, chance, CutoutRules(parts="separate"))
    assert (first.left, first.top, second.left, second.top) == (10, 20, 90, 40)
    assert second.rgba.shape == (40, 60, 4) and second.report.parts == 1
    [both] = cut_out(picture, chance, CutoutRules(parts="all"))
    assert both.rgba.shape == (80, 140, 4) and both.report.parts == 2


def test_sides_that_are_touched_are_named():
    picture, chance = scene((0, 50, 80, 160))
    [found] = cut_out(picture, chance, CutoutRules())
    assert found.report.touches == ("top", "right")
    assert "touches top and right" in found.report.note


def test_nothing_found_is_refused_whatever_the_rule():
    picture, chance = scene()
    speck, small = scene((10, 10, 14, 15))
    for doubt in ("skip", "keep"):
        with pytest.raises(BadImage, match="finds no object"):
            cut_out(picture, chance + 0.4, CutoutRules(doubt=doubt))
        with pytest.raises(BadImage, match="finds no object"):
            cut_out(speck, small, CutoutRules(doubt=doubt))


def test_doubtful_cut_outs_are_refused_or_kept():
    picture, chance = scene((30, 40, 90, 120))
    unsure = np.where(chance > 0, 0.7, 0).astype(np.float32)
    with pytest.raises(BadImage, match=r"unsure of it \(1.00, more than 0.6\); --cutout_doubt"):
        cut_out(picture, unsure, CutoutRules())
    [kept] = cut_out(picture, unsure, CutoutRules(doubt="keep"))
    assert "unsure" in kept.report.doubt and "doubtful" in kept.report.note
    with pytest.raises(BadImage, match="it is 100% of the picture"):
        cut_out(picture, np.ones_like(chance), CutoutRules())


def test_the_unsure_share_counts_pixels_between():
    chance = np.array([[0.05, 0.2, 0.6, 0.95], [0.1, 0.5, 0.9, 1.0]])
    assert unsure_share(chance) == pytest.approx(3 / 4)
    assert unsure_share(np.zeros((2, 2))) == np.inf
