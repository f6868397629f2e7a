"""What is measured, and what was promised: one entry per table.

A command is written as one would type it in the project's root. Its first word says who runs it: `gdfit`,
`python` (gdfit's own) or `rivals/….py` (the Python of the rivals' environment). A pair of commands stands for
what the first costs more than the second: the figure of the one less that of the other. A set stands for the one that
costs most.
"""

from dataclasses import dataclass
from typing import Literal

Command = str | tuple[str, str] | frozenset[str]

MILLION = 1_000_000


@dataclass(frozen=True)
class Row:
    """The ratio of `command` to `against` is at most `at_most`. Without `against`, the figure itself is."""

    what: str
    command: Command
    against: Command | None = None
    at_most: float | None = None
    of: Literal["seconds", "processor", "megabytes"] = "seconds"


@dataclass(frozen=True)
class Agreement:
    """The rival's coefficients are those of `fit`: its last iteration ("value") or least squares ("optimum")."""

    rival: str
    fit: str
    column: Literal["value", "optimum"]
    within: float = 1e-6  # relative, of each coefficient
    remark: str = ""


@dataclass(frozen=True)
class Table:
    title: str
    rows: list[Row]
    agreements: tuple[Agreement, ...] = ()  # checked before anything is timed
    files: tuple[str, ...] = ()  # what data.py makes in .bench/
    preparations: tuple[str, ...] = ()  # commands that run once, before everything else
    runs: int = 5
    default: bool = True  # measured also when no table is named


def tables(rows: int) -> dict[str, Table]:
    """The tables by name. `rows` above a million are those of the large file, which is then measured, too."""
    large_rows = rows if rows > MILLION else 10 * MILLION
    return {
        "fit": fit_table(min(rows, MILLION)),
        "large": large_table(min(rows, MILLION), large_rows, default=rows > MILLION),
        "wide": wide_table(),
        "groups": groups_table(min(rows, MILLION)),
        "start": start_table(),
        "sweep": sweep_table(min(rows, MILLION)),
        "models": models_table(min(rows, MILLION)),
        "rows": rows_table(min(rows, MILLION)),
    }


def fit_table(rows: int) -> Table:
    houses = f".bench/houses-{rows}.csv"
    fit = f"gdfit {houses} --target price -n 1000"
    fit_packed = f"gdfit .bench/houses-{rows}.csv.gz --target price -n 1000"
    fit_longer = f"gdfit {houses} --target price -n 101000"
    fit_beds = f"gdfit {houses} --target price -x beds --scale none -n"
    numpy_loop = f"rivals/numpy_loop.py {houses}"
    sgd = f"rivals/sgd_regressor.py {houses}"
    sgd_scaled = f"rivals/sgd_regressor.py {houses} scale-target"
    least_squares = f"rivals/linear_regression.py {houses}"
    article = f"rivals/article.py {houses} beds"
    loosely = " (stochastic, so only loosely)"
    unpack = f"rivals/unpack.py .bench/houses-{rows}.csv.gz"
    return Table(
        f"The fit of {rows:,} rows × 10 features",
        [
            Row("whole fit, against pandas.read_csv alone", fit, f"rivals/read_csv.py {houses}", 1.1),
            Row("processor seconds, against the same", fit, f"rivals/read_csv.py {houses}", of="processor"),
            Row("in one thread, against the same", f"{fit} --jobs 1", f"rivals/read_csv.py {houses}"),
            Row(
                "of a .gz, against the slower of unpacking and the plain fit",
                f"{fit_packed}",
                frozenset({fit, unpack}),
                1.15,
            ),
            Row("against pandas + NumPy loop", fit, numpy_loop, 1 / 6),
            Row("against pandas + StandardScaler + SGDRegressor", fit, sgd, 1 / 8),
            Row("the same, with its target scaled, too", fit, sgd_scaled),
            Row("against pandas + LinearRegression", fit, least_squares, 1 / 2),
            Row("one feature, against the article (by 3 of its 1000 iterations)", f"{fit_beds} 1000", article),
            Row("100,000 iterations more", (fit_longer, fit), at_most=1.0),
            Row("peak memory", fit, at_most=270, of="megabytes"),
        ],
        agreements=(
            Agreement(least_squares, fit, "optimum"),
            Agreement(numpy_loop, fit, "value"),
            Agreement(article, f"{fit_beds} 3", "value", remark=" after 3 iterations"),
            Agreement(sgd, fit, "optimum", 0.1, loosely),
            Agreement(sgd_scaled, fit, "optimum", 0.1, loosely),
        ),
        files=(f"houses-{rows}.csv", f"houses-{rows}.csv.gz"),
    )


def large_table(rows: int, large_rows: int, default: bool) -> Table:
    houses, large = f".bench/houses-{rows}.csv", f".bench/houses-{large_rows}.csv"
    fit, fit_large = (f"gdfit {file} --target price -n 1000" for file in (houses, large))
    return Table(
        f"The fit of {large_rows:,} rows × 10 features",
        [
            Row("whole fit, against pandas.read_csv alone", fit_large, f"rivals/read_csv.py {large}", 0.75),
            Row("processor seconds, against the same", fit_large, f"rivals/read_csv.py {large}", 0.8, of="processor"),
            Row(f"peak memory, against {rows:,} rows", fit_large, fit, 1.03, of="megabytes"),
        ],
        agreements=(Agreement(f"rivals/linear_regression.py {large}", fit_large, "optimum"),),
        files=(f"houses-{rows}.csv", f"houses-{large_rows}.csv"),
        default=default,
    )


def wide_table() -> Table:
    wide = ".bench/wide-20000.csv"
    fit = f"gdfit {wide} --target y --format csv"
    small = "gdfit sample_data/housing.csv --target price --format csv"
    least_squares = f"rivals/least_squares.py {wide}"
    return Table(
        "The fit of 20,000 rows × 2,000 features",
        [
            Row("whole fit, against pandas.read_csv + numpy.linalg.lstsq", fit, least_squares, 1.3),
            # A triangle of 2,002 columns is 32 MB.
            Row("peak memory above that of a small fit", (fit, small), at_most=400, of="megabytes"),
        ],
        agreements=(Agreement(least_squares, f"gdfit {wide} --target y", "optimum"),),
        files=("wide-20000.csv",),
        runs=3,
        default=False,
    )


def groups_table(rows: int) -> Table:
    districts = f".bench/districts-{rows}.csv"
    fit = f"gdfit {districts} --target price -n 1000"
    each, plain = f"{fit} --by district --format csv -o /dev/null", f"{fit} --exclude district -o /dev/null"
    many = f"gdfit .bench/parishes-{rows}.csv --target price -n 1000 --by parish --format csv -o /dev/null"
    return Table(
        f"A fit in each of many groups of {rows:,} rows × 10 features",
        [
            Row("in each of 10,000 groups, against one fit of all rows", each, plain, 2.5),
            Row("each group's best rate, against the same", f"{each} --lr auto", plain),
            Row("peak memory", each, of="megabytes"),
            Row("in each of 100,000 groups, against the same", many, plain, 6.0),
            Row("peak memory", many, of="megabytes"),
        ],
        files=(f"districts-{rows}.csv", f"parishes-{rows}.csv"),
    )


def start_table() -> Table:
    fit = "gdfit sample_data/housing.csv --target price"
    import_click = 'python -c "import click"'
    import_libraries = 'python -c "import click, rich.table, numpy"'
    summary = ".bench/housing.summary.json"
    return Table(
        "Starting up",
        [
            Row("gdfit --help, against importing Click", "gdfit --help", import_click, 1.5),
            Row("fit of 932 rows, against that from their summary", fit, f"gdfit {summary} --target price", 1.25),
            Row("the same, against importing Click, Rich, NumPy", fit, import_libraries),
            Row("its processor seconds, against the same", fit, import_libraries, of="processor"),
        ],
        preparations=(f"gdfit summarize sample_data/housing.csv -q -o {summary}",),
        runs=20,
    )


def sweep_table(rows: int) -> Table:
    houses = f".bench/houses-{rows}.csv"
    fit = f"gdfit {houses} --target price -n 1000"
    rates = " ".join(f"--lr {k / 100:g}" for k in range(1, 51))  # some of them are unstable, as in a user's sweep
    return Table(
        f"A sweep over {rows:,} rows × 10 features",
        [Row("50 rates, against one fit", f"gdfit sweep {houses} --target price -n 1000 {rates}", fit, 1.1)],
        files=(f"houses-{rows}.csv",),
    )


def models_table(rows: int) -> Table:
    houses, model = f".bench/houses-{rows}.csv", ".bench/houses.json"
    fit = f"gdfit {houses} --target price -n 1000"
    return Table(
        f"Models and folds, {rows:,} rows × 10 features",
        [
            Row(
                "predict, against pandas.read_csv + to_csv",
                f"gdfit predict {model} {houses} -o .bench/predicted.csv",
                f"rivals/read_and_write.py {houses} .bench/copied.csv",
                1.0,
            ),
            Row("--cv 5, against the plain fit", f"{fit} --cv 5", fit, 1.5),
        ],
        files=(f"houses-{rows}.csv",),
        preparations=(f"{fit} -q --save {model}",),
    )


def rows_table(rows: int) -> Table:
    sales = f".bench/sales-{rows}.csv"
    logistic = f"gdfit {sales} --target sold --exclude price --loss logistic"
    descent, longer = f"{logistic} --lr 0.5 -n 100", f"{logistic} --lr 0.5 -n 500"
    newton = f"{logistic} --optimizer newton --tol 1e-8"
    loop = f"rivals/logistic_loop.py {sales}"
    lbfgs = f"rivals/logistic_regression.py {sales}"
    limited = f"{descent} --memory 50M"
    batches = f"gdfit {sales} --target price --exclude sold --batch-size 64 --epochs"
    sgd = f"rivals/sgd_epochs.py {sales}"
    return Table(
        f"Fits that need the rows, {rows:,} rows × 10 features",
        [
            Row(
                "400 logistic iterations, against a NumPy loop", (longer, descent), (f"{loop} 500", f"{loop} 100"), 1.25
            ),
            Row("logistic by Newton's method, against pandas + LogisticRegression", newton, lbfgs, 0.5),
            Row("100 iterations with --memory 50M, against in memory", limited, descent, 2.0),
            Row(
                "peak memory of that, above importing pandas",
                (limited, 'python -c "import pandas"'),
                at_most=150,
                of="megabytes",
            ),
            Row(
                "20 epochs of batches of 64, against SGDRegressor (batches of 1, compiled)",
                (f"{batches} 21", f"{batches} 1"),
                (f"{sgd} 21", f"{sgd} 1"),
                1.5,
            ),
        ],
        agreements=(
            Agreement(f"{loop} 100", descent, "value"),
            Agreement(lbfgs, newton, "optimum"),
            Agreement(f"{sgd} 21", f"{batches} 21", "optimum", 0.1, " (stochastic, so only loosely)"),
        ),
        files=(f"sales-{rows}.csv",),
    )
