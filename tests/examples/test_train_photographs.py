"""A decoder on a pretrained encoder learns masks and finds the objects of photographs."""

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.transfer.network import Decoder
from benchmarks.transfer.tasks import Objects
from examples import train_photographs
from tests.drawing import draw_background, draw_foreground


@pytest.mark.slow
def test_it_finds_what_the_set_shows(plain, tmp_path, capsys):
    (tmp_path / "photographs").mkdir()
    disc = draw_foreground(3, (40, 40))
    picture = draw_background(30, (120, 90))
    picture.paste(disc, (30, 40), disc)
    picture.save(tmp_path / "photographs" / "one.jpg")
    flags = [f"--photographs={tmp_path / 'photographs'}", f"--output={tmp_path / 'out'}"]
    small = ["--side=64", "--steps=40", "--pictures=96"]
    train_photographs.main([f"--data={plain.output}", *flags, *small])
    assert "1 masks in" in capsys.readouterr().out
    mask = np.asarray(Image.open(tmp_path / "out" / "masks" / "one.png"))
    inside = np.zeros((90, 120), bool)
    inside[40:80, 30:70] = np.asarray(disc.getchannel("A")) >= 128
    assert mask.shape == (90, 120) and mask[inside].mean() > mask[~inside].mean() + 80
    Decoder(Objects()).load_state_dict(torch.load(tmp_path / "out" / "model.pt", weights_only=True))


def test_what_is_missing_is_said(plain, tmp_path, capsys):
    with pytest.raises(SystemExit) as error:
        train_photographs.main(
            [f"--data={plain.output}", f"--photographs={tmp_path / 'no'}", "--output=out"]
        )
    assert error.value.code == 1 and str(tmp_path / "no") in capsys.readouterr().err
