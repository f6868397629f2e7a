"""The cores that a process may use: its affinity, and the quota of its control groups."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gdcli.base.cores import usable_cores
from gdcli.base.parallel import ordered_map

# What /proc/self/cgroup says, files below /sys/fs/cgroup, and the cores of a machine of eight that may be used.
GROUPS: dict[str, tuple[str, dict[str, str], int]] = {
    "no control groups": ("", {}, 8),
    "no quota": ("0::/a\n", {"a/cpu.max": "max 100000\n"}, 8),
    "a container's own view": ("0::/\n", {"cpu.max": "300000 100000\n"}, 3),
    "a part of a core": ("0::/a/b\n", {"a/b/cpu.max": "50000 100000\n"}, 1),
    "rounded up": ("0::/a\n", {"a/cpu.max": "250000 100000\n"}, 3),
    "more than there are": ("0::/a\n", {"a/cpu.max": "6400000 100000\n"}, 8),
    "the group around it": ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "200000 100000\n"}, 2),
    "a path that is only seen outside": ("0::/docker/1f\n", {"cpu.max": "200000 100000\n"}, 2),
    "version 1": (
        "4:memory:/a\n3:cpu,cpuacct:/a\n",
        {"cpu,cpuacct/a/cpu.cfs_quota_us": "400000\n", "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n"},
        4,
    ),
    "version 1, mounted by a short name": (
        "3:cpuacct,cpu:/a\n",
        {"cpu/a/cpu.cfs_quota_us": "100000\n", "cpu/a/cpu.cfs_period_us": "50000\n"},
        2,
    ),
    "version 1 without a quota": (
        "1:cpu:/\n0::/\n",
        {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
        8,
    ),
    "what cannot be understood": ("0::/a\n", {"a/cpu.max": "plenty\n"}, 8),
}


@pytest.mark.parametrize(("groups", "files", "expected"), GROUPS.values(), ids=GROUPS)
def test_a_quota_limits_the_cores(
    groups: str, files: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    files = {"proc/self/cgroup": groups} | {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert usable_cores(tmp_path) == expected


def test_without_affinity_and_control_groups_all_cores_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert usable_cores(tmp_path) == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores(tmp_path) == 1


def test_a_thread_for_each_usable_core_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    class Pool:
        def __init__(self, max_workers: int) -> None:
            started.append(max_workers)
            raise StopIteration

    monkeypatch.setattr("concurrent.futures.ThreadPoolExecutor", Pool)
    monkeypatch.setattr("gdcli.base.parallel.usable_cores", lambda: 3)
    with pytest.raises(RuntimeError):
        list(ordered_map(abs, range(10), None))
    assert started == [3]


ON_ONE_CORE = """
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["OPENBLAS_NUM_THREADS"] = "1"
from gdcli.engine import blas
from gdcli.base.cores import usable_cores
library = blas._openblas()
with blas.threads_for(1000):
    print(usable_cores(), 1 if library is None else library[0]())
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="there is no affinity to set")
def test_a_wide_table_gets_one_thread_of_blas_on_one_core() -> None:
    done = subprocess.run([sys.executable, "-c", ON_ONE_CORE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"]
