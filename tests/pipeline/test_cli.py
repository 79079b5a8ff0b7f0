import io
import re
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.local.cores import cores
from pipeline.local.lease import locked
from pipeline.progress import Meter, clock, line, phase_of
from pipeline.runner import choose_runner
from transforms.counters import MADE, THERE, count, counted


def flags(inputs, output, *more: str) -> list[str]:
    return [
        "generate", f"--foregrounds={inputs / 'fg'}", f"--backgrounds={inputs / 'bg'}",
        f"--output={output}", "--image_size=64", "--foreground_size=32", "--placements=3", *more,
    ]  # fmt: skip


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["generate", "--help"])
    text = capsys.readouterr().out
    assert caught.value.code == 0
    for option in (
        "--foregrounds", "--backgrounds", "--output", "--masks", "--image_size",
        "--foreground_size",
        "--placements", "--flip", "--seed", "--num_shards", "--formats", "--depth_model",
        "--image_encoding", "--depth_bits", "--split", "--max_samples", "--dry_run", "--on_error",
        "--scale_jitter", "--max_failures", "--overwrite", "--batch_size",
    ):  # fmt: skip
        assert option in text


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(inputs, tmp_path, capsys):
    code = main(flags(inputs, tmp_path / "out", "--depth_model=none", "--dry_run"))
    text = capsys.readouterr().out
    assert code == 0 and not (tmp_path / "out").exists()
    assert "12 foregrounds, 6 backgrounds" in text
    assert "432 in 3 shards" in text
    assert re.search(r"size +about [\d.]+ MB \([\d.]+ [GT]B free\)", text)
    assert re.search(r"time +about \d+:\d\d on this machine", text)


@pytest.mark.parametrize(
    "change, words",
    [
        ("--foregrounds=/nowhere", "--foregrounds=/nowhere: there is no such folder or file"),
        ("--placements=9999", "9999 distinct placements asked for"),
        ("--foreground_size=65", "--foreground_size=65 does not fit into --image_size=64"),
        ("--num_shards=many", "--num_shards=many is not understood; give auto or a number"),
        ("--depth_model=magic", "give builtin, onnx:PATH, hf:ID_OR_DIR or torchscript:PATH"),
        ("--split=a:0.5", "the shares add up to 0.5; they must add up to 1"),
        ("--batch_size=0", "--batch_size=0 is invalid"),
    ],
)
def test_what_is_impossible_is_one_line_and_no_work(inputs, tmp_path, capsys, change, words):
    assert main(flags(inputs, tmp_path / "out", "--depth_model=none", change)) == 2
    [text] = capsys.readouterr().err.strip().splitlines()
    assert text.startswith("error: ") and words in text
    assert not (tmp_path / "out").exists()


def test_a_small_run_from_the_command_line(inputs, tmp_path, capsys):
    output = tmp_path / "with space 🙂"
    assert main(flags(inputs, output, "--depth_model=none", "--max_samples=10")) == 0
    text = capsys.readouterr().out
    assert f"10 samples in {output}" in text and f"{output}/gallery/index.html" in text
    assert main(flags(inputs, output, "--depth_model=none", "--max_samples=10")) == 0
    assert main(flags(inputs, output, "--depth_model=none", "--max_samples=11")) == 2
    assert "its max_samples is 10, not 11" in capsys.readouterr().err


def test_a_dry_run_refuses_what_a_run_refuses(inputs, plain, tmp_path, capsys):
    other = flags(inputs, plain.output, "--depth_model=none", "--dry_run")
    assert main(other) == 2
    assert "holds another data set: its num_shards is 3, not null" in capsys.readouterr().err
    before = sorted(Path(plain.output).rglob("*"))
    same = [*other, "--image_encoding=png", "--num_shards=3"]
    assert main(same) == 0
    assert "finished" in capsys.readouterr().out
    assert main([*same, "--placements=2"]) == 2
    assert main([*same, "--placements=4"]) == 2
    capsys.readouterr()
    assert main([*same, "--placements=4", "--extend"]) == 0
    text = capsys.readouterr().out
    assert "576 in 4 shards, of which 432 are there" in text
    assert main([*same, "--overwrite", "--extend"]) == 2
    assert sorted(Path(plain.output).rglob("*")) == before
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "mine.txt").write_text("x")
    foreign = flags(inputs, tmp_path / "foreign", "--depth_model=none", "--dry_run")
    assert main(foreign) == 2


def test_a_dry_run_sees_that_a_folder_is_in_use(inputs, tmp_path, capsys):
    output = tmp_path / "out"
    with locked(str(output)):
        assert main(flags(inputs, output, "--depth_model=none", "--dry_run")) == 2
    assert "is in use by another run; wait for it" in capsys.readouterr().err


def test_local_runs_use_every_core_but_never_more_than_there_are_shards(monkeypatch, tmp_path):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr("pipeline.local.cores._CPU_MAX", tmp_path / "none")
    assert cores() == 8
    assert choose_runner([], 100).workers == 8
    assert choose_runner([], 3).workers == 3
    assert choose_runner(["--direct_num_workers=2"], 100).workers == 2
    assert choose_runner(["--runner=DirectRunner"], 100).local
    assert not choose_runner(["--runner=DataflowRunner"], 100).local
    for limit, wanted in (("max 100000", 8), ("250000 100000", 2), ("50000 100000", 1)):
        (tmp_path / "limit").write_text(limit)
        monkeypatch.setattr("pipeline.local.cores._CPU_MAX", tmp_path / "limit")
        assert cores() == wanted


def test_the_progress_line():
    assert line("samples", 0, 100, 0) == "samples: 0 of 100 (0%), starting"
    text = line("samples", 2500, 10_000, 5)
    assert text == "samples: 2,500 of 10,000 (25%), 500/s, 0:15 left"
    continued = line("samples", 2500, 10_000, 5, there=1500)
    assert continued == "samples: 2,500 of 10,000 (25%), 200/s, 0:38 left"
    assert line("gallery", 0, None, 65) == "gallery: 1:05"
    assert clock(3725) == "1:02:05" and clock(59.6) == "1:00"


def test_the_phases():
    assert [phase_of(done, 10) for done in (0, 1, 9, 10)] == [
        "starting workers", "samples", "samples", "clean images and gallery",
    ]  # fmt: skip
    assert phase_of(0, 10, prepared=3) == "prepared backgrounds"
    assert phase_of(1, 10, prepared=3) == "samples"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("term, drawn", [("xterm", True), ("dumb", False), (None, False)])
def test_a_terminal_has_a_bar_unless_it_is_dumb(monkeypatch, term, drawn):
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.delenv("TERM", raising=False)
    if term:
        monkeypatch.setenv("TERM", term)
    meter = Meter("samples", 1000, there=240)
    meter.show(500)
    meter.close()
    text = terminal.getvalue()
    assert ("samples:" in text and "500/1000" in text and "240/1000" in text) == drawn
    assert drawn or not text


def test_elsewhere_a_phase_that_takes_long_logs_lines(monkeypatch, caplog):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    now = [100.0]
    monkeypatch.setattr("pipeline.progress.time.monotonic", lambda: now[0])
    caplog.set_level("INFO")
    meter = Meter("inputs", 16_000)
    for seconds in (5, 11, 20, 45):
        now[0] = 100.0 + seconds
        meter.show(seconds * 100)
    assert caplog.messages == [
        "inputs: 1,100 of 16,000 (7%), 100/s, 2:29 left",
        "inputs: 4,500 of 16,000 (28%), 100/s, 1:55 left",
    ]


def test_what_is_there_counts_and_what_is_made(tmp_path):
    count(str(tmp_path), THERE, 240)
    count(str(tmp_path), MADE, 32)
    count(str(tmp_path), MADE, 8)
    assert counted(str(tmp_path), THERE) == 240 and counted(str(tmp_path), MADE) == 40
    count(None, MADE, 1)
    count(str(tmp_path / "gone"), MADE, 1)
