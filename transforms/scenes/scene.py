"""What a scene is made of: numbers only, a pure function of seed, ids and prepared files."""

from dataclasses import dataclass
from enum import Enum

MOST_OBJECTS = 8
"""Labelled objects of a picture at most."""


class Edge(Enum):
    """How the border of a paste is treated."""

    ALPHA = "alpha"
    HARD = "hard"
    SOFT = "soft"
    ERODED = "eroded"
    POISSON = "poisson"


@dataclass(frozen=True)
class Look:
    """How the pixels of one paste are changed; the defaults change nothing.

    Attributes:
        brightness: factor on the colours, 1 for none.
        contrast: factor on the distance of the colours from their mean, 1 for none.
        saturation: factor on the distance of the colours from their grey, 1 for none.
        harmonise: share of the way to the colour statistics of the surroundings, 0 to 1.
        edge: treatment of the border.
        shadow: darkness of the shadow, 0 for none, to 1.
    """

    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    harmonise: float = 0.0
    edge: Edge = Edge.ALPHA
    shadow: float = 0.0


@dataclass(frozen=True)
class Paste:
    """One object of a scene.

    Attributes:
        fg_id: id of the foreground, or of the distractor.
        flip: 1 for the mirror image, else 0.
        x: column of the left edge of the turned cut-out in the picture; may be negative.
        y: row of its top edge; may be negative.
        width: width of the cut-out in pixels before it is turned.
        height: its height.
        angle: degrees by which it is turned, anticlockwise.
        contact: row of the picture on which it stands: one below its lowest solid row.
        nearness: nearness of the ground on which it stands, 0 to 255: what of the background is
            nearer hides it; -1 where nothing does.
        look: how its pixels are changed.
        labelled: whether it is in the labels; distractors are not.
    """

    fg_id: int
    flip: int
    x: int
    y: int
    width: int
    height: int
    angle: float
    contact: int
    look: Look = Look()
    labelled: bool = True
    nearness: int = -1


@dataclass(frozen=True)
class Effects:
    """What happens to the whole picture at its end; the defaults change nothing.

    Attributes:
        blur: standard deviation of a Gaussian blur in pixels.
        noise: standard deviation of the noise in grey levels.
        quality: JPEG quality that the picture passes, 0 for none.
    """

    blur: float = 0.0
    noise: float = 0.0
    quality: int = 0


@dataclass(frozen=True)
class Light:
    """Where the shadows of a scene fall.

    Attributes:
        slant: columns that a shadow moves for each row of its object's height, -1 to 1.
        length: rows of shadow for each row of its object's height, 0 to 1.
    """

    slant: float = 0.0
    length: float = 0.3


@dataclass(frozen=True)
class Crop:
    """A part of a background, in pixels of the background.

    Attributes:
        left: its left column.
        top: its top row.
        width: its width.
        height: its height.
    """

    left: int
    top: int
    width: int
    height: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The part as x, y, width and height."""
        return self.left, self.top, self.width, self.height


@dataclass(frozen=True)
class Scene:
    """One composite as a list of layers.

    Attributes:
        pastes: from far to near; the main object's key names the sample.
        crop: the part of the background that is shown; None for its middle.
        light: where shadows fall.
        effects: what happens to the whole picture.
        grounded: whether the objects stand on the background's ground.
    """

    pastes: tuple[Paste, ...]
    crop: Crop | None = None
    light: Light = Light()
    effects: Effects = Effects()
    grounded: bool = False


@dataclass(frozen=True)
class SceneOptions:
    """Which scenes are drawn; the defaults give one object anywhere, as it is.

    Attributes:
        width: width of the composites in pixels.
        height: their height.
        foreground_size: side of the square that an object placed anywhere fits into.
        scale_jitter: lowest and highest factor on `foreground_size`.
        objects: fewest and most labelled objects of a picture, negatives apart.
        min_visible: share of each labelled object that stays visible at least, 0 to 1.
        grounded: whether objects stand on the ground where the background has one.
        truncation: share of an object that may hang out of the picture, 0 to below 1.
        rotation: lowest and highest angle in degrees.
        colour_jitter: strength of changes of brightness, contrast and saturation, 0 to 1.
        harmonise: most of the way to the colours of the surroundings, 0 to 1.
        mixed_edges: whether borders are treated in five ways, or left as they are.
        shadow: share of the objects that cast a shadow, 0 to 1.
        photo_effects: share of the pictures that are blurred, noisy or compressed, 0 to 1.
        negatives: share of the pictures without a labelled object, 0 to 1.
        distractor_share: share of the pictures with unlabelled objects, 0 to 1.
        random_crops: whether backgrounds are cropped at random places, or in their middle.
        occlude: whether nearer things of the background hide objects.
    """

    width: int
    height: int
    foreground_size: int
    scale_jitter: tuple[float, float] = (1.0, 1.0)
    objects: tuple[int, int] = (1, 1)
    min_visible: float = 0.3
    grounded: bool = False
    truncation: float = 0.0
    rotation: tuple[float, float] = (0.0, 0.0)
    colour_jitter: float = 0.0
    harmonise: float = 0.0
    mixed_edges: bool = False
    shadow: float = 0.0
    photo_effects: float = 0.0
    negatives: float = 0.0
    distractor_share: float = 0.0
    random_crops: bool = False
    occlude: bool = False
