"""The ledger holds: command lines print what was recorded, but for the last digits of other machines."""

import subprocess
import sys
from pathlib import Path

import pytest

LEDGER = Path(__file__).with_name("ledger.py")


@pytest.mark.timeout(300)
def test_every_recorded_command_line_prints_what_it_printed() -> None:
    done = subprocess.run(
        [sys.executable, str(LEDGER), "--close", "--show"], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
