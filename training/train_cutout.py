"""Trains the built-in cut-out model.

    python -m training.train_cutout --photographs=GLOB --teacher=ONNX --scenes=GLOB --output=DIR

PHOTOGRAPHS are ordinary photographs, TEACHER is u2netp as an ONNX file, and SCENES are pictures in
which no object stands out. The teacher's maps are made once, in OUTPUT/maps. Only the decoder is
trained, on features of the encoder that are computed once: a step costs a tenth of one through the
whole network. A run that was stopped continues from its last checkpoint with the same command; at
its end the weights are in OUTPUT/network.pt, and `python -m training.export_cutout
OUTPUT/network.pt` writes them into the package.
"""

import argparse
import glob
import json
import math
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from training.cutout_batches import CutoutBatches
from training.cutout_data import scenes, taught_cutouts, taught_photographs, vehicles
from training.encoder import start_cutout_from_imagenet
from transforms.models.cutout.network import CutoutNetwork

SIDE = 224
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 1e-2
WARM_UP = 50
AVERAGE = 0.99
EDGE_WEIGHT = 4.0
DRAWN_AT_ONCE = 16
CHECKPOINT_STEPS = 100
CURVE_STEPS = 25


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        step: steps done.
        seconds: time spent in steps, over all starts.
        curve: step, seconds, loss and its two parts, every 25 steps.
    """

    step: int = 0
    seconds: float = 0.0
    curve: list[list[float]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Examples:
    """What the decoder is trained on.

    Attributes:
        taps: features by stride, float16 [n, channels, side / stride, side / stride].
        alpha: float32 [n, side / 2, side / 2], the share of the object in a pixel.
    """

    taps: dict[int, torch.Tensor]
    alpha: torch.Tensor


def make_examples(network: CutoutNetwork, batches: CutoutBatches, count: int) -> Examples:
    """Draws examples and computes their features.

    Args:
        network: its encoder is used.
        batches: draws pictures and alphas.
        count: batches to draw.
    """
    taps: dict[int, list[torch.Tensor]] = {}
    alphas = []
    network.eval()
    with torch.inference_mode():
        for _ in range(count):
            batch = batches.draw()
            planes = torch.from_numpy(batch.pictures).permute(0, 3, 1, 2).float()
            planes = planes.contiguous(memory_format=torch.channels_last)
            for stride, features in network.encode(planes).items():
                taps.setdefault(stride, []).append(features.half())
            alphas.append(functional.avg_pool2d(torch.from_numpy(batch.alpha), 2))
    joined = {stride: torch.cat(found) for stride, found in taps.items()}
    return Examples(joined, torch.cat(alphas))


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
        seed: seed of the decoder's first weights, and of the order of the examples.
    """

    def __init__(self, output: Path, seed: int) -> None:
        torch.manual_seed(seed)
        self.output = output
        self._seed = seed
        self.network = CutoutNetwork()
        start_cutout_from_imagenet(self.network)
        self.network.to(memory_format=torch.channels_last)
        for kept in (self.network.stem, self.network.blocks):
            kept.requires_grad_(False)
        trained = [p for p in self.network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
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

    def step(self, examples: Examples, chosen: np.ndarray, share_done: float) -> list[float]:
        """One step on the chosen examples; `share_done`, 0 to 1, decides the learning rate."""
        rate = min(1.0, (self.progress.step + 1) / WARM_UP)
        rate *= 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share_done))
        self.optimizer.param_groups[0]["lr"] = LEARNING_RATE * rate
        self.network.train()
        taps = {
            stride: features[chosen].float().contiguous(memory_format=torch.channels_last)
            for stride, features in examples.taps.items()
        }
        entropy, overlap = cutout_loss(self.network.decode(taps)[:, 0], examples.alpha[chosen])
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

    def run(self, examples: Examples, batch_size: int, steps: int, stop: int | None = None) -> None:
        """Trains until so many steps are done over all starts.

        Args:
            examples: what is learnt.
            batch_size: examples in a step.
            steps: over which the learning rate falls.
            stop: after which the run ends; None for all steps.
        """
        before, begin = self.progress.seconds, time.monotonic()
        recent: list[list[float]] = []
        while self.progress.step < (stop or steps):
            draw = np.random.default_rng([self._seed, self.progress.step])
            chosen = draw.choice(len(examples.alpha), batch_size, replace=False)
            recent.append(self.step(examples, chosen, self.progress.step / steps))
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
    parser.add_argument("--photographs", required=True, help="glob of photographs")
    parser.add_argument(
        "--count", type=int, help="number of them, chosen by the seed (default: all)"
    )
    parser.add_argument("--teacher", type=Path, required=True, help="u2netp as an ONNX file")
    parser.add_argument("--scenes", required=True, help="glob of pictures to paste on")
    parser.add_argument("--vehicles", type=Path, help="folder of RGBA files")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--examples", type=int, default=1600, help="pictures that are drawn")
    parser.add_argument("--steps", type=int, default=1000, help="the learning rate falls so long")
    parser.add_argument("--stop", type=int, help="end after so many steps (default: all)")
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    paths = [Path(path) for path in sorted(glob.glob(options.photographs))]
    np.random.default_rng(options.seed).shuffle(paths)  # type: ignore[arg-type]
    maps = options.output / "maps"
    taught = list(taught_photographs(paths[: options.count], maps, options.teacher))
    cutouts = taught_cutouts(taught)
    print(f"{len(taught)} photographs, {len(cutouts)} cut-outs of them", flush=True)
    cutouts += vehicles(options.vehicles) if options.vehicles else []
    found = scenes(Path(path) for path in sorted(glob.glob(options.scenes)))
    print(f"{len(found)} scenes", flush=True)
    trainer = CutoutTrainer(options.output, options.seed)
    batches = CutoutBatches(taught, cutouts, found, DRAWN_AT_ONCE, SIDE, options.seed)
    examples = make_examples(trainer.network, batches, options.examples // DRAWN_AT_ONCE)
    print(f"{len(examples.alpha)} examples", flush=True)
    trainer.run(examples, options.batch_size, options.steps, options.stop)


if __name__ == "__main__":
    main()
