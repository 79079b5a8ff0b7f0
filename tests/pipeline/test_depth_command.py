"""The depth command: maps, sheet, names and skipped files."""

import numpy as np
import pytest
from PIL import Image

from pipeline.cli import main
from pipeline.depth_command import output_names, to_pixels
from tests.drawing import draw_background
from transforms.models import load_model


def test_maps_have_the_size_of_the_picture_and_the_values_of_the_model(tmp_path):
    images, output = tmp_path / "in", tmp_path / "out"
    (images / "sub dir").mkdir(parents=True)
    draw_background(1).resize((90, 131)).save(images / "tall.png")
    draw_background(2).resize((301, 77)).convert("L").save(images / "sub dir" / "wide 😀.jpg")
    Image.fromarray(np.full((40, 40, 3), 9, np.uint8)).save(images / "sheet.png")
    assert main(["depth", f"--images={images}", f"--output={output}"]) == 0
    found = np.load(output / "tall.npy")
    picture = np.asarray(Image.open(images / "tall.png").convert("RGB"))
    assert found.dtype == np.float32 and found.shape == (131, 90)
    np.testing.assert_array_equal(found, load_model("builtin").predict(picture[None])[0])
    with Image.open(output / "tall.png") as png:
        assert png.mode.startswith("I;16") or png.mode == "I"
        pixels = np.asarray(png).astype(float)
    assert pixels.min() == 0 and pixels.max() == 65535
    assert np.corrcoef(pixels.ravel(), found.ravel())[0, 1] > 0.99999
    assert np.load(output / "sub dir" / "wide 😀.npy").shape == (77, 301)
    assert (output / "sheet.png.npy").exists()
    with Image.open(output / "sheet.png") as sheet:
        assert sheet.width > 6 * 160 and np.asarray(sheet.convert("RGB")).std() > 30


def test_bad_files_are_named_and_the_others_are_done(tmp_path, capsys):
    images = tmp_path / "in"
    images.mkdir()
    draw_background(1).save(images / "good.png")
    (images / "broken.png").write_bytes((images / "good.png").read_bytes()[:500])
    (images / "notes.txt").write_text("no picture")
    assert main(["depth", f"--images={images}", f"--output={tmp_path / 'out'}"]) == 1
    errors = capsys.readouterr().err
    assert "broken.png: cannot be decoded" in errors and "notes.txt: the extension" in errors
    assert (tmp_path / "out" / "good.npy").exists()
    assert not (tmp_path / "out" / "broken.npy").exists()


def test_maps_written_before_are_no_pictures(tmp_path, capsys):
    draw_background(1).save(tmp_path / "a.png")
    for _ in range(2):
        assert main(["depth", f"--images={tmp_path}", f"--output={tmp_path / 'out'}"]) == 0
    assert capsys.readouterr().out.count("1 depth maps in") == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("--depth_model=magic", "give builtin, onnx:PATH, hf:ID_OR_DIR or torchscript:PATH"),
        ("--images=/no/such/folder", "there is no such folder or file"),
    ],
)
def test_impossible_requests_are_one_line(change, says, tmp_path, capsys):
    draw_background(1).save(tmp_path / "a.png")
    flags = ["depth", f"--images={tmp_path}", f"--output={tmp_path / 'out'}", change]
    assert main(flags) == 2
    assert says in capsys.readouterr().err


def test_names_that_would_meet_keep_their_extension():
    paths = [
        "/p/in/a.jpg",
        "/p/in/a.PNG",
        "/p/in/deep/a.jpg",
        "/p/in/sheet.webp",
        "/p/in/b.tar.png",
    ]
    assert output_names(paths) == ["a.jpg", "a.PNG", "deep/a", "sheet.webp", "b.tar"]
    assert output_names(["/p/in/only.jpg"]) == ["only"]


def test_pixels_span_the_range_of_the_map():
    found = to_pixels(np.array([[2.0, 3.0], [2.5, 4.0]], np.float32))
    assert found.dtype == np.uint16 and found.tolist() == [[0, 32768], [16384, 65535]]
