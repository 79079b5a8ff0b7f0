"""The notebook: every code cell runs, in order, as a reader runs them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.runners.dataflow import ROOT

FOLDER = ROOT / "examples"
NOTEBOOK: dict[str, Any] = json.loads((FOLDER / "quickstart.ipynb").read_text())
CELLS: list[dict[str, Any]] = NOTEBOOK["cells"]


@pytest.fixture
def drawn() -> Iterator[None]:
    """Figures without a window, which are closed in the end."""
    before = matplotlib.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def test_it_is_a_notebook_without_results():
    """Results would hold what the machine of whoever ran it last says."""
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in CELLS}) == len(CELLS)
    for cell in CELLS:
        assert cell["cell_type"] in ("code", "markdown") and cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None


def test_its_links_lead_somewhere():
    text = "".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\(([^)#]+)", text)
    assert len(links) >= 4
    assert [link for link in links if not (FOLDER / link).exists()] == []


@pytest.mark.slow
def test_every_cell_runs(tmp_path, monkeypatch, drawn, capsys):
    pytest.importorskip("datasets", reason="the extra datasets is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    names: dict[str, Any] = {"__name__": "__main__"}
    said = []
    for cell in CELLS:
        if cell["cell_type"] == "code":
            code = compile("".join(cell["source"]), f"quickstart.ipynb {cell['id']}", "exec")
            exec(code, names)
            said.append(capsys.readouterr().out)
    assert len(said) == sum(cell["cell_type"] == "code" for cell in CELLS) == 7
    made = names["result"]
    assert made.samples == 10 * 9 * 2 and Path(made.output) == tmp_path / "quickstart"
    assert "depth (1, 160, 160)" in said[1]
    [number] = plt.get_fignums()
    figure = plt.figure(number)
    pictures = [np.asarray(axis.get_images()[0].get_array()) for axis in figure.axes]
    assert len(pictures) == 16 and all(np.ptp(picture) > 0.3 for picture in pictures)
    assert names["batch"]["fg_bg"].shape == (16, 3, 160, 160) and 0 < names["covered"] < 0.9
    assert names["first"]["image"].size == (160, 160)
    assert 0 < names["index"].num_rows < made.samples
    assert names["found"].samples == made.samples and names["found"].faults == ()
