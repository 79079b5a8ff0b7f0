import numpy as np
import pytest
from PIL import Image

from transforms.models import load_model
from transforms.models.depth.base import METRIC_DEPTH, RELATIVE_INVERSE_DEPTH
from transforms.models.depth.passes import (
    MOST_PASSES,
    Pass,
    bring_together,
    passes,
    predict_in_passes,
    predict_whole,
)
from transforms.pixels.size import Size


class Brightness:
    """A model whose depth is the red channel."""

    name = "brightness"
    device = "cpu"

    def __init__(self, meaning=RELATIVE_INVERSE_DEPTH):
        self.meaning = meaning
        self.shapes = []

    def predict(self, images):
        self.shapes.append(images.shape[1:3])
        return images[..., 0].astype(np.float32)


class Small(Brightness):
    """A model whose maps have a size of their own."""

    def predict(self, images):
        return np.zeros((len(images), 3, 3), np.float32)


def test_the_order_of_the_passes():
    assert passes(5, all_shown=False) == (
        Pass(1.0, False, False),
        Pass(1.0, False, True),
        Pass(1.0, True, False),
        Pass(1.0, True, True),
        Pass(0.8, False, False),
    )
    assert len(passes(MOST_PASSES, all_shown=False)) == MOST_PASSES
    assert len(set(passes(MOST_PASSES, all_shown=True))) == MOST_PASSES // 2


SQUARE = Size(60, 60)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((90, 60), SQUARE),
        ((60, 90), SQUARE),
        ((60, 60), SQUARE),
        ((900, 60), SQUARE),
        ((61, 97), SQUARE),
        ((90, 60), Size(90, 50)),
        ((90, 60), Size(45, 60)),
        ((60, 90), Size(60, 40)),
        ((900, 60), Size(600, 60)),
        ((90, 60), Size(90, 60)),
    ],
)
@pytest.mark.parametrize("count", [1, 4, MOST_PASSES])
def test_the_map_is_that_of_the_middle(size, shown, count):
    width, height = size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    smooth = np.rint(100 + 80 * np.sin(x / 23.0) + 60 * np.cos(y / 19.0))
    picture = Image.fromarray(np.repeat(smooth[..., None], 3, 2).clip(0, 255).astype(np.uint8))
    found = predict_in_passes(picture, shown, Brightness(), count)
    left, top = (width - shown.width) // 2, (height - shown.height) // 2
    expected = smooth[top : top + shown.height, left : left + shown.width].clip(0, 255)
    assert found.shape == shown.shape and found.dtype == np.float32
    assert np.abs(found - expected)[3:-3, 3:-3].max() < 6


@pytest.mark.parametrize("count", [1, 8])
def test_whole_maps_are_those_of_all_that_is_shown(count):
    for size, of, shape in (
        ((90, 60), SQUARE, (60, 90)),
        ((60, 90), SQUARE, (90, 60)),
        ((999, 60), SQUARE, (60, 240)),
        ((90, 60), Size(90, 30), (60, 90)),
        ((90, 60), Size(30, 60), (60, 90)),
        ((999, 60), Size(360, 60), (60, 360)),
    ):
        x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
        smooth = np.rint(100 + 80 * np.sin(x / 23.0) + 60 * np.cos(y / 19.0)).clip(0, 255)
        picture = Image.fromarray(np.repeat(smooth[..., None], 3, 2).astype(np.uint8))
        found = predict_whole(picture, of, Brightness(), count)
        assert found.shape == shape
        left = (size[0] - shape[1]) // 2
        expected = smooth[:, left : left + shape[1]]
        assert np.abs(found - expected)[3:-3, 3:-3].max() < 6


def test_whole_pictures_are_shown_at_their_aspect_and_panoramas_in_part():
    for size, of, shape in (
        ((90, 60), Size(50, 50), (50, 75)),
        ((6000, 60), Size(50, 50), (50, 200)),
        ((90, 60), Size(75, 25), (50, 75)),
        ((6000, 60), Size(300, 50), (50, 300)),
    ):
        model = Brightness()
        predict_in_passes(Image.new("RGB", size, (9, 9, 9)), of, model, 3)
        parts = [of.shape, of.shape]
        assert model.shapes == (parts if shape == of.shape else [*parts, shape])


def test_relative_maps_get_the_scale_and_shift_of_the_first():
    first = np.random.default_rng(1).random((20, 20)).astype(np.float32)
    together = bring_together([first, first * 5 - 3, first * 0.1 + 9], RELATIVE_INVERSE_DEPTH)
    np.testing.assert_allclose(together, first, atol=1e-5)


def test_metric_maps_keep_their_metres():
    two, six = np.full((2, 4, 4), [[[2.0]], [[6.0]]], np.float32)
    np.testing.assert_allclose(bring_together([two, six], METRIC_DEPTH), 3.0)


def test_a_flat_map_among_others_is_no_error():
    first = np.random.default_rng(1).random((20, 20)).astype(np.float32)
    together = bring_together([first, np.ones_like(first)], RELATIVE_INVERSE_DEPTH)
    assert np.isfinite(together).all()


def test_a_map_of_another_size_is_refused():
    model = Small()
    with pytest.raises(ValueError, match="has shape"):
        predict_in_passes(Image.new("RGB", (40, 40)), Size(40, 40), model, 1)


def test_the_built_in_model_sees_its_own_size_whatever_the_composites_have():
    noise = np.random.default_rng(2).integers(0, 256, (80, 110, 3)).astype(np.uint8)
    small = predict_in_passes(Image.fromarray(noise), Size(40, 32), load_model("builtin"), 4)
    large = predict_in_passes(Image.fromarray(noise), Size(80, 64), load_model("builtin"), 4)
    halved = Image.fromarray(large).resize((40, 32), Image.Resampling.BILINEAR)
    assert np.corrcoef(small.ravel(), np.asarray(halved).ravel())[0, 1] > 0.98
