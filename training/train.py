"""Trains the built-in depth model.

    python -m training.train --data=DIR --scenes=DIR --output=DIR [--steps=7500]

DATA holds `free_photos`, `free_rgbd`, `free_cutouts` and `teachers`, without --free_only `rgbd`,
`photos` and `eva4_s15a` too; SCENES holds what `training.draw_scenes` wrote. A run that was stopped
continues from its last checkpoint with the same command; at its end the weights are in
OUTPUT/network.pt, and `python -m training.export OUTPUT/network.pt` writes them into the package.
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

from training.batches import Batch, Batches
from training.cutouts import near_parts, stored_cutouts
from training.data import load_training
from transforms.extras import missing

try:
    import torch
except ImportError:
    raise missing(__name__, "PyTorch", "train") from None

from training.encoder import start_from_imagenet
from training.losses import depth_loss
from training.sources import (
    DRAWN,
    FREE_PAIRS,
    FREE_PHOTOGRAPHS,
    HELD_OUT_NUMBER,
    PHOTOGRAPHS,
    TRAINING,
)
from transforms.models.depth.network import DepthNetwork

LEARNING_RATE = 2.5e-3
ENCODER_SHARE = 0.5
WEIGHT_DECAY = 1e-3
WARM_UP = 150
AVERAGE = 0.998
STEEP = 4.0
FLAT_SHARE = 0.1
CHECKPOINT_STEPS = 300
CURVE_STEPS = 50


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        step: steps done.
        seconds: time spent, over all starts.
        curve: step, seconds, total loss, data loss and border loss, every 50 steps.
    """

    step: int = 0
    seconds: float = 0.0
    curve: list[list[float]] = field(default_factory=list)


class Trainer:
    """A resumable training run.

    Args:
        output: folder of the checkpoint.
        seed: seed of weights and batches.
        start: weights of an earlier run to start from; None for an encoder with those of ImageNet.
        learning_rate: the highest learning rate, of the decoder.
    """

    def __init__(
        self,
        output: Path,
        seed: int,
        start: Path | None = None,
        learning_rate: float = LEARNING_RATE,
    ) -> None:
        torch.manual_seed(seed)
        self.output = output
        self.network = DepthNetwork()
        if start is None:
            start_from_imagenet(self.network)
        else:
            self.network.load_state_dict(torch.load(start, map_location="cpu", weights_only=True))
        self.network.to(memory_format=torch.channels_last).train()
        encoder = [*self.network.stem.parameters(), *self.network.blocks.parameters()]
        known = {id(parameter) for parameter in encoder}
        decoder = [p for p in self.network.parameters() if id(p) not in known]
        self._rates = (learning_rate * ENCODER_SHARE, learning_rate)
        groups = [{"params": encoder}, {"params": decoder}]
        self.optimizer = torch.optim.AdamW(groups, lr=learning_rate, weight_decay=WEIGHT_DECAY)
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
        if stored["optimizer"] is not None:
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

    def step(self, batch: Batch, share_done: float) -> list[float]:
        """One step; `share_done` of the run, 0 to 1, decides the learning rate."""
        rate = min(1.0, self.progress.step / WARM_UP)
        rate *= 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share_done))
        for group, highest in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = highest * rate
        planes = torch.from_numpy(batch.pictures).permute(0, 3, 1, 2).float()
        planes = planes.contiguous(memory_format=torch.channels_last)
        logits = self.network.logits(planes)
        predicted = torch.sigmoid(logits)[:, 0]
        loss = depth_loss(predicted, torch.from_numpy(batch.inverse), torch.from_numpy(batch.masks))
        # Where the sigmoid is flat, neighbouring depths can no longer be told apart.
        flat = torch.relu(logits.abs() - STEEP).mean()
        self.optimizer.zero_grad()
        (loss.total + FLAT_SHARE * flat).backward()
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
        return [float(loss.total.detach()), loss.data, loss.border]

    def run(self, batches: Batches, steps: int) -> None:
        """Trains until `steps` are done over all starts."""
        ready: queue.Queue[Batch] = queue.Queue(4)
        missing = steps - self.progress.step

        def feed() -> None:
            for _ in range(missing):
                ready.put(batches.draw())

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
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
        feeder.join()  # A thread that is in native code when Python ends aborts the program.
        self.save()
        torch.save(self.average, self.output / "network.pt")
        (self.output / "curve.json").write_text(json.dumps(self.progress.curve) + "\n")


def main() -> None:
    """Reads the flags and trains."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the sources")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--scenes", type=Path, required=True, help="folder of drawn scenes")
    parser.add_argument("--steps", type=int, default=7500)
    parser.add_argument("--batch_size", type=int, default=24)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=Path, help="network.pt of an earlier run to start from")
    parser.add_argument("--learning_rate", type=float, default=LEARNING_RATE)
    parser.add_argument(
        "--free_only",
        action="store_true",
        help="leave out every source whose terms do not allow any use",
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    every = (*TRAINING, *DRAWN, *FREE_PAIRS, PHOTOGRAPHS, FREE_PHOTOGRAPHS)
    sources = tuple(source for source in every if source.free or not options.free_only)
    data = load_training(options.data, options.scenes, sources)
    cutouts = stored_cutouts(options.scenes / "things")
    cutouts += stored_cutouts(options.data / "free_cutouts")
    if not options.free_only:
        cutouts += stored_cutouts(options.data / "eva4_s15a" / "foregrounds", HELD_OUT_NUMBER)
        cutouts += near_parts(data[PHOTOGRAPHS])
    for source, found in data.items():
        print(f"{source.name}: {len(found)} pictures")
    print(f"{len(cutouts)} cut-outs", flush=True)
    trainer = Trainer(options.output, options.seed, options.start, options.learning_rate)
    seed = options.seed + trainer.progress.step
    trainer.run(Batches(data, cutouts, options.batch_size, seed), options.steps)


if __name__ == "__main__":
    main()
