"""``make mutants``: plant the faults of faults.txt one at a time, and say which of them the tests let through.

    python tests/mutants/run.py [--only TEXT] [--list FILE] [--jobs N] [--record]

Each fault is a line of gdcli and what it becomes (see faults.txt). It is planted in a copy of the sources, in which the
test that failed of it last time runs first; only if that passes, or has another name now, do the tests named for its
file in AREAS run until one fails. A fault that lives has to have its reason in the list; fewer than 95 % dead, or a
line that is not there once, is an error. Several faults are tried side by side, each in a copy of its own.
"""

import argparse
import contextlib
import gc
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import guards  # noqa: E402

COPIED = ("gdcli", "tests", "sample_data", "pyproject.toml", "README.md", "Makefile")
LIST = Path(__file__).with_name("faults.txt")
ENOUGH = 0.95
SECONDS = 60  # for a test
FAILING: set[str] = set()  # tests that fail with the sources as they are, too

# The tests of a file, by the longest beginning of its name.
AREAS = {
    "base/atomic": "base/test_atomic",
    "base/cores": "base/test_cores",
    "base/allocator": "promises/test_memory",
    "base/path_kinds": "base/test_atomic data/test_paths cli/test_options commands/test_streams",
    "base/names": "cli/test_command_line commands/test_foreign_names data/test_columns",
    "base/parallel": "base/test_parallel ingest/test_later_blocks commands/test_boundaries",
    "base/records": "base/test_records",
    "base/schema": "base/test_schema models/test_model_file",
    "engine": "engine/test_properties engine/test_loop engine/test_triangle",
    "engine/blas": "base/test_cores",
    "engine/batches": "fitting/test_batches",
    "engine/column": "engine/test_triangle data/test_columns fitting/test_every_iteration",
    "engine/inference": "fitting/test_inference promises/test_nist_deviations",
    "engine/lasso": "fitting/test_penalties",
    "engine/least_squares": "engine/test_lanes fitting/test_rank fitting/test_optimum fitting/test_far_columns",
    "engine/line_search": "engine/test_line_search fitting/test_losses_search",
    "engine/losses": "engine/test_losses commands/test_boundaries fitting/test_gamma_and_quantile",
    "engine/losses/logistic": "engine/test_properties engine/test_losses commands/test_boundaries",
    "engine/losses/poisson": "engine/test_losses fitting/test_separation",
    "engine/losses/quantile": "models/test_score::test_a_row_at_the_quantile_itself_is_covered"
    " fitting/test_gamma_and_quantile engine/test_losses",
    "engine/momentum": "engine/test_properties commands/test_boundaries engine/test_momentum_forecast",
    "engine/newton": "engine/test_newton engine/test_row_lanes",
    "engine/optimizers": "engine/test_updates engine/test_schedules",
    "engine/penalty": "fitting/test_penalties fitting/test_penalised_losses",
    "engine/polynomial": "fitting/test_curve_shape",
    "engine/qr": "engine/test_triangle fitting/test_rank promises/test_nist",
    "engine/quadratic": "fitting/test_holdout engine/test_loop fitting/test_every_iteration fitting/test_optimum",
    "engine/recurrence": "engine/test_properties engine/test_momentum_forecast",
    "engine/descent": "engine/test_loop engine/test_properties commands/test_boundaries",
    "engine/row_objective": "engine/test_row_lanes engine/test_losses fitting/test_every_iteration "
    "fitting/test_penalised_losses",
    "engine/row_sums": "engine/test_row_lanes engine/test_losses fitting/test_gamma_and_quantile"
    " fitting/test_separation fitting/test_batches",
    "engine/scaling": "engine/test_properties fitting/test_every_iteration fitting/test_optimum",
    "engine/schedules": "engine/test_schedules",
    "engine/spectrum": "engine/test_spectrum engine/test_descents::test_every_optimizer_reaches_the_optimum"
    " commands/test_boundaries fitting/test_forecast",
    "engine/lane_rows": "engine/test_lanes commands/test_boundaries fitting/test_groups fitting/test_folds",
    "data": "data/test_columns data/test_cells data/test_right_answers",
    "data/ahead": "data/test_ahead",
    "data/archives": "data/test_archives",
    "data/cells": "commands/test_boundaries::test_a_level_may_have_a_thousand_characters_and_no_more data/test_cells",
    "data/columns": "commands/test_boundaries::test_a_name_may_have_a_thousand_characters_and_no_more"
    " data/test_columns",
    "data/csv": "data/test_chunks data/test_quotes commands/test_boundaries data/test_cells data/test_extremes",
    "data/csv/comments": "data/test_comments",
    "data/csv/dialect": "data/test_comments data/test_right_answers data/test_messy commands/test_boundaries",
    "data/csv/exact": "data/test_messy data/test_cells data/test_chunks data/test_continued_cells data/test_advice",
    "data/csv/digits": "data/test_plain",
    "data/csv/plain": "data/test_plain",
    "data/csv/ranges": "ingest/test_runs",
    "data/dates": "data/test_dates data/test_right_answers",
    "data/design": "data/test_expressions data/test_columns fitting/test_categories",
    "data/doubts": "data/test_advice",
    "data/expressions": "data/test_expressions commands/test_terms models/test_written_terms",
    "data/jsonl": "data/test_jsonlines data/test_jsonfast",
    "data/judge": "data/test_advice data/test_right_answers",
    "data/lenient": "data/test_messy data/test_missing_mean",
    "data/name_lists": "data/test_name_lists",
    "data/number_format": "commands/test_boundaries data/test_right_answers",
    "data/paths": "data/test_paths data/test_globs commands/test_boundaries",
    "data/row_texts": "models/test_predict_rows",
    "data/streams": "data/test_streams",
    "data/table": "data/test_expressions",
    "data/watch": "data/test_changing_files",
    "ingest": "ingest/test_summaries ingest/test_later_blocks fitting/test_folds",
    "ingest/aggregate": "report/plots/test_picture ingest/test_summaries ingest/test_runs fitting/test_folds",
    "ingest/remote": "ingest/test_runs",
    "ingest/counts": "data/test_advice data/test_missing_mean",
    "ingest/inputs": "ingest/test_twice ingest/test_summaries",
    "ingest/kept_rows": "ingest/test_kept_rows fitting/test_folds",
    "ingest/given_data": "python/test_python",
    "ingest/own_formats": "data/test_jsonlines ingest/test_summaries",
    "ingest/orthogonal": "commands/test_by_shown",
    "ingest/read": "fitting/test_another_file ingest/test_summaries fitting/test_folds",
    "ingest/row_store": "ingest/test_kept_rows",
    "ingest/summary": "ingest/test_hostile_summaries commands/test_boundaries ingest/test_summaries",
    "fitting": "commands/test_boundaries fitting/test_optimum fitting/test_forecast fitting/test_holdout",
    "fitting/curve": "fitting/test_curve_walk fitting/test_curve_shape",
    "fitting/fit": "commands/test_interrupted fitting/test_forecast::test_an_unstable_rate_is_one_however_far_it_ran"
    " commands/test_boundaries fitting/test_shown_rows fitting/test_holdout fitting/test_batches",
    "fitting/groups": "fitting/test_groups commands/test_by commands/test_by_shown commands/test_boundaries",
    "fitting/folds": "fitting/test_folds commands/test_validation",
    "fitting/inference": "fitting/test_inference commands/test_inference",
    "fitting/lanes": "fitting/test_holdout commands/test_boundaries fitting/test_choosing fitting/test_folds",
    "fitting/picture": "report/plots/test_picture",
    "fitting/problem": "data/test_columns::test_letters_that_mean_nothing_here_are_no_terms fitting/test_shown_rows"
    " fitting/test_optimum commands/test_boundaries fitting/test_forecast",
    "fitting/row_problem": "fitting/test_rounding engine/test_losses fitting/test_penalised_losses",
    "fitting/row_loss": "fitting/test_folds fitting/test_rounding engine/test_losses fitting/test_penalised_losses",
    "fitting/rules": "cli/test_options commands/test_boundaries commands/test_by commands/test_validation",
    "fitting/start": "commands/test_resume",
    "fitting/side_by_side": "commands/test_by fitting/test_groups",
    "fitting/sweep": "commands/test_sweep",
    "fitting/target": "commands/test_losses engine/test_losses commands/test_boundaries",
    "fitting/trace": "fitting/test_shown_rows",
    "models": "models/test_model_file models/test_damaged_models commands/test_boundaries",
    "models/export": "models/test_export",
    "models/formula": "models/test_export",
    "models/stored_model": "models/test_intervals commands/test_boundaries models/test_model_file"
    " models/test_damaged_models commands/test_by",
    "models/model": "models/test_export::test_a_text_like_the_level_of_gaps_is_a_text_if_the_model_fills_none"
    " data/test_missing_mean models/test_predict_rows commands/test_by models/test_model_file "
    "models/test_own_scale",
    "models/model_file": "models/test_model_file models/test_damaged_models commands/test_boundaries",
    "models/predict": "models/test_predict_rows models/test_kept_reading commands/test_predict",
    "models/resume": "commands/test_resume",
    "models/score": "models/test_score",
    "models/smearing": "models/test_own_scale",
    "models/sql_export": "models/test_export",
    "python": "python/test_python",
    "report": "report/test_formats report/test_tables",
    "report/advice": "commands/test_boundaries report/test_verdict",
    "report/certainty": "commands/test_inference report/test_verdict",
    "report/chart": "report/test_chart",
    "report/curve": "commands/test_curve_shown",
    "report/group_document": "commands/test_by commands/test_by_shown",
    "report/groups": "commands/test_by commands/test_by_shown",
    "report/numbers": "report/test_digits",
    "report/page": "report/page/test_page_contents report/page/test_page_numbers report/page/test_page_curve"
    " report/page/test_page_browser",
    "report/plain_lines": "report/test_lines",
    "report/sparkline": "report/test_lines",
    "report/sweep": "promises/test_key_trees commands/test_sweep",
    "report/verdict": "report/test_verdict commands/test_boundaries",
    "cli": "cli/test_options cli/test_variables commands/test_streams",
    "cli/command_line": "cli/test_command_line",
    "cli/commands/fit": "commands/test_interrupted commands/test_streams commands/test_by commands/test_console",
    "cli/commands/predict": "commands/test_predict",
    "cli/commands/score": "models/test_score",
    "cli/completion": "cli/completion/test_answers cli/completion/test_hostile_names cli/completion/test_in_shells",
    "cli/failures": "commands/test_failures commands/test_streams",
    "cli/fit_options": "fitting/test_batches report/page/test_page_contents",
    "cli/foreign_names": "commands/test_foreign_names",
    "cli/group": "cli/test_group cli/test_help",
    "cli/inputs": "cli/test_group cli/test_words_given commands/test_predict fitting/test_another_file",
    "cli/output": "commands/test_resume commands/test_streams commands/test_console cli/test_options",
    "cli/progress": "commands/test_console",
    "cli/terminal": "commands/test_console",
    "cli/types": "cli/test_options cli/test_words_given commands/test_failures commands/test_curve"
    " commands/test_resume",
}


class Fault(NamedTuple):
    """A line of a file of gdcli, without its indentation, and what it becomes; why it may live, if it may.

    ``number`` is its place in the list, ``last`` the test that failed of it last time.
    """

    number: int
    file: str
    before: str
    after: str
    reason: str
    last: str

    def tests(self) -> list[str]:
        """The tests that are to find it, whole files of them or single ones."""
        area = max((name for name in AREAS if self.file.startswith(name)), key=len)
        parts = [name.partition("::") for name in AREAS[area].split()]
        return [f"tests/{file}.py{sign}{test}" for file, sign, test in parts]

    def planted(self, text: str) -> str:
        """A file's text with the fault in it; ValueError if its line is not there once."""
        lines = text.split("\n")
        places = [i for i, line in enumerate(lines) if line.strip() == self.before]
        if len(places) != 1:
            raise ValueError(f"{len(places)} lines of {self.file} are: {self.before}")
        indent = lines[places[0]][: -len(self.before)]
        return "\n".join([*lines[: places[0]], indent + self.after, *lines[places[0] + 1 :]])


class Verdict(NamedTuple):
    """What became of a fault: the test that failed, if any; why it could not be tried, if so."""

    fault: Fault
    killer: str | None
    wrong: str
    seconds: float

    @property
    def good(self) -> bool:
        """Whether the fault died, or may live."""
        return not self.wrong and bool(self.killer or self.fault.reason)

    def __str__(self) -> str:
        if self.wrong:
            return f"WRONG   {self.wrong}"
        before = f"; it died of {self.fault.last}" if self.fault.last else ""
        why = self.fault.reason or f"WITHOUT A REASON{before}"
        end = f"dies of {self.killer.partition('::')[2] or self.killer}" if self.killer else f"lives, {why}"
        return f"{self.seconds:5.1f} s  {self.fault.file}: {self.fault.after}\n         {end}"


def faults(text: str) -> Iterator[Fault]:
    """The faults of a list; their numbers are those of its paragraphs."""
    for number, part in enumerate(text.split("\n\n")):
        lines = [line for line in part.splitlines() if line and not line.startswith("#")]
        if lines:
            marks = {line[0]: line[2:] for line in lines[1:]}
            yield Fault(number, lines[0], marks["-"], marks["+"], marks.get("!", ""), marks.get("?", ""))


def recorded(text: str, verdicts: list[Verdict]) -> str:
    """A list that names the tests which were the first to fail now."""
    parts = text.rstrip("\n").split("\n\n")
    for verdict in [one for one in verdicts if one.good]:
        number, test = verdict.fault.number, verdict.killer or ""
        lines = [line for line in parts[number].split("\n") if not line.startswith("? ")]
        parts[number] = "\n".join([*lines, f"? {test}"] if "::" in test else lines)
    return "\n\n".join(parts) + "\n"


class Outcomes:
    """Runs those tests that are wanted, and leaves the names of the failed and of the passed ones in files."""

    def __init__(self, folder: Path, wanted: Callable[[str], bool]) -> None:
        self.folder, self.wanted = folder, wanted
        self.names: dict[str, list[str]] = {"failed": [], "passed": []}
        self.keep()

    def keep(self) -> None:
        for outcome, names in self.names.items():
            (self.folder / outcome).write_text("\n".join(names))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if self.wanted(item.nodeid)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or (report.passed and report.when == "call"):
            self.names[report.outcome].append(report.nodeid)
            self.keep()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.names["failed"].append(f"importing {report.nodeid}")
            self.keep()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """End at once, when all fixtures have ended: nobody reads a summary."""
        os._exit(int(exitstatus))


def outcomes(folder: Path, wanted: Callable[[str], bool], *words: str) -> dict[str, list[str]]:
    """Which wanted tests fail and which pass, run in a fork with a folder's gdcli; ValueError if none can run."""
    process = os.fork()
    if not process:
        try:
            run_tests(folder, wanted, words)
        finally:
            os._exit(int(pytest.ExitCode.INTERNAL_ERROR))
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    end_all()
    if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise ValueError(f"{' '.join(words)} could not run")
    found = {name: (folder / name).read_text().splitlines() for name in ("failed", "passed")}
    if code and not found["failed"]:
        found["failed"] = [f"exit {code}"]
    return found


def run_tests(folder: Path, wanted: Callable[[str], bool], words: tuple[str, ...]) -> None:
    """Run tests in this process, a fork that has imported what they need, and end it with their exit code."""
    os.setpgid(0, 0)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # those of the folder are meant
    sys.path[0] = str(folder)
    os.chdir(folder)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    os.environ["TMPDIR"] = tempfile.tempdir = f"{folder}.tmp"
    shutil.rmtree(tempfile.tempdir, ignore_errors=True)
    os.mkdir(tempfile.tempdir)
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout", str(SECONDS)]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of Hypothesis, which is imported already
    os._exit(int(pytest.main([*options, *words], plugins=[Outcomes(folder, wanted)])))


def end_all() -> None:
    """Kill what this process has started, and what that has left behind."""
    while left := guards.children():
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)


def proven(names: list[str]) -> list[str]:
    """Which tests pass with the sources as they are; what they import is kept compiled in this worker's copy."""
    files = sorted({name.partition("::")[0] for name in names})
    there = [name for name in files if (tried.folder / name).exists()]
    sys.dont_write_bytecode = False
    passed = outcomes(tried.folder, names.__contains__, *there)["passed"] if there else []
    sys.dont_write_bytecode = True
    return passed


@contextlib.contextmanager
def planted(fault: Fault, folder: Path) -> Iterator[None]:
    """A block with the fault in a copy of the sources.

    Its number is the time of the file: Python takes what it has compiled for one of the same time and size.
    """
    path = folder / "gdcli" / fault.file
    text, status = path.read_text(encoding="utf-8"), path.stat()
    path.write_text(fault.planted(text), encoding="utf-8")
    os.utime(path, (fault.number, fault.number))
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def killer(fault: Fault, folder: Path, sure: frozenset[str]) -> str | None:
    """The first test that fails with the fault, the last one before those of its area; None if all pass.

    The last one counts if it is ``sure`` to pass without the fault.
    """
    for tests in ([fault.last] if fault.last in sure else [], fault.tests()):
        while tests:
            with planted(fault, folder):
                failed = outcomes(folder, lambda name: name not in FAILING, "-x", *tests)["failed"]
            if not failed:
                break
            if failed[0] in sure or "::" not in failed[0] or passes(failed[0], folder):
                return failed[0]
            FAILING.add(failed[0])
            print(f"NOTE    {failed[0]} fails without a fault, too, and is left out", flush=True)
    return None


@cache
def passes(test: str, folder: Path) -> bool:
    """Whether a test passes with the sources as they are."""
    return not outcomes(folder, test.__eq__, test)["failed"]


def begin(folders: "multiprocessing.queues.SimpleQueue[Path]") -> None:
    """Be a worker with a copy of the sources of its own, which only the main process ends."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    guards.set_limits()
    tried.folder = folders.get()  # type: ignore[attr-defined]


def tried(fault: Fault, sure: frozenset[str]) -> Verdict:
    """What becomes of a fault in this worker's copy of the sources."""
    start = time.monotonic()
    try:
        found, wrong = killer(fault, tried.folder, sure), ""
    except (OSError, ValueError) as error:
        found, wrong = None, str(error)
    return Verdict(fault, found, wrong, time.monotonic() - start)


def verdicts(chosen: list[Fault], jobs: int, folder: Path) -> Iterator[Verdict]:
    """What becomes of each fault, several of them tried at a time, as they are done."""
    left_out = shutil.ignore_patterns("__pycache__", ".bench", "*.pyc")
    context = multiprocessing.get_context("fork")
    folders = context.SimpleQueue()
    for number in range(jobs):
        (folder / str(number)).mkdir()
        for part in COPIED:
            copy = partial(shutil.copytree, ignore=left_out) if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, folder / str(number) / part)
        folders.put(folder / str(number))
    files: dict[str, list[str]] = {}
    for name in sorted({fault.last for fault in chosen if fault.last}):
        files.setdefault(name.partition("::")[0], []).append(name)
    shares = [[name for file in list(files)[i::jobs] for name in files[file]] for i in range(jobs)]
    with context.Pool(jobs, begin, [folders]) as pool:
        sure = frozenset(name for names in pool.map(proven, shares, chunksize=1) for name in names)
        yield from pool.imap_unordered(partial(tried, sure=sure), chosen)


def main() -> int:
    """Plant each fault; print what became of it; 1 if too many live, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="faults with this text in their file or line")
    parser.add_argument("--list", type=Path, default=LIST, help="another list of faults than %(default)s")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="faults at a time (%(default)s)")
    parser.add_argument("--record", action="store_true", help="name the test that failed of each fault in the list")
    words = parser.parse_args()
    # Imported once for all forks; gdcli is not, as each fork has another one.
    import click  # noqa: F401
    import numpy as np  # noqa: F401
    import pandas as pd  # noqa: F401
    import scipy.optimize  # noqa: F401
    from hypothesis import Phase, settings

    # The first example that fails is enough: a smaller one takes minutes.
    settings.register_profile("first", phases=(Phase.explicit, Phase.generate))
    settings.load_profile("first")
    gc.freeze()
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    guards.set_limits()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    text = words.list.read_text(encoding="utf-8")
    chosen = [fault for fault in faults(text) if words.only in fault.file or words.only in fault.before]
    start, found = time.monotonic(), []
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # for tests that become another user
        try:
            for verdict in verdicts(chosen, words.jobs, Path(name)):
                found.append(verdict)
                print(verdict, flush=True)
        except KeyboardInterrupt:
            return 130
        finally:
            end_all()
    if words.record:
        words.list.write_text(recorded(text, found), encoding="utf-8")
    dead = sum(verdict.killer is not None for verdict in found)
    print(f"{dead} of {len(found)} die ({(time.monotonic() - start) / 60:.1f} minutes)")
    print("".join(f"{verdict}\n" for verdict in found if not verdict.good), end="")
    return int(dead < ENOUGH * len(found) or not all(verdict.good for verdict in found))


if __name__ == "__main__":
    sys.exit(main())
