r"""A model as one expression of SQL, in the standard or the dialect of an engine.

Names and texts from the data appear quoted and never as code. A column that the table lacks is an error of the engine.
A row without prediction is NULL: one with a missing cell (unless the model fills it in) or an unknown level. The
standard, PostgreSQL and DuckDB refuse to multiply text; SQLite and MySQL would take it for 0, so there a cell must look
like a number. Blanks around a cell are spaces and tabs (MySQL and the standard: spaces alone): what has others
around it is NULL. A sum that overflows is an error of PostgreSQL and of MySQL.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from gdcli.base.errors import DataError
from gdcli.base.names import quoted
from gdcli.base.records import record
from gdcli.data.number_format import PLAIN_NUMBERS
from gdcli.engine.column import MISSING
from gdcli.engine.losses.contract import Link
from gdcli.models.formula import (
    absent_texts,
    expressible,
    formula,
    horner,
    inverse_link,
    missing_literals,
    number_format,
    number_pattern,
)
from gdcli.models.model import Model
from gdcli.models.written_terms import TermWriter


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


@record
class SqlDialect:
    """How an engine writes the parts of a formula. Templates have ``{0}`` for a column, or for the sum in ``links``.

    ``double`` makes a number one that divides as such; ``not_a_number`` is NaN's literal, if a column can hold it.
    ``reads_text`` tells that columns of numbers may hold text. ``same`` maps a name to its form in the engine's
    comparisons of names.
    """

    name: str
    links: Mapping[Link, str]
    column: Callable[[str], str] = _double_quoted
    text: Callable[[str], str] = _literal
    number: str = "{0}"
    double: str = "CAST({0} AS DOUBLE PRECISION)"
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
            double="{0}",
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
            double="CAST({0} AS DOUBLE)",
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
            double="CAST({0} AS float8)",
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
            double="{0}",
            # Its default comparisons do not tell upper case from lower.
            trimmed="CONVERT(TRIM({0}) USING utf8mb4) COLLATE utf8mb4_bin",
            reads_text=True,
        ),
    )
}


def as_sql(model: Model, dialect: SqlDialect = DIALECTS["sql"]) -> str:
    """A SQL expression of a model's prediction; it is NULL for a row without one."""
    link = inverse_link(model, dialect.links)
    _check_names(model, dialect)
    if dialect.reads_text and number_format(model) != PLAIN_NUMBERS:
        raise DataError(
            f"--to {dialect.name} reads texts as numbers like 1234.5, which those of the model's files are not: "
            "fit a file that writes them so"
        )
    return dialect.comment + link.format(formula(model, _writer(model, dialect)))


def _writer(model: Model, dialect: SqlDialect) -> TermWriter:
    words = [_text(word, dialect) for word in absent_texts(model)]
    absent = [_number(value) for value in missing_literals(model)]

    def value(name: str) -> str:
        return dialect.number.format(_name(name, dialect))

    def known(name: str) -> str:
        found = value(name)
        for word in absent + [dialect.not_a_number] * (model.fills and dialect.not_a_number is not None):
            found = f"NULLIF({found}, {word})"
        return found

    def gap(name: str) -> str:
        if not dialect.reads_text:
            return f"{known(name)} IS NULL"
        column = _name(name, dialect)
        found = f"{column} IS NULL OR {dialect.trimmed.format(column)} IN ({', '.join(words)})"
        return found + (f" OR {value(name)} IN ({', '.join(absent)})" if absent else "")

    def filled(names: Sequence[str], text: str, mean: str) -> str:
        if [text] == [known(name) for name in names]:
            if not dialect.reads_text:
                return f"COALESCE({text}, {mean})"
            text = value(names[0])
        return f"CASE WHEN {' OR '.join(map(gap, names))} THEN {mean} ELSE {text} END"

    def by_text(name: str, choice: Mapping[str, str], missing: str | None) -> str:
        cell, texts = dialect.trimmed.format(_name(name, dialect)), dict(choice)
        if missing is not None:
            cell = f"COALESCE({cell}, {_text(MISSING, dialect)})"
            texts |= dict.fromkeys([*absent_texts(model), MISSING], missing)
        cases = " ".join(f"WHEN {_text(level, dialect)} THEN {text}" for level, text in texts.items())
        return f"CASE {cell} {cases} END"

    def by_number(found: str, choice: Mapping[float, str]) -> str:
        return f"CASE {found} {' '.join(f'WHEN {_number(at)} THEN {text}' for at, text in choice.items())} END"

    return TermWriter(
        literal=_number,
        column=known,
        operand=lambda name: dialect.double.format(known(name)),
        call=lambda name, x: _FUNCTIONS[name].format(x),
        quotient=lambda x, y: f"({x} / NULLIF({y}, 0e0))",
        power=lambda x, y: _POWER.format(x, y),
        polynomial=lambda u, coefficients: horner(u, coefficients, _number),
        by_text=by_text,
        by_number=by_number,
        filled=filled,
    )


# Functions of expressions: NULL where they have no value, and where an engine would refuse to overflow.
_FUNCTIONS = {
    "log": "CASE WHEN {0} > 0e0 THEN LN({0}) END",
    "log2": "CASE WHEN {0} > 0e0 THEN LN({0}) / 0.6931471805599453e0 END",
    "log10": "CASE WHEN {0} > 0e0 THEN LN({0}) / 2.302585092994046e0 END",
    "log1p": "CASE WHEN {0} > -1e0 THEN LN(1e0 + {0}) END",
    "exp": f"CASE WHEN {{0}} < -7e2 THEN 0e0 WHEN {{0}} <= {_MOST} THEN EXP({{0}}) END",
    "sqrt": "CASE WHEN {0} >= 0e0 THEN SQRT({0}) END",
    "abs": "ABS({0})",
}

_POWER = (
    "CASE WHEN {0} > 0e0 OR ({0} = 0e0 AND {1} >= 0e0) OR ({0} < 0e0 AND {1} = FLOOR({1})) THEN POWER({0}, {1}) END"
)


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
