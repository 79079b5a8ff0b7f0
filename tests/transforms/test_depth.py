import numpy as np
import pytest

from transforms.elements import Block, Placement, ShardSpec
from transforms.models import load_model
from transforms.models.base import ModelError
from transforms.models.depth.base import RELATIVE_INVERSE_DEPTH
from transforms.pixels.codecs import encode_mask
from transforms.pixels.size import Size
from transforms.recipe import Recipe
from transforms.steps.depth import fault, predict_block, useless
from transforms.steps.encode import encode


class Moody:
    """A model that answers from the first pixel of each picture, and cannot take some of them."""

    name = "moody"
    meaning = RELATIVE_INVERSE_DEPTH
    device = "cpu"

    def __init__(self, fails_on: int = -1) -> None:
        self.batches: list[int] = []
        self._fails_on = fails_on

    def predict(self, images: np.ndarray) -> np.ndarray:
        self.batches.append(len(images))
        if (images[:, 0, 0, 0] == self._fails_on).any():
            raise RuntimeError("out of memory")
        depth = images[..., 0].astype(np.float32) + np.linspace(0, 1, 8)
        depth[images[:, 0, 0, 0] == 50] = np.nan
        depth[images[:, 0, 0, 0] == 60] = 3.0
        return depth.astype(np.float32)


def block(*values: int) -> Block:
    placements = tuple(Placement(value, 1, 0, 1, 0, 0, 4, 4) for value in values)
    images = np.stack([np.full((8, 8, 3), value, np.uint8) for value in values])
    masks = np.zeros((len(values), 8, 8), np.uint8)
    masks[:, :4, :4] = 255
    shard = ShardSpec("train", 0, 1, 0, len(values))
    return Block(shard, 0, len(values), placements, images=images, masks=masks)


def recipe(*formats: str) -> Recipe:
    return Recipe("out", formats, Size.square(8), "jpeg", 90, None, 12, 0)


def test_a_batch_that_works_runs_once():
    model = Moody()
    result = predict_block(model, block(1, 2, 3))
    assert model.batches == [3] and result.failures == ()
    assert result.depth is not None and result.depth[:, 0, 0].tolist() == [1, 2, 3]


def test_a_batch_that_fails_is_tried_one_by_one():
    model = Moody(fails_on=2)
    result = predict_block(model, block(1, 2, 3))
    assert model.batches == [3, 1, 1, 1]
    assert [p.fg_id for p in result.placements] == [1, 3] and result.promised == 3
    [failure] = result.failures
    assert (failure.key, failure.step) == ("2_1_0_1", "Depth")
    assert failure.reason == "RuntimeError: out of memory"
    assert result.depth is not None and result.depth[:, 0, 0].tolist() == [1, 3]
    assert result.images is not None and len(result.images) == 2


def test_useless_maps_count_as_failures():
    result = predict_block(Moody(), block(50, 1, 60))
    assert [f.key for f in result.failures] == ["50_1_0_1", "60_1_0_1"]
    assert "not finite" in result.failures[0].reason
    assert "is 3 everywhere" in result.failures[1].reason


def test_maps_are_judged_together_as_one_by_one():
    depth = np.random.default_rng(1).random((6, 4, 5), np.float32)
    depth[1, 2, 3], depth[3, 0, 0], depth[4] = np.nan, np.inf, 7.0
    depth[0, 1, 1] = -np.inf
    assert useless(depth) == [i for i in range(6) if fault(depth[i])] == [0, 1, 3, 4]
    assert useless(np.zeros((2, 1, 1), np.float32)) == [] and fault(np.zeros((1, 1))) is None


def test_a_model_that_answers_in_another_shape_fails():
    class Small(Moody):
        def predict(self, images: np.ndarray) -> np.ndarray:
            return super().predict(images)[:, :4]

    result = predict_block(Small(), block(1, 2))
    assert len(result.failures) == 2 and not result.placements


def test_a_block_of_failures_only_is_encoded_to_nothing():
    result = encode(predict_block(Moody(), block(50, 60)), recipe("tfrecord", "zip"))
    assert result.samples == () and len(result.failures) == 2 and result.promised == 2
    assert result.statistics is not None and result.statistics.fg_bg.count == 0


def test_a_sample_that_cannot_be_encoded_costs_that_sample(monkeypatch):
    real = encode_mask
    calls = []

    def breaks_once(mask):
        calls.append(mask)
        if len(calls) == 2:
            raise MemoryError("no room")
        return real(mask)

    monkeypatch.setattr("transforms.steps.encode.encode_mask", breaks_once)
    result = encode(predict_block(Moody(), block(1, 2, 3)), recipe("tfrecord"))
    assert [s.placement.fg_id for s in result.samples] == [1, 3]
    assert result.failures[0].step == "Encode" and "no room" in result.failures[0].reason
    assert result.statistics is not None and result.statistics.fg_bg.count == 2


def test_one_pixel_is_never_constant():
    assert fault(np.ones((1, 1), np.float32)) is None
    assert "everywhere" in (fault(np.ones((2, 2), np.float32)) or "")


def test_the_builtin_model_does_not_look_at_its_neighbours():
    model = load_model("builtin")
    images = np.random.default_rng(0).integers(0, 256, (5, 160, 160, 3)).astype(np.uint8)
    together = model.predict(images)
    alone = np.concatenate([model.predict(images[i : i + 1]) for i in range(5)])
    assert together.shape == (5, 160, 160) and together.dtype == np.float32
    # Less than one step of 12 stored bits.
    assert np.abs(together - alone).max() < np.ptp(together) / 4095
    assert together.min() > 0 and together.max() < 1.001


@pytest.mark.parametrize("size", [(1, 1), (31, 200), (77, 64), (1000, 20)])
def test_the_builtin_model_takes_any_size(size):
    assert load_model("builtin").predict(np.zeros((1, *size, 3), np.uint8)).shape == (1, *size)


@pytest.mark.parametrize(
    "name", ["magic", "onnx:", "hf:", "torchscript:", "builtin:", "builtin:2", ""]
)
def test_unknown_models_are_refused_with_what_would_be_right(name):
    with pytest.raises(
        ModelError, match="give builtin, onnx:PATH, hf:ID_OR_DIR or torchscript:PATH"
    ):
        load_model(name)
