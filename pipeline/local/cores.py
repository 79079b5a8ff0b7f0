"""How many processor cores this process may use."""

import os
import sys
from pathlib import Path

_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """Processor cores that this process may use: by its affinity, and its share of a container."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(count or 1, _container_cores() or sys.maxsize))


def _container_cores() -> int | None:
    """Whole cores that the control group grants, None without a limit."""
    try:
        quota, period = _CPU_MAX.read_text().split()[:2]  # Version 2, as the container sees it.
        return None if quota == "max" else max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return None
