"""The benchmark of scenes runs."""

from pathlib import Path

from benchmarks.scenes import measure, set_up


def test_both_presets_are_made_and_timed(inputs: Path, tmp_path: Path) -> None:
    jobs = {
        preset: set_up(str(inputs / "fg"), str(inputs / "bg"), tmp_path, preset, 4)
        for preset in ("classic", "natural")
    }
    found = measure(jobs, 1)
    assert {shard.count for shard, _ in jobs.values()} == {4}
    assert set(found) == {"classic", "natural", "ratio"} and min(found.values()) > 0
