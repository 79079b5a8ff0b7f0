"""A sheet of samples before a job."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.cli import main
from tests.drawing import draw_background
from transforms.report.instances import COLOURS, draw_instances


def _arguments(inputs: Path, folder: Path) -> list[str]:
    return [
        "generate",
        f"--foregrounds={inputs / 'fg'}",
        f"--backgrounds={inputs / 'bg'}",
        f"--output={folder / 'set'}",
        "--image_size=80x64",
        "--foreground_size=32",
        "--placements=3",
        "--depth_model=none",
    ]


def test_a_preview_is_a_sheet_of_24_samples_and_makes_nothing_else(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    arguments = _arguments(inputs, tmp_path)
    assert main([*arguments, "--preset=natural", "--dry_run", f"--preview={sheet}"]) == 0
    assert "24 samples" in capsys.readouterr().out
    with Image.open(sheet) as image:
        assert image.size == (4 * (2 * 80 + 6) + 6, 6 * (64 + 6) + 6)
        pixels = np.asarray(image)
    assert list(tmp_path.iterdir()) == [sheet]
    again = tmp_path / "again.png"
    assert main([*arguments, "--preset=natural", "--dry_run", f"--preview={again}"]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(again)), pixels)


def test_a_preview_that_cannot_be_is_refused(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = _arguments(inputs, tmp_path)
    assert main([*arguments, "--preview=sheet.png"]) == 2
    assert "--preview=sheet.png is for --dry_run" in capsys.readouterr().err
    assert main([*arguments, "--dry_run", "--preview=sheet.txt"]) == 2
    assert "ends with .png or .jpg" in capsys.readouterr().err
    assert main([*arguments, "--dry_run", f"--preview={tmp_path}/no/sheet.png"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_objects_are_drawn_in_their_colours_with_their_boxes() -> None:
    image = draw_background(1).resize((40, 30))
    instances = np.zeros((30, 40), np.uint8)
    instances[5:15, 4:20] = 1
    instances[10:25, 15:30] = 2
    drawn = np.asarray(draw_instances(image, instances))
    plain = np.asarray(image)
    assert tuple(drawn[10, 15]) == COLOURS[1] and tuple(drawn[5, 4]) == COLOURS[0]
    outside = (instances == 0) & (np.arange(40) > 31)
    np.testing.assert_array_equal(drawn[outside], plain[outside])
    assert (drawn[18, 22] != plain[18, 22]).any()
