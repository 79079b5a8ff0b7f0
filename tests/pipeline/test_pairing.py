"""Which mask belongs to which picture."""

import pytest

from pipeline.listing import Listing
from pipeline.pairing import divide, pair


def listing(root, *names):
    return Listing(root, tuple(sorted(f"{root}/{name}" for name in names)))


def paired(pictures, masks):
    found = pair(listing("/p", *pictures.split()), listing("/m", *masks.split()))
    return {p.removeprefix("/p/"): m.removeprefix("/m/") for p, m in found.masks.items()}


@pytest.mark.parametrize(
    ("pictures", "masks", "expected"),
    [
        ("apple.jpg banana.jpg cherry.jpg", "apple.png cherry.png",
         {"apple.jpg": "apple.png", "cherry.jpg": "cherry.png"}),
        ("1.jpg 2.jpg 10.jpg cover.jpg", "1.png 2.png 10.png",
         {"1.jpg": "1.png", "2.jpg": "2.png", "10.jpg": "10.png"}),
        ("img_2.jpg img_3.jpg img_4.jpg", "img_2_mask0.png img_3_mask0.png img_4_mask0.png",
         {f"img_{i}.jpg": f"img_{i}_mask0.png" for i in (2, 3, 4)}),
        ("cat/1.jpg dog/1.jpg", "cat/1.png dog/1.png",
         {"cat/1.jpg": "cat/1.png", "dog/1.jpg": "dog/1.png"}),
        # Another animal's mask is no mask.
        ("cat/1.jpg dog/1.jpg", "cat/1.png bird/1.png", {"cat/1.jpg": "cat/1.png"}),
        ("a.jpg b.jpg c.jpg d.jpg", "a_mask.png b-mask.png c_alpha.png d_matte.png",
         {"a.jpg": "a_mask.png", "b.jpg": "b-mask.png", "c.jpg": "c_alpha.png",
          "d.jpg": "d_matte.png"}),
        # A name of its own comes before one with a suffix taken off.
        ("a.jpg a_mask.jpg", "a.png a_mask.png", {"a.jpg": "a.png", "a_mask.jpg": "a_mask.png"}),
        ("A.JPG b.jpg", "a.png B_Mask.png", {"A.JPG": "a.png", "b.jpg": "B_Mask.png"}),
        ("u\u0308.jpg", "\u00fc.png", {"u\u0308.jpg": "\u00fc.png"}),
        ("x/deep.jpg", "deep_mask.png", {"x/deep.jpg": "deep_mask.png"}),
        ("object_3.jpg object_8.jpg", "m3.png m8.png",
         {"object_3.jpg": "m3.png", "object_8.jpg": "m8.png"}),
        # Numbers that are not unique on a side, or not there, say nothing.
        ("a_1.jpg b_1.jpg", "m1.png", {}),
        ("a_1.jpg", "m1.png n1.png", {}),
        ("one.jpg two.jpg", "first.png second.png", {}),
    ],
)  # fmt: skip
def test_by_path_then_name_then_number_and_never_by_position(pictures, masks, expected):
    assert paired(pictures, masks) == expected


def test_what_has_no_partner_is_named_with_the_reason():
    pictures = listing("/p", "a_1.jpg", "b_1.jpg", "img_2.jpg", "odd.jpg")
    masks = listing("/m", "m1.png", "img_2_mask0.png", "img_2_mask1.png", "lone.png")
    found = pair(pictures, masks)
    assert found.masks == {}
    assert found.without == {
        "/p/a_1.jpg": "several match: m1.png",
        "/p/b_1.jpg": "several match: m1.png",
        "/p/img_2.jpg": "several match: img_2_mask0.png, img_2_mask1.png",
        "/p/odd.jpg": "none has its path, name or number",
    }
    assert found.lone["/m/lone.png"] == "none has its path, name or number"
    assert found.lone["/m/m1.png"] == "it matches several: a_1.jpg, b_1.jpg"


def test_pictures_and_masks_may_share_a_folder():
    everything = listing("/d", "a.jpg", "a_mask.png", "b.jpg", "b_mask.png")
    pictures, masks = ("/d/a.jpg", "/d/b.jpg"), ("/d/a_mask.png", "/d/b_mask.png")
    for given in (
        (everything, everything),
        (everything, Listing("/d", masks)),
        (Listing("/d", pictures), everything),
    ):
        found = divide(*given)
        assert (found[0].paths, found[1].paths) == (pictures, masks)
    plain = Listing("/d", ("/d/a.jpg", "/d/a.png"))
    found = divide(plain, Listing("/d", ("/d/a.png",)))
    assert found[0].paths == ("/d/a.jpg",)
