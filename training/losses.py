"""Losses on inverse depth that is known up to scale and shift."""

from dataclasses import dataclass

import torch
from torch.nn import functional

_GRADIENT_SCALES = 4
_FEWEST_VALUES = 200
_BORDER_STEPS = (2, 4)
_BORDER_MARGIN, _BORDER_SLOPE = 0.35, 4.0
_NARROWEST = 0.12
_ROWS_SHARE = 0.5


@dataclass(frozen=True)
class Loss:
    """A training loss and its parts, for the curves.

    Attributes:
        total: what is minimised.
        data: scale-and-shift-invariant absolute error.
        border: ordinal loss across the borders of pasted objects.
    """

    total: torch.Tensor
    data: float
    border: float


def depth_loss(predicted: torch.Tensor, inverse: torch.Tensor, masks: torch.Tensor) -> Loss:
    """Scale-and-shift-invariant error, overall and within rows, gradient error and border order.

    The first and the multi-scale gradient error follow Ranftl et al., "Towards robust monocular
    depth estimation", TPAMI 2022; scale and shift are the mean absolute deviation and the mean.
    Most pictures are nearer below than above; the error within rows is about the rest.

    Args:
        predicted: float [n, side, side] in (0, 1).
        inverse: float [n, side, side], NaN where there is no label.
        masks: float [n, side, side], alpha of the pasted object.
    """
    known = torch.isfinite(inverse).float()
    count = known.sum((1, 2)).clamp(min=1)
    p, p_scale = _standardised(predicted, known, count, 0.01)
    q, _ = _standardised(torch.nan_to_num(inverse), known, count, 0.02)
    difference = p - q
    data = (difference.abs().clamp(max=3) * known).sum((1, 2)) / count
    gradient = _gradient_error(difference, known)
    rows = _row_error(difference, known, count)
    enough = (count > _FEWEST_VALUES).float()
    border = _border_loss(p, masks)
    # A map that uses little of its range is stored with few levels.
    narrow = functional.relu(_NARROWEST - p_scale).mean() * 4
    shape = data + 0.5 * gradient + _ROWS_SHARE * rows
    total = (shape * enough).mean() + 0.25 * border + narrow
    return Loss(total, float(data.detach().mean()), float(border.detach()))


def _standardised(
    values: torch.Tensor, known: torch.Tensor, count: torch.Tensor, least: float
) -> tuple[torch.Tensor, torch.Tensor]:
    mean = (values * known).sum((1, 2)) / count
    centred = (values - mean[:, None, None]) * known
    scale = (centred.abs().sum((1, 2)) / count).clamp(min=least)
    return centred / scale[:, None, None], scale


def _row_error(difference: torch.Tensor, known: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """Error of what is left when each row's mean is taken away: what lies side by side."""
    present = known.sum(2, keepdim=True)
    mean = (difference * known).sum(2, keepdim=True) / present.clamp(min=1)
    off = ((difference - mean).abs().clamp(max=3) * known).sum((1, 2))
    return off / count


def _gradient_error(difference: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    total = torch.zeros(len(difference))
    for _ in range(_GRADIENT_SCALES):
        across = (difference[:, :, 1:] - difference[:, :, :-1]).abs().clamp(max=2)
        down = (difference[:, 1:] - difference[:, :-1]).abs().clamp(max=2)
        across = (across * known[:, :, 1:] * known[:, :, :-1]).sum((1, 2))
        down = (down * known[:, 1:] * known[:, :-1]).sum((1, 2))
        total = total + (across + down) / known.sum((1, 2)).clamp(min=1)
        difference, known = difference[:, ::2, ::2], known[:, ::2, ::2]
    return total


def _border_loss(values: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Pixel pairs across a border: the one in the object is nearer by a margin."""
    loss, pairs = torch.zeros(()), torch.zeros(())
    side = masks.shape[1]
    for step in _BORDER_STEPS:
        for axis in (1, 2):
            here, there = masks.narrow(axis, 0, side - step), masks.narrow(axis, step, side - step)
            a, b = values.narrow(axis, 0, side - step), values.narrow(axis, step, side - step)
            for inside, outside, near, far in ((here, there, a, b), (there, here, b, a)):
                pair = ((inside > 0.95) & (outside < 0.05)).float()
                wrong = functional.softplus((far - near + _BORDER_MARGIN) * _BORDER_SLOPE)
                loss, pairs = loss + (pair * wrong).sum(), pairs + pair.sum()
    return loss / (pairs + 1) / _BORDER_SLOPE
