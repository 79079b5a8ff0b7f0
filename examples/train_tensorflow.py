"""A small U-Net learns mask and depth from pairs of background and composite: Keras, TFRecord.

    python -m examples.train_tensorflow --data=DIR --output=RESULTS

For photographs, begin with a pretrained encoder instead: `examples.train_photographs`.

DIR is a data set with depth as TFRecord and a split by foreground (`--split=train:0.9,test:0.1`).
Writes `report.json`, `predictions.png` and `model.keras` into RESULTS. Needs the extra
`tensorflow`.
"""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from examples.command import Options, Outcome, run
from examples.scoring import DepthScale, Prediction, Report, Scorer, Scores
from transforms.extras import missing

try:
    import tensorflow as tf
except ImportError:
    raise missing(__name__, "TensorFlow", "tensorflow") from None

from pipeline.readers.tensorflow import load

LEARNING_RATE = 4e-3
SHOWN = 6


def unet(height: int, width: int, channels: int = 16, levels: int = 4) -> tf.keras.Model:
    """From background and composite to mask and depth.

    Args:
        height: of the pictures.
        width: of the pictures.
        channels: of the first level; each deeper one has twice as many.
        levels: how often the size is halved.

    Returns:
        A model of `(bg, fg_bg)`, [batch, height, width, 3] in 0..1, that gives the mask as logits,
        and the depth in standard deviations, both [batch, height, width, 1].
    """
    layers = tf.keras.layers
    inputs = [tf.keras.Input((height, width, 3), name=name) for name in ("bg", "fg_bg")]
    features = [layers.Concatenate()(inputs)]
    for level in range(levels):
        features.append(_block(features[-1], channels * 2**level, strides=2))
    x = features.pop()
    for level in reversed(range(1, levels)):
        x = _block(_joined(x, features.pop()), channels * 2 ** (level - 1))
    x = _joined(x, features.pop())
    x = layers.Conv2D(channels // 2, 3, padding="same", activation="relu")(x)
    return tf.keras.Model(inputs, [layers.Conv2D(1, 1, name=name)(x) for name in ("mask", "depth")])


def _block(x: Any, channels: int, strides: int = 1) -> Any:
    """Two convolutions, each with normalisation and ReLU; the first may halve the size."""
    layers = tf.keras.layers
    for step in (strides, 1):
        x = layers.Conv2D(channels, 3, step, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    return x


def _joined(deep: Any, shallow: Any) -> Any:
    layers = tf.keras.layers
    height, width = shallow.shape[1:3]
    larger = layers.Resizing(height, width, interpolation="bilinear")(deep)
    return layers.Concatenate()([larger, shallow])


def batches(options: Options, scale: DepthScale, split: str) -> tf.data.Dataset:
    """Batches of a split with its depth in standard deviations; only `train` is mixed."""

    def in_deviations(inputs: Any, targets: Any) -> Any:
        mask, depth = targets
        return inputs, (mask, (depth - scale.mean) / scale.std)

    shuffle = 1000 if split == "train" else 0
    data = load(str(options.data), split, options.batch_size, shuffle, options.seed)
    return data.map(in_deviations)


def evaluate(model: tf.keras.Model, data: tf.data.Dataset) -> Scores:
    """Scores on all samples."""
    scorer = Scorer()
    for inputs, targets in data:
        mask, depth = model.predict_on_batch(inputs)
        maps = (_sigmoid(mask), depth, *(target.numpy() for target in targets))
        scorer.add(*(plane[..., 0] for plane in maps))
    return scorer.scores()


def predict(model: tf.keras.Model, data: tf.data.Dataset) -> list[Prediction]:
    """Predictions of the first samples; their order in the files is mixed."""
    predictions = []
    for inputs, targets in data.unbatch().batch(1).take(SHOWN):
        mask, depth = model.predict_on_batch(inputs)
        maps = (targets[0].numpy(), _sigmoid(mask), targets[1].numpy(), depth)
        pictures = (picture[0].numpy() for picture in inputs)
        predictions.append(Prediction(*pictures, *(plane[0, ..., 0] for plane in maps)))
    return predictions


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(logits / 2)


def example(options: Options, scale: DepthScale) -> Outcome:
    """Trains on the split `train`, is scored on `test`, and saves the model."""
    seen, unseen = (batches(options, scale, split) for split in ("train", "test"))
    tf.keras.utils.set_random_seed(options.seed)
    (bg, _), _ = seen.element_spec
    model = unet(*bg.shape[1:3])
    untrained = evaluate(model, unseen)
    total = int(load(str(options.data), "train", batch_size=1).cardinality())
    steps = math.ceil(min(options.samples or total, total) / options.batch_size)
    warm_up = steps * options.epochs // 10
    rate = tf.keras.optimizers.schedules.CosineDecay(
        0.0, steps * options.epochs - warm_up, warmup_target=LEARNING_RATE, warmup_steps=warm_up
    )
    model.compile(
        tf.keras.optimizers.AdamW(rate),
        [tf.keras.losses.BinaryCrossentropy(from_logits=True), "mae"],
    )
    start = time.process_time()
    model.fit(seen.repeat(), steps_per_epoch=steps, epochs=options.epochs, verbose=2, shuffle=False)
    seconds = time.process_time() - start
    trained = evaluate(model, unseen)
    model.save(options.output / "model.keras")
    report = Report(
        options.epochs,
        min(steps * options.batch_size, total),
        sum(int(np.prod(weights.shape)) for weights in model.trainable_weights),
        seconds,
        untrained,
        trained,
    )
    return Outcome(report, predict(model, unseen))


def main(argv: Sequence[str] | None = None) -> None:
    """Reads the command line and runs the example."""
    run("examples.train_tensorflow", __doc__ or "", example, argv)


if __name__ == "__main__":
    main()
