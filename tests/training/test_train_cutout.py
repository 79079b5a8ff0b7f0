"""Training of the cut-out network on drawn pictures: it learns, stops, continues and exports."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from tests.drawing import draw_background, draw_foreground
from training import train_cutout
from training.cutout_batches import CutoutBatches
from training.cutout_data import Taught, taught_cutouts, taught_photographs
from training.cutout_metrics import edge_colour_error, maximum_f, score_cutout
from training.export_cutout import export
from training.train_cutout import CutoutTrainer, Examples, make_examples
from transforms.models.base import Running
from transforms.models.cutout import builtin


def save_teacher(path: Path) -> None:
    """A graph [1, 3, 320, 320] that finds bright red."""
    planes = helper.make_tensor_value_info("planes", TensorProto.FLOAT, [1, 3, 320, 320])
    found = helper.make_tensor_value_info("found", TensorProto.FLOAT, [1, 1, 320, 320])
    nodes = [
        helper.make_node("Conv", ["planes", "kernel"], ["odds"]),
        helper.make_node("Sigmoid", ["odds"], ["found"]),
    ]
    kernel = np.array([8, -8, 0], np.float32).reshape(1, 3, 1, 1)
    tensors = [numpy_helper.from_array(kernel, "kernel")]
    graph = helper.make_graph(nodes, "teacher", [planes], [found], tensors)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)


@pytest.fixture(scope="module")
def taught(tmp_path_factory) -> list[Taught]:
    root = tmp_path_factory.mktemp("taught")
    save_teacher(root / "teacher.onnx")
    paths = []
    for i in range(4):
        picture = Image.new("RGB", (240, 200), (70, 90 + 20 * i, 120))
        picture.paste((230, 30, 40), (60 + 10 * i, 50, 150, 140 + 10 * i))
        paths.append(root / f"{i}.png")
        picture.save(paths[-1])
    found = list(taught_photographs(paths, root / "maps", root / "teacher.onnx"))
    assert sorted(path.name for path in (root / "maps").iterdir()) == [f"{i}.png" for i in range(4)]
    return found


def batches(taught: list[Taught], seed: int = 0) -> CutoutBatches:
    cutouts = [*taught_cutouts(taught), np.asarray(draw_foreground(1))]
    scenes = [np.asarray(draw_background(i).convert("RGB")) for i in range(2)]
    return CutoutBatches(taught, cutouts, scenes, 8, 64, seed)


def test_what_the_teacher_is_sure_of_becomes_cut_outs(taught):
    assert taught[0].chance[100, 120] > 250 and taught[0].chance[10, 10] < 10
    cutouts = taught_cutouts(taught)
    assert len(cutouts) == 4
    solid = cutouts[0][..., 3] == 255
    assert solid.mean() > 0.9 and np.abs(cutouts[0][solid][:, :3] - [230.0, 30, 40]).max() < 12


def test_batches_hold_the_object_that_the_alpha_shows(taught):
    first, again = batches(taught).draw(), batches(taught).draw()
    np.testing.assert_array_equal(first.pictures, again.pictures)
    np.testing.assert_array_equal(first.alpha, again.alpha)
    assert 0.02 < first.alpha.mean() < 0.8 and first.alpha.max() > 0.99 and first.alpha.min() == 0
    assert not np.array_equal(first.pictures, batches(taught, seed=1).draw().pictures)


@pytest.mark.slow
def test_the_decoder_learns_stops_continues_and_exports(taught, tmp_path, monkeypatch):
    monkeypatch.setattr(train_cutout, "CHECKPOINT_STEPS", 4)
    monkeypatch.setattr(train_cutout, "CURVE_STEPS", 4)
    trainer = CutoutTrainer(tmp_path / "whole", 0)
    examples = make_examples(trainer.network, batches(taught), 2)
    assert isinstance(examples, Examples) and examples.alpha.shape == (16, 32, 32)
    trainer.run(examples, 6, 12)
    cut = CutoutTrainer(tmp_path / "cut", 0)
    cut.run(examples, 6, 12, stop=5)
    again = CutoutTrainer(tmp_path / "cut", 0)
    assert again.progress.step == 5
    again.run(examples, 6, 12)
    for name, value in trainer.average.items():
        torch.testing.assert_close(value, again.average[name], rtol=0, atol=0)

    weights, graph = tmp_path / "w.safetensors", tmp_path / "g.onnx"
    trainer.network.load_state_dict(trainer.average)
    export(trainer.network, weights, graph)
    assert max(weights.stat().st_size, graph.stat().st_size) < 4e6
    monkeypatch.setattr(builtin, "GRAPH", graph)
    model = builtin.BuiltinCutoutModel(Running())
    picture = np.asarray(Image.fromarray(taught[0].picture).resize((224, 224)))
    with torch.inference_mode():
        exact = trainer.network.eval()(torch.from_numpy(picture.copy())[None])[0].numpy()
    found = model.alpha(picture)[::2, ::2]
    assert np.abs(found - exact).mean() < 0.02
    losses = [point[2] for point in trainer.progress.curve]
    assert len(losses) == 3 and losses[2] < 0.95 * losses[0]


def test_scores_of_known_cut_outs():
    true = np.zeros((40, 40))
    true[10:30, 10:30] = 1
    perfect = score_cutout(true, true)
    assert (perfect.iou, perfect.mae, perfect.edge_mae, perfect.boundary_f) == (1, 0, 0, 1)
    assert maximum_f([perfect]) == pytest.approx(1)
    moved = np.roll(true, 4, axis=1)
    score = score_cutout(moved, true)
    assert score.iou == pytest.approx(16 / 24) and score.mae == pytest.approx(160 / 1600)
    assert maximum_f([score]) == pytest.approx(0.8) and 0.3 < score.boundary_f < 0.7
    assert score_cutout(np.zeros((40, 40)), true).iou == 0


def test_colours_are_compared_where_the_true_alpha_is_soft():
    alpha = np.zeros((4, 4))
    alpha[1, 1], alpha[2, 2] = 0.5, 1
    colours = np.zeros((4, 4, 3), np.uint8)
    other = colours.copy()
    other[1, 1], other[2, 2] = 30, 200
    assert edge_colour_error(other, colours, alpha) == 30
    assert np.isnan(edge_colour_error(other, colours, alpha > 0.9))
