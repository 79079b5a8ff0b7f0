"""Objects drawn over their picture: a colour and a box for each."""

import numpy as np
from PIL import Image, ImageDraw

COLOURS = (
    (230, 60, 50),
    (40, 130, 230),
    (250, 190, 30),
    (60, 180, 75),
    (170, 80, 220),
    (20, 190, 200),
    (245, 130, 40),
    (235, 90, 170),
)
"""Colours of the objects, from far to near, again from the first after the last."""

_SHARE = 0.45


def draw_instances(image: Image.Image, instances: np.ndarray) -> Image.Image:
    """Draws the objects of a scene over its picture.

    Args:
        image: the composite.
        instances: uint8 [height, width], 0 is background, k the k-th object.

    Returns:
        An RGB picture of the same size.
    """
    pixels = np.asarray(image.convert("RGB")).astype(np.float64)
    numbers = range(1, int(instances.max()) + 1)
    colours = np.array([COLOURS[(number - 1) % len(COLOURS)] for number in numbers]).reshape(-1, 3)
    inside = instances > 0
    pixels[inside] += _SHARE * (colours[instances[inside].astype(int) - 1] - pixels[inside])
    drawn = Image.fromarray(pixels.astype(np.uint8))
    draw = ImageDraw.Draw(drawn)
    for number in numbers:
        box = Image.fromarray((instances == number).view(np.uint8)).getbbox()
        if box is not None:
            corners = (box[0], box[1], box[2] - 1, box[3] - 1)
            draw.rectangle(corners, outline=COLOURS[(number - 1) % len(COLOURS)])
    return drawn
