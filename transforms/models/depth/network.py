"""The network of the built-in depth model: a small encoder-decoder of plain PyTorch modules.

The encoder is EfficientNet-Lite0 (Tan and Le, "EfficientNet", ICML 2019, in its variant for mobile
devices) with fewer blocks and narrower expansions, so that it starts from weights trained on
ImageNet. The decoder adds the encoder's features from coarse to fine with depthwise separable
convolutions; its last convolution draws four pixels at once, which are smoothed a little.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class Stage:
    """One inverted residual block of the encoder.

    Attributes:
        source: number of the block of EfficientNet-Lite0 that it starts from.
        kernel: side of the depthwise kernel.
        stride: 1 or 2.
        hidden: channels of the expansion.
        inputs: channels that come in.
        outputs: channels that go out.
        tap: stride at which the decoder takes the features after this block, or 0.
    """

    source: int
    kernel: int
    stride: int
    hidden: int
    inputs: int
    outputs: int
    tap: int = 0


STAGES = (
    Stage(0, 3, 1, 32, 32, 16, tap=2),
    Stage(1, 3, 2, 48, 16, 24),
    Stage(2, 3, 1, 72, 24, 24, tap=4),
    Stage(3, 5, 2, 96, 24, 40),
    Stage(4, 5, 1, 160, 40, 40, tap=8),
    Stage(5, 3, 2, 240, 40, 80),
    Stage(6, 3, 1, 320, 80, 80),
    Stage(8, 5, 1, 320, 80, 112, tap=16),
    Stage(11, 5, 2, 480, 112, 192, tap=32),
)

STEM = 32
WIDTHS = (64, 48, 32, 24, 16)
"""Channels of the decoder at strides 32, 16, 8, 4 and 2."""

MULTIPLE = 32
"""Height and width of the input are multiples of this."""

MEAN, SCALE = 118.0, 58.0
"""Colours pass the network as (value - MEAN) / SCALE."""


class DepthNetwork(nn.Module):
    """RGB pictures to relative inverse depth."""

    def __init__(self) -> None:
        super().__init__()
        taps = {stage.tap: stage.outputs for stage in STAGES if stage.tap}
        self.stem = _convolution(3, STEM, 3, 2)
        self.blocks = nn.ModuleList(_InvertedResidual(stage) for stage in STAGES)
        self.top = _convolution(taps[32], WIDTHS[0], 1)
        self.lateral = nn.ModuleList(
            _convolution(taps[stride], width, 1)
            for stride, width in zip((16, 8, 4, 2), WIDTHS, strict=False)
        )
        self.refine = nn.ModuleList(
            _separable(width, narrower, kernel)
            for width, narrower, kernel in zip(WIDTHS, WIDTHS[1:], (5, 5, 5, 3), strict=False)
        )
        self.out = nn.Conv2d(WIDTHS[-1], 4, 3, 1, 1)

    def logits(self, pictures: torch.Tensor) -> torch.Tensor:
        """Inverse depth before the sigmoid.

        Args:
            pictures: float [n, 3, height, width], RGB in 0..255, both sides multiples of 32.

        Returns:
            float [n, 1, height, width].
        """
        return self.after_stem(self.stem((pictures - MEAN) / SCALE))

    def after_stem(self, features: torch.Tensor) -> torch.Tensor:
        """The rest of `logits`: float [n, 32, height / 2, width / 2] to [n, 1, height, width]."""
        taps: dict[int, torch.Tensor] = {}
        for stage, block in zip(STAGES, self.blocks, strict=True):
            features = block(features)
            if stage.tap:
                taps[stage.tap] = features
        features = self.top(taps[32])
        for stride, lateral, refine in zip((16, 8, 4, 2), self.lateral, self.refine, strict=True):
            wide = functional.interpolate(features, scale_factor=2.0, mode="nearest")
            features = refine(wide + lateral(taps[stride]))
        fine = functional.pixel_shuffle(self.out(features), 2)
        # The shuffle leaves a pattern of two pixels' period; means of two are zero at just that.
        edged = functional.pad(fine, (1, 1, 1, 1), mode="replicate")
        return functional.avg_pool2d(functional.avg_pool2d(edged, 2, 1), 2, 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Relative inverse depth, near is large.

        Args:
            pictures: uint8 [n, height, width, 3], RGB, both sides multiples of 32.

        Returns:
            float [n, height, width] in (0, 1).
        """
        planes = pictures.permute(0, 3, 1, 2).to(self.out.weight.dtype)
        return torch.sigmoid(self.logits(planes))[:, 0]


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, active: bool = True
) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU6(inplace=True)) if active else nn.Sequential(*layers)


def _separable(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        _convolution(inputs, inputs, kernel, groups=inputs, active=False),
        _convolution(inputs, outputs, 1),
    )


class _InvertedResidual(nn.Module):
    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._residual = stage.stride == 1 and stage.inputs == stage.outputs
        hidden = stage.hidden
        layers = [
            _convolution(hidden, hidden, stage.kernel, stage.stride, groups=hidden),
            _convolution(hidden, stage.outputs, 1, active=False),
        ]
        if hidden != stage.inputs:
            layers.insert(0, _convolution(stage.inputs, hidden, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        changed = self.layers(features)
        return features + changed if self._residual else changed
