"""Models written by hand, whose predictions are known."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from gdcli.base.records import field_names
from gdcli.data.csv.chunks import cut
from gdcli.data.csv.options import CsvOptions
from gdcli.models.model import Model
from gdcli.models.model_file import load_model
from gdcli.models.predict import PredictOptions, Tally, predict_files
from tests.models.handwritten import model_file

__all__ = ["make_model", "model_file", "predicted"]


@pytest.fixture
def make_model(model_file: Callable[..., str]) -> Callable[..., Model]:
    """Write a model and load it."""
    return lambda *args, **settings: load_model(model_file(*args, **settings))


class Predicted(NamedTuple):
    """What ``predict`` wrote and counted."""

    text: bytes
    tally: Tally
    notes: list[str]


@pytest.fixture
def predicted(csv_file: Callable[..., str], notes: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Predicted]:
    """Predict the rows of some texts, each a file, cut into blocks of so many bytes."""

    def run(model: Model, *texts: str | bytes, block: int | None = None, **options: Any) -> Predicted:
        files = [csv_file(text, f"data{i}.csv") for i, text in enumerate(texts)]
        if block is not None:
            monkeypatch.setattr("gdcli.data.csv.source.cut", lambda *args: cut(*args, block_bytes=block))
        csv = {name: options.pop(name) for name in field_names(CsvOptions) if name in options}
        written: list[bytes] = []
        tally = predict_files(model, files, PredictOptions(csv=CsvOptions(**csv), **options), written.append, notes)
        return Predicted(b"".join(written), tally, notes.notes)

    return run
