"""The whole benchmark at a small size, on drawn pictures that stand for photographs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from benchmarks.transfer.__main__ import main
from benchmarks.transfer.data import Picture, read_real, read_set
from benchmarks.transfer.network import Decoder, Encoder, FromScratch, Views, view
from benchmarks.transfer.protocol import arms, choose
from benchmarks.transfer.tasks import Depth, Objects, task_of
from pipeline import generate
from tests.conftest import make_spec
from tests.drawing import draw_background, draw_foreground
from tests.models.test_onnx import save

SMALL = ["--side=64", "--steps=40", "--batch=8", "--pictures=96", "--few=2"]


def draw_real(folder: Path, first: int) -> Path:
    """Six pictures with one disc each, of which a corner is not judged."""
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for number in range(first, first + 6):
        picture = draw_background(number, (96, 72))
        disc = draw_foreground(number, (30, 30))
        place = (number * 17 % 60, 20 + number * 5 % 20)
        picture.paste(disc, place, disc)
        label = Image.new("L", picture.size)
        label.paste(1, place, disc.getchannel("A").point(lambda value: 255 * (value >= 128)))
        label.paste(255, (0, 0, 10, 10))
        picture.save(folder / "images" / f"{number:04}.png")
        label.save(folder / "labels" / f"{number:04}.png")
    return folder


@pytest.fixture(scope="module")
def boxes(inputs, tmp_path_factory) -> str:
    """A data set whose objects are nothing like discs."""
    root = tmp_path_factory.mktemp("boxes")
    (root / "fg").mkdir()
    (root / "bg").symlink_to(inputs / "bg")
    for number in range(4):
        box = Image.new("RGBA", (60, 60))
        ImageDraw.Draw(box).rectangle((5, 20, 55, 40), fill=(90, 60 + 40 * number, 50, 255))
        box.save(root / "fg" / f"{number}.png")
    spec = make_spec(root, root / "boxes", max_samples=96, num_shards=1, formats=("parquet",))
    return generate(spec, ["--direct_num_workers=1"], progress=False).output


@pytest.mark.slow
def test_a_better_set_scores_better(plain, boxes, tmp_path, capsys):
    real, other = draw_real(tmp_path / "real", 0), draw_real(tmp_path / "other", 20)
    output = tmp_path / "output"
    flags = [f"--real={real}", f"--select={other}", f"--output={output}", *SMALL]
    main([*flags, f"--data={boxes}", f"--data={plain.output}", "--seeds=2"])
    first = json.loads((output / "results.json").read_text())["runs"]
    assert [(run["arm"], run["seed"]) for run in first] == [
        ("boxes", 0), ("boxes", 1), ("set", 0), ("set", 1)
    ]  # fmt: skip
    scores = [run["scores"]["precision"] for run in first]
    assert min(scores[2:]) > 0.8 and min(scores[2:]) > max(scores[:2]) + 0.3
    assert all(0 <= run["scores"]["iou"] <= run["scores"]["best_iou"] for run in first)

    main([*flags, f"--data={boxes}", f"--real_train={other}", "--mixed=boxes", "--seeds=1"])
    again = json.loads((output / "results.json").read_text())["runs"]
    assert again[:4] == first
    assert [(run["arm"], run["seed"]) for run in again[4:]] == [
        ("all real", 0), ("2 real", 0), ("boxes + 2 real", 0)
    ]  # fmt: skip
    assert again[6]["scores"]["precision"] > max(scores[:2]) + 0.2
    mean = np.mean(scores[2:]), np.std(scores[2:], ddof=1)
    text = (output / "results.md").read_text()
    assert f"| set | 2 | {mean[0]:.3f} ± {mean[1]:.3f} |" in text
    assert text in capsys.readouterr().out
    with Image.open(output / "predictions.jpg") as sheet:
        assert sheet.size == (7 * 130, 6 * 98)
        column = np.asarray(sheet.convert("L")).astype(float).reshape(6 * 98, 7, 130)
    inside = column[:, 1] > 250
    assert column[:, 3][inside].mean() > column[:, 3][~inside].mean() + 80  # what "set" predicts
    with Image.open(output / "results.png") as plot:
        assert plot.width > 600

    with pytest.raises(SystemExit):
        main([*flags, f"--data={boxes}", "--scratch"])
    assert "give another --output" in capsys.readouterr().err


def test_samples_of_a_set_are_chosen_evenly(plain):
    few, more = (list(read_set(Path(plain.output), most)) for most in (4, 8))
    assert len(few) == 4 and few[0].image.shape == (64, 64, 3) and few[0].image.dtype == np.uint8
    for one, same in zip(few, more[::2], strict=True):
        np.testing.assert_array_equal(one.image, same.image)
        np.testing.assert_array_equal(one.target, same.target)
    assert 0 < few[0].target.mean() < 0.5 and few[0].target.max() == 1
    assert len(list(read_set(Path(plain.output), 10**6))) == plain.samples


def test_real_pictures_with_labels_and_with_masks(tmp_path):
    folder = draw_real(tmp_path / "real", 0)
    pictures = read_real(folder)
    assert len(pictures) == 6 and pictures[0].image.shape == (72, 96, 3)
    assert np.isnan(pictures[0].target[:10, :10]).all()
    assert set(np.unique(pictures[0].target[10:])) == {0, 1}

    (folder / "labels").rename(folder / "masks")
    assert read_real(folder)[0].target[0, 0] == 1
    Image.new("L", (5, 5)).save(folder / "masks" / "0003.png")
    with pytest.raises(ValueError, match=r"masks/0003.png: \(5, 5\), its picture \(72, 96\)"):
        read_real(folder)
    (folder / "masks" / "0000.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"images/0000.png: there is no .*masks/0000.png"):
        read_real(folder)
    with pytest.raises(FileNotFoundError, match="needs images/ or rgb/, and labels/"):
        read_real(tmp_path)


def test_a_view_shows_picture_and_target_alike():
    draw = np.random.default_rng(1)
    columns = np.arange(40, dtype=np.float32)
    image = np.repeat(np.tile(columns + 50, (24, 1))[..., None], 3, axis=2).astype(np.uint8)
    picture = Picture(image, np.tile(columns, (24, 1)))
    views = [view(picture, draw) for _ in range(20)]
    lefts = set()
    for pixels, target in views:
        assert pixels.shape == (24, 24, 3) and target.shape == (24, 24)
        factor = pixels[..., 0] / (target.numpy() + 50)
        assert np.ptp(factor) < 1e-5 and 0.6 <= factor[0, 0] <= 1.5
        lefts.add((float(target[0, 0] - target[0, 1]), float(target[0].min())))
    assert {step for step, _ in lefts} == {-1, 1} and len(lefts) > 10


def test_what_is_unknown_is_not_learnt():
    logits = torch.tensor([[[2.0, -1.0]]], requires_grad=True)
    Objects().loss(logits, torch.tensor([[[1.0, float("nan")]]])).backward()
    assert logits.grad is not None and logits.grad[0, 0, 1] == 0 and logits.grad[0, 0, 0] < 0


def test_views_of_some_pictures():
    features = {4: torch.arange(6.0)[:, None, None, None]}
    views = Views(features, torch.arange(6.0)[:, None, None]).of([2, 0], views=2)
    assert views.targets.ravel().tolist() == views.features[4].ravel().tolist() == [4, 5, 0, 1]


def test_the_decoder_takes_any_size_and_begins_with_objects_being_rare():
    sizes = {4: 24, 8: 40, 16: 112, 32: 192}
    features = {s: torch.zeros(2, c, 64 // s, 96 // s) for s, c in sizes.items()}
    logits = Decoder(Objects())(features)
    assert logits.shape == (2, 32, 48) and -3.5 < logits.mean() < -2.5
    assert -0.5 < Decoder(Depth())(features).mean() < 0.5


def test_a_network_from_scratch_gets_the_pixels():
    image = np.full((64, 96, 3), 255, np.uint8)
    image[:32] = 0
    features = Encoder(64, pretrained=False).whole(Picture(image, np.zeros((64, 96), np.float32)))
    assert list(features) == [1] and features[1].shape == (1, 3, 64, 96)
    assert features[1][..., :28, :].max() == -1 and features[1][..., 36:, :].min() == 1
    with torch.autocast("cpu", torch.bfloat16):
        mask, depth = (FromScratch(task) for task in (Objects(), Depth()))
        depth.load_state_dict(mask.state_dict())
        assert mask(features).shape == (1, 32, 48)
        assert not torch.equal(mask(features), depth(features))


def test_few_pictures_are_others_for_each_seed():
    few = [choose(62, 20, seed) for seed in range(3)]
    assert all(len(set(one)) == 20 for one in few) and max(map(max, few)) < 62
    assert few[0] == choose(62, 20, 0) and set(few[0]) != set(few[1])
    assert sorted(choose(62, 0, 1)) == list(range(62))


def test_arms():
    found = arms([Path("a"), Path("b")], ["b"], 20, True)
    assert [arm.name for arm in found] == ["all real", "20 real", "a", "b", "b + 20 real"]
    assert [arm.real for arm in found] == [0, 20, None, None, 20]
    assert [arm.name for arm in arms([Path("a")], ["a"], 20, False)] == ["a"]
    with pytest.raises(ValueError, match="must differ, these are a, a"):
        arms([Path("a"), Path("b/a")], [], 20, True)
    with pytest.raises(ValueError, match="--mixed=c: the data sets are a"):
        arms([Path("a")], ["c"], 20, True)


def save_depth(folder: Path, values: np.ndarray, kind: str) -> None:
    """A picture and its depth, 16-bit."""
    for name in ("rgb", kind):
        (folder / name).mkdir(parents=True, exist_ok=True)
    picture = np.zeros((*values.shape, 3), np.uint8)
    Image.fromarray(picture).save(folder / "rgb" / "0000.jpg")
    Image.fromarray(values.astype(np.uint16)).save(folder / kind / "0000.png")


def test_measured_depth_is_read_as_inverse_depth(tmp_path):
    values = np.full((300, 400), 2000)
    values[:, 200:] = 4000
    values[0] = 0
    for kind in ("depth", "disparity"):
        save_depth(tmp_path / kind, values, kind)
        assert task_of([tmp_path / kind]).name == "depth"
    (far,) = read_real(tmp_path / "depth")
    assert far.image.shape == (300, 400, 3) and far.source == str(tmp_path / "depth")
    assert far.target.shape == (192, 256) and far.target.dtype == np.float32
    assert np.isnan(far.target[0]).all() and set(np.unique(far.target[1:])) == {1, 0.5}
    assert (far.target[1:, :128] == 1).all()
    (near,) = read_real(tmp_path / "disparity")
    np.testing.assert_array_equal(near.target[1:], 1.5 - far.target[1:])

    values[5:] = 0
    save_depth(tmp_path / "depth", values, "depth")
    with pytest.raises(ValueError, match="rgb: there are no pictures"):
        read_real(tmp_path / "depth")
    with pytest.raises(ValueError, match=r"some folders .* hold depth, others objects"):
        task_of([tmp_path / "depth", draw_real(tmp_path / "real", 0)])
    assert task_of([tmp_path / "real"]).name == "objects"


def test_depth_of_a_set_is_near_where_it_is_large(full, plain):
    (one,) = read_set(Path(full.output), 1, depth=True)
    mask = next(read_set(Path(full.output), 1)).target
    assert one.target.shape == mask.shape and np.nanpercentile(one.target, 99) == pytest.approx(1)
    assert one.target[-20:].mean() > one.target[:60].mean()
    with pytest.raises(ValueError, match="the data set has no depth"):
        next(read_set(Path(plain.output), 1, depth=True))


def test_depth_is_never_averaged():
    target = torch.tensor([[1.0, 1, 5], [1, 1, 5], [3, 3, float("nan")]])
    reduced = Depth().reduced(target, (2, 2))
    assert reduced[0].tolist() == [1, 5] and reduced[1, 0] == 3 and reduced[1, 1].isnan()
    assert Objects().reduced(target[:2], (1, 1)).item() == pytest.approx(14 / 6)


def test_scale_and_shift_of_depth_are_not_learnt():
    near = torch.linspace(0.2, 0.8, 400).reshape(1, 20, 20)
    logits = torch.logit(near)
    right, wrong = (Depth().loss(logits, t).item() for t in (near * 0.3 + 5, 1 - near))
    assert right < 1e-3 < 1 < wrong
    unknown = (near * 0.3 + 5).clone()
    unknown[0, 0] = float("nan")
    assert Depth().loss(logits, unknown).item() < 0.1


def test_a_view_shows_depth_of_fewer_pixels_alike():
    draw = np.random.default_rng(1)
    columns = np.repeat(np.arange(20, dtype=np.uint8), 2)
    image = np.repeat(np.tile(columns + 50, (24, 1))[..., None], 3, axis=2).astype(np.uint8)
    picture = Picture(image, np.tile(columns[::2].astype(np.float32), (12, 1)))
    for _ in range(20):
        pixels, target = view(picture, draw)
        assert pixels.shape == (24, 24, 3) and target.shape == (12, 12)
        factor = pixels[0, 0, 0] / (target[0, 0].item() + 50)
        seen = pixels[0, ::2, 0] / factor - 50
        assert np.abs(seen - target[0].numpy()).max() < 1.1


def draw_measured(folder: Path, first: int) -> Path:
    """Six pictures with a disc each, whose depth is their brightness: near is light."""
    for name in ("rgb", "disparity"):
        (folder / name).mkdir(parents=True)
    for number in range(first, first + 6):
        picture = draw_background(number, (96, 72))
        disc = draw_foreground(number, (36, 36))
        picture.paste(disc, (number * 17 % 60, 15 + number * 5 % 20), disc)
        picture.save(folder / "rgb" / f"{number:04}.png")
        near = np.asarray(picture) @ np.array([1, 2, 5]) * 20 + 100
        Image.fromarray(near.astype(np.uint16)).save(folder / "disparity" / f"{number:04}.png")
    return folder


@pytest.mark.slow
def test_better_depth_labels_score_better(inputs, full, tmp_path, capsys):
    spec = make_spec(
        inputs,
        tmp_path / "light",
        max_samples=96,
        num_shards=1,
        formats=("parquet",),
        depth_model=save(tmp_path / "light.onnx"),
    )
    light = generate(spec, ["--direct_num_workers=1"], progress=False).output
    folders = [draw_measured(tmp_path / str(first), first) for first in (0, 20)]
    flags = [f"--real={folder}" for folder in folders] + [f"--output={tmp_path / 'output'}"]
    main([*flags, f"--data={light}", f"--data={full.output}", *SMALL, "--seeds=2"])
    content = json.loads((tmp_path / "output" / "results.json").read_text())
    assert content["protocol"]["task"] == "depth"
    assert [run["arm"] for run in content["runs"]] == ["light"] * 2 + ["set"] * 2
    better, worse = ([run["scores"] for run in content["runs"][i : i + 2]] for i in (0, 2))
    for name, margin in (("within_rows", 0), ("spearman", 0.5), ("edge_order", 0.2)):
        assert min(one[name] for one in better) > max(one[name] for one in worse) + margin, name
    assert max(one["abs_rel"] for one in better) < min(one["abs_rel"] for one in worse)
    assert "| trained on | runs | order within rows |" in capsys.readouterr().out
    with Image.open(tmp_path / "output" / "predictions.jpg") as sheet:
        assert sheet.width == 4 * 130
