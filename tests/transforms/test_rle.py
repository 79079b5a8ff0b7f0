"""Run-length encoding, held against that of pycocotools."""

import numpy as np
import pytest

from transforms.pixels.rle import rle_text, run_lengths

coco_mask = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")


def masks() -> list[np.ndarray]:
    draw = np.random.default_rng(0)
    found = [
        draw.random((h, w)) < share
        for h, w in ((1, 1), (3, 5), (64, 48))
        for share in (0.1, 0.5, 0.9)
    ]
    for height, width in ((160, 160), (1, 3000), (3000, 1), (2000, 1500)):
        y, x = np.mgrid[:height, :width]
        found.append((x - width / 2) ** 2 + (y - height / 3) ** 2 < (min(width, height) / 3) ** 2)
        found.append(x > width // 2)
    return [*found, np.zeros((1500, 2000), bool), np.ones((1500, 2000), bool)]


@pytest.mark.parametrize("mask", masks(), ids=lambda mask: f"{mask.shape}")
def test_text_is_that_of_pycocotools(mask):
    expected = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    lengths = run_lengths(mask)
    assert lengths.sum() == mask.size
    assert rle_text(lengths) == expected["counts"].decode()
    size = list(mask.shape)
    np.testing.assert_array_equal(
        coco_mask.decode({"size": size, "counts": rle_text(lengths)}), mask
    )
    [uncompressed] = coco_mask.frPyObjects([{"size": size, "counts": lengths.tolist()}], *size)
    assert uncompressed["counts"] == expected["counts"]
