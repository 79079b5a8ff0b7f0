"""The built-in network in several runtimes on one core, side by side.

    python -m benchmarks.runtimes

The runtimes take turns, the best of seven rounds counts. Quality stands beside the time: the
largest difference from the network in 32 bits, as a share of a map's range.
"""

import tempfile
import time
from collections.abc import Callable

import numpy as np
import onnxruntime
import torch
from PIL import Image
from safetensors.torch import load_file

from transforms.models.depth.builtin import GRAPH, WEIGHTS
from transforms.models.depth.network import DepthNetwork

BATCH = 40
SIDE = 160
ROUNDS = 7


def runtimes() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Ways to run the network: pictures in, depth out."""
    onnxruntime.set_default_logger_severity(4)
    torch.set_num_threads(1)
    network = DepthNetwork().eval()
    network.load_state_dict(load_file(str(WEIGHTS)))
    last = DepthNetwork().eval().to(memory_format=torch.channels_last)
    last.load_state_dict(network.state_dict())
    example = torch.zeros(BATCH, SIDE, SIDE, 3, dtype=torch.uint8)
    with torch.inference_mode():
        script = torch.jit.freeze(torch.jit.trace(last, example))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1

    def in_torch(module: Callable[[torch.Tensor], torch.Tensor], half: bool = False):  # type: ignore[no-untyped-def]
        def run(pictures: np.ndarray) -> np.ndarray:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
                return module(torch.from_numpy(pictures)).float().numpy()

        return run

    def in_onnx(graph: str) -> Callable[[np.ndarray], np.ndarray]:
        session = onnxruntime.InferenceSession(graph, options)
        return lambda pictures: session.run(None, {"pictures": pictures})[0]

    with tempfile.TemporaryDirectory() as folder:
        small = in_onnx(quantised(folder))
    return {
        "PyTorch eager": in_torch(network),
        "PyTorch eager, channels last": in_torch(last),
        "PyTorch eager, channels last, bfloat16": in_torch(last, half=True),
        "TorchScript frozen, channels last": in_torch(script),
        "torch.compile, channels last": in_torch(torch.compile(last)),
        "ONNX Runtime": in_onnx(str(GRAPH)),
        "ONNX Runtime, int8": small,
    }


def quantised(folder: str) -> str:
    """Writes the graph in 8 bits, calibrated on smooth noise; returns its path."""
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Pictures(CalibrationDataReader):
        def __init__(self) -> None:
            self._left = iter([{"pictures": smooth_noise()[:8]}])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self._left, None)

    path = f"{folder}/int8.onnx"
    quantize_static(
        str(GRAPH),
        path,
        Pictures(),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    return path


def smooth_noise() -> np.ndarray:
    """Pictures that are neither flat nor white noise: uint8 [40, 160, 160, 3]."""
    coarse = np.random.default_rng(0).integers(0, 256, (BATCH, 10, 10, 3)).astype(np.uint8)
    sized = (Image.fromarray(c).resize((SIDE, SIDE), Image.Resampling.BICUBIC) for c in coarse)
    return np.stack([np.asarray(image) for image in sized])


def main() -> None:
    """Measures and prints a Markdown table."""
    pictures, ways = smooth_noise(), runtimes()
    depth = {name: run(pictures) for name, run in ways.items()}
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, run in ways.items():
            begin = time.perf_counter()
            run(pictures)
            best[name] = min(best[name], time.perf_counter() - begin)
    exact = depth["PyTorch eager"]
    print("| runtime | ms an image | largest difference |")
    print("| --- | ---: | ---: |")
    for name, seconds in best.items():
        difference = np.abs(depth[name] - exact).max() / np.ptp(exact)
        print(f"| {name} | {seconds / BATCH * 1000:.2f} | {difference:.2%} |")


if __name__ == "__main__":
    main()
