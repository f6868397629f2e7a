"""What gdfit proposes for tables that nobody wrote with care leads somewhere, too."""

from collections.abc import Callable
from pathlib import Path

from cases import tables
from hypothesis import HealthCheck, given, settings

from tests.conftest import Done
from tests.data.test_advice import check, fit_words, follow


@given(table=tables())
@settings(
    derandomize=True, max_examples=60, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
def test_advice_for_random_tables_ends_in_a_fit_or_in_a_refusal_without_advice(
    gdfit: Callable[..., Done], tmp_path: Path, table: tuple[bytes, list[str]]
) -> None:
    content, names = table
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    check(follow(gdfit, fit_words(path, names[-1], "-q")))
