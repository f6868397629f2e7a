"""Memory that blocks have freed is kept, where the C library can be told so."""

import ctypes
import subprocess
import sys

import pytest

from gdcli.base.allocator import keep_freed_memory, return_freed_memory

# Three times 12 MiB, written to and freed again: by default glibc asks the system for clean pages each time.
FAULTS = """
import resource, sys
from gdcli.base.allocator import keep_freed_memory
if "keep" in sys.argv: keep_freed_memory()
bytearray(b"x") * (12 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    bytearray(b"x") * (12 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*words: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS, *words], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's way")
def test_memory_that_was_freed_is_not_cleared_again() -> None:
    if not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        pytest.skip("another C library than glibc")
    assert faults("keep") < faults() / 10


def test_a_c_library_that_cannot_be_told_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    keep_freed_memory()
    return_freed_memory()


RESIDENT = """
from gdcli.base.allocator import keep_freed_memory, return_freed_memory
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])
keep_freed_memory()
blocks = [bytearray(b"x") * (12 << 20) for _ in range(6)]
last = bytearray(100)
del blocks
before = resident()
return_freed_memory()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's way")
def test_memory_that_was_freed_is_given_back_when_asked() -> None:
    if not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        pytest.skip("another C library than glibc")
    done = subprocess.run([sys.executable, "-c", RESIDENT], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 4096 > 12 << 20
