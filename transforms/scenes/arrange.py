"""Arranging a scene: which objects there are, where they stand, how they look."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp, log

import numpy as np

from transforms.pixels.cutout import SOLID
from transforms.pixels.images import fitted_size
from transforms.scenes.draws import (
    ATTEMPTS,
    MOST_DISTRACTORS,
    MOST_LABELLED,
    Draws,
    ObjectUse,
    PictureUse,
    PlaceUse,
    between,
)
from transforms.scenes.ground import Ground
from transforms.scenes.hidden import seen
from transforms.scenes.look import Sprite
from transforms.scenes.scene import Crop, Edge, Effects, Light, Look, Paste, Scene, SceneOptions

_NEAREST_CONTACT = 4.0  # Rows below the horizon of the farthest object.
_FARTHEST_CONTACT = 1.25  # Times the rows below the horizon, of the nearest one.
_OBJECT_HEIGHT = (0.75, 1.35)  # Times the rows between horizon and contact.
_LEAST_HEIGHT = 4
_EDGE_SHARES = (
    (Edge.ALPHA, 0.25),
    (Edge.HARD, 0.20),
    (Edge.SOFT, 0.30),
    (Edge.ERODED, 0.15),
    (Edge.POISSON, 0.10),
)
_BRIGHTNESS = (0.5, 1.35)
_CONTRAST = (0.65, 1.3)
_SATURATION = (0.3, 1.4)


@dataclass(frozen=True)
class Candidate:
    """An object that may come into a scene.

    Attributes:
        fg_id: its id.
        width: width of its cut-out in pixels, at any scale.
        height: its height.
        labelled: False for distractors.
    """

    fg_id: int
    width: int
    height: int
    labelled: bool = True


@dataclass(frozen=True)
class MainPlace:
    """Where the main object stands when nothing else decides it, wholly inside the picture."""

    flip: int
    x: int
    y: int
    width: int
    height: int


Drawing = Callable[[Paste], Sprite]
"""Gives the cut-out of a paste, sized, turned and with its border treated."""


@dataclass(frozen=True, eq=False)
class _Placed:
    """A paste, and what of it is in the picture before other pastes hide it.

    Attributes:
        paste: the paste.
        rows: rows of the picture.
        columns: columns of the picture.
        inside: bool [h, w], its pixels there.
        solid: bool [h, w], those of them that the background does not hide.
        left: bool [h, w], those of the latter that no nearer paste hides.
        full: number of its pixels, in the picture or not, hidden or not.
    """

    paste: Paste
    rows: slice
    columns: slice
    inside: np.ndarray
    solid: np.ndarray
    left: np.ndarray
    full: int


def arrange(
    draws: Draws,
    options: SceneOptions,
    main: Candidate,
    place: MainPlace,
    companions: Sequence[Candidate],
    distractors: Sequence[Candidate],
    ground: Ground | None,
    sprite: Drawing,
    crop: Crop | None = None,
) -> Scene:
    """Draws a scene.

    Args:
        draws: the sample's numbers.
        options: which scenes are wanted.
        main: the object that the sample is named for.
        place: where it stands when it is placed anywhere.
        companions: other labelled objects that may come in.
        distractors: unlabelled ones.
        ground: of the part of the background that is shown; None for placing anywhere.
        sprite: gives the cut-out of a paste.
        crop: the part of the background; None for its middle.

    Returns:
        The scene; every labelled object in it is visible to at least `options.min_visible`.
    """
    grounded = options.grounded and ground is not None and ground.found
    stage = _Stage(draws, options, ground if grounded else None, sprite)
    if draws.picture(PictureUse.NEGATIVE) >= options.negatives:
        stage.add_main(main, place)
        low, high = options.objects
        wanted = low + int(draws.picture(PictureUse.OBJECTS) * (high - low + 1)) - 1
        for number, candidate in enumerate(_chosen(draws, companions, wanted), 1):
            stage.add(number, candidate)
    if distractors and draws.picture(PictureUse.DISTRACTED) < options.distractor_share:
        wanted = 1 + int(draws.picture(PictureUse.DISTRACTORS) * MOST_DISTRACTORS)
        for number in range(wanted):
            share = draws.object(MOST_LABELLED + number, ObjectUse.FOREGROUND)
            stage.add(MOST_LABELLED + number, distractors[int(share * len(distractors))])
    return Scene(
        tuple(placed.paste for placed in stage.placed),
        crop,
        Light(
            between(draws.picture(PictureUse.SLANT), -0.9, 0.9),
            between(draws.picture(PictureUse.LENGTH), 0.1, 0.5),
        ),
        _effects(draws, options),
        grounded,
    )


def _chosen(draws: Draws, companions: Sequence[Candidate], wanted: int) -> list[Candidate]:
    """Draws distinct companions."""
    left = list(companions)
    found: list[Candidate] = []
    for number in range(1, min(wanted, len(left), MOST_LABELLED - 1) + 1):
        share = draws.object(number, ObjectUse.FOREGROUND)
        found.append(left.pop(int(share * len(left))))
    return found


def _effects(draws: Draws, options: SceneOptions) -> Effects:
    if draws.picture(PictureUse.EFFECTS) >= options.photo_effects:
        return Effects()
    blur = max(0.0, between(draws.picture(PictureUse.BLUR), -0.6, 1.0))
    noise = max(0.0, between(draws.picture(PictureUse.NOISE), -6.0, 9.0))
    quality = int(between(draws.picture(PictureUse.QUALITY), 25, 125))
    return Effects(blur, noise, quality if quality <= 90 else 0)


class _Stage:
    """A scene while it is arranged: pastes from far to near, and what is visible of each."""

    def __init__(
        self, draws: Draws, options: SceneOptions, ground: Ground | None, sprite: Drawing
    ) -> None:
        self.placed: list[_Placed] = []
        self._draws = draws
        self._options = options
        self._ground = ground
        self._sprite = sprite

    def add_main(self, main: Candidate, place: MainPlace) -> None:
        """Adds the main object; where no drawn place will do, it stands upright at `place`."""
        for attempt in range(ATTEMPTS):
            placed = self._tried(0, attempt, main, place)
            if placed is not None and self._admit(placed):
                return
        # Alone and upright it is whole: only other objects could hide it, and they come later.
        upright = Paste(
            main.fg_id,
            place.flip,
            place.x,
            place.y,
            place.width,
            place.height,
            0.0,
            0,
            replace(self._look(0), edge=Edge.ALPHA),
        )
        drawn = self._sprite(upright)
        self.placed.append(self._at(upright, drawn, place.x, place.y))

    def add(self, number: int, candidate: Candidate) -> None:
        """Adds an object where it leaves enough of the others to be seen, or leaves it out."""
        for attempt in range(ATTEMPTS):
            placed = self._tried(number, attempt, candidate, None)
            if placed is not None and self._admit(placed):
                return

    def _admit(self, placed: _Placed) -> bool:
        """Takes a paste in if every labelled object stays visible enough."""
        contact = placed.paste.contact  # Of two on one row the later one is nearer.
        farther = bisect_right(self.placed, contact, key=lambda each: each.paste.contact)
        several = [_behind(each, placed) for each in self.placed[:farther]]
        nearer = self.placed[farther:]
        for each in nearer:
            placed = _behind(placed, each)
        several += [placed, *nearer]
        if not all(self._enough(each) for each in several):
            return False
        self.placed = several
        return True

    def _enough(self, placed: _Placed) -> bool:
        if not placed.paste.labelled:
            return True
        least = max(1, self._options.min_visible * placed.full)
        return int(np.count_nonzero(placed.left)) >= least

    def _tried(
        self, number: int, attempt: int, candidate: Candidate, place: MainPlace | None
    ) -> _Placed | None:
        draws, options = self._draws, self._options
        flip = place.flip if place else int(draws.object(number, ObjectUse.FLIP) * 2)
        angle = between(draws.place(number, attempt, PlaceUse.ANGLE), *options.rotation)
        if self._ground is not None:
            return self._on_ground(number, attempt, candidate, flip, angle)
        if place is not None and not options.truncation and attempt == 0:
            width, height = place.width, place.height
        else:
            factor = between(draws.place(number, attempt, PlaceUse.SIZE), *options.scale_jitter)
            box = max(1, round(options.foreground_size * factor))
            width, height = fitted_size(candidate.width, candidate.height, box)
        look = self._look(number)
        paste = Paste(
            candidate.fg_id, flip, 0, 0, width, height, angle, 0, look, candidate.labelled
        )
        drawn = self._sprite(paste)
        columns, rows = drawn.mask.size
        if place is not None and not options.truncation and attempt == 0:
            # The centre stays where the plan has it; what is turned is pushed inside.
            x = _clamped(place.x + (width - columns) // 2, 0, options.width - columns)
            y = _clamped(place.y + (height - rows) // 2, 0, options.height - rows)
        else:
            x = _drawn(
                draws.place(number, attempt, PlaceUse.COLUMN),
                columns,
                options.width,
                options.truncation,
            )
            y = _drawn(
                draws.place(number, attempt, PlaceUse.ROW), rows, options.height, options.truncation
            )
        return self._checked(paste, drawn, x, y)

    def _on_ground(
        self, number: int, attempt: int, candidate: Candidate, flip: int, angle: float
    ) -> _Placed | None:
        draws, options, ground = self._draws, self._options, self._ground
        assert ground is not None
        below = options.height - ground.horizon
        far = log(max(_NEAREST_CONTACT, ground.first + 1.0 - ground.horizon))
        near = log(max(_FARTHEST_CONTACT * below, 5.0))
        distance = exp(between(draws.place(number, attempt, PlaceUse.DISTANCE), far, near))
        contact = round(ground.horizon + distance)
        tall = distance * between(draws.place(number, attempt, PlaceUse.SIZE), *_OBJECT_HEIGHT)
        height = max(_LEAST_HEIGHT, round(tall))
        width = max(1, round(height * candidate.width / candidate.height))
        if width > 2 * options.width or height > 2 * options.height:
            return None
        standing = ground.columns(min(contact, options.height) - 1)
        if not len(standing):
            return None
        share = draws.place(number, attempt, PlaceUse.COLUMN)
        column = int(standing[int(share * len(standing))])
        look = self._look(number)
        nearness = -1
        if options.occlude and contact < options.height:
            nearness = int(ground.floor[contact - 1])
        paste = Paste(
            candidate.fg_id, flip, 0, 0, width, height, angle, 0, look, candidate.labelled, nearness
        )
        drawn = self._sprite(paste)
        x, y = column - drawn.mask.width // 2, contact - drawn.bottom
        return self._checked(paste, drawn, x, y)

    def _checked(self, paste: Paste, drawn: Sprite, x: int, y: int) -> _Placed | None:
        """The paste at its place, or None where too much of it lies outside."""
        placed = self._at(paste, drawn, x, y)
        inside = np.count_nonzero(placed.inside)
        if not inside or inside < placed.full * (1 - self._options.truncation):
            return None
        return placed

    def _at(self, paste: Paste, drawn: Sprite, x: int, y: int) -> _Placed:
        options, ground = self._options, self._ground
        placed = replace(paste, x=x, y=y, contact=y + drawn.bottom)
        rows, columns, inner = overlap(placed, drawn.alpha.shape, options.width, options.height)
        inside = solid = drawn.solid[inner]
        if ground is not None and paste.nearness >= 0:
            solid = (
                seen(drawn.alpha[inner], ground.nearness[rows, columns], paste.nearness) >= SOLID
            )
        return _Placed(placed, rows, columns, inside, solid, solid, drawn.full)

    def _look(self, number: int) -> Look:
        draws, options = self._draws, self._options

        def jitter(use: ObjectUse, bounds: tuple[float, float]) -> float:
            factor = between(draws.object(number, use), *bounds)
            return 1 + options.colour_jitter * (factor - 1)

        shadow = 0.0
        if draws.object(number, ObjectUse.SHADOW) < options.shadow:
            shadow = between(draws.object(number, ObjectUse.DARKNESS), 0.25, 0.65)
        return Look(
            jitter(ObjectUse.BRIGHTNESS, _BRIGHTNESS),
            jitter(ObjectUse.CONTRAST, _CONTRAST),
            jitter(ObjectUse.SATURATION, _SATURATION),
            options.harmonise * draws.object(number, ObjectUse.HARMONISE),
            _edge(draws.object(number, ObjectUse.EDGE)) if options.mixed_edges else Edge.ALPHA,
            shadow,
        )


def _behind(part: _Placed, other: _Placed) -> _Placed:
    """A paste behind one that is nearer than it; itself where they do not meet."""
    top, first = part.rows.start, part.columns.start
    y, x = other.rows.start, other.columns.start
    upper, lower = max(top, y), min(part.rows.stop, other.rows.stop)
    begin, end = max(first, x), min(part.columns.stop, other.columns.stop)
    if upper >= lower or begin >= end:
        return part
    left = part.left.copy()
    own = left[upper - top : lower - top, begin - first : end - first]
    own &= ~other.solid[upper - y : lower - y, begin - x : end - x]
    return replace(part, left=left)


def overlap(
    paste: Paste, shape: tuple[int, ...], width: int, height: int
) -> tuple[slice, slice, tuple[slice, slice]]:
    """Rows and columns of the picture that a paste covers, and the same within its cut-out."""
    left, top = max(0, paste.x), max(0, paste.y)
    right = max(left, min(width, paste.x + shape[1]))
    bottom = max(top, min(height, paste.y + shape[0]))
    inner = (slice(top - paste.y, bottom - paste.y), slice(left - paste.x, right - paste.x))
    return slice(top, bottom), slice(left, right), inner


def _edge(share: float) -> Edge:
    for edge, part in _EDGE_SHARES:
        if share < part:
            return edge
        share -= part
    return Edge.ALPHA


def _clamped(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))


def _drawn(share: float, size: int, of: int, truncation: float) -> int:
    """A start such that at most a share of `size` lies outside 0..of."""
    out = int(size * truncation)
    low, high = -out, max(-out, of - size + out)
    return low + int(share * (high - low + 1))
