"""Run-length encoding of masks as COCO spells it, and as `pycocotools` reads it.

Runs go down the columns, left to right, and alternate between outside and inside, outside first.
Their lengths are written as text: each from the fourth on as the difference to the one before the
last, in groups of five bits, lowest first, with a sixth bit where more follow, from the character
`0` on (https://github.com/cocodataset/cocoapi, `common/maskApi.h`).
"""

import numpy as np

_BITS, _MORE, _FIRST = 5, 32, 48
_GROUPS = 8  # Enough for differences of 39 bits.


def run_lengths(mask: np.ndarray) -> np.ndarray:
    """Lengths of the runs down the columns of a mask.

    Example:
        >>> run_lengths(np.array([[0, 1], [0, 1], [1, 0]], bool)).tolist()
        [2, 3, 1]

    Args:
        mask: bool [height, width].

    Returns:
        int64 [runs]; the first is outside, and 0 where the mask begins inside.
    """
    flat = mask.T.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths = np.diff(changes, prepend=0, append=flat.size)
    return np.concatenate([[0], lengths]) if flat[0] else lengths


def rle_text(lengths: np.ndarray) -> str:
    """Run lengths as COCO's text.

    Args:
        lengths: int64 [runs], as from `run_lengths`.
    """
    numbers = lengths.copy()
    numbers[3:] -= lengths[1:-2]
    shifted = numbers[:, None] >> (_BITS * np.arange(_GROUPS))
    # A number ends with the group whose highest bit is the sign of all that would follow.
    following = shifted >> _BITS
    ends = following == -((shifted >> (_BITS - 1)) & 1)
    last = ends.argmax(axis=1)
    place = np.arange(_GROUPS)
    characters = (shifted & (_MORE - 1)) + np.where(place < last[:, None], _MORE, 0) + _FIRST
    return characters[place <= last[:, None]].astype(np.uint8).tobytes().decode("ascii")
