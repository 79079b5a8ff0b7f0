"""What lies flat on surfaces and leaves their depth as it is: light, shadow, paint and posters."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

_TRIES = 6
_SMALLEST, _LARGEST = 0.12, 0.5
_PLANE_DEVIATION, _PLANE_FARTHEST = 0.012, 0.05
_KNOWN = 0.97
_SKY = 0.25
_TEXTURE = 96
_PADDING = 8


def marked(picture: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A picture with light, shadow or paint on its surfaces, which its depth knows nothing of.

    What lies below shows through, unlike below a thing that stands before it.
    """
    height, width = picture.shape[:2]
    mask = Image.new("L", (width, height))
    pen = ImageDraw.Draw(mask)
    x, y = draw.uniform(0, width), draw.uniform(0, height)
    across, along = draw.normal(0, 0.25 * width, 2), draw.normal(0, 0.25 * height, 2)
    for i in range(int(draw.choice([1, 1, 3, 5]))):  # A patch, or stripes side by side.
        u, v = x + 1.8 * i * across[0], y + 1.8 * i * along[0]
        corners = [(u, v), (u + across[0], v + along[0])]
        corners += [(u + across[0] + across[1], v + along[0] + along[1]),
                    (u + across[1], v + along[1])]  # fmt: skip
        pen.polygon(corners, fill=255)
    radius = float(draw.choice([0.5, 0.5, 3.0]))
    pixels = picture.astype(np.float32)
    if draw.random() < 0.5:
        below = pixels * draw.uniform(0.4, 1.7)
    else:
        paint = draw.uniform(0, 255, 3) if draw.random() < 0.5 else np.full(3, draw.uniform(0, 255))
        below = pixels + (paint - pixels) * draw.uniform(0.4, 0.85)
    return _blended(pixels, below, mask, radius)


def postered(
    picture: np.ndarray,
    label: np.ndarray,
    textures: list[np.ndarray],
    draw: np.random.Generator,
    indoors: bool = False,
) -> np.ndarray:
    """A picture with a poster, a sign or a board on one of its planes, if a plane is found.

    A plane is a linear function of the place in inverse depth; the poster is opaque, and its label
    is that of the plane. It hides what lies below, as a thing before the plane does, so that only
    its shape and place tell the two apart.

    Args:
        picture: uint8 [height, width, 3].
        label: float [height, width], inverse depth in about 0..1, NaN where it is not known.
        textures: uint8 [height, width, 3] each, what posters show.
        draw: source of all that is random.
        indoors: whether the farthest plane may be a wall; otherwise it may be the sky.
    """
    height, width = label.shape
    for _ in range(_TRIES):
        half = draw.uniform(_SMALLEST, _LARGEST, 2) / 2 * (width, height)
        middle = draw.uniform(0, 1, 2) * (width, height)
        lean = draw.normal(0, 0.06) if draw.random() < 0.8 else draw.uniform(-0.8, 0.8)
        cosine, sine = np.cos(lean), np.sin(lean)
        signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        offsets = signs * half @ np.array([[cosine, sine], [-sine, cosine]])
        mask = Image.new("L", (width, height))
        ImageDraw.Draw(mask).polygon([tuple(p) for p in (middle + offsets).tolist()], fill=255)
        plane = _plane(label, np.asarray(mask) > 0)
        if plane is None:
            continue
        level = plane[2] + plane[:2] @ middle
        if level < _SKY and not indoors:
            continue
        # What is nearer is larger: the sides of a rectangle on a slanted plane converge.
        nearness = (level + offsets @ plane[:2] + 0.6) / (level + 0.6)
        corners = middle + offsets * np.clip(nearness, 0.4, 2.5)[:, None]
        return _pasted(picture, _poster(textures, draw), corners, draw)
    return picture


def _plane(label: np.ndarray, inside: np.ndarray) -> np.ndarray | None:
    """Slope across, slope down and level of the plane in a region, or None if it is no plane."""
    rows, columns = np.nonzero(inside)
    step = max(1, len(rows) // 300)
    rows, columns = rows[::step], columns[::step]
    values = label[rows, columns].astype(np.float64)
    known = np.isfinite(values)
    if len(values) < 40 or known.mean() < _KNOWN:
        return None
    matrix = np.stack([columns[known], rows[known], np.ones(known.sum())], axis=1)
    plane: np.ndarray = np.linalg.lstsq(matrix, values[known], rcond=None)[0]
    off = np.abs(values[known] - matrix @ plane)
    flat = off.mean() < _PLANE_DEVIATION and np.percentile(off, 98) < _PLANE_FARTHEST
    return plane if flat else None


def _poster(textures: list[np.ndarray], draw: np.random.Generator) -> np.ndarray:
    """What a poster shows, uint8 [96, 96, 3]: a photograph, paper, a panel, lines of print."""
    kind = draw.random()
    paper = np.full(3, draw.uniform(20, 250)) if draw.random() < 0.5 else draw.uniform(10, 250, 3)
    if kind < 0.5:
        texture = textures[draw.integers(len(textures))]
        side = int(draw.uniform(0.4, 1) * min(texture.shape[:2]))
        y = draw.integers(0, texture.shape[0] - side + 1)
        x = draw.integers(0, texture.shape[1] - side + 1)
        square = Image.fromarray(texture[y : y + side, x : x + side])
        shown = np.asarray(square.resize((_TEXTURE, _TEXTURE), Image.Resampling.BILINEAR))
    else:
        shown = np.broadcast_to(paper, (_TEXTURE, _TEXTURE, 3))
    shown = shown.astype(np.float32)
    if kind > 0.75:  # Print, stripes or panes.
        ink, period = draw.uniform(0, 255, 3), int(draw.integers(5, 32))
        thick = max(1, int(period * draw.uniform(0.15, 0.6)))
        lines = (np.arange(_TEXTURE) + draw.integers(period)) % period < thick
        shown[lines] = ink
        if draw.random() < 0.4:
            shown[:, lines] = ink
    if draw.random() < 0.4:  # A frame.
        wide, frame = int(draw.integers(2, 10)), draw.uniform(0, 255, 3)
        shown[:wide], shown[-wide:], shown[:, :wide], shown[:, -wide:] = (frame,) * 4
    return (shown * draw.uniform(0.4, 1.05)).clip(0, 255).astype(np.uint8)


def _pasted(
    picture: np.ndarray, poster: np.ndarray, corners: np.ndarray, draw: np.random.Generator
) -> np.ndarray:
    """A picture with a poster between four corners, float [4, 2], clockwise from the top left."""
    height, width = picture.shape[:2]
    side = len(poster)
    square = np.array([[0, 0], [side, 0], [side, side], [0, side]]) + _PADDING
    poster = np.pad(poster, ((_PADDING, _PADDING), (_PADDING, _PADDING), (0, 0)), mode="edge")
    matrix, values = [], []
    for (x, y), (u, v) in zip(corners, square, strict=True):
        matrix += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    homography = np.linalg.lstsq(np.array(matrix), np.array(values), rcond=None)[0]
    warped = Image.fromarray(poster).transform(
        (width, height),
        Image.Transform.PERSPECTIVE,
        homography.tolist(),
        Image.Resampling.BILINEAR,
    )
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).polygon([tuple(corner) for corner in corners.tolist()], fill=255)
    radius = draw.uniform(0.3, 0.8)
    pixels = picture.astype(np.float32)
    # The light that falls on the plane falls on the poster too, in part.
    lightness = pixels.mean(axis=-1, keepdims=True)
    inside = lightness[np.asarray(mask) > 0]
    light = (lightness / max(float(inside.mean()), 8.0)) ** draw.uniform(0, 0.6)
    poster_pixels = np.asarray(warped).astype(np.float32) * np.clip(light, 0.5, 1.6)
    return _blended(pixels, poster_pixels, mask, radius)


def _blended(below: np.ndarray, above: np.ndarray, mask: Image.Image, radius: float) -> np.ndarray:
    """Pixels, float32 [height, width, 3], under others where a mask is, with a soft border."""
    soft = mask.filter(ImageFilter.GaussianBlur(radius))
    share = np.asarray(soft).astype(np.float32)[..., None] / 255
    return np.clip(below + (above - below) * share, 0, 255).astype(np.uint8)
