"""The network of the built-in cut-out model: ImageNet features and a light decoder.

The encoder is EfficientNet-Lite0 (Tan and Le, "EfficientNet", ICML 2019, in its variant for mobile
devices) up to its thirteenth block, with its weights from ImageNet as they are and the batch norms
folded into the convolutions. A vector of the whole picture is added to its coarsest features, since
what stands out is decided by the picture as a whole. The decoder, which is what is trained, adds
the encoder's features from coarse to fine with depthwise separable convolutions and draws four
pixels at once.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class Stage:
    """One inverted residual block of the encoder.

    Attributes:
        kernel: side of the depthwise kernel.
        stride: 1 or 2.
        hidden: channels of the expansion.
        inputs: channels that come in.
        outputs: channels that go out.
        tap: stride at which the decoder takes the features after this block, or 0.
    """

    kernel: int
    stride: int
    hidden: int
    inputs: int
    outputs: int
    tap: int = 0


STAGES = (
    Stage(3, 1, 32, 32, 16),
    Stage(3, 2, 96, 16, 24),
    Stage(3, 1, 144, 24, 24, tap=4),
    Stage(5, 2, 144, 24, 40),
    Stage(5, 1, 240, 40, 40, tap=8),
    Stage(3, 2, 240, 40, 80),
    Stage(3, 1, 480, 80, 80),
    Stage(3, 1, 480, 80, 80),
    Stage(5, 1, 480, 80, 112),
    Stage(5, 1, 672, 112, 112),
    Stage(5, 1, 672, 112, 112, tap=16),
    Stage(5, 2, 672, 112, 192),
    Stage(5, 1, 1152, 192, 192, tap=32),
)
"""Blocks 0 to 12 of EfficientNet-Lite0."""

STEM = 32
WIDTHS = (160, 112, 64, 32)
"""Channels of the decoder at strides 32, 16, 8 and 4."""

REFINEMENTS = (2, 2, 1, 1)
"""Separable convolutions of the decoder at each of these strides."""

MULTIPLE = 32
"""Height and width of the input are multiples of this."""

MEAN, SCALE = 127.0, 128.0
"""Colours pass the network as (value - MEAN) / SCALE, as EfficientNet-Lite takes them."""


class CutoutNetwork(nn.Module):
    """RGB pictures to the probability that a pixel belongs to the object."""

    def __init__(self) -> None:
        super().__init__()
        taps = {stage.tap: stage.outputs for stage in STAGES if stage.tap}
        self.stem = encoding_convolution(3, STEM, 3, 2)
        self.blocks = nn.ModuleList(InvertedResidual(stage) for stage in STAGES)
        self.top = _convolution(taps[32], WIDTHS[0], 1)
        self.whole = nn.Linear(taps[32], WIDTHS[0])
        self.lateral = nn.ModuleList(
            _convolution(taps[stride], width, 1)
            for stride, width in zip((16, 8, 4), WIDTHS[1:], strict=True)
        )
        self.narrow = nn.ModuleList(
            _convolution(wide, width, 1) for wide, width in pairwise(WIDTHS)
        )
        self.refine = nn.ModuleList(
            nn.Sequential(*(_separable(width, 5) for _ in range(count)))
            for width, count in zip(WIDTHS, REFINEMENTS, strict=True)
        )
        self.out = nn.Conv2d(WIDTHS[-1], 4, 3, 1, 1)

    def logits(self, pictures: torch.Tensor) -> torch.Tensor:
        """Log odds of the object.

        Args:
            pictures: float [n, 3, height, width], RGB in 0..255, both sides multiples of 32.

        Returns:
            float [n, 1, height / 2, width / 2].
        """
        return self.decode(self.encode(pictures))

    def encode(self, pictures: torch.Tensor) -> dict[int, torch.Tensor]:
        """The features that the decoder takes, by stride."""
        features = self.stem((pictures - MEAN) / SCALE)
        taps: dict[int, torch.Tensor] = {}
        for stage, block in zip(STAGES, self.blocks, strict=True):
            features = block(features)
            if stage.tap:
                taps[stage.tap] = features
        return taps

    def decode(self, taps: dict[int, torch.Tensor]) -> torch.Tensor:
        """Features of `encode` to log odds, float [n, 1, height / 2, width / 2]."""
        whole = self.whole(taps[32].mean((2, 3)))[:, :, None, None]
        features = self.refine[0](functional.relu6(self.top(taps[32]) + whole))
        strides = (16, 8, 4)
        for stride, lateral, narrow, refine in zip(
            strides, self.lateral, self.narrow, self.refine[1:], strict=True
        ):
            wide = functional.interpolate(
                narrow(features), scale_factor=2.0, mode="bilinear", align_corners=False
            )
            features = refine(functional.relu6(wide + lateral(taps[stride])))
        fine = functional.pixel_shuffle(self.out(features), 2)
        # The shuffle leaves a pattern of two pixels' period; means of two are zero at just that.
        edged = functional.pad(fine, (1, 1, 1, 1), mode="replicate")
        return functional.avg_pool2d(functional.avg_pool2d(edged, 2, 1), 2, 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Probability of the object.

        Args:
            pictures: uint8 [n, height, width, 3], RGB, both sides multiples of 32.

        Returns:
            float [n, height / 2, width / 2] in 0..1.
        """
        planes = pictures.permute(0, 3, 1, 2).to(self.out.weight.dtype)
        return torch.sigmoid(self.logits(planes))[:, 0]


def encoding_convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, active: bool = True
) -> nn.Sequential:
    """A convolution of the encoder, with a bias instead of its batch norm."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)
    ]
    return nn.Sequential(*layers, nn.ReLU6(inplace=True)) if active else nn.Sequential(*layers)


def _convolution(inputs: int, outputs: int, kernel: int, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, 1, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


def _separable(width: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        _convolution(width, width, kernel, groups=width),
        _convolution(width, width, 1),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """A block of the encoder: expansion (where there is one), depthwise convolution, projection."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._residual = stage.stride == 1 and stage.inputs == stage.outputs
        hidden = stage.hidden
        layers = [
            encoding_convolution(hidden, hidden, stage.kernel, stage.stride, groups=hidden),
            encoding_convolution(hidden, stage.outputs, 1, active=False),
        ]
        if hidden != stage.inputs:
            layers.insert(0, encoding_convolution(stage.inputs, hidden, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """float [n, inputs, height, width] to [n, outputs, height / stride, width / stride]."""
        changed = self.layers(features)
        return features + changed if self._residual else changed
