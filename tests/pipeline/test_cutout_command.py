"""The cutout command: cut-outs, masks, sheet, report and skipped files."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from pipeline.cli import main
from tests.drawing import draw_foreground
from tests.models.test_cutout_models import save_red, settings


@pytest.fixture
def model(tmp_path) -> str:
    path = save_red(tmp_path / "model" / "red.onnx", logits=True, side=64)
    settings(tmp_path / "model" / "preprocessor_config.json")
    return f"--cutout_model=onnx:{path}"


def photograph(*boxes, size=(200, 150)) -> Image.Image:
    picture = Image.new("RGB", size, (0, 90, 160))
    for box in boxes:
        picture.paste((255, 60, 40), box)
    return picture


def report(folder) -> dict[str, dict[str, str]]:
    rows = csv.DictReader(io.StringIO((folder / "report.csv").read_text("utf-8")))
    return {row["cutout"] or row["picture"].rsplit("/", 1)[-1]: row for row in rows}


def test_photographs_become_cut_outs_and_those_with_alpha_keep_it(tmp_path, model, capsys):
    images, output = tmp_path / "in", tmp_path / "out"
    (images / "sub").mkdir(parents=True)
    photograph((40, 30, 140, 110)).save(images / "box.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # A quarter turn clockwise when it is shown.
    photograph((60, 10, 180, 70)).save(images / "sub" / "turned.jpg", quality=95, exif=turned)
    draw_foreground(1).save(images / "own.png")
    assert main(["cutout", f"--images={images}", f"--output={output}", model]) == 0
    assert "3 cut-outs in" in capsys.readouterr().out
    box = Image.open(output / "box.png")
    assert box.mode == "RGBA"
    assert abs(box.width - 100) <= 6 and abs(box.height - 80) <= 6
    upright = Image.open(output / "sub" / "turned.png")
    assert abs(upright.width - 60) <= 8 and abs(upright.height - 120) <= 8
    own = np.asarray(Image.open(output / "own.png"))
    assert own.shape[0] < 80 and own[..., 3].max() == 255
    rows = report(output)
    assert rows["own.png"]["model"] == "own alpha" and rows["own.png"]["unsure"] == ""
    assert rows["box.png"]["model"].startswith("onnx:")
    assert float(rows["box.png"]["area"]) == pytest.approx(100 * 80 / (200 * 150), abs=0.04)
    with Image.open(output / "sheet.png") as sheet:
        assert sheet.width > 4 * 160 and np.asarray(sheet.convert("RGB")).std() > 30


def test_what_cannot_be_cut_out_is_named_and_counted(tmp_path, model, capsys):
    images, output = tmp_path / "in", tmp_path / "out"
    images.mkdir()
    photograph((40, 30, 140, 110)).save(images / "good.png")
    photograph().save(images / "empty.png")
    (images / "notes.txt").write_text("no picture")
    Image.new("RGB", (90, 90), (140, 9, 9)).save(images / "doubtful.png")
    command = ["cutout", f"--images={images}", f"--output={output}", model]
    assert main(command) == 1
    errors = capsys.readouterr().err
    assert "empty.png: the cut-out model finds no object" in errors
    assert "doubtful.png: its cut-out is doubtful" in errors and "notes.txt: the ext" in errors
    assert sorted(path.name for path in output.glob("*.png")) == ["good.png", "sheet.png"]
    assert "finds no object" in report(output)["empty.png"]["skipped"]
    assert main([*command, "--cutout_doubt=keep"]) == 1
    assert (output / "doubtful.png").exists() and not (output / "empty.png").exists()
    assert "unsure" in report(output)["doubtful.png"]["doubt"]


def test_masks_have_the_size_of_their_photographs(tmp_path, model):
    images, output = tmp_path / "in", tmp_path / "out"
    images.mkdir()
    photograph((400, 300, 1400, 1100), size=(2000, 1500)).save(images / "large.png")
    command = ["cutout", f"--images={images}", f"--output={output}", model, "--only_masks"]
    assert main(command) == 0
    mask = Image.open(output / "large.png")
    assert mask.mode == "L" and mask.size == (2000, 1500)
    expected = np.zeros((1500, 2000), bool)
    expected[300:1100, 400:1400] = True
    assert ((np.asarray(mask) > 127) == expected).mean() > 0.99


def test_parts_become_cut_outs_of_their_own(tmp_path, model):
    images, output = tmp_path / "in", tmp_path / "out"
    images.mkdir()
    photograph((10, 20, 90, 130), (120, 40, 190, 110)).save(images / "two.png")
    photograph((40, 30, 140, 110)).save(images / "two-1.png")
    command = ["cutout", f"--images={images}", f"--output={output}", model]
    assert main([*command, "--cutout_parts=separate", "--no_crop"]) == 0
    assert {path.name for path in output.glob("two*.png")} == {
        "two-1.png",
        "two-1_.png",
        "two-2.png",
    }
    assert Image.open(output / "two-2.png").size == (200, 150)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("--cutout_model=magic", "give builtin, u2netp, onnx:PATH or hf:ID_OR_DIR"),
        ("--images=/no/such/folder", "there is no such folder or file"),
        ("--cutout_part=all", "did you mean --cutout_parts?"),
        ("--cutout_doubt=perhaps", "give skip or keep"),
    ],
)
def test_impossible_requests_are_refused(tmp_path, model, capsys, change, says):
    photograph((40, 30, 140, 110)).save(tmp_path / "a.png")
    command = ["cutout", f"--images={tmp_path}", f"--output={tmp_path / 'out'}", model]
    assert main([*command, change]) == 2
    assert says in capsys.readouterr().err
