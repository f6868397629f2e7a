"""``make mutants``: plant the faults of faults.txt one at a time, and say which the tests of their area let through.

    python tests/mutants/run.py [--only TEXT] [--list FILE]

Each fault is a line of gdcli and what it becomes (see faults.txt). It is planted in a copy of the sources, in which the
tests named for its file in AREAS run until the first that fails. A fault that lives has to have its reason in the list;
fewer than 95 % dead, or a line that is not there once, is an error.
"""

import argparse
import gc
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("gdcli", "tests", "sample_data", "pyproject.toml", "README.md", "Makefile")
LIST = Path(__file__).with_name("faults.txt")
ENOUGH = 0.95
FAILING: set[str] = set()  # tests that fail with the sources as they are
SECONDS = 120

# The tests of a file, by the longest beginning of its name.
AREAS = {
    "base/atomic": "base/test_atomic",
    "base/cores": "base/test_cores",
    "base/path_kinds": "base/test_atomic",
    "base/names": "cli/test_command_line commands/test_foreign_names data/test_columns",
    "base/parallel": "base/test_parallel ingest/test_later_blocks commands/test_boundaries",
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
    "engine/row_sums": "engine/test_row_lanes engine/test_losses",
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
    "ingest/kept_rows": "ingest/test_kept_rows fitting/test_folds",
    "ingest/given_data": "python/test_python",
    "ingest/own_formats": "data/test_jsonlines ingest/test_summaries",
    "ingest/orthogonal": "commands/test_by_shown",
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
    "models/stored_model": "commands/test_boundaries models/test_model_file models/test_damaged_models"
    " commands/test_by",
    "models/model": "models/test_export::test_a_text_like_the_level_of_gaps_is_a_text_if_the_model_fills_none"
    " data/test_missing_mean models/test_predict_rows commands/test_by models/test_model_file "
    "models/test_own_scale",
    "models/model_file": "models/test_model_file models/test_damaged_models commands/test_boundaries",
    "models/predict": "models/test_predict_rows models/test_kept_reading commands/test_predict",
    "models/resume": "commands/test_resume",
    "models/score": "models/test_score",
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
    "cli/completion": "cli/completion/test_answers cli/completion/test_hostile_names cli/completion/test_in_shells",
    "cli/foreign_names": "commands/test_foreign_names",
    "cli/types": "cli/test_options cli/test_words_given",
}


class Fault(NamedTuple):
    """A line of a file of gdcli, without its indentation, and what it becomes; why it may live, if it may."""

    file: str
    before: str
    after: str
    reason: str

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


def faults(path: Path) -> Iterator[Fault]:
    """The faults of a list."""
    for part in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in part.splitlines() if line and not line.startswith("#")]
        if lines:
            marks = {line[0]: line[2:] for line in lines[1:]}
            yield Fault(lines[0], marks["-"], marks["+"], marks.get("!", ""))


class FirstFailure:
    """Tells a file of the first test that fails."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.path.exists():
            self.path.write_text(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.path.exists():
            self.path.write_text(f"importing {report.nodeid}")


def killer(fault: Fault, folder: Path) -> str | None:
    """The first test of its area that fails with the fault in the copy of the sources; None if all pass."""
    path = folder / "gdcli" / fault.file
    text = path.read_text(encoding="utf-8")
    while True:
        path.write_text(fault.planted(text), encoding="utf-8")
        try:
            found = first_failure(fault.tests(), folder)
        finally:
            path.write_text(text, encoding="utf-8")
        if found is None or "::" not in found or not fails_anyway(found, folder):
            return found
        FAILING.add(found)
        print(f"NOTE    {found} fails without a fault, too, and is left out", flush=True)


@cache
def fails_anyway(test: str, folder: Path) -> bool:
    """Whether a test fails with the sources as they are."""
    return first_failure([test], folder) is not None


def first_failure(tests: list[str], folder: Path) -> str | None:
    """The first of some tests that fails, run in a fork; None if all pass."""
    named = folder / "failed"
    named.unlink(missing_ok=True)
    process = os.fork()
    if not process:
        try:
            run_tests(tests, folder)
        finally:
            os._exit(int(pytest.ExitCode.INTERNAL_ERROR))
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise ValueError(f"{' '.join(tests)} could not run")
    return None if code == 0 else named.read_text() if named.exists() else f"exit {code}"


def run_tests(tests: list[str], folder: Path, *words: str) -> None:
    """Run tests in this process, a fork that has imported what they need, and end it with their exit code."""
    os.setpgid(0, 0)
    os.chdir(folder)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    sys.path.insert(0, str(folder))
    there = [name for name in tests if (folder / name.partition("::")[0]).exists()]
    left_out = [*(word for name in FAILING if name not in tests for word in ("--deselect", name))]
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--timeout", str(SECONDS)]
    os._exit(int(pytest.main([*left_out, *options, *words, *there], plugins=[FirstFailure(folder / "failed")])))


def compile_all(chosen: list[Fault], folder: Path) -> None:
    """Keep compiled what the tests of these faults import; what is compiled with a fault in it is never kept."""
    process = os.fork()
    if not process:
        try:
            sys.dont_write_bytecode = False
            run_tests(sorted({name for fault in chosen for name in fault.tests()}), folder, "--collect-only")
        finally:
            os._exit(1)
    os.waitpid(process, 0)


def main() -> int:
    """Plant each fault; print what became of it; 1 if too many live."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="faults with this text in their file or line")
    parser.add_argument("--list", type=Path, default=LIST, help="another list of faults than %(default)s")
    words = parser.parse_args()
    # Imported once for all forks; gdcli is not, as each fork has another one.
    import click  # noqa: F401
    import numpy as np  # noqa: F401
    import pandas as pd  # noqa: F401
    import scipy.optimize  # noqa: F401

    gc.freeze()
    chosen = [fault for fault in faults(words.list) if words.only in fault.file or words.only in fault.before]
    dead, wrong = 0, 0
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in COPIED:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, folder / part, **({"ignore": _LEFT_OUT} if (ROOT / part).is_dir() else {}))
        compile_all(chosen, folder)
        for fault in chosen:
            start = time.monotonic()
            try:
                found = killer(fault, folder)
            except ValueError as error:
                print(f"WRONG   {error}", flush=True)
                wrong += 1
                continue
            dead += found is not None
            wrong += found is None and not fault.reason
            told = (
                f"lives, {fault.reason or 'WITHOUT A REASON'}"
                if found is None
                else f"dies of {found.partition('::')[2] or found}"
            )
            print(f"{time.monotonic() - start:5.1f} s  {fault.file}: {fault.after}\n         {told}", flush=True)
    print(f"{dead} of {len(chosen)} die")
    return int(bool(chosen) and (dead < ENOUGH * len(chosen) or wrong > 0))


_LEFT_OUT = shutil.ignore_patterns("__pycache__", ".bench", "*.pyc")

if __name__ == "__main__":
    sys.exit(main())
