"""Beam options: local runs use every core, others are left as the user spells them."""

import os
from dataclasses import dataclass

from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)

_LOCAL = {None, "DirectRunner", "FnApiRunner", "BundleBasedDirectRunner"}


@dataclass(frozen=True)
class RunnerChoice:
    """The runner of a job.

    Attributes:
        options: Beam's options.
        local: whether it runs on this machine, started by this process.
        workers: local worker processes; 0 where the runner decides.
    """

    options: PipelineOptions
    local: bool
    workers: int


def choose_runner(beam_arguments: list[str], shards: int) -> RunnerChoice:
    """Reads Beam's flags and fills in what a local run needs.

    Args:
        beam_arguments: Beam flags as Beam spells them.
        shards: shards to make; more workers than that would idle.
    """
    options = PipelineOptions(beam_arguments)
    options.view_as(SetupOptions).save_main_session = False
    standard = options.view_as(StandardOptions)
    if standard.runner not in _LOCAL:
        return RunnerChoice(options, False, 0)
    # DirectRunner may hand over to a runner that it downloads; this one is always there.
    standard.runner = "FnApiRunner"
    logs = options.view_as(WorkerOptions)
    if logs.default_sdk_harness_log_level is None:
        # What stops a worker reaches the program that started it; it need not be logged twice.
        logs.default_sdk_harness_log_level = "CRITICAL"
        logs.sdk_harness_log_level_overrides = ['{"transforms": "INFO"}']
    direct = options.view_as(DirectOptions)
    given = any(argument.startswith("--direct_num_workers") for argument in beam_arguments)
    wanted = direct.direct_num_workers if given and direct.direct_num_workers else os.cpu_count()
    workers = max(1, min(wanted or 1, shards))
    direct.direct_num_workers = workers
    direct.direct_running_mode = "multi_processing" if workers > 1 else "in_memory"
    return RunnerChoice(options, True, workers)
