"""How a job's shards keep cores busy, and the tables of `benchmarks.planning`."""

import heapq
import random
from typing import Any

from transforms.plan.dealing import MOST_SHARDS
from transforms.plan.plan import SAMPLES_PER_SHARD

Row = dict[str, Any]


def schedule(samples: int, workers: int, skew: Row) -> Row:
    """Deals the shards of a job out to cores, each takes the next one when it is free.

    Args:
        samples: size of the job, in as many shards as it has by default.
        workers: cores.
        skew: the measured times.
    """
    shards = max(1, min(MOST_SHARDS, round(samples / SAMPLES_PER_SHARD)))
    seconds = skew["milliseconds_a_sample"] / 1000 * samples / shards
    draw, work = random.Random(0), 0.0
    free = [0.0] * min(workers, shards)
    for _ in range(shards):
        time_of_shard = seconds * draw.choice(skew["ratios"])
        work += time_of_shard
        heapq.heapreplace(free, free[0] + time_of_shard)
    return {
        "samples": samples,
        "shards": shards,
        "cores": workers,
        "hours": max(free) / 3600,
        "busy": work / (max(free) * workers),
    }


def table(rows: list[Row], columns: dict[str, tuple[str, str]]) -> list[str]:
    """A Markdown table: heading and number format by the key of a column."""
    lines = ["| " + " | ".join(heading for heading, _ in columns.values()) + " |"]
    lines.append("|" + " ---: |" * len(columns))
    for row in rows:
        cells = (format(row[key], form) for key, (_, form) in columns.items())
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def markdown(content: dict[str, Any], side: int) -> str:
    """The tables for people.

    Args:
        content: all results.
        side: foregrounds, and backgrounds, of the plans.
    """
    skew = content["skew"]
    lines = [f"Plans over {side:,} foregrounds and {side:,} backgrounds.", ""]
    lines += table(
        content["plan"],
        {
            "samples": ("samples", ","),
            "shards": ("shards", ","),
            "list_seconds": ("list all shards, CPU s", ".2f"),
            "place_microseconds": ("place a sample, µs", ".1f"),
            "place_all_hours": ("place all, core hours", ".2f"),
            "largest_shard_to_mean": ("largest shard / mean", ".4f"),
            "inputs_of_a_shard": ("inputs of a shard", ".0f"),
            "most_inputs_to_mean": ("most inputs / mean", ".2f"),
            "megabytes": ("peak MB", ".0f"),
            "imports_megabytes": ("of it imports, MB", ".0f"),
        },
    )
    lines += ["The start of a job, and a worker's copy of the plan, by number of inputs.", ""]
    lines += table(
        content["launcher"],
        {
            "assets": ("inputs", ","),
            "catalog_seconds": ("catalog, CPU s", ".1f"),
            "plan_seconds": ("plan, CPU s", ".1f"),
            "plan_bytes": ("plan.json, bytes", ","),
            "megabytes": ("launcher, peak MB", ".0f"),
            "imports_megabytes": ("of it imports, MB", ".0f"),
            "worker_seconds": ("worker reads it, CPU s", ".1f"),
            "worker_megabytes": ("worker, MB", ".0f"),
        },
    )
    lines += ["The end of a job, by number of shards.", ""]
    lines += table(
        content["finish"],
        {
            "shards": ("shards", ","),
            "record_milliseconds": ("count a record on its worker, ms", ".1f"),
            "merge_seconds": ("merge on one worker, CPU s", ".2f"),
            "manifest_seconds": ("manifest, CPU s", ".2f"),
            "manifest_bytes": ("manifest.json, bytes", ","),
            "megabytes": ("peak MB", ".0f"),
            "imports_megabytes": ("of it imports, MB", ".0f"),
        },
    )
    lines += [
        f"{skew['shards']} shards of {skew['samples_a_shard']:,} samples, all steps, one core,"
        f" each with cold caches: {skew['milliseconds_a_sample']:.2f} ms a sample; the slowest"
        f" takes {skew['slowest_to_mean']:.2f} times the mean.",
        "",
        "Jobs assigned to cores by these times.",
        "",
    ]
    lines += table(
        content["schedule"],
        {
            "samples": ("samples", ","),
            "shards": ("shards", ","),
            "cores": ("cores", ","),
            "hours": ("hours", ".2f"),
            "busy": ("busy", ".0%"),
        },
    )
    return "\n".join(lines)
