"""A network learns mask and depth from the Parquet files in PyTorch."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from examples import train_torch
from examples.scoring import DepthScale
from pipeline.readers.torch import MaskDepthDataset
from tests.examples.conftest import assert_it_learned


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Two threads on small pictures are not faster, and much slower beside other programs."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_it_learns(trainable, tmp_path, capsys, one_thread):
    train_torch.main(
        [f"--data={trainable}", f"--output={tmp_path / 'out'}", "--epochs=8", "--batch_size=12"]
    )
    assert "8 x 324 samples" in capsys.readouterr().out
    report = assert_it_learned(tmp_path / "out")
    network = train_torch.UNet()
    network.load_state_dict(torch.load(tmp_path / "out" / "model.pt", weights_only=True))
    samples, scale = MaskDepthDataset(trainable, "test"), DepthScale.read(Path(trainable))
    again = train_torch.evaluate(network, samples, scale, batch_size=108)
    assert again.mask_iou == pytest.approx(report["trained"]["mask_iou"], abs=1e-3)


@pytest.mark.parametrize("size", [(64, 64), (50, 37)])
def test_any_size_goes_through_the_network(size):
    pictures = torch.zeros(2, 3, *size)
    assert [plane.shape for plane in train_torch.UNet()(pictures, pictures)] == [(2, 1, *size)] * 2


def test_what_the_data_set_lacks_is_said(plain, tmp_path, capsys):
    for data, message in ((plain.output, "has no depth maps"), (tmp_path, "statistics.json")):
        with pytest.raises(SystemExit) as error:
            train_torch.main([f"--data={data}", f"--output={tmp_path / 'out'}"])
        assert error.value.code == 1
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit) as error:
        train_torch.main(["--data=a", "--output=b", "--epochs=0"])
    assert "0 is not above 0" in capsys.readouterr().err
