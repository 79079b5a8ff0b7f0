import numpy as np
import torch
from PIL import Image

from benchmarks.depth_labels import Case, dilated, edge_widths, of_network
from examples.train_torch import UNet
from transforms.pixels.images import crop_background
from transforms.pixels.shape import Shape
from transforms.pixels.size import Size


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


def test_a_network_is_shown_the_picture_and_the_composite(tmp_path):
    torch.manual_seed(0)
    network = UNet().eval()
    torch.save(network.state_dict(), tmp_path / "model.pt")
    rng = np.random.default_rng(0)
    cases = []
    for _ in range(2):
        picture = Image.fromarray(rng.integers(0, 256, (200, 240, 3), np.uint8))
        image = rng.integers(0, 256, (160, 160, 3), np.uint8)
        mask, inverse = np.zeros((160, 160), np.uint8), np.ones((160, 160), np.float32)
        cases.append(Case(picture, image, mask, Shape(mask[:5, :5]), 0, 0, inverse))
    maps, _ = of_network(tmp_path / "model.pt", cases)
    assert maps.shape == (2, 160, 160)
    bg = crop_background(cases[1].picture, Size.square(160)).astype(np.float32) / 255
    both = [np.moveaxis(part, 2, 0)[None] for part in (bg, cases[1].image / np.float32(255))]
    with torch.inference_mode():
        _, depth = network(*(torch.from_numpy(part) for part in both))
    np.testing.assert_allclose(maps[1], depth[0, 0], atol=1e-5)
