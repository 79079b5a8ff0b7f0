"""The batch zips in the manner of those who train from them: unpacked, one folder for each batch.

Such a loader lists a batch's composites, takes from each name what stands between `fg_bg_` and
`.jpg`, and finds mask, depth and, by the second number, the background.
"""

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, Dataset

from pipeline import DatasetSpec, SpecError, generate
from pipeline.catalog import build_catalog
from pipeline.output import claim
from pipeline.run import make_plan, make_recipe
from tests.conftest import make_spec
from tests.readers.rows import pixels, rows_by_key
from transforms.formats.zips import join_batch
from transforms.owned import written_names
from transforms.pixels.codecs import encode_jpeg
from transforms.pixels.input_cache import read_background
from transforms.plan.clean_shards import clean_shards
from transforms.steps.clean import write_clean_shard


class Batch(Dataset):
    """One unpacked batch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        places = os.listdir(folder / "fg_bg_jpg")
        self.names = [n[n.index("fg_bg_") + len("fg_bg_") : n.index(".jpg")] for n in places]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> dict:
        name = self.names[index]
        background = name.split("_")[1]
        files = {
            "bg": f"bg_jpg/bg_img_{background}.jpg",
            "fg_bg": f"fg_bg_jpg/fg_bg_{name}.jpg",
            "mask_black": f"mask_black_jpg/bg_mask_{name}.jpg",
            "depth_fg_bg": f"depth_fg_bg_jpg/depth_fg_bg_{name}.jpg",
        }
        found: dict = {"name": name}
        for kind, file in files.items():
            with Image.open(self.folder / file) as image:
                found[kind] = torch.from_numpy(np.array(image))
        return found


@pytest.fixture(scope="module")
def unpacked(full, tmp_path_factory) -> list[Path]:
    root = tmp_path_factory.mktemp("zips")
    paths = sorted(Path(full.output, "zip").iterdir())
    assert [path.name for path in paths] == ["batch1_images.zip", "batch2_images.zip"]
    folders = [root / f"batch{number}" for number in range(1, len(paths) + 1)]
    for path, folder in zip(paths, folders, strict=True):
        zipfile.ZipFile(path).extractall(folder)
    return folders


def test_the_loader_finds_every_sample_once(full, unpacked):
    rows = rows_by_key(full.output)
    samples: ConcatDataset[dict] = ConcatDataset([Batch(folder) for folder in unpacked])
    names = []
    for batch in DataLoader(samples, batch_size=16, shuffle=True):
        names += batch["name"]
        for kind, shape in (
            ("bg", (128, 160, 3)),
            ("fg_bg", (128, 160, 3)),
            ("mask_black", (128, 160)),
            ("depth_fg_bg", (128, 160)),
        ):
            assert batch[kind].shape[1:] == shape and batch[kind].dtype == torch.uint8
        for i, name in enumerate(batch["name"]):
            row = rows[f"fg_bg_{name}"]
            image, mask = pixels(row["image"]["bytes"]), pixels(row["mask"]["bytes"])
            np.testing.assert_array_equal(batch["fg_bg"][i], image)
            assert np.abs(batch["mask_black"][i].numpy() - mask.astype(float)).mean() < 3
            # Background and composite are one picture where nothing is pasted.
            apart = np.abs(batch["bg"][i].numpy() - image.astype(float)).mean(axis=2)
            assert apart[mask == 0].mean() < 3 and apart[mask > 250].mean() > 20
            depth = pixels(row["depth"]["bytes"]) / 65535 * 255
            assert np.abs(batch["depth_fg_bg"][i].numpy() - depth).mean() < 3
    assert sorted(f"fg_bg_{name}" for name in names) == sorted(rows)


def test_each_batch_has_its_own_foregrounds_and_all_backgrounds(full, unpacked):
    seen: list[str] = []
    for folder in unpacked:
        foregrounds = sorted(path.stem for path in (folder / "fg_jpg").iterdir())
        masks = sorted(path.stem for path in (folder / "mask_jpg").iterdir())
        assert [name.replace("fg_img", "mask_img") for name in foregrounds] == masks
        assert len(list((folder / "bg_jpg").iterdir())) == 6
        used = {f"fg_img_{name.split('_')[0]}" for name in Batch(folder).names}
        assert used == set(foregrounds)
        seen += foregrounds
    assert sorted(seen) == sorted(f"fg_img_{number}" for number in range(1, 13))


def test_backgrounds_are_decoded_once_for_all_batches(inputs, tmp_path):
    shutil.copytree(inputs / "bg", tmp_path / "bg")
    spec = make_spec(
        inputs, tmp_path / "set", backgrounds=str(tmp_path / "bg"), formats=("zip",), num_shards=1
    )
    plan = make_plan(spec, build_catalog(spec))
    claim(spec, plan)
    recipe = make_recipe(spec, plan)
    for shard in clean_shards(plan):
        assert write_clean_shard(shard, recipe).files == ()
    shared = [path.name for path in (tmp_path / "set" / "state" / "zip").iterdir()]
    assert shared == ["backgrounds-00000-of-00001.zip"]
    ours = written_names([split.name for split in plan.splits])  # The end of a run removes it.
    assert ours.fullmatch(f"state/zip/{shared[0]}")
    expected = [
        (f"bg_jpg/bg_img_{bg.id}.jpg", encode_jpeg(read_background(bg, plan.image_size), 95))
        for bg in plan.backgrounds
    ]
    shutil.rmtree(tmp_path / "bg")  # A background that is read again would be missed.
    joined = join_batch(recipe.folder, plan, 1, [])
    with zipfile.ZipFile(recipe.folder.path(joined.path)) as batch:
        names = [name for name in batch.namelist() if name.startswith("bg_jpg/")]
        assert [(name, batch.read(name)) for name in names] == expected


@pytest.fixture(scope="module")
def small_depth(inputs, tmp_path_factory) -> Path:
    """A set whose zips have depth of half the width and height."""
    spec = make_spec(
        inputs,
        tmp_path_factory.mktemp("small_depth") / "set",
        image_size="160x128",
        foreground_size=80,
        depth_model="builtin",
        depth_labels="layered",
        depth_passes=1,
        formats=("parquet", "zip"),
        zip_depth_size="80x64",
        max_samples=24,
        num_shards=1,
    )
    generate(spec, ["--direct_num_workers=1"], progress=False)
    return Path(spec.output)


def test_depth_of_a_smaller_side_is_the_mean_of_what_it_covers(small_depth):
    rows = rows_by_key(str(small_depth))
    [path] = (small_depth / "zip").glob("*.zip")
    with zipfile.ZipFile(path) as batch:
        names = [name for name in batch.namelist() if name.startswith("depth_fg_bg_jpg/")]
        assert len(names) == 24
        for name in names:
            with batch.open(name) as file, Image.open(file) as image:
                small = np.asarray(image).astype(float)
            key = name.rpartition("depth_fg_bg_jpg/depth_")[2].removesuffix(".jpg")
            full = pixels(rows[key]["depth"]["bytes"]).astype(float) / 256
            means = full.reshape(64, 2, 80, 2).mean(axis=(1, 3))
            assert small.shape == (64, 80)
            assert np.abs(small - means).mean() < 3  # What JPEG costs.


def test_a_model_with_a_depth_head_of_that_side_trains_from_them(small_depth, tmp_path):
    [path] = (small_depth / "zip").glob("*.zip")
    shutil.unpack_archive(path, tmp_path)
    [batch] = DataLoader(Batch(tmp_path), batch_size=24)
    seen = torch.cat([batch["bg"], batch["fg_bg"]], dim=3).permute(0, 3, 1, 2) / 255
    wanted = batch["depth_fg_bg"][:, None] / 255
    torch.manual_seed(0)
    body = torch.nn.Sequential(torch.nn.Conv2d(6, 8, 3, 2, 1), torch.nn.ReLU())
    head = torch.nn.Conv2d(8, 1, 3, 1, 1)
    optimizer = torch.optim.Adam([*body.parameters(), *head.parameters()], 0.02)
    losses = []
    for _ in range(20):
        loss = torch.nn.functional.l1_loss(head(body(seen)), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"formats": ("parquet",)}, "add zip to --formats"),
        ({"depth_model": "none"}, "give a depth model"),
        ({"zip_depth_size": 161}, "=161 is larger than --image_size=160; give at most that"),
        ({"zip_depth_size": "80x161"}, "=80x161 is larger than --image_size=160; give"),
        ({"zip_depth_size": "80x40"}, "=80x40 has another aspect than --image_size=160; .* as 80$"),
        ({"image_size": "208x160"}, "=80 has another aspect than .*=208x160; .* such as 80x62$"),
    ],
)
def test_a_side_that_cannot_be_is_refused(changes, words):
    values = {"formats": ("zip",), "zip_depth_size": 80, **changes}
    spec = DatasetSpec(foregrounds="fg", backgrounds="bg", output="set", **values)
    with pytest.raises(SpecError, match=words):
        spec.check()
