"""The networks of the benchmark: a frozen ImageNet encoder and a small decoder that is trained.

As the encoder never changes, its features are computed once for each picture, and a step of
training is one of the decoder alone. Both compute in bfloat16, which is enough for scores and takes
half the time where a processor has it. The network that learns everything from the pictures alone
is there for comparison.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.transfer.data import Picture
from benchmarks.transfer.tasks import Depth, Task
from examples.train_torch import UNet
from training.encoder import start_cutout_from_imagenet
from transforms.models.cutout.network import MULTIPLE, STAGES, CutoutNetwork

LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-2
WARM_UP = 0.1
WIDTHS = (48, 48, 32, 16)
"""Channels of the decoder at strides 32, 16, 8 and 4."""

LEAK = 0.1
BRIGHTNESS = (0.6, 1.5)
_AT_ONCE = 16
_COARSE, *_FINER = sorted((stage.tap for stage in STAGES if stage.tap), reverse=True)
_CHANNELS = {stage.tap: stage.outputs for stage in STAGES if stage.tap}

Features = dict[int, torch.Tensor]
"""By stride, bfloat16 [n, channels, height / stride, width / stride].

What a network gets that is trained from scratch has stride 1: colours in -1..1."""


@dataclass(frozen=True, eq=False)
class Views:
    """Pictures as the decoder is trained on them.

    Attributes:
        features: by stride.
        targets: float16 [n, side / 2, side / 2], as those of pictures.
    """

    features: Features
    targets: torch.Tensor

    def __len__(self) -> int:
        return len(self.targets)

    def of(self, pictures: Sequence[int], views: int) -> "Views":
        """The views of some pictures, where each picture has `views` of them in order."""
        rows = torch.tensor([number * views + view for number in pictures for view in range(views)])
        return Views({s: f[rows] for s, f in self.features.items()}, self.targets[rows])


class Encoder:
    """EfficientNet-Lite0 with its weights from ImageNet, or the bare pixels.

    Args:
        side: of the squares that it sees, a multiple of 32; larger ones show smaller objects.
        pretrained: whether there is a network at all.
    """

    def __init__(self, side: int, pretrained: bool = True) -> None:
        self.side = side
        self._network = None
        if pretrained:
            self._network = CutoutNetwork()
            start_cutout_from_imagenet(self._network)
            self._network.eval().bfloat16()

    @torch.inference_mode()
    def features(self, images: torch.Tensor) -> Features:
        """Features of RGB pictures, float32 [n, 3, height, width] in 0..255."""
        planes = images.bfloat16().contiguous(memory_format=torch.channels_last)
        return self._network.encode(planes) if self._network else {1: planes / 127.5 - 1}

    def whole(self, picture: Picture) -> Features:
        """Features of a whole picture, its shorter side made `side`."""
        height, width = picture.image.shape[:2]
        scale = self.side / min(height, width)
        size = [max(1, round(n * scale / MULTIPLE)) * MULTIPLE for n in (height, width)]
        return self.features(_resized(_planes(picture.image), size))

    def views(self, task: Task, pictures: Iterable[Picture], views: int, seed: int) -> Views:
        """Squares of pictures at random places, mirrored or not and darker or brighter.

        Args:
            task: what is to be learnt of them.
            pictures: the pictures.
            views: squares of each.
            seed: of what is drawn.
        """
        draw = np.random.default_rng(seed)
        waiting, targets = [], []
        parts: list[Features] = []
        for picture in pictures:
            for _ in range(views):
                image, target = view(picture, draw)
                waiting.append(_resized(_planes(image), [self.side, self.side]))
                half = (self.side // 2, self.side // 2)
                targets.append(task.reduced(target, half)[None].half())
                if len(waiting) == _AT_ONCE:
                    parts.append(self.features(torch.cat(waiting)))
                    waiting = []
        if waiting:
            parts.append(self.features(torch.cat(waiting)))
        features = {stride: torch.cat([part[stride] for part in parts]) for stride in parts[0]}
        return Views(features, torch.cat(targets))


def view(picture: Picture, draw: np.random.Generator) -> tuple[np.ndarray, torch.Tensor]:
    """A square of a picture at a random place, mirrored or not, darker or brighter.

    Returns:
        float32 [side, side, 3] in 0..255, and the target of the same square, as large as it is.
    """
    height, width = picture.image.shape[:2]
    side = min(height, width)
    top, left = (int(draw.integers(n - side + 1)) for n in (height, width))
    step = -1 if draw.random() < 0.5 else 1
    factor = np.exp(draw.uniform(*np.log(BRIGHTNESS)))
    image = picture.image[top : top + side, left : left + side][:, ::step]
    scale = min(picture.target.shape) / side
    top, left, side = round(top * scale), round(left * scale), min(picture.target.shape)
    target = picture.target[top : top + side, left : left + side][:, ::step]
    return np.minimum(image * np.float32(factor), 255), torch.from_numpy(target.copy())


def _planes(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.moveaxis(image, 2, 0).astype(np.float32))[None]


def _resized(planes: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    resized = functional.interpolate(planes, list(size), mode="bicubic", antialias=True)
    return resized.clamp(0, 255)


class Decoder(nn.Module):
    """Features to log odds: from coarse to fine, and four pixels at once.

    Args:
        task: what it is trained for.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        coarse, *finer = WIDTHS
        self.top = _convolution(_CHANNELS[_COARSE], coarse, 1)
        self.whole = nn.Linear(_CHANNELS[_COARSE], coarse)
        self.narrow = nn.ModuleList(nn.Conv2d(wide, width, 1) for wide, width in pairwise(WIDTHS))
        self.lateral = nn.ModuleList(
            _convolution(_CHANNELS[stride], width, 1)
            for stride, width in zip(_FINER, finer, strict=True)
        )
        self.refine = nn.ModuleList(_convolution(width, width, 3) for width in finer)
        self.out = nn.Conv2d(WIDTHS[-1], 4, 3, 1, 1)
        assert self.out.bias is not None
        nn.init.constant_(self.out.bias, task.start)

    def forward(self, features: Features) -> torch.Tensor:
        """float32 [n, height / 2, width / 2], log odds."""
        coarse = features[_COARSE]
        whole = self.whole(coarse.mean((2, 3)))[:, :, None, None]
        x = functional.leaky_relu(self.top(coarse) + whole, LEAK)
        layers = zip(_FINER, self.narrow, self.lateral, self.refine, strict=True)
        for stride, narrow, lateral, refine in layers:
            x = functional.interpolate(
                narrow(x), scale_factor=2.0, mode="bilinear", align_corners=False
            )
            x = functional.leaky_relu(x + lateral(features[stride]), LEAK)
            x = functional.leaky_relu(refine(x), LEAK)
        return functional.pixel_shuffle(self.out(x), 2)[:, 0]


def _convolution(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, 1, kernel // 2, bias=False), nn.BatchNorm2d(outputs)
    )


class FromScratch(nn.Module):
    """The small U-Net of the examples, which learns everything from the pictures alone.

    It takes a background and a composite; a photograph has no clean background and stands for both.

    Args:
        task: what it is trained for.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        self._output = 1 if task.name == Depth.name else 0
        self.unet = UNet()

    def forward(self, features: Features) -> torch.Tensor:
        """float32 [n, height / 2, width / 2], log odds."""
        found = self.unet(features[1], features[1])[self._output]
        return functional.avg_pool2d(found, 2)[:, 0]


def train(
    task: Task,
    sources: Sequence[Views],
    steps: int,
    batch: int,
    seed: int,
    make: Callable[[Task], nn.Module] = Decoder,
) -> nn.Module:
    """Trains a network on some sources, of which each gives the same number of views to a batch.

    Args:
        task: what it is trained for.
        sources: what it is trained on.
        steps: of training.
        batch: views of a step, a multiple of the number of sources.
        seed: of the first weights and the order.
        make: makes the network that is trained, from features to log odds.
    """
    torch.manual_seed(seed)
    decoder = make(task).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(decoder.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps, pct_start=WARM_UP, cycle_momentum=False
    )
    share = batch // len(sources)
    orders = [_order(len(views), steps * share) for views in sources]
    for step in range(steps):
        rows = [order[step * share : (step + 1) * share] for order in orders]
        chosen = list(zip(sources, rows, strict=True))
        features = {
            stride: torch.cat([views.features[stride][at] for views, at in chosen]).contiguous(
                memory_format=torch.channels_last
            )
            for stride in sources[0].features
        }
        targets = torch.cat([views.targets[at] for views, at in chosen]).float()
        with torch.autocast("cpu", torch.bfloat16):
            logits = decoder(features)
        value = task.loss(logits.float(), targets)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
    return decoder.eval()


def _order(count: int, wanted: int) -> torch.Tensor:
    """`wanted` rows out of `count`: all of them in mixed order, as often as that needs."""
    rounds = -(-wanted // count)
    return torch.cat([torch.randperm(count) for _ in range(rounds)])[:wanted]


@torch.inference_mode()
def predict(decoder: nn.Module, features: Features, size: tuple[int, int]) -> np.ndarray:
    """What a network predicts from one picture's features: float32 of a size [height, width]."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = decoder(features)
    fitted = functional.interpolate(
        logits[None].float(), size, mode="bilinear", align_corners=False
    )
    return torch.sigmoid(fitted)[0, 0].numpy()
