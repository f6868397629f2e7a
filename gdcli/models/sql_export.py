r"""A model as one expression of SQL, in the standard or the dialect of an engine.

Names and texts from the data appear quoted and never as code. A column that the table lacks is an error of the engine.
A row without prediction is NULL: one with a missing cell (unless the model fills it in) or an unknown level. The
standard, PostgreSQL and DuckDB refuse to multiply text; SQLite and MySQL would take it for 0, so there a cell must look
like a number. Blanks around a cell are spaces and tabs (MySQL and the standard: spaces alone): what has others
around it is NULL. A sum that overflows is an error of PostgreSQL and of MySQL.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.data.number_format import PLAIN_NUMBERS
from gdcli.engine.column import MISSING
from gdcli.engine.losses.contract import Link
from gdcli.models.formula import (
    Parts,
    absent_texts,
    expressible,
    formula,
    inverse_link,
    missing_literals,
    number_format,
    number_pattern,
)
from gdcli.models.model import Model


def _double_quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _backquoted(name: str) -> str:
    # SQLite takes "x" for a text if the table has no column x, MySQL always.
    return "`" + name.replace("`", "``") + "`"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _mysql_literal(text: str) -> str:
    # Whether a backslash means itself is a setting of the server.
    return f"_utf8mb4 x'{text.encode().hex()}'" if "\\" in text else _literal(text)


@dataclass(frozen=True, slots=True)
class SqlDialect:
    """How an engine writes the parts of a formula. Templates have ``{0}`` for a column, or for the sum in ``links``.

    ``not_a_number`` is NaN's literal, if a column can hold it. ``reads_text`` tells that columns of numbers may hold
    text. ``same`` maps a name to its form in the engine's comparisons of names.
    """

    name: str
    links: Mapping[Link, str]
    column: Callable[[str], str] = _double_quoted
    text: Callable[[str], str] = _literal
    number: str = "{0}"
    trimmed: str = "TRIM({0})"
    not_a_number: str | None = None
    reads_text: bool = False
    same: Callable[[str], object] = str.lower
    comment: str = ""


def _links(identity: str, logit: str, log: str) -> dict[Link, str]:
    return {Link.IDENTITY: identity, Link.LOGIT: logit, Link.LOG: log}


# The largest z whose exp(z) is a double.
_MOST = "709.782712893384e0"

_LOGISTIC = "1e0 / (1e0 + EXP(-({0})))"

_SQLITE_FINITE = "NULLIF(NULLIF({0}, 9e999), -9e999)"

_DUCKDB_FINITE = "NULLIF(NULLIF(NULLIF({0}, CAST('inf' AS DOUBLE)), CAST('-inf' AS DOUBLE)), CAST('nan' AS DOUBLE))"

# A decimal literal is exact in PostgreSQL, so that the sum of whole numbers is no double yet.
_POSTGRES_FINITE = (
    "NULLIF(NULLIF(NULLIF(CAST({0} AS float8), CAST('inf' AS float8)), CAST('-inf' AS float8)), CAST('nan' AS float8))"
)

# A text of a larger number becomes the largest double in MySQL.
_MYSQL_NUMBER = (
    f"NULLIF(NULLIF(CASE WHEN {{0}} REGEXP '^ *{number_pattern(PLAIN_NUMBERS)} *$' THEN {{0}} + 0e0 END,"
    " 1.7976931348623157e308), -1.7976931348623157e308)"
)

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        SqlDialect(
            "sql",
            _links("{0}", _LOGISTIC, "EXP({0})"),
            same=str,
            comment='/* standard SQL; SQLite and MySQL take "x" for a text: --to sql:sqlite, sql:mysql */ ',
        ),
        SqlDialect(
            "sql:sqlite",
            _links(
                _SQLITE_FINITE,
                _LOGISTIC.replace("{0}", _SQLITE_FINITE),
                _SQLITE_FINITE.replace("{0}", f"EXP({_SQLITE_FINITE})"),
            ),
            column=_backquoted,
            number="CASE WHEN CAST({0} AS NUMERIC) = {0} THEN CAST({0} AS REAL) END",
            trimmed="TRIM({0}, char(9, 32))",
            reads_text=True,
        ),
        SqlDialect(
            "sql:duckdb",
            _links(
                _DUCKDB_FINITE,
                _LOGISTIC.replace("{0}", _DUCKDB_FINITE),
                _DUCKDB_FINITE.replace("{0}", f"EXP({_DUCKDB_FINITE})"),
            ),
            trimmed="TRIM({0}, chr(9) || ' ')",
            not_a_number="CAST('nan' AS DOUBLE)",
        ),
        SqlDialect(
            "sql:postgres",
            _links(
                _POSTGRES_FINITE,
                # EXP refuses to overflow and to underflow there.
                f"(SELECT CASE WHEN z < -7e2 THEN 0e0 WHEN z > 7e2 THEN 1e0 ELSE {_LOGISTIC.format('z')} END"
                f" FROM (SELECT {_POSTGRES_FINITE} AS z) AS s)",
                f"(SELECT CASE WHEN z < -7e2 THEN 0e0 WHEN z <= {_MOST} THEN EXP(z) END"
                f" FROM (SELECT {_POSTGRES_FINITE} AS z) AS s)",
            ),
            trimmed="BTRIM({0}, chr(9) || ' ')",
            not_a_number="CAST('nan' AS float8)",
            same=lambda name: name.encode()[:63],
        ),
        SqlDialect(
            "sql:mysql",
            _links(
                "{0}",
                "1e0 / (1e0 + EXP(LEAST(-({0}), 7e2)))",
                f"EXP(NULLIF(LEAST({{0}}, {_MOST}), {_MOST}))",
            ),
            column=_backquoted,
            text=_mysql_literal,
            number=_MYSQL_NUMBER,
            # Its default comparisons do not tell upper case from lower.
            trimmed="CONVERT(TRIM({0}) USING utf8mb4) COLLATE utf8mb4_bin",
            reads_text=True,
        ),
    )
}


def as_sql(model: Model, dialect: SqlDialect = DIALECTS["sql"]) -> str:
    """A SQL expression; NULL where ``predict`` has no prediction."""
    link = inverse_link(model, dialect.links)
    _check_names(model, dialect)
    if dialect.reads_text and number_format(model) != PLAIN_NUMBERS:
        raise DataError(
            f"--to {dialect.name} reads texts as numbers like 1234.5, which those of the model's files are not: "
            "fit a file that writes them so"
        )
    return dialect.comment + link.format(formula(model, Parts(_number, *_columns(model, dialect))))


def _columns(
    model: Model, dialect: SqlDialect
) -> tuple[Callable[[str], str], Callable[[str, Mapping[str, float]], str]]:
    """How a column of numbers and one of text are written."""
    words = [_text(word, dialect) for word in absent_texts(model)]
    absent = [_number(value) for value in missing_literals(model)]

    def number(name: str) -> str:
        column = _name(name, dialect)
        value = dialect.number.format(column)
        if model.fills and dialect.reads_text:
            gap = f"{column} IS NULL OR {dialect.trimmed.format(column)} IN ({', '.join(words)})"
            gap += f" OR {value} IN ({', '.join(absent)})" if absent else ""
            return f"CASE WHEN {gap} THEN {_number(model.state.means[name])} ELSE {value} END"
        for word in absent + [dialect.not_a_number] * (model.fills and dialect.not_a_number is not None):
            value = f"NULLIF({value}, {word})"
        return f"COALESCE({value}, {_number(model.state.means[name])})" if model.fills else value

    def text(name: str, by_level: Mapping[str, float]) -> str:
        cell, values = dialect.trimmed.format(_name(name, dialect)), dict(by_level)
        if model.fills_text(name):
            cell = f"COALESCE({cell}, {_text(MISSING, dialect)})"
            values |= dict.fromkeys(absent_texts(model), by_level[MISSING])
        cases = " ".join(f"WHEN {_text(level, dialect)} THEN {_number(value)}" for level, value in values.items())
        return f"CASE {cell} {cases} END"

    return number, text


def _check_names(model: Model, dialect: SqlDialect) -> None:
    """Raise DataError if the engine takes two columns for one."""
    count = Counter(map(dialect.same, model.columns))
    clashing = [quoted(name) for name in model.columns if count[dialect.same(name)] > 1]
    if clashing:
        raise DataError(f"--to {dialect.name} cannot tell the columns {' and '.join(clashing[:2])} apart: rename one")


def _number(value: float) -> str:
    # With an exponent it is a double in most dialects.
    text = repr(value)
    return text if "e" in text else f"{text}e0"


def _name(name: str, dialect: SqlDialect) -> str:
    return dialect.column(expressible(name, "\x00", "SQL"))


def _text(text: str, dialect: SqlDialect) -> str:
    return dialect.text(expressible(text, "\x00", "SQL"))
