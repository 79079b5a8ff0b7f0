"""A pretrained encoder under a small decoder that learns masks, for use on photographs: PyTorch.

    python -m examples.train_photographs --data=SET [--data=SET2 ...] --photographs=DIR \\
        --output=RESULTS

Each SET is a data set in Parquet; its split `train` is learnt. The encoder has its weights from
ImageNet and stays as it is, so that its features are computed once, and training takes about a
minute of one core; `benchmarks/transfer/network.py` has both networks. Writes `model.pt` (the
decoder) and, for each photograph NAME, `masks/NAME.png` (0 to 255, the chance of an object) into
RESULTS. Needs the extra `train`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from transforms.extras import missing

try:
    import torch
except ImportError:
    raise missing(__name__, "PyTorch", "train") from None

from benchmarks.transfer.data import Picture, read_set
from benchmarks.transfer.network import Encoder, predict, train
from benchmarks.transfer.protocol import Protocol
from benchmarks.transfer.tasks import Objects

_DEFAULT = Protocol()


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the command line, trains, and writes what is seen in the photographs."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.train_photographs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, action="append", required=True, metavar="SET", help="a data set")
    add("--photographs", type=Path, required=True, metavar="DIR", help="pictures to be masked")
    add("--output", type=Path, required=True, metavar="DIR", help="for the results")
    for name, text in (
        ("side", "of what the network sees, a multiple of 32; larger shows smaller objects"),
        ("pictures", "of each set, at most"),
        ("steps", "of training"),
    ):
        value = getattr(_DEFAULT, name)
        add(f"--{name}", type=int, default=value, metavar="N", help=f"{text} (default: {value})")
    add("--seed", type=int, default=0, metavar="N", help="default 0")
    options = parser.parse_args(argv)
    task, encoder = Objects(), Encoder(options.side)
    try:
        photographs = sorted(options.photographs.iterdir())
        sources = [
            encoder.views(task, read_set(folder, options.pictures), 1, options.seed)
            for folder in options.data
        ]
    except FileNotFoundError as error:
        parser.exit(1, f"{error}\n")
    batch = _DEFAULT.batch // len(sources) * len(sources) or len(sources)
    decoder = train(task, sources, options.steps, batch, options.seed)
    (options.output / "masks").mkdir(parents=True, exist_ok=True)
    torch.save(decoder.state_dict(), options.output / "model.pt")
    for path in photographs:
        image = np.asarray(Image.open(path).convert("RGB"))
        features = encoder.whole(Picture(image, np.zeros(image.shape[:2], np.float32)))
        mask = Image.fromarray(
            np.rint(predict(decoder, features, image.shape[:2]) * 255).astype("u1")
        )
        mask.save(options.output / "masks" / f"{path.stem}.png")
    print(f"{len(photographs)} masks in {options.output / 'masks'}")


if __name__ == "__main__":
    main()
