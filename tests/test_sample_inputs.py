"""The sample inputs: what rays meet, how edges look, and what is written."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("skimage", reason="the extra sample is not installed")
pytest.importorskip("sklearn", reason="the extra sample is not installed")

from pipeline.catalog import build_catalog
from pipeline.sample_inputs import SampleInputs, main, make_sample_inputs
from pipeline.samples.paints import plain
from pipeline.samples.photos import CUP, FLOWER_HEAD, PERSON, Cutout, cut_out
from pipeline.samples.render import Camera, Light, Scene, render
from pipeline.samples.solids import Group, Solid, first_meeting
from tests.conftest import make_spec

GREY = plain((0.5, 0.5, 0.5))


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32)[:, None]


@pytest.mark.parametrize(
    "solid, distance, normal",
    [
        (Solid("sphere", (0, 0, 10), (3, 1, 2), GREY), 8, (0, 0, -1)),
        (Solid("box", (0, 0, 10), (1, 1, 1.5), GREY), 8.5, (0, 0, -1)),
        (Solid("box", (0, 0, 10), (1, 1, 1), GREY, (0, 45, 0)), 10 - np.sqrt(2), None),
        (Solid("box", (0, 0, 0), (4, 4, 4), GREY), 4, (0, 0, -1)),
        (Solid("frustum", (0, 0, 10), (2, 3, 2), GREY), 8, (0, 0, -1)),
        (Solid("frustum", (0, 0, 10), (2, 1, 2), GREY, taper=0.0), 9, (0, 1, -1)),
        (Solid("frustum", (0, 0, 10), (1, 3, 1), GREY, (90, 0, 0)), 7, (0, 0, -1)),
        (Solid("sphere", (0, 5, 10), (3, 3, 3), GREY), np.inf, None),
        (Solid("sphere", (0, 0, -10), (3, 3, 3), GREY), np.inf, None),
    ],
)
def test_a_ray_along_z_meets_a_solid(solid, distance, normal):
    origin, direction = column(0, 0, 0), column(0, 0, 1)
    found = solid.distances(origin, direction)
    np.testing.assert_allclose(found, [distance], rtol=1e-5)
    if normal is not None:
        expected = column(*normal) / np.linalg.norm(normal)
        facing = solid.normals(found * direction)
        facing = -facing if facing[2, 0] > 0 else facing
        np.testing.assert_allclose(facing, expected, atol=1e-5)


def test_the_nearest_solid_is_met_and_counted_through_groups():
    far, near = (
        Solid("sphere", (0, 0, 20), (2, 2, 2), GREY),
        Solid("box", (0, 0, 9), (1, 1, 1), GREY),
    )
    aside = Solid("sphere", (50, 0, 9), (1, 1, 1), GREY)
    distances, owner = first_meeting(
        (aside, Group((aside, far, near)), far),
        np.zeros((3, 2), np.float32),
        np.array([[0, 0], [0, 1], [1, 0]], np.float32),
    )
    np.testing.assert_allclose(distances, [8, np.inf])
    assert owner.tolist() == [3, -1]


def test_a_drawn_edge_is_soft_and_its_colour_is_the_solids():
    scene = Scene(
        (Solid("sphere", (0, 0, 5), (1, 1, 1), GREY),), Camera((0, 0, 0), (0, 0, 5)), Light()
    )
    pixels = render(scene, (40, 30), samples=3, backdrop=False)
    alpha = pixels[..., 3]
    assert pixels.shape == (30, 40, 4)
    assert alpha[0, 0] == 0 and alpha[15, 20] == 255
    soft = (alpha > 0) & (alpha < 255)
    # An outline of about 2 pi r pixels, r as the camera sees it.
    radius = 15 / np.tan(np.radians(22.5)) / np.sqrt(24)
    assert 4 * radius < soft.sum() < 12 * radius
    assert abs(np.pi * radius**2 - alpha.sum() / 255) < 0.03 * np.pi * radius**2
    assert np.median(pixels[soft][:, 1]) > 60


@pytest.mark.parametrize("what", [FLOWER_HEAD, CUP, PERSON], ids=lambda what: what.photo.name)
def test_a_cut_out_has_a_thin_soft_edge_free_of_its_background(what: Cutout):
    pixels = cut_out(what)
    alpha = pixels[..., 3].astype(int)
    solid, soft = alpha == 255, (alpha > 0) & (alpha < 255)
    assert 0.4 < solid.mean() < 0.8
    assert 0.005 < soft.mean() < 0.05
    assert alpha[0].max() == 0 and alpha[:, 0].max() < 255
    if what is FLOWER_HEAD:
        # What stands behind the flower is blue and green; its petals are red before blue.
        red, _, blue = np.moveaxis(pixels[soft][:, :3].astype(int), -1, 0)
        assert np.quantile(red - blue, 0.02) > 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SampleInputs:
    return make_sample_inputs(tmp_path_factory.mktemp("samples") / "new")


@pytest.mark.slow
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
    files = [*made.foregrounds.iterdir(), *made.backgrounds.iterdir()]
    text = made.credits.read_text()
    assert all(f"{path.parent.name}/{path.name}: " in text for path in files)
    for path in files:
        with Image.open(path) as image:
            assert min(image.size) >= 100
            assert image.mode == ("RGBA" if path.parent == made.foregrounds else "RGB")
            # A picture of something, not of one colour.
            assert np.asarray(image.convert("L")).std() > 15


@pytest.mark.slow
def test_they_are_the_same_each_time(made: SampleInputs, tmp_path: Path):
    main([str(tmp_path)])
    for folder in ("foregrounds", "backgrounds"):
        first = {p.name: p.read_bytes() for p in (made.credits.parent / folder).iterdir()}
        again = {p.name: p.read_bytes() for p in (tmp_path / folder).iterdir()}
        assert first == again
        assert len(set(first.values())) == len(first) >= 8


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path / "file" / "inside")])
    assert stopped.value.code == 1
    assert str(tmp_path / "file") in capsys.readouterr().err
