"""Data sets whose foregrounds are photographs: cut out once, kept, listed and found again."""

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline import DatasetSpec, generate
from pipeline.dry_run import forecast
from pipeline.performance import Performance
from pipeline.spec import SpecError
from pipeline.verify import verify
from tests.drawing import draw_background, draw_foreground
from tests.models.test_cutout_models import save_red, settings
from tests.pipeline.test_cutout_command import photograph
from transforms.pixels.input_cache import read_foreground
from transforms.plan.plan import load_plan
from transforms.steps.cutouts import cut_photograph

ONE = ["--direct_num_workers=1"]


@pytest.fixture
def spec(tmp_path: Path) -> DatasetSpec:
    """Foreground 1 has an alpha, 2 a mask, 3 and 4 are cut out; of 5 nothing can be."""
    for name in ("fg", "bg", "masks"):
        (tmp_path / name).mkdir()
    draw_foreground(1).save(tmp_path / "fg" / "a1.png")
    photograph((60, 40, 120, 100)).save(tmp_path / "fg" / "b2.png")
    mask = Image.new("L", (200, 150))
    mask.paste(255, (80, 50, 100, 80))
    mask.save(tmp_path / "masks" / "b2.png")
    photograph((40, 30, 140, 110)).save(tmp_path / "fg" / "c3.jpg", quality=95)
    photograph((20, 20, 90, 130), (120, 40, 190, 110)).save(tmp_path / "fg" / "d4.png")
    photograph().save(tmp_path / "fg" / "e5.png")
    for number in (1, 2):
        draw_background(number).save(tmp_path / "bg" / f"{number}.png")
    model = save_red(tmp_path / "model" / "red.onnx", logits=True, side=64)
    settings(tmp_path / "model" / "preprocessor_config.json")
    return DatasetSpec(
        foregrounds=str(tmp_path / "fg"),
        backgrounds=str(tmp_path / "bg"),
        masks=str(tmp_path / "masks"),
        output=str(tmp_path / "set"),
        cutout_model=f"onnx:{model}",
        image_size=64,
        foreground_size=32,
        placements=2,
        depth_model="none",
        num_shards=2,
        formats=("parquet",),
        image_encoding="png",
    )


def make(spec: DatasetSpec, extend: bool = False, overwrite: bool = False) -> dict:
    result = generate(spec, ONE, progress=False, extend=extend, overwrite=overwrite)
    return json.loads(Path(result.manifest).read_text("utf-8"))


def changed(spec: DatasetSpec, **fields: object) -> DatasetSpec:
    return DatasetSpec(**{**json.loads(spec.to_json()), **fields})


def cutouts(output: str) -> list[str]:
    return sorted(path.name for path in Path(output).glob("state/prepared/cutouts/*"))


def data(manifest: dict) -> dict[str, str]:
    return {file["path"]: file["sha256"] for file in manifest["files"]}


def test_own_alpha_comes_before_masks_and_masks_before_the_model(spec, caplog):
    caplog.set_level(logging.INFO)
    manifest = make(spec)
    found = {item["id"]: item for item in manifest["inputs"]["foregrounds"]}
    assert sorted(found) == [1, 2, 3, 4]
    assert [found[i]["cutout"] is None for i in (1, 2, 3, 4)] == [True, True, False, False]
    assert found[2]["mask_path"].endswith("masks/b2.png")
    assert found[3]["cutout"]["model"] == "onnx:red.onnx"
    assert "unsure 0." in found[3]["cutout"]["note"] and "2 parts" in found[4]["cutout"]["note"]
    [left_out] = manifest["inputs"]["left_out"]
    assert left_out["path"].endswith("e5.png") and "finds no object" in left_out["reason"]
    listed = {file["path"]: file["sha256"] for file in manifest["other_files"]}
    for number in (3, 4):
        path = found[number]["cutout"]["path"]
        content = (Path(spec.output) / path).read_bytes()
        assert listed[path] == found[number]["cutout"]["sha256"]
        assert listed[path] == hashlib.sha256(content).hexdigest()
    # A PNG and a JSON file for each; what was noted of the fifth is of no use any more.
    assert len(cutouts(spec.output)) == 4
    assert "2 of 4 foregrounds are cut out of photographs by onnx:" in caplog.text
    page = (Path(spec.output) / "gallery" / "index.html").read_text("utf-8")
    assert "c3.jpg · cut out by onnx:" in page
    asset = load_plan(f"{spec.output}/state/plan.json").foreground_by_id[3]
    assert abs(asset.width - 100) <= 6 and abs(asset.height - 80) <= 6


@pytest.mark.slow
def test_a_set_is_continued_and_extended_without_the_model(spec, tmp_path):
    whole = data(make(spec))
    kept = {path: path.stat().st_mtime_ns for path in Path(spec.output).glob("state/prepared/*/*")}
    model = Path(spec.cutout_model.partition(":")[2])
    weights = model.read_bytes()
    (Path(spec.output) / "manifest.json").unlink()
    record = min(Path(spec.output).glob("state/records/train-*"))
    record.unlink()
    assert data(make(spec)) == whole
    # More of another colour: only what is new is cut out.
    photograph((50, 50, 120, 100)).save(tmp_path / "fg" / "f6.png")
    grown = make(changed(spec, placements=3), extend=True)
    assert 6 in {item["id"] for item in grown["inputs"]["foregrounds"]}
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert model.read_bytes() == weights


def test_the_photograph_is_not_read_again_once_it_is_cut_out(spec, tmp_path):
    make(spec)
    plan = load_plan(f"{spec.output}/state/plan.json")
    (tmp_path / "fg" / "c3.jpg").write_bytes(b"")
    rgba = read_foreground(plan.foreground_by_id[3], 32)
    solid = rgba[rgba[..., 3] == 255][:, :3].astype(int)
    distance = np.abs(solid - (255, 60, 40)).max(axis=1)
    # At the outline a tenth of the photograph's background may be left.
    assert len(solid) > 300 and np.median(distance) < 4 and distance.max() < 25
    cutout = plan.foreground_by_id[3].cutout
    assert cutout is not None
    Path(cutout.path).write_bytes(Path(cutout.path).read_bytes()[:-1] + b"?")
    with pytest.raises(ValueError, match="the file has changed"):
        read_foreground(plan.foreground_by_id[3], 32)


def test_parts_are_foregrounds_of_their_own(spec):
    manifest = make(changed(spec, cutout_parts="separate"))
    found = manifest["inputs"]["foregrounds"]
    assert [item["id"] for item in found] == [1, 2, 3, 4, 5]
    assert [Path(item["path"]).name for item in found[3:]] == ["d4.png", "d4.png"]
    assert found[3]["cutout"]["path"] != found[4]["cutout"]["path"]
    assert manifest["samples"] == 5 * 2 * 2 * 2


@pytest.mark.slow
def test_another_rule_makes_another_set_and_overwriting_keeps_what_it_needs(spec):
    make(spec)
    before = cutouts(spec.output)
    other = changed(spec, cutout_parts="largest")
    with pytest.raises(SpecError, match="1 of its foregrounds are changed, the first with id 4"):
        make(other)
    assert cutouts(spec.output) == before
    make(other, overwrite=True)
    after = cutouts(spec.output)
    assert len(after) == 4 and not set(after) & set(before)


def test_a_dry_run_cuts_out_elsewhere(spec):
    found = forecast(spec, ONE, Performance())
    assert found.foregrounds == 4 and len(found.left_out) == 1
    assert not Path(spec.output).exists()


def test_without_a_model_photographs_are_left_out(spec):
    manifest = make(changed(spec, cutout_model="none"))
    assert [item["id"] for item in manifest["inputs"]["foregrounds"]] == [1, 2]
    assert len(manifest["inputs"]["left_out"]) == 3


def test_a_model_that_is_not_there_is_named(spec):
    with pytest.raises(SpecError, match=r"=onnx:/none\.onnx: /none\.onnx: there is no"):
        make(changed(spec, cutout_model="onnx:/none.onnx"))
    assert not Path(spec.output).exists()


def test_a_run_that_was_killed_while_cutting_goes_on(spec, monkeypatch):
    from pipeline import cutouts as module

    cut = cut_photograph
    seen: list[object] = []

    def killed(*arguments):
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(arguments)
        return cut(*arguments)

    monkeypatch.setattr(module, "cut_photograph", killed)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        make(spec)
    first = cutouts(spec.output)
    assert len(first) == 4
    monkeypatch.setattr(module, "cut_photograph", cut)
    make(spec)
    assert cutouts(spec.output) == first


@pytest.mark.slow
def test_a_set_that_was_moved_has_its_cut_outs_with_it(spec, tmp_path):
    make(spec)
    moved = tmp_path / "elsewhere"
    Path(spec.output).rename(moved)
    asset = load_plan(f"{moved}/state/plan.json").foreground_by_id[3]
    assert asset.cutout is not None and asset.cutout.path.startswith(f"{moved}/")
    assert read_foreground(asset, 32).shape[1] == 32
    assert verify(str(moved), ONE).faults == ()
    Path(asset.cutout.path).write_bytes(b"")
    assert any(fault.path == asset.cutout.listed for fault in verify(str(moved), ONE).faults)
