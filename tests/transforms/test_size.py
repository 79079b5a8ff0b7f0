"""The size of pictures: how it is spelt, and what of a picture has its aspect."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from transforms.pixels.size import Size

WIDE = Size(208, 160)


def test_width_and_height_are_told_apart() -> None:
    assert WIDE.pair == (208, 160) == Image.new("L", WIDE.pair).size
    assert WIDE.shape == (160, 208) == np.asarray(Image.new("L", WIDE.pair)).shape
    assert (WIDE.short, WIDE.long, WIDE.pixels) == (160, 208, 33280)


@pytest.mark.parametrize(
    ("spelt", "size", "again"),
    [
        (160, Size(160, 160), 160),
        ("160", Size(160, 160), 160),
        ("208x160", WIDE, "208x160"),
        (" 160x208 ", Size(160, 208), "160x208"),
        ("160x160", Size(160, 160), 160),
    ],
)
def test_a_size_is_read_as_it_is_spelt(spelt: int | str, size: Size, again: int | str) -> None:
    assert Size.of(spelt) == size and size.spelt == again
    assert Size.of(size.spelt) == size


@pytest.mark.parametrize("text", ["", "x", "208x", "x160", "1x2x3", "208X160", "1.5", "²"])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is no size; give 160 or 208x160"):
        Size.of(text)


@pytest.mark.parametrize("size", [WIDE, Size(160, 208), Size(90, 90), Size(160, 9), Size(9, 160)])
@pytest.mark.parametrize("of", [(640, 480), (480, 641), (333, 333), (2000, 90), (208, 160)])
def test_the_middle_is_what_pillow_cuts_out(size: Size, of: tuple[int, int]) -> None:
    rows, columns = np.mgrid[: of[1], : of[0]].astype(np.float32)
    box = size.centred_in(*of)
    assert box[0] >= 0 and box[1] >= 0 and box[2] <= of[0] and box[3] <= of[1]
    for values in (rows, columns):
        picture = Image.fromarray(values)
        fitted = ImageOps.fit(picture, size.pair, Image.Resampling.BOX)
        cut = picture.resize(size.pair, Image.Resampling.BOX, box=box)
        np.testing.assert_allclose(np.asarray(cut), np.asarray(fitted), atol=1e-3)
    own, whole = size.scale_on(*of)
    assert (box[2] - box[0]) * own / whole == pytest.approx(size.width)
    assert (box[3] - box[1]) * own / whole == pytest.approx(size.height)


def test_sizes_are_alike_but_for_whole_pixels() -> None:
    assert Size(80, 62).is_like(WIDE) and Size(104, 80).is_like(WIDE) and Size(1, 1).is_like(WIDE)
    assert not Size(80, 80).is_like(WIDE) and not Size(62, 80).is_like(WIDE)
    assert not Size(104, 82).is_like(WIDE)
