"""A recorder of all iterations, and tables whose folds are hard."""

import pytest

from gdcli.fitting.results import TraceRow, TraceShape
from tests.tables import noisy

__all__ = ["everything", "noisy"]


class Everything:
    """A recorder of all iterations."""

    def __init__(self) -> None:
        self.shape: TraceShape | None = None
        self.rows: list[TraceRow] = []

    def begin(self, shape: TraceShape) -> None:
        self.shape = shape

    def wants(self, iteration: int) -> bool:
        return True

    def record(self, row: TraceRow) -> None:
        self.rows.append(row)


@pytest.fixture
def everything() -> Everything:
    return Everything()
