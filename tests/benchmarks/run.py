"""Measure gdfit against its rivals and against what was promised: `make bench`.

Whole processes are timed, one after another and in turn (A B C, A B C, …), each at least five times; a figure
is the median of its runs (of peak memory, the highest). Before that every command runs once, so that files and
libraries are in the page cache for all of them, and the coefficients of the rivals are compared with gdfit's.
A command that fails, or a rival that disagrees, is not timed but reported, and the exit status is 1. A missed
aim is shown, but is no failure.

`--json FILE` writes the figures; `--against FILE` compares them with those of another commit, on the same machine.

The tables are in tables.py, the data come from data.py, and the rivals run in an environment of their own, made
on demand in .bench/venv with gdfit's versions of Python, NumPy and pandas.
"""

import argparse
import json
import math
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from imports import AIMS, Imports, imports_of_commands, imports_table
from tables import MILLION, Agreement, Command, Row, Table, tables

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BENCH = ROOT / ".bench"
RIVALS_PYTHON = BENCH / "venv/bin/python"
RIVALS_NEED = [f"numpy=={version('numpy')}", f"pandas=={version('pandas')}", "scikit-learn"]

# Variables that would change how Python or gdfit behaves, here only.
PRIVATE = ("GDFIT_", "PYTHON")
LONGEST_COMMAND = 90  # shown whole; the longest are a sweep's, with fifty rates
UNITS = {"megabytes": " MB", "milliseconds": " ms"}  # those of aims; all others are seconds
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # in bytes, see getrusage(2)


class CommandError(Exception):
    """A command cannot be measured; the message says why."""


@dataclass(frozen=True)
class Run:
    """One finished process."""

    seconds: float
    processor: float  # seconds, user and system
    megabytes: float  # peak resident memory
    stdout: str


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---- what the commands need


def make_rivals_environment() -> None:
    """.bench/venv: this Python, NumPy and pandas, and the rivals. Made anew when one of those versions changes."""
    stamp = BENCH / "venv/.ready"
    contents = "\n".join([sys.base_prefix, sys.version, *RIVALS_NEED])
    if stamp.exists() and stamp.read_text() == contents:
        return
    say(f"making the rivals' environment in {stamp.parent}")
    pip = [str(RIVALS_PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", "--clear", str(stamp.parent)], [*pip, "install", *RIVALS_NEED]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{shlex.join(command)}\n{done.stdout}{done.stderr}")
    stamp.write_text(contents)


def compile_gdfit() -> None:
    """gdfit's bytecode, as installing it makes it: with PYTHONDONTWRITEBYTECODE set each run would compile it anew."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", "gdcli"], cwd=HERE.parent.parent, check=True)


def make_file(name: str) -> None:
    """Data of that name in .bench/, unless they are there and younger than the script that makes them."""
    path, script = BENCH / name, HERE / "data.py"
    if path.exists() and path.stat().st_mtime > script.stat().st_mtime:
        return
    say(f"making {path}")
    subprocess.run([RIVALS_PYTHON, script, path], check=True)


# ---- running


def argv(command: str, gdfit: str) -> list[str]:
    program, *arguments = shlex.split(command)
    if program.startswith("rivals/"):
        return [str(RIVALS_PYTHON), str(HERE / program), *arguments]
    return [{"gdfit": gdfit, "python": sys.executable}[program], *arguments]


def run(command: str, gdfit: str) -> Run:
    """Run a command to its end; CommandError if it cannot be started or its exit status is not 0.

    Its output goes to files: a pipe would need a reader at its other end. (And this process must stay small:
    Linux counts the parent's memory as the child's until the child's program is loaded.)
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        words, nothing = argv(command, gdfit), subprocess.DEVNULL
        start = time.perf_counter()
        try:
            process = subprocess.Popen(words, cwd=ROOT, env=environment, stdin=nothing, stdout=out, stderr=err)
        except OSError as error:
            raise CommandError(f"cannot be started: {error}") from None
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            last_lines = " / ".join(err.read().strip().splitlines()[-2:])
            raise CommandError(f"exit status {process.returncode}: {last_lines or 'nothing on stderr'}")
        output = out.read()
    if command.startswith("rivals/") and "calculated_seconds" in output:
        seconds += json.loads(output)["calculated_seconds"]
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_UNIT / 1e6, output)


def prepare(table: Table, gdfit: str) -> None:
    """Make the table's data, and run what its commands need to have run once."""
    for name in table.files:
        make_file(name)
    for command in table.preparations:
        try:
            run(command, gdfit)
        except CommandError as error:
            sys.exit(f"{command}: {error}")


def commands(table: Table) -> list[str]:
    """Each command of the table once, in order."""
    sides = [side for row in table.rows for side in (row.command, row.against) if side]
    return list(dict.fromkeys(each for side in sides for each in ((side,) if isinstance(side, str) else sorted(side))))


def needs_rivals(table: Table) -> bool:
    """Whether the rivals' environment is needed: to run one, or to make the data."""
    return bool(table.files) or any(command.startswith("rivals/") for command in commands(table))


class Measurement:
    """The runs of one table's commands. `failures` says for each command that was not measured why."""

    def __init__(self, table: Table, gdfit: str) -> None:
        self.table = table
        self.gdfit = gdfit
        self.runs: dict[str, list[Run]] = {command: [] for command in commands(table)}
        self.failures: dict[str, str] = {}
        self.checks: list[str] = []

    def attempt(self, command: str) -> Run | None:
        try:
            return run(command, self.gdfit)
        except CommandError as error:
            self.failures[command] = str(error)
            return None

    def check(self) -> None:
        """Run everything once; a rival that disagrees with gdfit becomes a failure."""
        fits = {agreement: f"{agreement.fit} --format json" for agreement in self.table.agreements}
        needed = [*self.runs, *(agreement.rival for agreement in fits), *fits.values()]
        outputs = {command: self.attempt(command) for command in dict.fromkeys(needed)}
        for agreement, fit in fits.items():
            rival, gdfit = outputs[agreement.rival], outputs[fit]
            claim = f"`{agreement.rival}` with gdfit's {agreement.column} of m and c{agreement.remark}"
            if not rival or not gdfit:
                self.checks.append(f"{claim}: NOT CHECKED, one of the two failed")
                continue
            try:
                difference, term = largest_difference(agreement, rival.stdout, gdfit.stdout)
            except CommandError as error:
                self.failures[agreement.rival] = str(error)
                continue
            found = f"{claim}: largest difference {difference:.1e}, of {term} (asked: {agreement.within:.0e})"
            if difference <= agreement.within:
                self.checks.append(found)
            else:
                self.failures[agreement.rival] = f"DISAGREES, {found}"

    def measure(self, times: int) -> None:
        for _ in range(times):
            for command, runs in self.runs.items():
                if command not in self.failures and (finished := self.attempt(command)):
                    runs.append(finished)

    def figure(self, command: Command, of: str) -> float | None:
        """Median seconds or highest megabytes; of a pair, the first's less the second's; of a set, the largest. None:
        not measured.
        """
        if not isinstance(command, str):
            figures = [figure for each in command if (figure := self.figure(each, of)) is not None]
            if len(figures) < len(command):
                return None
            return max(figures) if isinstance(command, frozenset) else figures[0] - figures[1]
        if command in self.failures:
            return None
        runs = self.runs[command]
        if of == "megabytes":
            return max(each.megabytes for each in runs)
        return statistics.median(getattr(each, of) for each in runs)


def largest_difference(agreement: Agreement, rival: str, fit: str) -> tuple[float, str]:
    """The largest relative difference between the coefficients in two JSON texts, and which it is."""
    try:
        theirs, ours = json.loads(rival), json.loads(fit)
        rivals = {"intercept": theirs["intercept"], **theirs["coefficients"]}
        gdfits = {"intercept": ours["intercept"][agreement.column]}
        gdfits |= {each["term"]: each[agreement.column] for each in ours["coefficients"]}
        if rivals.keys() != gdfits.keys():
            raise CommandError(f"has coefficients of {', '.join(rivals)}; gdfit of {', '.join(gdfits)}")
        if not all(map(math.isfinite, [*rivals.values(), *gdfits.values()])):
            raise CommandError(f"not all coefficients are finite: {rivals}; gdfit: {gdfits}")
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(f"the coefficients cannot be compared with gdfit's: {error!r}") from None
    return max((abs(rivals[term] - value) / abs(value or 1.0), term) for term, value in gdfits.items())


# ---- printing, as Markdown that reads well as it is


def quantity(value: float | None, of: str) -> str:
    if value is None:
        return "–"
    if of == "megabytes":
        return f"{value:.0f} MB"
    if of == "milliseconds":
        return f"{value:.1f} ms"
    return f"{value:.3f} s" if value < 1 else f"{value:.2f} s"


def shown(command: str) -> str:
    """The command as the report writes it: of a long one, its two ends."""
    return f"`{command}`" if len(command) <= LONGEST_COMMAND else f"`{command[:60]} … {command[-20:]}`"


@dataclass(frozen=True)
class Result:
    """A row of a table, measured: ``value`` is what is held to the aim, the ratio if there is one."""

    what: str
    figure: float | None
    against: float | None
    processor: float | None
    value: float | None
    at_most: float | None
    of: str

    @property
    def met(self) -> str:
        if self.value is None:
            return "FAILED"
        return "–" if self.at_most is None else "yes" if self.value <= self.at_most else "NO"

    def cells(self) -> list[str]:
        """What, gdfit's figure, its processor seconds, the other's figure, their ratio, the aim, whether it is met."""
        compared = self.against is not None
        unit = " ×" if compared else UNITS.get(self.of, " s")
        ratio = f"{self.value:.3g} ×" if compared and self.value is not None else "–"
        aim = "–" if self.at_most is None else f"≤ {self.at_most:.3g}{unit}"
        figures = [quantity(self.figure, self.of), quantity(self.processor, "processor")]
        return [self.what, *figures, quantity(self.against, self.of), ratio, aim, self.met]


def result_of(row: Row, measurement: Measurement) -> Result:
    figure = measurement.figure(row.command, row.of)
    against = None if row.against is None else measurement.figure(row.against, row.of)
    value = figure
    if row.against is not None:
        value = None if figure is None or against is None else figure / against
    processor = measurement.figure(row.command, "processor")
    return Result(row.what, figure, against, processor, value, row.at_most, row.of)


def results_of_imports(found: dict[str, Imports]) -> list[Result]:
    """The milliseconds of gdfit's own modules, a row for each command."""
    own = {name: one.times["gdcli"] for name, one in found.items()}
    return [
        Result(f"gdfit {name}", time, None, None, time, AIMS.get(name), "milliseconds") for name, time in own.items()
    ]


HEADER = ["what", "gdfit", "processor", "against", "ratio", "aim", "met"]


def summary(results: dict[str, list[Result]], before: dict[str, dict[str, float]]) -> str:
    """All rows in one table; with the figures of another commit, beside each its ratio to that."""
    header = [*HEADER, "to before"] if before else HEADER
    rows = []
    for title, found in results.items():
        rows.append([f"**{title}**", *[""] * (len(header) - 1)])
        for one in found:
            old = before.get(title, {}).get(one.what)
            ratio = f"{one.value / old:.3g} ×" if old and one.value is not None else "–"
            rows.append([*one.cells(), ratio] if before else one.cells())
    return markdown(header, rows) + "\n"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A table with its first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    aligns = ["<", *(">" for _ in widths[1:])]
    rule = [
        "-" * width if align == "<" else "-" * (width - 1) + ":" for align, width in zip(aligns, widths, strict=True)
    ]
    lines = ([f"{c:{a}{w}}" for c, a, w in zip(line, aligns, widths, strict=True)] for line in (header, rule, *rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def report(measurement: Measurement) -> str:
    """The runs of each command, what agreed, what failed."""
    runs = []
    for command, finished in measurement.runs.items():
        seconds = sorted(each.seconds for each in finished)
        low_to_high = "FAILED" if command in measurement.failures else f"{seconds[0]:.3g} – {seconds[-1]:.3g} s"
        median, processor, memory = (
            quantity(measurement.figure(command, of), of) for of in ("seconds", "processor", "megabytes")
        )
        runs.append([shown(command), str(len(finished)), median, low_to_high, processor, memory])
    parts = [
        f"### {measurement.table.title}",
        markdown(["command", "runs", "median", "range", "processor", "peak memory"], runs),
    ]
    if measurement.checks:
        parts.append("Agreement:\n\n" + "\n".join(f"- {check}" for check in measurement.checks))
    if measurement.failures:
        reasons = [f"- `{command}`: {reason}" for command, reason in measurement.failures.items()]
        parts.append("FAILED:\n\n" + "\n".join(reasons))
    return "\n\n".join(parts) + "\n"


def versions(python: str | Path, *modules: str) -> dict[str, str]:
    """The versions of Python and of these modules, by name."""
    code = (
        "import json, platform, sys; from importlib.metadata import version;"
        "print(json.dumps({'Python': platform.python_version(), **{name: version(name) for name in sys.argv[1:]}}))"
    )
    done = subprocess.run([python, "-c", code, *modules], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def facts(gdfit: str, with_rivals: bool) -> str:
    """The machine and the versions. Those that gdfit and the rivals have in common must be the same."""
    known = ours = versions(sys.executable, "numpy", "pandas")
    if with_rivals:
        known = versions(RIVALS_PYTHON, "numpy", "pandas", "scikit-learn")
    if not ours.items() <= known.items():
        sys.exit(f"gdfit runs on {ours}, the rivals on {known}")
    try:
        program = run("gdfit --version", gdfit).stdout.strip()
    except CommandError as error:
        program = f"gdfit --version: {error}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    machine = f"{platform.system()} {platform.machine()}, {cores} cores, {gigabytes:.0f} GB"
    names = ", ".join(f"{name} {number}" for name, number in known.items())
    return f"{machine}, load {os.getloadavg()[0]:.1f} at the start. {program}. {names}.\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure gdfit against its rivals.")
    names = ", ".join(tables(MILLION))
    parser.add_argument("table", nargs="*", help=f"{names}; without a name, those that need no large file")
    parser.add_argument(
        "--rows",
        type=int,
        default=int(os.environ.get("ROWS", MILLION)),
        help="rows of data; more than 1,000,000 are for the table 'large', which is then measured, too",
    )
    parser.add_argument("--runs", type=int, help="runs of each command, in place of each table's own number")
    parser.add_argument("--gdfit", default=f"{sys.prefix}/bin/gdfit", help="the program to measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with the figures in such a file")
    options = parser.parse_args()

    known = tables(options.rows)
    if unknown := [name for name in options.table if name not in known and name != "imports"]:
        parser.error(f"no table {', '.join(unknown)}; there are {names}, imports")
    if options.rows < 2 or (options.runs is not None and options.runs < 1):
        parser.error("at least two rows, and at least one run")
    chosen = [known[name] for name in options.table if name in known]
    chosen = chosen or [] if options.table else [table for table in known.values() if table.default]

    BENCH.mkdir(exist_ok=True)
    with_rivals = any(needs_rivals(table) for table in chosen)
    if with_rivals:
        make_rivals_environment()
    compile_gdfit()
    about = facts(options.gdfit, with_rivals)
    print(about, flush=True)
    results: dict[str, list[Result]] = {}
    failed = False
    for table in chosen:
        prepare(table, options.gdfit)
        measurement = Measurement(table, options.gdfit)
        say(f"{table.title}: checking")
        measurement.check()
        times = options.runs or table.runs
        say(f"{table.title}: measuring {len(measurement.runs)} commands, {times} times")
        measurement.measure(times)
        print(report(measurement), flush=True)
        results[table.title] = [result_of(row, measurement) for row in table.rows]
        failed = failed or bool(measurement.failures)
    if not options.table or "imports" in options.table:
        imports = imports_of_commands(ROOT)
        print(imports_table(imports), flush=True)
        results["Importing gdfit's own modules"] = results_of_imports(imports)
    before = json.loads(options.against.read_text())["tables"] if options.against else {}
    print(summary(results, {title: {one["what"]: one["value"] for one in rows} for title, rows in before.items()}))
    if options.json:
        rows = {title: [asdict(one) for one in found] for title, found in results.items()}
        options.json.write_text(json.dumps({"about": about, "tables": rows}, indent=1) + "\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
