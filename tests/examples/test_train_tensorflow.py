"""A network learns mask and depth from the TFRecord files in Keras."""

from pathlib import Path

import pytest

from tests.examples.conftest import assert_it_learned

tf = pytest.importorskip("tensorflow", reason="TensorFlow is there for Python 3.10 to 3.12")

from examples import train_tensorflow  # noqa: E402
from examples.command import Options  # noqa: E402
from examples.scoring import DepthScale  # noqa: E402


@pytest.mark.slow
def test_it_learns(trainable, tmp_path):
    output = tmp_path / "out"
    train_tensorflow.main(
        [f"--data={trainable}", f"--output={output}", "--epochs=8", "--batch_size=12"]
    )
    report = assert_it_learned(output)
    model = tf.keras.models.load_model(output / "model.keras", compile=False)
    scale = DepthScale.read(Path(trainable))
    options = Options(Path(trainable), output, 1, 108, None, 0)
    again = train_tensorflow.evaluate(model, train_tensorflow.batches(options, scale, "test"))
    assert again.mask_iou == pytest.approx(report["trained"]["mask_iou"], abs=1e-3)


@pytest.mark.parametrize("size", [(64, 64), (50, 37)])
def test_any_size_goes_through_the_network(size):
    pictures = tf.zeros((2, *size, 3))
    planes = train_tensorflow.unet(*size)((pictures, pictures))
    assert [plane.shape for plane in planes] == [(2, *size, 1)] * 2
