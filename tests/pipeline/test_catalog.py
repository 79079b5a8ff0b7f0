import os
import shutil
from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from pipeline.catalog import build_catalog, number_files
from pipeline.spec import SpecError
from tests.conftest import make_spec
from tests.drawing import draw_background, draw_foreground
from transforms.pixels.images import fitted_size, resized_foreground
from transforms.pixels.input_cache import read_foreground
from transforms.plan.placement import Canvas


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
    thin = Image.new("RGBA", (400, 400))
    ImageDraw.Draw(thin).line((0, 0, 399, 399), (255, 0, 0, 255))
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


def listed(folder, images):
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in images.items():
        image.save(folder / name)
    return str(folder)


def test_masks_and_pictures_without_partner_are_named(tmp_path, inputs):
    whole = draw_foreground(3)
    pictures = {f"{name}.jpg": whole.convert("RGB") for name in ("apple", "banana", "cherry")}
    masks = {f"{name}.png": whole.getchannel("A") for name in ("apple", "cherry", "date")}
    spec = make_spec(
        inputs,
        tmp_path / "out",
        foregrounds=listed(tmp_path / "fg", pictures),
        masks=listed(tmp_path / "masks", masks),
    )
    catalog = build_catalog(spec)
    found = {
        os.path.basename(a.path): os.path.basename(a.mask_path or "") for a in catalog.foregrounds
    }
    assert found == {"apple.jpg": "apple.png", "cherry.jpg": "cherry.png"}
    reasons = {os.path.basename(error.path): error.reason for error in catalog.errors}
    assert set(reasons) == {"banana.jpg", "date.png"}
    assert "no mask of --masks: none has its path, name or number" in reasons["banana.jpg"]
    assert "belongs to no picture" in reasons["date.png"]


def test_margins_are_cut_off_unless_told_otherwise(tmp_path, inputs):
    canvas = Image.new("RGBA", (1000, 900), (0, 0, 0, 3))
    canvas.paste((200, 10, 10, 255), (310, 420, 360, 445))
    canvas.putpixel((330, 430), (200, 10, 10, 0))
    folder = listed(tmp_path / "fg", {"a.png": canvas})
    spec = make_spec(inputs, tmp_path / "out", foregrounds=folder)
    [asset] = build_catalog(spec).foregrounds
    assert asset.crop == (310, 420, 360, 445) and (asset.width, asset.height) == (50, 25)
    assert read_foreground(asset, 32).shape == (16, 32, 4)
    [asset] = build_catalog(replace(spec, crop=False, foreground_size=64)).foregrounds
    assert asset.crop is None and (asset.width, asset.height) == (1000, 900)
    with pytest.raises(SpecError, match="no pixel is left"):
        build_catalog(replace(spec, crop=False, foreground_size=16))
    touching = Image.new("RGBA", (40, 30))
    touching.paste((9, 9, 9, 255), (0, 10, 40, 20))
    touching.paste((9, 9, 9, 4), (20, 0, 25, 30))
    [asset] = build_catalog(
        replace(spec, foregrounds=listed(tmp_path / "full", {"b.png": touching}))
    ).foregrounds
    assert asset.crop is None


def test_a_thin_object_that_vanishes_at_one_size_only_is_named(tmp_path, inputs):
    comb = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(comb).rectangle((20, 0, 21, 159), fill=(255, 0, 0, 255))
    ImageDraw.Draw(comb).rectangle((0, 80, 159, 80), fill=(255, 0, 0, 255))
    folder = listed(tmp_path / "fg", {"a.png": comb})
    found = []
    for box in range(8, 65):
        spec = make_spec(inputs, tmp_path / "out", foregrounds=folder, foreground_size=box)
        try:
            build_catalog(spec)
            found.append(True)
        except SpecError:
            found.append(False)
    gone = found.index(False, found.index(True)) + 8  # Seen at a smaller size, gone at this one.
    assert found[-1]
    spec = replace(spec, foreground_size=64, scale_jitter=((gone - 1) / 64, 1.0))
    with pytest.raises(SpecError, match=r"alpha >= 128 when it is pasted at \d+ pixels"):
        build_catalog(spec)


def test_every_size_of_a_thick_object_is_seen(tmp_path, inputs):
    spec = make_spec(inputs, tmp_path / "out", scale_jitter=(0.05, 2.0))
    canvas = Canvas(spec.size, spec.foreground_size, spec.scale_jitter)
    foregrounds = build_catalog(spec).foregrounds
    assert len(foregrounds) == 12
    for asset in foregrounds:
        rgba = read_foreground(asset, canvas.largest_box)
        for box in range(canvas.smallest_box, canvas.largest_box + 1):
            size = fitted_size(asset.width, asset.height, box)
            assert resized_foreground(rgba, size)[..., 3].max() >= 128


def test_equal_pixels_are_noted(tmp_path, inputs):
    folder = tmp_path / "fg"
    shutil.copytree(inputs / "fg", folder)
    with Image.open(folder / "fg_img_5.png") as image:
        image.save(folder / "copy_50.webp", lossless=True, exact=True)
        image.save(folder / "copy_51.png", compress_level=1)
    shutil.copytree(inputs / "bg", tmp_path / "bg")
    with Image.open(tmp_path / "bg/bg_img_2.png") as image:
        image.save(tmp_path / "bg/bg_img_9.tiff")
    spec = make_spec(
        inputs, tmp_path / "out", foregrounds=str(folder), backgrounds=str(tmp_path / "bg")
    )
    assert build_catalog(spec).notes == (
        "(nearly) the same pixels among the foregrounds: copy_50.webp, copy_51.png, fg_img_5.png",
        "(nearly) the same pixels among the backgrounds: bg_img_2.png, bg_img_9.tiff",
    )
    assert build_catalog(make_spec(inputs, tmp_path / "out")).notes == ()


def test_numbers_that_are_no_ids_are_noted(tmp_path, inputs):
    one = {"cover.png": draw_foreground(1), "img_7.png": draw_foreground(2)}
    spec = make_spec(inputs, tmp_path / "out", foregrounds=listed(tmp_path / "fg", one))
    catalog = build_catalog(spec)
    assert [asset.id for asset in catalog.foregrounds] == [1, 2]
    assert catalog.notes == (
        "ids of foregrounds are positions in sorted order: cover.png has no number",
    )
    listed(tmp_path / "fg", {"new_7.png": draw_foreground(3)})
    os.remove(tmp_path / "fg/cover.png")
    assert build_catalog(spec).notes == (
        "ids of foregrounds are positions in sorted order: img_7.png and new_7.png have the same"
        " number",
    )


def test_ids_do_not_depend_on_what_is_in_other_files(tmp_path, inputs):
    folder = tmp_path / "fg"
    listed(folder, {f"{name}.png": draw_foreground(i) for i, name in enumerate("abc")})
    spec = make_spec(inputs, tmp_path / "out", foregrounds=str(folder))
    before = {a.path: a.id for a in build_catalog(spec).foregrounds}
    (folder / "a.png").write_bytes(b"broken")
    after = {a.path: a.id for a in build_catalog(spec).foregrounds}
    assert after == {path: i for path, i in before.items() if not path.endswith("a.png")}
