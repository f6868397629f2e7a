"""``make fuzz``: run gdfit on thousands of files × options, and say what went wrong.

    python tests/fuzz/run.py [--cases N] [--seed S] [--family NAME] [--out FOLDER]

Cases come in rounds, each a hypothesis run with a seed of its own over one family of cases after the other; what fails
is shrunk by hypothesis and written to the folder as ``N/data.csv`` with the command and the complaint beside it. The
same seed gives the same cases.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from cases import cases  # noqa: E402  # beside this file
from check import Tally, check, prepare  # noqa: E402
from exports import fuzz_exports  # noqa: E402
from streams import check_stream, prepare_streams, stream_cases  # noqa: E402


class AnyCase(Protocol):
    """What is known of a case of any family."""

    @property
    def content(self) -> bytes: ...
    @property
    def command(self) -> str: ...


class Family(NamedTuple):
    """Cases of one kind: what to write into an empty folder first, how to draw one, and how to run and check it."""

    prepare: Callable[[Path], None]
    cases: Callable[[], SearchStrategy[Any]]
    check: Callable[[Any, Tally], None]


FAMILIES = {
    "tables": Family(prepare, cases, check),
    "streams": Family(prepare_streams, stream_cases, check_stream),
}
ROUND = 500
# One more case in so many is of expressions: many rows, by two readers.
EXPORTS_SHARE = 20
# Enough to see what is wrong: most failures have one cause.
MOST_FAILURES = 10


def fuzz(
    count: int,
    first_seed: int,
    tally: Tally,
    say: Callable[[str], object] = print,
    shrink: bool = True,
    families: Sequence[str] = tuple(FAMILIES),
) -> list[tuple[AnyCase, str]]:
    """Run ``count`` cases in a folder of their own; return those that failed, shrunk, with the complaint."""
    failures: list[tuple[AnyCase, str]] = []
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for name in families:
            FAMILIES[name].prepare(Path(folder))
        for number in range(-(-count // ROUND)):
            size = min(ROUND, count - number * ROUND)
            family = FAMILIES[families[number % len(families)]]
            failed = _round(family, size, first_seed + number, tally, shrink)
            if failed is not None:
                failures.append(failed)
                say(f"seed {first_seed + number}: {failed[0].command}\n    {failed[1]}")
            if len(failures) == MOST_FAILURES:
                say("stopped: that is enough")
                break
    return failures


def _round(family: Family, size: int, number: int, tally: Tally, shrink: bool) -> tuple[AnyCase, str] | None:
    last: list[tuple[AnyCase, str]] = []

    @seed(number)
    @settings(
        max_examples=size,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
    )
    @given(family.cases())
    def one(case: AnyCase) -> None:
        try:
            family.check(case, tally)
        except Exception as error:
            last.append((case, f"{type(error).__name__}: {error}"))  # the last one is the smallest
            raise

    try:
        one()
    except Exception:  # hypothesis's own too, where a case fails only now and then
        if not last:
            raise
        return last[-1]
    return None


def _write(folder: Path, failures: list[tuple[AnyCase, str]]) -> None:
    for number, (case, complaint) in enumerate(failures, 1):
        place = folder / str(number)
        place.mkdir(parents=True, exist_ok=True)
        (place / "data.csv").write_bytes(case.content)
        (place / "command.txt").write_text(f"{case.command}\n\n{complaint}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run gdfit on thousands of files and options.")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--family", choices=FAMILIES, help="one kind of cases alone")
    parser.add_argument("--out", type=Path, default=Path(".fuzz"), help="where failing cases are written")
    options = parser.parse_args()
    folder = options.out.absolute()
    os.environ["COLUMNS"] = "80"
    tally = Tally()
    families = (options.family,) if options.family else tuple(FAMILIES)
    failures = fuzz(options.cases, options.seed, tally, families=families)
    if not options.family:
        failures += fuzz_exports(options.cases // EXPORTS_SHARE, options.seed)
    _write(folder, failures)
    print(f"{tally.cases:,} cases, {tally.processes} of them also as a process of their own")
    print("exit codes: " + ", ".join(f"{code}: {count:,}" for code, count in sorted(tally.codes.items())))
    for what, count in tally.compared.most_common():
        print(f"{count:7,}  {what}")
    print(f"{len(failures)} failed" + (f": see {folder}" if failures else ""))
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
