"""Models written by hand, whose predictions are known, and gdfit as a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from handwritten import model_content

import gdcli
from gdcli.data.csv.chunks import cut
from gdcli.data.csv.options import CsvOptions
from gdcli.models.model import Model
from gdcli.models.model_file import load_model
from gdcli.models.predict import PredictOptions, Tally, predict_files

ROOT = Path(gdcli.__file__).parents[1]


class Done(NamedTuple):
    """How a process ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., Done]:
    """Run a line of bash with pipefail in an empty folder; ``gdfit`` is gdfit there."""

    def run(line: str, stdin: bytes = b"") -> Done:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable, "TERM": "xterm"}
        environment.pop("GDFIT_DEBUG", None)
        script = f'set -o pipefail; gdfit() {{ "$PYTHON" -m gdcli "$@"; }}; {line}'
        done = subprocess.run(
            ["bash", "-c", script], input=stdin, capture_output=True, cwd=tmp_path, env=environment, timeout=120
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def model_file(tmp_path: Path) -> Callable[..., str]:
    """Write a model (see ``model_content``) and return its path."""

    def write(slopes: Mapping[str, float | Mapping[str, float]], name: str = "model.json", **settings: Any) -> str:
        path = tmp_path / name
        path.write_text(json.dumps(model_content(slopes, **settings)), encoding="utf-8")
        return str(path)

    return write


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
        csv = {name: options.pop(name) for name in CsvOptions.__slots__ if name in options}
        written: list[bytes] = []
        tally = predict_files(model, files, PredictOptions(csv=CsvOptions(**csv), **options), written.append, notes)
        return Predicted(b"".join(written), tally, notes.notes)

    return run
