"""Trains the built-in cut-out model.

    python -m training.train_cutout --photographs=DIR --teacher=ONNX --vehicles=DIR --output=DIR

PHOTOGRAPHS holds ordinary photographs as *.jpg, TEACHER is u2netp as an ONNX file, VEHICLES holds
RGBA files. The teacher's maps are made once, in OUTPUT/maps. A run that was stopped continues from
its last checkpoint with the same command; at its end the weights are in OUTPUT/network.pt, and
`python -m training.export_cutout OUTPUT/network.pt` writes them into the package.
"""

import argparse
import json
import math
import os
import queue
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from training.cutout_batches import CutoutBatch, CutoutBatches
from training.cutout_data import empty_photographs, taught_cutouts, taught_photographs, vehicles
from training.encoder import start_cutout_from_imagenet
from transforms.models.cutout.network import CutoutNetwork

SIDE = 224
LEARNING_RATE = 2e-3
ENCODER_SHARE = 0.2
WEIGHT_DECAY = 1e-2
WARM_UP = 80
AVERAGE = 0.995
FROZEN = 3
"""The stem and so many blocks keep their weights from ImageNet: edges and textures are the same."""

EDGE_WEIGHT = 4.0
CHECKPOINT_STEPS = 100
CURVE_STEPS = 25


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        step: steps done.
        seconds: time spent, over all starts.
        curve: step, seconds, loss and its two parts, every 25 steps.
    """

    step: int = 0
    seconds: float = 0.0
    curve: list[list[float]] = field(default_factory=list)


def cutout_loss(logits: torch.Tensor, alpha: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross entropy and overlap, both heavier near edges: two numbers to be added.

    Wei, Wang and Huang, "F3Net: fusion, feedback and focus for salient object detection", AAAI
    2020, weigh a pixel by how much its surroundings differ from it.

    Args:
        logits: float [n, height, width].
        alpha: float [n, height, width] in 0..1.
    """
    window = logits.shape[-1] // 16 * 2 + 1
    around = functional.avg_pool2d(alpha[:, None], window, 1, window // 2)[:, 0]
    weight = 1 + EDGE_WEIGHT * (around - alpha).abs()
    entropy = functional.binary_cross_entropy_with_logits(logits, alpha, reduction="none")
    entropy = (weight * entropy).sum((1, 2)) / weight.sum((1, 2))
    chance = torch.sigmoid(logits)
    shared = (torch.minimum(chance, alpha) * weight).sum((1, 2))
    either = (torch.maximum(chance, alpha) * weight).sum((1, 2))
    return entropy.mean(), (1 - (shared + 1) / (either + 1)).mean()


class CutoutTrainer:
    """A resumable training run.

    Args:
        output: folder of the checkpoint.
        seed: seed of the decoder's first weights.
    """

    def __init__(self, output: Path, seed: int) -> None:
        torch.manual_seed(seed)
        self.output = output
        self.network = CutoutNetwork()
        start_cutout_from_imagenet(self.network)
        self.network.to(memory_format=torch.channels_last).train()
        for frozen in (self.network.stem, *self.network.blocks[:FROZEN]):
            frozen.requires_grad_(False)
        encoder = [p for p in self.network.blocks.parameters() if p.requires_grad]
        known = {id(parameter) for parameter in (*encoder, *self.network.stem.parameters())}
        known |= {id(parameter) for parameter in self.network.blocks.parameters()}
        decoder = [p for p in self.network.parameters() if id(p) not in known]
        groups = [{"params": encoder}, {"params": decoder}]
        self._shares = (ENCODER_SHARE, 1.0)
        self.optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        self.average = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.progress = Progress()
        self._resume()

    @property
    def checkpoint(self) -> Path:
        """File that a later start continues from."""
        return self.output / "checkpoint.pt"

    def _resume(self) -> None:
        if not self.checkpoint.exists():
            return
        stored = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self.network.load_state_dict(stored["network"])
        self.average = stored["average"]
        self.progress = Progress(**stored["progress"])
        self.optimizer.load_state_dict(stored["optimizer"])

    def save(self) -> None:
        """Writes the checkpoint as a whole."""
        self.output.mkdir(parents=True, exist_ok=True)
        content = {
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
        }
        temporary = self.checkpoint.with_suffix(".part")
        torch.save(content, temporary)
        os.replace(temporary, self.checkpoint)

    def step(self, batch: CutoutBatch, share_done: float) -> list[float]:
        """One step; `share_done` of the run, 0 to 1, decides the learning rate."""
        rate = min(1.0, (self.progress.step + 1) / WARM_UP)
        rate *= 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share_done))
        for group, share in zip(self.optimizer.param_groups, self._shares, strict=True):
            group["lr"] = LEARNING_RATE * share * rate
        planes = torch.from_numpy(batch.pictures).permute(0, 3, 1, 2).float()
        planes = planes.contiguous(memory_format=torch.channels_last)
        entropy, overlap = cutout_loss(
            self.network.logits(planes)[:, 0], torch.from_numpy(batch.alpha)
        )
        self.optimizer.zero_grad()
        (entropy + overlap).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimizer.step()
        self.progress.step += 1
        keep = min(AVERAGE, (self.progress.step + 1) / (self.progress.step + 20))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                if value.dtype.is_floating_point:
                    self.average[name].lerp_(value, 1 - keep)
                else:
                    self.average[name].copy_(value)
        parts = [float(entropy.detach()), float(overlap.detach())]
        return [sum(parts), *parts]

    def run(self, batches: CutoutBatches, steps: int) -> None:
        """Trains until `steps` are done over all starts."""
        ready: queue.Queue[CutoutBatch] = queue.Queue(4)

        def feed() -> None:
            while True:
                ready.put(batches.draw())

        threading.Thread(target=feed, daemon=True).start()
        before, begin = self.progress.seconds, time.monotonic()
        recent: list[list[float]] = []
        while self.progress.step < steps:
            recent.append(self.step(ready.get(), self.progress.step / steps))
            self.progress.seconds = before + time.monotonic() - begin
            if self.progress.step % CURVE_STEPS == 0:
                point = [self.progress.step, self.progress.seconds, *np.mean(recent, 0).tolist()]
                self.progress.curve.append(point)
                print(" ".join(f"{value:.4g}" for value in point), flush=True)
                recent = []
            if self.progress.step % CHECKPOINT_STEPS == 0:
                self.save()
        self.save()
        torch.save(self.average, self.output / "network.pt")
        (self.output / "curve.json").write_text(json.dumps(self.progress.curve) + "\n")


def main() -> None:
    """Reads the flags and trains."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photographs", type=Path, required=True, help="folder of *.jpg")
    parser.add_argument("--teacher", type=Path, required=True, help="u2netp as an ONNX file")
    parser.add_argument("--vehicles", type=Path, help="folder of RGBA files")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    taught = list(
        taught_photographs(options.photographs, options.output / "maps", options.teacher)
    )
    cutouts = taught_cutouts(taught)
    print(f"{len(taught)} photographs, {len(cutouts)} cut-outs of them", flush=True)
    cutouts += vehicles(options.vehicles) if options.vehicles else []
    empty = empty_photographs(taught)
    print(f"{len(empty)} photographs without an object", flush=True)
    trainer = CutoutTrainer(options.output, options.seed)
    seed = options.seed + trainer.progress.step
    batches = CutoutBatches(taught, cutouts, empty, options.batch_size, SIDE, seed)
    trainer.run(batches, options.steps)


if __name__ == "__main__":
    main()
