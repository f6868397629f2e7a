"""The number of cores that this process may use, which may be fewer than the machine has."""

import math
import os
from collections.abc import Iterator

# Files of a control group's quota and period in microseconds: of version 2, then of version 1, where -1 means no quota.
_V2: tuple[str, ...] = ("cpu.max",)

_V1: tuple[str, ...] = ("cpu.cfs_quota_us", "cpu.cfs_period_us")


def usable_cores(root: "str | os.PathLike[str]" = "/") -> int:
    """The number of CPU cores that this process may use, at least 1: its affinity (taskset, cpusets), or the smaller
    quota of its control groups, rounded up. ``root`` is the file system's root.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min([count, *(max(math.ceil(quota), 1) for quota in _quotas(os.fspath(root)))])


def _quotas(root: str) -> Iterator[float]:
    """The quotas, in cores, of this process's control groups and of their parents."""
    try:
        lines = _text(os.path.join(root, "proc/self/cgroup")).splitlines()
    except OSError:  # not Linux
        return
    mounts = os.path.join(root, "sys/fs/cgroup")
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            folders, names = [mounts], _V2
        elif "cpu" in controllers.split(","):
            folders, names = [os.path.join(mounts, controllers), os.path.join(mounts, "cpu")], _V1
        else:
            continue
        parts = path.strip("/").split("/")
        # In a container the path may be the one outside, where only its root is visible.
        for folder in folders:
            for depth in range(len(parts), -1, -1):
                yield from _quota(os.path.join(folder, *parts[:depth]), names)


def _quota(folder: str, names: tuple[str, ...]) -> Iterator[float]:
    try:
        quota, period = " ".join(_text(os.path.join(folder, name)) for name in names).split()
        if quota not in ("max", "-1"):
            yield int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
