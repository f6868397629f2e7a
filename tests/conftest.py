"""What tests share: gdfit in this process and in others, files to write, small blocks, notes to look at."""

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from gdcli.base.listener import Listener
from gdcli.cli import _ONE_THREAD
from tests.fork_server import AT_START
from tests.guards import no_orphans, set_limits
from tests.processes import ROOT, Done, forked, points, program, shell, started, terminal

__all__ = ["ROOT", "Done", "Notes", "forked", "no_orphans", "points", "program", "shell", "started", "terminal"]

# As gdfit's command line has it, before NumPy is imported: threads inside BLAS, which wait for each other by turning
# round, make small matrices four times as dear.
for _name in _ONE_THREAD:
    os.environ.setdefault(_name, "1")

# Files of few tests that take seconds. Of the others those with the most tests take longest, by and large.
FEW_BUT_LONG = {
    "test_ledger",
    "test_wheel",
    "test_wide_blocks",
    "test_whole_output",
    "test_every_pair",
    "test_key_trees",
}


def pytest_configure() -> None:
    """Limit what tests may use, before the first of them runs, and start processes as users do."""
    set_limits()
    for name in (*AT_START, "PYTHONDONTWRITEBYTECODE"):
        os.environ.pop(name, None)
    gc.disable()  # what is imported and collected stays


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where two processes share the files, begin with those that take long: the last one would run alone."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        tests = Counter(item.path for item in items)
        items.sort(key=lambda item: (item.path.stem not in FEW_BUT_LONG, -tests[item.path], item.path))


def pytest_collection_finish() -> None:
    """Look for garbage among what tests make, not among the tests and the modules."""
    gc.freeze()
    gc.enable()


class Notes(Listener):
    """A listener that remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.iterations: list[int] = []

    def note(self, message: str) -> None:
        self.notes.append(message)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def descending(self, done: int, total: int, what: str = "iteration") -> None:
        self.iterations.append(done)


@pytest.fixture
def notes() -> Notes:
    """A listener whose ``notes`` can be looked at afterwards."""
    return Notes()


@pytest.fixture
def gdfit(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run a command line in this process (``program`` starts another)."""
    from gdcli.cli import main

    def run(*words: object) -> Done:
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., str]:
    """Write a file of text or bytes and return its path."""

    def write(content: str | bytes, name: str = "data.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


@pytest.fixture
def blocks_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let files be read in blocks of so many bytes."""
    from gdcli.data.csv.chunks import cut

    def shrink(size: int) -> None:
        # `cut` has the usual size as a default, which is bound when the module is loaded.
        for module in ("csv", "jsonl"):
            monkeypatch.setattr(f"gdcli.data.{module}.source.cut", partial(cut, block_bytes=size))

    return shrink


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """The folder of the sample data."""
    return ROOT / "sample_data"


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of the reference data."""
    return ROOT / "tests" / "reference"


@pytest.fixture(autouse=True)
def no_habits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options from the environment of whoever runs the tests would change what they find."""
    for name in [name for name in os.environ if name.startswith("GDFIT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def fresh_field_size_limit() -> Iterator[None]:
    """The csv module has one limit for the whole process; one test's must not become the next one's."""
    import csv

    before = csv.field_size_limit()
    yield
    csv.field_size_limit(before)


# A skipped test fails CI, unless its reason is one of these.
ALLOWED_SKIPS = (
    "Miller (mlr) is not installed",  # Debian's package miller, which CI installs where it may
    "PostgreSQL is not installed",
    "MariaDB is not installed",
    "zsh is not installed",
    "fish is not installed",
    "jq is not installed",
    "sqlite3 is not installed",
    "chromium is not installed",
    "chromedriver is not installed",
    "man is not installed",
    "needs extended precision",  # platforms whose long double is a double
    "root may write anywhere",  # a test of read-only folders
    "no file system may be mounted here",  # tests of a full and of a read-only disk
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """On CI, say which tests were skipped without leave."""
    for report in _forbidden(terminalreporter):
        terminalreporter.write_line(f"SKIPPED WITHOUT LEAVE: {report.nodeid}: {report.longrepr}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """On CI, fail for tests that were skipped without leave."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus == 0 and reporter is not None and _forbidden(reporter):
        session.exitstatus = 1


def _forbidden(reporter: pytest.TerminalReporter) -> list[pytest.TestReport]:
    if not os.environ.get("CI"):
        return []
    skipped = reporter.stats.get("skipped", [])
    return [report for report in skipped if not any(reason in str(report.longrepr) for reason in ALLOWED_SKIPS)]
