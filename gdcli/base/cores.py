"""The number of cores that this process may use, which may be fewer than the machine has."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

# Files of a control group's quota and period in microseconds: of version 2, then of version 1, where -1 means no quota.
_V2: tuple[str, ...] = ("cpu.max",)

_V1: tuple[str, ...] = ("cpu.cfs_quota_us", "cpu.cfs_period_us")


def usable_cores(root: Path = Path("/")) -> int:
    """The number of CPU cores that this process may use, at least 1: its affinity (taskset, cpusets), or the smaller
    quota of its control groups, rounded up. ``root`` is the file system's root.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min([count, *(max(math.ceil(quota), 1) for quota in _quotas(root))])


def _quotas(root: Path) -> Iterator[float]:
    """The quotas, in cores, of this process's control groups and of their parents."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return
    mounts = root / "sys/fs/cgroup"
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            folders, names = [mounts], _V2
        elif "cpu" in controllers.split(","):
            folders, names = [mounts / controllers, mounts / "cpu"], _V1
        else:
            continue
        group = Path(path.lstrip("/"))
        # In a container the path may be the one outside, where only its root is visible.
        for folder in folders:
            for part in (group, *group.parents):
                yield from _quota(folder / part, names)


def _quota(folder: Path, names: tuple[str, ...]) -> Iterator[float]:
    try:
        quota, period = " ".join((folder / name).read_text() for name in names).split()
        if quota not in ("max", "-1"):
            yield int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return
