"""How many bits the depth model's values are worth.

    python -m benchmarks.depth_bits --foregrounds=DIR --backgrounds=DIR

Composites are changed as little as an eye can tell (JPEG at quality 95), and the depth of both is
compared: what such a change moves is not worth storing. Beside it, for each number of bits, stand
the error of rounding to them and the size of a depth map.
"""

import argparse
import tempfile

import numpy as np

from pipeline.catalog import build_catalog
from pipeline.run import make_plan
from pipeline.spec import DatasetSpec
from transforms import storage
from transforms.formats.base import Folder
from transforms.models import load_model
from transforms.pixels.codecs import decode_jpeg, encode_16_bit, encode_jpeg
from transforms.pixels.input_cache import input_cache
from transforms.steps.composite import composites
from transforms.steps.encode import quantise

SAMPLES = 200


def main() -> None:
    """Measures and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--foregrounds", required=True)
    parser.add_argument("--backgrounds", required=True)
    parser.add_argument("--depth_model", default="builtin")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spec = DatasetSpec(options.foregrounds, options.backgrounds, folder, max_samples=SAMPLES)
        plan = make_plan(spec, build_catalog(spec))
        path = Folder(folder).plan_path
        storage.write_text(path, plan.to_json())
        samples = plan.samples("train", 0, plan.total)
        images = composites(samples, input_cache(path), plan.image_size)
    changed = np.stack([decode_jpeg(encode_jpeg(image, 95)) for image in images])
    model = load_model(options.depth_model)
    depth, moved = model.predict(images), model.predict(changed)
    spread = (depth.max(axis=(1, 2)) - depth.min(axis=(1, 2)))[:, None, None]
    noise = float(np.sqrt(np.mean(((moved - depth) / spread) ** 2)))
    print(f"an invisible change of the picture moves depth by {noise:.2%} of a map's range (RMS)\n")
    print("| bits | rounding error (RMS, of the range) | bytes a map |")
    print("| ---: | ---: | ---: |")
    for bits in (6, 7, 8, 9, 10, 11, 12, 14, 16):
        stored = quantise(depth, bits)
        scale, offset = stored.scale[:, None, None], stored.offset[:, None, None]
        error = np.sqrt(np.mean(((stored.pixels * scale + offset - depth) / spread) ** 2))
        size = np.mean([len(encode_16_bit(pixels)) for pixels in stored.pixels])
        print(f"| {bits} | {error:.3%} | {size:,.0f} |")


if __name__ == "__main__":
    main()
