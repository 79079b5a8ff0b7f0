import os
import shutil

import pytest
from PIL import Image

from pipeline.catalog import build_catalog, find_files, number_files
from pipeline.spec import SpecError
from tests.conftest import make_spec
from tests.drawing import draw_background, draw_foreground


@pytest.mark.parametrize(
    "names, ids",
    [
        (["fg_img_7.png", "fg_img_12.png"], [7, 12]),
        (["a2b10.png", "a2b9.jpg"], [9, 10]),
        (["img_1.png", "img_01.png"], [1, 2]),
        (["one.png", "img_5.png"], [1, 2]),
        (["x99999999999999999999.png", "x1.png"], [1, 2]),
        (["v2.final.png", "v1.final.png"], [1, 2]),
    ],
)
def test_ids_come_from_the_last_number_or_the_order(names, ids):
    assert list(number_files(sorted(names))) == ids


def test_the_manifest_of_ids_names_the_files():
    assert number_files(["d/img_3.png", "d/img_1.png"]) == {1: "d/img_1.png", 3: "d/img_3.png"}


def test_strange_names_and_folders(tmp_path, inputs):
    folder = tmp_path / "a b [x] 'q' <i>ü🙂"
    (folder / "deep").mkdir(parents=True)
    draw_foreground(1).save(folder / "my cut-out 🙂 1.png")
    draw_foreground(2).save(folder / "deep" / "<b>&2.PNG")
    (folder / ".hidden.png").write_bytes(b"x")
    spec = make_spec(inputs, tmp_path / "out", foregrounds=str(folder))
    catalog = build_catalog(spec)
    assert [asset.id for asset in catalog.foregrounds] == [1, 2]
    assert not catalog.errors


def test_a_name_that_is_not_unicode_costs_that_file(tmp_path, inputs):
    folder = tmp_path / "fg"
    folder.mkdir()
    draw_foreground(1).save(folder / "good_1.png")
    os.rename(folder / "good_1.png", os.fsencode(folder) + b"/bad_\xff.png")
    draw_foreground(2).save(folder / "good_2.png")
    catalog = build_catalog(make_spec(inputs, tmp_path / "out", foregrounds=str(folder)))
    assert len(catalog.foregrounds) == 1
    [error] = catalog.errors
    assert "not Unicode" in error.reason and error.path.encode()


def test_a_glob_selects(inputs):
    assert len(find_files(str(inputs / "fg" / "fg_img_1*.png"), "foregrounds")) == 4


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_missing_and_empty_folders(tmp_path, inputs, what):
    folder = tmp_path / what
    if what == "empty":
        folder.mkdir()
    with pytest.raises(SpecError, match=f"--backgrounds=.*{what}"):
        build_catalog(make_spec(inputs, tmp_path / "out", backgrounds=str(folder)))


@pytest.fixture
def mixed(tmp_path):
    """A folder of good and bad foregrounds."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    draw_foreground(1).save(folder / "good_1.png")
    (folder / "text_2.png").write_text("not an image")
    whole = folder / "cut_3.png"
    draw_foreground(3).save(whole)
    whole.write_bytes(whole.read_bytes()[:700])
    Image.new("RGBA", (9, 9)).save(folder / "clear_4.png")
    Image.new("RGB", (9, 9)).save(folder / "solid_5.jpg")
    (folder / "notes.txt").write_text("hello")
    (folder / "empty_6.png").touch()
    thin = Image.new("RGBA", (4000, 4000))
    thin.paste((255, 0, 0, 255), (0, 0, 2, 2))
    thin.save(folder / "thin_7.png")
    return folder


def test_bad_inputs_are_named_with_the_reason_and_left_out(mixed, tmp_path, inputs):
    catalog = build_catalog(make_spec(inputs, tmp_path / "out", foregrounds=str(mixed)))
    assert [asset.id for asset in catalog.foregrounds] == [1]
    reasons = {os.path.basename(error.path): error.reason for error in catalog.errors}
    assert set(reasons) == {
        "text_2.png", "cut_3.png", "clear_4.png", "solid_5.jpg", "notes.txt", "empty_6.png",
        "thin_7.png",
    }  # fmt: skip
    for name, word in [
        ("text_2.png", "not an image"),
        ("cut_3.png", "cannot be decoded"),
        ("clear_4.png", "alpha is 0"),
        ("solid_5.jpg", "no alpha channel and no mask"),
        ("notes.txt", "extension .txt"),
        ("empty_6.png", "0 bytes"),
        ("thin_7.png", "no pixel is left"),
    ]:
        assert word in reasons[name]


def test_on_error_fail_stops_at_the_first(mixed, tmp_path, inputs):
    spec = make_spec(inputs, tmp_path / "out", foregrounds=str(mixed), on_error="fail")
    with pytest.raises(SpecError, match=r"clear_4\.png: alpha is 0"):
        build_catalog(spec)


def test_nothing_usable_gives_an_example(mixed, tmp_path, inputs):
    (mixed / "good_1.png").unlink()
    with pytest.raises(SpecError, match=r"no usable image; for example .*clear_4\.png"):
        build_catalog(make_spec(inputs, tmp_path / "out", foregrounds=str(mixed)))


def test_masks_are_matched_by_id(tmp_path, inputs):
    for folder in ("fg", "masks"):
        (tmp_path / folder).mkdir()
    for number in (3, 8):
        image = draw_foreground(number)
        image.convert("RGB").save(tmp_path / "fg" / f"object_{number}.jpg")
        image.getchannel("A").save(tmp_path / "masks" / f"m{number}.png")
    spec = make_spec(
        inputs, tmp_path / "out", foregrounds=str(tmp_path / "fg"), masks=str(tmp_path / "masks")
    )
    catalog = build_catalog(spec)
    assert [os.path.basename(a.mask_path or "") for a in catalog.foregrounds] == [
        "m3.png",
        "m8.png",
    ]


def test_an_unreadable_file_costs_that_file(tmp_path, inputs, monkeypatch):
    folder = tmp_path / "fg"
    shutil.copytree(inputs / "fg", folder)
    (folder / "fg_img_20.png").symlink_to(folder / "gone.png")
    catalog = build_catalog(make_spec(inputs, tmp_path / "out", foregrounds=str(folder)))
    assert len(catalog.foregrounds) == 12
    assert [os.path.basename(error.path) for error in catalog.errors] == ["fg_img_20.png"]


@pytest.mark.parametrize("size", [(1, 1), (10_000, 3), (2, 5000)])
def test_extreme_backgrounds_work(tmp_path, inputs, size):
    folder = tmp_path / "bg"
    folder.mkdir()
    draw_background(1).resize(size).save(folder / "b.png")
    [asset] = build_catalog(
        make_spec(inputs, tmp_path / "out", backgrounds=str(folder))
    ).backgrounds
    assert (asset.width, asset.height) == size
