"""A small U-Net learns mask and depth from pairs of background and composite: PyTorch, Parquet.

    python -m examples.train_torch --data=DIR --output=RESULTS

For photographs, begin with a pretrained encoder instead: `examples.train_photographs`.

DIR is a data set with depth in Parquet and a split by foreground (`--split=train:0.9,test:0.1`).
Writes `report.json`, `predictions.png` and `model.pt` into RESULTS. Needs the extra
`torch`.
"""

import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from examples.command import Options, Outcome, run
from examples.scoring import DepthScale, Prediction, Report, Scorer, Scores
from transforms.extras import missing

try:
    import torch
    from torch import nn
    from torch.nn import functional
    from torch.utils.data import DataLoader, RandomSampler
except ImportError:
    raise missing(__name__, "PyTorch", "torch") from None

from pipeline.readers.torch import MaskDepthDataset

LEARNING_RATE = 4e-3
SHOWN = 6
SHOWN_STEPS = 50


class Block(nn.Sequential):
    """Two convolutions, each with normalisation and ReLU; the first may halve the size."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    """From background and composite to mask and depth.

    Args:
        width: channels of the first level; each deeper one has twice as many.
        levels: how often the size is halved.
    """

    def __init__(self, width: int = 16, levels: int = 4) -> None:
        super().__init__()
        widths = [6, *(width * 2**level for level in range(levels))]
        self.down = nn.ModuleList(Block(a, b, stride=2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(
            Block(widths[level + 1] + widths[level], widths[level])
            for level in reversed(range(1, levels))
        )
        self.head = nn.Sequential(
            nn.Conv2d(width + 6, width // 2, 3, padding=1), nn.ReLU(), nn.Conv2d(width // 2, 2, 1)
        )

    def forward(self, bg: torch.Tensor, fg_bg: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mask as logits, and depth in standard deviations, both [batch, 1, height, width]."""
        features = [torch.cat([bg, fg_bg], 1)]
        for block in self.down:
            features.append(block(features[-1]))
        x = features.pop()
        for block in self.up:
            x = block(_joined(x, features.pop()))
        mask, depth = self.head(_joined(x, features.pop())).split(1, dim=1)
        return mask, depth


def _joined(deep: torch.Tensor, shallow: torch.Tensor) -> torch.Tensor:
    size = shallow.shape[-2:]
    return torch.cat([functional.interpolate(deep, size, mode="bilinear"), shallow], 1)


def train(network: UNet, samples: MaskDepthDataset, scale: DepthScale, options: Options) -> int:
    """Trains the network in place; returns the number of samples of an epoch."""
    count = min(options.samples or len(samples), len(samples))
    order = RandomSampler(samples, num_samples=count)
    batches = DataLoader(samples, options.batch_size, sampler=order)
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        LEARNING_RATE,
        total_steps=len(batches) * options.epochs,
        pct_start=0.1,
        cycle_momentum=False,
    )
    network.train()
    for epoch in range(1, options.epochs + 1):
        total = 0.0
        for step, batch in enumerate(batches, 1):
            mask, depth = network(batch["bg"], batch["fg_bg"])
            true_depth = (batch["depth"] - scale.mean) / scale.std
            loss = functional.binary_cross_entropy_with_logits(mask, batch["mask"])
            loss = loss + functional.l1_loss(depth, true_depth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
            if step % SHOWN_STEPS == 0 or step == len(batches):
                mean = total / ((step - 1) % SHOWN_STEPS + 1)
                print(f"epoch {epoch}, step {step} of {len(batches)}: loss {mean:.3f}", flush=True)
                total = 0.0
    return count


@torch.inference_mode()
def evaluate(
    network: UNet, samples: MaskDepthDataset, scale: DepthScale, batch_size: int
) -> Scores:
    """Scores on all samples."""
    network.eval()
    scorer = Scorer()
    for batch in DataLoader(samples, batch_size):
        mask, depth = network(batch["bg"], batch["fg_bg"])
        true_depth = (batch["depth"] - scale.mean) / scale.std
        maps = (torch.sigmoid(mask), depth, batch["mask"], true_depth)
        scorer.add(*(plane[:, 0].numpy() for plane in maps))
    return scorer.scores()


@torch.inference_mode()
def predict(network: UNet, samples: MaskDepthDataset, scale: DepthScale) -> list[Prediction]:
    """Predictions of the first samples; their order in the files is mixed."""
    network.eval()
    predictions = []
    for sample in map(samples.__getitem__, range(min(SHOWN, len(samples)))):
        mask, depth = network(sample["bg"][None], sample["fg_bg"][None])
        pictures = (np.moveaxis(sample[name].numpy(), 0, 2) for name in ("bg", "fg_bg"))
        true_depth = (sample["depth"] - scale.mean) / scale.std
        maps = (sample["mask"], torch.sigmoid(mask[0]), true_depth, depth[0])
        predictions.append(Prediction(*pictures, *(plane[0].numpy() for plane in maps)))
    return predictions


def example(options: Options, scale: DepthScale) -> Outcome:
    """Trains on the split `train`, is scored on `test`, and saves the weights."""
    seen, unseen = (MaskDepthDataset(options.data, split) for split in ("train", "test"))
    torch.manual_seed(options.seed)
    network = UNet().to(memory_format=torch.channels_last)
    untrained = evaluate(network, unseen, scale, options.batch_size)
    start = time.process_time()
    count = train(network, seen, scale, options)
    seconds = time.process_time() - start
    trained = evaluate(network, unseen, scale, options.batch_size)
    torch.save(network.state_dict(), options.output / "model.pt")
    parameters = sum(parameter.numel() for parameter in network.parameters())
    report = Report(options.epochs, count, parameters, seconds, untrained, trained)
    return Outcome(report, predict(network, unseen, scale))


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the command line and runs the example."""
    run("examples.train_torch", __doc__ or "", example, argv)


if __name__ == "__main__":
    main()
