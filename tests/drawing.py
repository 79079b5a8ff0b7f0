"""Small pictures for tests."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def draw_foreground(number: int, size: tuple[int, int] = (100, 80)) -> Image.Image:
    """A coloured disc with soft edges; hidden colour under transparent pixels is bright green."""
    alpha = Image.new("L", size)
    inset = 8 + number % 5
    ImageDraw.Draw(alpha).ellipse((inset, inset, size[0] - inset, size[1] - inset), fill=255)
    alpha = alpha.filter(ImageFilter.GaussianBlur(2))
    image = Image.new("RGB", size, (0, 255, 0))
    body = Image.new("RGB", size, (40 + 20 * number % 200, 30, 200 - 15 * number % 180))
    image.paste(body, mask=alpha.point(lambda value: 255 if value else 0))
    image.putalpha(alpha)
    return image


def draw_background(number: int, size: tuple[int, int] = (224, 180)) -> Image.Image:
    """Sky over ground with a few boxes, so that depth models see a scene."""
    y = np.linspace(0, 1, size[1])[:, None, None]
    sky, ground = np.array([120.0, 170, 230]), np.array([110.0 + number * 3 % 60, 100, 70])
    pixels = np.where(y < 0.45, sky * (0.8 + 0.4 * y), ground * (0.6 + 0.5 * y))
    image = Image.fromarray(np.broadcast_to(pixels, (size[1], size[0], 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for box in range(3):
        left = (number * 37 + box * 71) % (size[0] - 40)
        draw.rectangle(
            (left, 60 + 12 * box, left + 30, 110 + 14 * box), fill=(90, 60 + 40 * box, 50)
        )
    return image
