"""The ledger holds: command lines print what was recorded, but for the last digits of other machines."""

import pytest

from tests.ingest.clusters import forking
from tests.promises.ledger import compare


@pytest.mark.timeout(300)
def test_every_recorded_command_line_prints_what_it_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with forking():
        differing = compare(close=True, show=True)
    assert differing == 0, capsys.readouterr().out[-6000:]
