"""The fuzzer's modules are imported by their bare names, as ``make fuzz`` does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
