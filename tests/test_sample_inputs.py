"""The sample inputs: files in the package, and cut-outs of photographs beside them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.catalog import build_catalog
from pipeline.sample_inputs import PICTURES, SampleInputs, main, make_sample_inputs
from tests.conftest import make_spec


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SampleInputs:
    return make_sample_inputs(tmp_path_factory.mktemp("samples") / "new")


def test_the_program_takes_them_all(made: SampleInputs, tmp_path: Path):
    spec = make_spec(
        Path("unused"),
        tmp_path / "set",
        foregrounds=str(made.foregrounds),
        backgrounds=str(made.backgrounds),
    )
    catalog = build_catalog(spec)
    assert [asset.id for asset in catalog.foregrounds] == list(range(1, 11))
    assert [asset.id for asset in catalog.backgrounds] == list(range(1, 10))
    assert not catalog.errors


def test_each_is_a_picture_of_something(made: SampleInputs):
    files = [*made.foregrounds.iterdir(), *made.backgrounds.iterdir()]
    text = made.credits.read_text()
    assert all(f"{path.parent.name}/{path.name}: " in text for path in files)
    for path in files:
        with Image.open(path) as image:
            assert min(image.size) >= 100
            assert image.mode == ("RGBA" if path.parent == made.foregrounds else "RGB")
            pixels = np.asarray(image)
        assert pixels[..., :3].std() > 15
        if path.parent == made.foregrounds:
            alpha = pixels[..., 3]
            assert 0.1 < (alpha == 255).mean() < 0.95
            assert 0.001 < ((alpha > 0) & (alpha < 255)).mean() < 0.2
            # No margins: cropping leaves them as they are.
            assert all(edge.max() > 3 for edge in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]))


def test_they_are_small_files_of_the_package():
    assert sum(path.stat().st_size for path in PICTURES.glob("*/*")) < 1_500_000


def test_they_are_copied_over_older_ones_and_beside_others(tmp_path: Path):
    (tmp_path / "foregrounds").mkdir()
    (tmp_path / "foregrounds" / "mine.png").write_bytes(b"mine")
    old = tmp_path / "foregrounds" / next((PICTURES / "foregrounds").iterdir()).name
    old.write_bytes(b"old")
    main([str(tmp_path)])
    assert (tmp_path / "foregrounds" / "mine.png").read_bytes() == b"mine"
    for folder in ("foregrounds", "backgrounds"):
        for source in (PICTURES / folder).iterdir():
            assert (tmp_path / folder / source.name).read_bytes() == source.read_bytes()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path / "file" / "inside")])
    assert stopped.value.code == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_photographs_name_the_extra_that_they_want(tmp_path: Path):
    hidden = "import sys; sys.modules['skimage'] = None; from pipeline.sample_inputs import main; "
    done = subprocess.run(
        [sys.executable, "-c", hidden + f"main([{str(tmp_path)!r}, '--photographs'])"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "--photographs needs scikit-image and scikit-learn" in done.stderr
    assert "[sample]" in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["FLOWER_HEAD", "CUP", "PERSON"])
def test_a_cut_out_has_a_thin_soft_edge_free_of_its_background(name: str):
    pytest.importorskip("skimage", reason="the extra sample is not installed")
    pytest.importorskip("sklearn", reason="the extra sample is not installed")
    from pipeline import sample_photos

    pixels = sample_photos.cut_out(getattr(sample_photos, name))
    alpha = pixels[..., 3].astype(int)
    solid, soft = alpha == 255, (alpha > 0) & (alpha < 255)
    assert 0.4 < solid.mean() < 0.8
    assert 0.005 < soft.mean() < 0.05
    assert alpha[0].max() == 0 and alpha[:, 0].max() < 255
    if name == "FLOWER_HEAD":
        # Blue and green are behind the flower; its petals are red before blue.
        red, _, blue = np.moveaxis(pixels[soft][:, :3].astype(int), -1, 0)
        assert np.quantile(red - blue, 0.02) > 0


@pytest.mark.slow
def test_photographs_join_the_files(tmp_path: Path):
    pytest.importorskip("skimage", reason="the extra sample is not installed")
    pytest.importorskip("sklearn", reason="the extra sample is not installed")
    made = make_sample_inputs(tmp_path, photographs=True)
    names = sorted(path.name for path in made.foregrounds.iterdir())
    assert len(names) == 13 and "fg_13_astronaut.png" in names
    assert len(list(made.backgrounds.iterdir())) == 11
    assert "Rachel Michetti, CC0" in made.credits.read_text()
