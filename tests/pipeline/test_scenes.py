"""Data sets of scenes: presets, fields in every format, and that they are verified."""

import dataclasses
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline import GenerateResult, SpecError, generate
from pipeline.maker import maker_of
from pipeline.run import make_recipe
from pipeline.scene_spec import SCENE_FIELDS, scene_options
from pipeline.spec import DatasetSpec
from pipeline.verify import verify
from tests.conftest import make_spec
from tests.drawing import draw_background
from transforms.formats.base import Folder
from transforms.models.depth.base import RELATIVE_INVERSE_DEPTH
from transforms.pixels.size import Size
from transforms.plan.plan import load_plan
from transforms.scenes.crops import random_crop
from transforms.scenes.draws import draws_of
from transforms.scenes.ground import Ground
from transforms.steps.arrange import add_scenes
from transforms.steps.background_depth import DEPTH, load_depth
from transforms.steps.background_ground import GROUND
from transforms.steps.encode import QuantisedDepth
from transforms.steps.place import blocks
from transforms.steps.verify_scenes import objects_of, scene_depth_fault, scene_fault


def spec_with(**changes: Any) -> DatasetSpec:
    """A spec whose places do not exist."""
    return DatasetSpec("fg", "bg", "out", **changes)


def test_the_classic_preset_has_no_scenes() -> None:
    spec = spec_with().with_preset()
    assert scene_options(spec) is None
    assert {getattr(spec, name) for name in SCENE_FIELDS} == {None}
    assert spec.depth_labels == "predicted" and spec.scale_jitter is None
    assert scene_options(spec_with(objects=(1, 1), shadow=0.0)) is None


def test_the_natural_preset_is_written_out_and_stays_itself() -> None:
    spec = spec_with(preset="natural").with_preset()
    assert spec.objects == (1, 4) and spec.placing == "grounded"
    assert spec.depth_labels == "layered" and spec.passes is not None
    assert spec.with_preset() == spec
    assert DatasetSpec.from_json(spec.to_json()) == spec
    without = spec_with(preset="natural", depth_model="none").with_preset()
    assert without.depth_labels == "predicted" and without.passes is None


def test_an_option_beside_a_preset_wins() -> None:
    spec = spec_with(preset="natural", shadow=0.0, objects=(2, 2), depth_labels="predicted")
    options = scene_options(spec)
    assert options is not None
    assert (options.shadow, options.objects, options.grounded) == (0.0, (2, 2), True)
    assert spec.with_preset().depth_labels == "predicted"
    alone = scene_options(spec_with(shadow=0.5))
    assert alone is not None
    assert (alone.shadow, alone.objects, alone.grounded) == (0.5, (1, 1), False)


def test_scenes_are_as_large_as_the_composites() -> None:
    options = scene_options(spec_with(preset="natural", image_size="208x160"))
    assert options is not None and (options.width, options.height) == (208, 160)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objects": (0, 2)}, "--objects=0:2 is invalid; give LOW:HIGH, 1 <= LOW <= HIGH <= 8"),
        ({"objects": (3, 2)}, "--objects=3:2 is invalid"),
        ({"rotation": (-200.0, 0.0)}, "--rotation=-200:0 is invalid"),
        ({"placing": "sky"}, "--placing=sky is unknown; give anywhere or grounded"),
        ({"shadow": 1.5}, "--shadow=1.5 is invalid; give 0 to 1"),
        ({"distractor_share": 0.5}, "--distractor_share=0.5 needs things to show"),
        ({"occlude": True}, "--occlude needs the ground of backgrounds"),
        ({"background_crop": "left"}, "--background_crop=left is unknown; give centre or random"),
        ({"truncation": 0.95}, "--truncation=0.95 is invalid; give at most 0.9"),
    ],
)
def test_impossible_scenes_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec = spec_with(**changes)
        spec.with_preset().check()
    assert message in str(caught.value)


@pytest.fixture(scope="module")
def natural(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> GenerateResult:
    """A small natural set with layered depth and distractors in all table formats, and COCO."""
    output = tmp_path_factory.mktemp("natural") / "set"
    spec = make_spec(
        inputs,
        output,
        image_size="80x64",
        preset="natural",
        depth_model="builtin",
        depth_passes=1,
        negatives=0.2,
        occlude=True,
        background_crop="random",
        distractors=str(inputs / "fg"),
        formats=("tfrecord", "parquet", "webdataset", "coco", "yolo"),
        max_samples=60,
        num_shards=2,
    )
    return generate(spec, ["--direct_num_workers=1"], progress=False)


def _rows(result: GenerateResult) -> list[dict[str, Any]]:
    paths = sorted(Path(result.output).glob("parquet/*train*.parquet"))
    paths = paths or sorted(Path(result.output).rglob("*train*.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def _pixels(value: dict[str, Any]) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(value["bytes"])))


def test_a_set_of_scenes_is_without_fault(natural: GenerateResult) -> None:
    assert (natural.samples, natural.failed) == (60, 0)
    assert not verify(natural.output).faults


def test_fields_of_objects_agree_with_the_pictures(natural: GenerateResult) -> None:
    rows = _rows(natural)
    counts = [len(row["object_fg_ids"]) for row in rows]
    assert 0 in counts and max(counts) > 1
    for row in rows:
        instances, mask = _pixels(row["instances"]), _pixels(row["mask"])
        np.testing.assert_array_equal(instances > 0, mask >= 128)
        assert np.bincount(instances.ravel())[1:].tolist() == row["object_areas"]
        depth = _pixels(row["depth"]) * row["depth_scale"] + row["depth_offset"]
        for k, value in enumerate(row["object_depths"], 1):
            step = row["depth_scale"] * 64  # Ten bits are kept.
            np.testing.assert_allclose(depth[instances == k], value, rtol=1e-4, atol=step / 2)
    kept = json.loads((Path(natural.output) / "statistics.json").read_text())["objects"]
    assert kept["count"] == sum(counts)
    assert kept["pictures_by_objects"] == np.bincount(counts).tolist()
    ends = [(box[1] + box[3]) * 100 // 64 for row in rows for box in row["object_boxes"]]
    found = np.bincount(ends, minlength=101).tolist()
    assert kept["objects_by_percent_of_height_of_lower_end"] == found


def test_coco_and_yolo_have_an_entry_for_each_object(natural: GenerateResult) -> None:
    from pycocotools.coco import COCO

    coco = COCO(str(Path(natural.output) / "coco/train/annotations.json"))
    by_key = {row["key"]: row for row in _rows(natural)}
    assert len(coco.imgs) == 60
    for image in coco.imgs.values():
        key = f"fg_bg_{image['fg_id']}_{image['bg_id']}_{image['flip']}_{image['seq']}"
        row, found = by_key[key], coco.imgToAnns[image["id"]]
        instances = _pixels(row["instances"])
        assert [each["fg_id"] for each in found] == row["object_fg_ids"]
        assert (image["width"], image["height"]) == (80, 64)
        for k, annotation in enumerate(found, 1):
            np.testing.assert_array_equal(coco.annToMask(annotation), instances == k)
            assert annotation["bbox"] == row["object_boxes"][k - 1]
        name = Path(image["file_name"]).with_suffix(".txt").name
        [label] = Path(natural.output).rglob(f"yolo/labels/**/{name}")
        assert len(label.read_text().splitlines()) == len(found)


def test_tfds_and_datasets_read_the_objects(natural: GenerateResult) -> None:
    import datasets
    import tensorflow_datasets as tfds

    rows = {row["key"]: row for row in _rows(natural)}
    builder = tfds.builder_from_directory(f"{natural.output}/tfrecord/mask_depth/1.0.0")
    found = {row["key"].decode(): row for row in tfds.as_numpy(builder.as_dataset("train"))}
    assert found.keys() == rows.keys()
    whole = datasets.load_dataset(natural.output, split="train")
    assert [row["key"] for row in whole] == list(rows)
    for theirs in whole:
        ours, tensors = rows[theirs["key"]], found[theirs["key"]]
        instances = _pixels(ours["instances"])
        np.testing.assert_array_equal(np.asarray(theirs["instances"]), instances)
        np.testing.assert_array_equal(tensors["instances"][..., 0], instances)
        for name in ("object_fg_ids", "object_boxes", "object_areas", "object_visible"):
            assert theirs[name] == ours[name]
            assert tensors[name].tolist() == ours[name]
        assert theirs["background_box"] == ours["background_box"] != [22, 0, 180, 180]
        assert tensors["background_box"].tolist() == ours["background_box"]


def test_supervision_reads_the_objects(natural: GenerateResult) -> None:
    supervision = pytest.importorskip("supervision", reason="supervision is not installed")
    rows = {row["key"]: row for row in _rows(natural)}
    folder = f"{natural.output}/coco/train"
    data = supervision.DetectionDataset.from_coco(
        folder, f"{folder}/annotations.json", force_masks=True
    )
    for path, _, detections in data:
        row = rows[Path(path).stem]
        instances = _pixels(row["instances"])
        assert len(detections) == len(row["object_fg_ids"])
        for k, mask in enumerate(detections.mask if len(detections) else (), 1):
            np.testing.assert_array_equal(mask, instances == k)
    assert len(data) == 60


def test_supervision_reads_the_outlines_of_objects(natural: GenerateResult) -> None:
    supervision = pytest.importorskip("supervision", reason="supervision is not installed")
    rows, seen = {row["key"]: row for row in _rows(natural)}, 0
    for shard in range(2):
        data = supervision.DetectionDataset.from_yolo(
            images_directory_path=f"{natural.output}/yolo/images/train/{shard:05d}",
            annotations_directory_path=f"{natural.output}/yolo/labels/train/{shard:05d}",
            data_yaml_path=f"{natural.output}/yolo/data.yaml",
            force_masks=True,
        )
        for path, _, detections in data:
            row = rows[Path(path).stem]
            instances = _pixels(row["instances"])
            assert len(detections) == len(row["object_fg_ids"])
            for k, drawn in enumerate(detections.mask if len(detections) else (), 1):
                one, other = drawn.astype(bool), instances == k
                if other.sum() > 100:  # An outline has no pixels, which tells in small ones.
                    assert (one & other).sum() / (one | other).sum() > 0.7
                    seen += 1
    assert seen > 30


def test_wrong_objects_are_named(natural: GenerateResult) -> None:
    folder = Folder(natural.output)
    plan = load_plan(folder.plan_path)
    spec = DatasetSpec.from_json((Path(natural.output) / "state/spec.json").read_text())
    recipe = make_recipe(spec, plan)
    samples = {
        placement.key: placement
        for shard in plan.shards()
        for block in blocks(plan, shard, 8)
        for placement in block.placements
    }
    row = next(row for row in _rows(natural) if len(row["object_fg_ids"]) == 4)
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
    values["object_boxes"] = tuple(tuple(box) for box in row["object_boxes"])
    instances, mask = _pixels(row["instances"]), _pixels(row["mask"])

    def fault(instances: np.ndarray = instances, **changes: Any) -> str | None:
        changed = {**values, **changes}
        objects = objects_of(changed, plan, recipe)
        sample = samples[row["key"]]
        return scene_fault(changed, objects, sample, instances, mask, None, plan, recipe)

    def first(name: str, value: Any) -> dict[str, Any]:
        return {name: (value, *values[name][1:])}

    assert fault() is None
    swapped = np.where(instances == 1, 2, np.where(instances == 2, 1, instances)).astype(np.uint8)
    assert "the box of object 1" in (fault(swapped) or "")
    assert "not where its mask" in (fault(np.zeros_like(instances)) or "")
    assert "area of object 1" in (
        fault(**first("object_areas", values["object_areas"][0] + 1)) or ""
    )
    assert "visible to 1.5" in (fault(**first("object_visible", 1.5)) or "")
    assert "visible to 0.1" in (fault(**first("object_visible", 0.1)) or "")
    assert "foreground 999" in (fault(**first("object_fg_ids", 999)) or "")
    assert "4 entries, not 1" in (fault(object_visible=values["object_visible"][:1]) or "")


def test_a_scene_does_not_depend_on_its_block(natural: GenerateResult) -> None:
    folder = Folder(natural.output)
    plan = load_plan(folder.plan_path)
    spec = DatasetSpec.from_json((Path(natural.output) / "state/spec.json").read_text())
    weights = maker_of("builtin").weights
    recipe = make_recipe(spec, plan, RELATIVE_INVERSE_DEPTH, weights=weights)
    shard = dataclasses.replace(next(iter(plan.shards())), stop=8)
    [together] = [add_scenes(block, recipe) for block in blocks(plan, shard, 8)]
    alone = [add_scenes(block, recipe) for block in blocks(plan, shard, 1)]
    assert together.images is not None and together.masks is not None
    for i, block in enumerate(alone):
        assert block.images is not None and block.masks is not None
        np.testing.assert_array_equal(block.images[0], together.images[i])
        np.testing.assert_array_equal(block.masks[0], together.masks[i])
        assert block.scenes[0].objects == together.scenes[i].objects


@pytest.mark.slow
def test_a_set_without_its_inputs_is_verified_from_its_state(inputs: Path, tmp_path: Path) -> None:
    shutil.copytree(inputs, tmp_path / "in")
    spec = make_spec(
        tmp_path / "in",
        tmp_path / "set",
        preset="natural",
        background_crop="random",
        depth_model="builtin",
        depth_passes=1,
        formats=("parquet",),
        max_samples=20,
        num_shards=1,
    )
    result = generate(spec, ["--direct_num_workers=1"], progress=False)
    shutil.rmtree(tmp_path / "in")
    report = verify(result.output)
    assert not report.faults and report.unchecked
    folder = Folder(result.output)
    plan = load_plan(folder.plan_path)
    weights = maker_of("builtin").weights
    recipe = make_recipe(spec.with_preset(), plan, RELATIVE_INVERSE_DEPTH, weights=weights)
    [block] = blocks(plan, next(iter(plan.shards())), 32)
    for row, sample in zip(_rows(result), block.placements, strict=True):
        values = {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
        numbers = (np.array([row[name]], np.float32) for name in ("depth_scale", "depth_offset"))
        stored = QuantisedDepth(_pixels(row["depth"])[None], *numbers)
        objects, instances = objects_of(values, plan, recipe), _pixels(row["instances"])
        moved = {**values, "background_box": (0, 0, 1, 1)}
        common = (instances, _pixels(row["mask"]), None, plan, recipe)
        assert "background_box is" in (scene_fault(moved, objects, sample, *common) or "")
        given = (objects_of(values, plan, recipe), sample, _pixels(row["instances"]))
        assert scene_depth_fault(*given, stored, plan, recipe) is None
        wrong = dataclasses.replace(stored, pixels=stored.pixels[:, ::-1])
        assert "not what its layers give" in (scene_depth_fault(*given, wrong, plan, recipe) or "")


@pytest.mark.slow
def test_a_set_of_scenes_is_extended(inputs: Path, tmp_path: Path) -> None:
    growing = tmp_path / "in"
    shutil.copytree(inputs, growing)
    held_back = ("fg/fg_img_7.png", "fg/fg_img_11.png", "bg/bg_img_4.png")
    for name in held_back:
        (growing / name).unlink()
    shutil.copytree(inputs / "fg", tmp_path / "distractors")

    def spec(placements: int) -> DatasetSpec:
        return make_spec(
            growing,
            tmp_path / "set",
            preset="natural",
            distractors=str(tmp_path / "distractors"),
            formats=("parquet",),
            placements=placements,
            num_shards=2,
        )

    local = ["--direct_num_workers=1"]
    first = {row["key"]: row for row in _rows(generate(spec(1), local, progress=False))}
    for name in held_back:
        shutil.copy(inputs / name, growing / name)
    result = generate(spec(2), local, progress=False, extend=True)
    rows = {row["key"]: row for row in _rows(result)}
    assert len(rows) == result.samples == 12 * 6 * 2 * 2 > len(first)
    assert {key: rows[key] for key in first} == first
    assert not verify(result.output).faults
    (tmp_path / "distractors/fg_img_3.png").unlink()
    with pytest.raises(SpecError, match="distractor"):
        generate(spec(3), local, progress=False, extend=True)


@pytest.mark.slow
def test_two_workers_make_the_same_bytes(natural: GenerateResult, tmp_path: Path) -> None:
    spec = DatasetSpec.from_json((Path(natural.output) / "state/spec.json").read_text())
    again = dataclasses.replace(spec, output=str(tmp_path / "set"))
    generate(again, ["--direct_num_workers=2"], progress=False)
    for part in ("tfrecord", "parquet", "webdataset", "coco", "yolo", "state/prepared"):
        for path in sorted((Path(natural.output) / part).rglob("*")):
            if path.is_file():
                other = tmp_path / "set" / path.relative_to(natural.output)
                assert other.read_bytes() == path.read_bytes(), path


def test_without_depth_the_ground_is_prepared_and_depth_is_not(
    inputs: Path, tmp_path: Path
) -> None:
    backgrounds = tmp_path / "bg"
    shutil.copytree(inputs / "bg", backgrounds)
    # On its side: what is near lies to the right and not below.
    sideways = draw_background(1).transpose(Image.Transpose.ROTATE_90)
    sideways.save(backgrounds / "bg_img_6.png")
    spec = make_spec(
        inputs,
        tmp_path / "set",
        backgrounds=str(backgrounds),
        preset="natural",
        formats=("parquet",),
        max_samples=12,
        num_shards=1,
    )
    result = generate(spec, ["--direct_num_workers=1"], progress=False)
    prepared = Path(result.output) / "state/prepared"
    plan = load_plan(Folder(result.output).plan_path)
    recipe = make_recipe(spec.with_preset(), plan)
    assert len(list((prepared / "ground").iterdir())) == 6
    assert not (prepared / "depth").exists()
    named = (Path(result.output) / "errors/ground.jsonl").read_text().splitlines()
    reasons = {Path(json.loads(line)["path"]).name: json.loads(line)["reason"] for line in named}
    found = {
        Path(asset.path).name: Ground.from_bytes(GROUND.read(asset, recipe)).found
        for asset in plan.backgrounds
    }
    assert set(reasons) == {name for name, there in found.items() if not there}
    assert "bg_img_6.png" in reasons
    assert set(reasons.values()) <= {"no ground is seen; objects are placed anywhere"}
    assert "depth" not in _rows(result)[0] and "object_depths" not in _rows(result)[0]
    assert not verify(result.output).faults


def test_depth_and_clean_images_go_with_the_part_of_a_background_that_is_shown(
    inputs: Path, tmp_path: Path
) -> None:
    spec = make_spec(
        inputs,
        tmp_path / "set",
        image_size="64x48",
        background_crop="random",
        depth_model="builtin",
        depth_labels="layered",
        depth_passes=1,
        depth_bits=16,
        image_encoding="png",
        formats=("parquet",),
        max_samples=24,
        num_shards=1,
    )
    result = generate(spec, ["--direct_num_workers=1"], progress=False)
    assert result.samples == 24 and not verify(result.output).faults
    plan = load_plan(Folder(result.output).plan_path)
    recipe = make_recipe(
        spec.with_preset(), plan, RELATIVE_INVERSE_DEPTH, weights=maker_of("builtin").weights
    )
    [shard] = plan.shards()
    samples = {
        placement.key: placement
        for block in blocks(plan, shard, 32)
        for placement in block.placements
    }
    for row in _rows(result):
        sample = samples[row["key"]]
        source = plan.background_by_id[sample.bg_id]
        whole = load_depth(DEPTH.read(source, recipe))
        assert whole.shape == (51, 64)
        [draws] = draws_of(plan.seed, [sample])
        crop = random_crop(draws, Size(64, 48), 224, 180)
        box = (crop.left, crop.top, crop.left + crop.width, crop.top + crop.height)
        assert row["background_box"] == list(crop.box)
        behind = _pixels(row["mask"]) == 0
        picture = Image.open(source.path).convert("RGB").crop(box).resize((64, 48))
        gap = np.abs(_pixels(row["image"]).astype(int) - np.asarray(picture))[behind]
        assert gap.mean() < 3
        scaled = (box[0] * 64 / 224, box[1] * 51 / 180, box[2] * 64 / 224, box[3] * 51 / 180)
        part = Image.fromarray(whole).resize((64, 48), Image.Resampling.BILINEAR, box=scaled)
        depth = _pixels(row["depth"]) * row["depth_scale"] + row["depth_offset"]
        np.testing.assert_allclose(depth[behind], np.asarray(part)[behind], atol=1e-3)
    [clean] = Path(result.output).rglob("assets/*background*.parquet")
    kept = pq.read_table(clean).to_pylist()
    assert {_pixels(row["depth"]).shape for row in kept} == {(48, 64)}
