"""What a natural sample costs beside a classic one, both without depth, in processor time.

Both sets are made of the same inputs in one process, a shard of each in turn, so that whatever else
the machine does falls on both.
"""

import argparse
import cProfile
import pstats
import statistics
import tempfile
import time
from pathlib import Path

from pipeline.catalog import build_catalog
from pipeline.output import claim
from pipeline.run import make_plan, make_recipe
from pipeline.spec import DatasetSpec
from transforms.elements import ShardSpec
from transforms.recipe import Recipe
from transforms.steps.prepare import prepare_input
from transforms.steps.remake import make_shard

Job = tuple[ShardSpec, Recipe]


def set_up(foregrounds: str, backgrounds: str, root: Path, preset: str, samples: int) -> Job:
    """A data set of one shard whose backgrounds are prepared, ready to be made.

    Args:
        foregrounds: folder of the cut-outs.
        backgrounds: folder of the backgrounds.
        root: an empty folder for the set.
        preset: `classic` or `natural`.
        samples: how many.
    """
    spec = DatasetSpec(
        foregrounds,
        backgrounds,
        str(root / preset),
        preset=preset,
        depth_model="none",
        max_samples=samples,
        num_shards=1,
    ).with_preset()
    plan = make_plan(spec, build_catalog(spec))
    claim(spec, plan)
    recipe = make_recipe(spec, plan)
    for source in plan.backgrounds:
        for _ in prepare_input(source, recipe):
            pass
    [shard] = plan.shards()
    return shard, recipe


def seconds_of(job: Job) -> float:
    """Processor time of one shard."""
    begin = time.process_time()
    make_shard(*job)
    return time.process_time() - begin


def measure(jobs: dict[str, Job], rounds: int) -> dict[str, float]:
    """Median milliseconds a sample of each job, and the median of their ratios.

    Args:
        jobs: `classic` and `natural`.
        rounds: how many times both are made; one more before, which fills the caches, is not
            counted.
    """
    for job in jobs.values():
        make_shard(*job)
    times = [{name: seconds_of(job) for name, job in jobs.items()} for _ in range(rounds)]
    found = {
        name: statistics.median(each[name] for each in times) / shard.count * 1000
        for name, (shard, _) in jobs.items()
    }
    ratios = [each["natural"] / each["classic"] for each in times]
    return {**found, "ratio": statistics.median(ratios)}


def main() -> None:
    """Measures, or with `--profile` shows where the time of natural samples goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--foregrounds", required=True)
    parser.add_argument("--backgrounds", required=True)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        jobs = {
            preset: set_up(given.foregrounds, given.backgrounds, Path(root), preset, given.samples)
            for preset in ("classic", "natural")
        }
        if given.profile:
            make_shard(*jobs["natural"])
            with cProfile.Profile(time.process_time) as profile:
                make_shard(*jobs["natural"])
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)
            return
        for name, value in measure(jobs, given.rounds).items():
            print(f"{name}: {value:.2f}{'' if name == 'ratio' else ' ms a sample'}")


if __name__ == "__main__":
    main()
