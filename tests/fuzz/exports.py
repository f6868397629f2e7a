"""Cases of another kind: models and rows of odd cells, which ``predict`` and the exported expressions read alike."""

import math
import tempfile
from contextlib import suppress
from typing import Any

from cases import Case
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.models.model import Model
from gdcli.models.model_file import model_of
from gdcli.models.predict import PredictOptions, predict_files
from tests.models.engines import as_csv, python, sqlite
from tests.models.handwritten import model_content

WHOLE = ("", "NA", "nan", "null", "-999", "-999.0", "1_0", "inf", "Infinity", "1e999", "0x1F", "1e-400", "None", "True")
CELLS = st.one_of(
    st.sampled_from(WHOLE),
    st.text("0123456789+-.eE_, \t", max_size=8),
    st.floats(-1e200, 1e200).map(repr),
    st.integers(-(10**20), 10**20).map(str),
)
LEVELS = ("a", "A", "01", "1", "1.0", "O'Hara", 'say "x"', "b\\", "größer", "-999.0", "True")
TEXTS = st.one_of(st.sampled_from(LEVELS), st.sampled_from(LEVELS).map(lambda level: f" {level}\t"), CELLS)
ROWS = st.lists(st.fixed_dictionaries({"x": CELLS, "z z": CELLS, "kind": TEXTS}), min_size=1, max_size=30)
SLOPES = st.floats(-1e3, 1e3, allow_subnormal=False)


@st.composite
def contents(draw: st.DrawFn) -> dict[str, Any]:
    """A model file of two columns of numbers and one of text, that drops or fills what is missing."""
    levels = {level: draw(SLOPES) for level in draw(st.lists(st.sampled_from(LEVELS), min_size=2, unique=True))}
    words = ("", *draw(st.lists(st.sampled_from(WHOLE[1:]), unique=True)))
    levels = {level: value for level, value in levels.items() if level not in words} or {"a": 1.0}
    fills = draw(st.booleans())
    if fills and draw(st.booleans()):
        levels["(missing)"] = draw(SLOPES)
    content = model_content({"x": draw(SLOPES), "z z": draw(SLOPES), "kind": levels}, draw(SLOPES), words=words)
    if fills:
        content["missing"] |= {"policy": "mean", "means": {"x": draw(SLOPES), "z z": draw(SLOPES)}}
    return content


def fuzz_exports(count: int, number: int) -> list[tuple[Case, str]]:
    """Try ``count`` models and tables; return the smallest one that an expression reads otherwise than ``predict``."""
    last: list[tuple[Case, str]] = []

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    @given(contents(), ROWS)
    def one(content: dict[str, Any], rows: list[dict[str, str]]) -> None:
        try:
            compare(model_of(content, "model.json"), rows)
        except Exception as error:
            command = ("predict", "model.json", "data.csv")
            last.append((Case(as_csv(rows).encode(), command, None), f"{error!r}\n{content}"))
            raise

    with suppress(Exception):
        one()
    return last[-1:]


def compare(model: Model, rows: list[dict[str, str]]) -> None:
    """Raise AssertionError if an expression gives another prediction for a row."""
    written: list[bytes] = []
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
        file.write(as_csv(rows))
        file.flush()
        try:
            predict_files(model, [file.name], PredictOptions(only=True), written.append, Listener())
        except DataError as error:
            if "could not be predicted" not in str(error):
                raise
            written = [b"header\n", *[b'""\n'] * len(rows)]  # it refuses a table of which it can predict no row
    lines = b"".join(written).decode().splitlines()[1:]
    expected = [None if line == '""' else float(line) for line in lines]
    for run in (python, sqlite):
        for row, a, b in zip(rows, run(model, rows), expected, strict=True):
            alike = a is b if a is None or b is None else math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
            assert alike, f"{run.__name__} gives {a}, predict {b} for {row}"
