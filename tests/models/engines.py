"""Real engines that evaluate an exported expression on rows of texts.

A typed engine's columns of numbers hold what of a text is a number, and NULL; the others hold the texts themselves.
"""

import contextlib
import csv
import io
import math
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gdcli.models.export import EXPORTERS
from gdcli.models.model import Model
from tests.guards import SERVERS

Rows = Sequence[Mapping[str, Any]]
Results = list[float | None]
Run = Callable[[Model, Rows], Results]

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NULL = "<null>"

needs_miller = pytest.mark.skipif(shutil.which("mlr") is None, reason="Miller (mlr) is not installed")


def as_csv(rows: Rows) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def python(model: Model, rows: Rows) -> Results:
    expression = compile(EXPORTERS["python"](model), "model", "eval")
    found = [eval(expression, {}, {"row": row}) for row in rows]
    return [None if math.isnan(value) else value for value in found]


def miller(model: Model, rows: Rows) -> Results:
    program = f'$predicted = {EXPORTERS["mlr"](model)}; $* = {{"predicted": $predicted}}'
    done = subprocess.run(
        ["mlr", "--icsv", "--ocsv", "--headerless-csv-output", "put", program],
        input=as_csv(rows).encode(), capture_output=True, check=True,
    )  # fmt: skip
    return [float(line) if line else None for line in done.stdout.decode().splitlines()]


def sqlite(model: Model, rows: Rows, language: str = "sql:sqlite") -> Results:
    """Columns of text, as its shell imports a CSV; of no type where a row holds numbers."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        _add_functions(database)
        kinds = {name: "TEXT" if isinstance(cell, str) else "" for name, cell in rows[0].items()}
        database.execute(f"CREATE TABLE t ({', '.join(f'{_quoted(name)} {kind}' for name, kind in kinds.items())})")
        marks = ", ".join("?" * len(kinds))
        database.executemany(f"INSERT INTO t VALUES ({marks})", [[row[name] for name in kinds] for row in rows])
        return [value for (value,) in database.execute(f"SELECT {EXPORTERS[language](model)} FROM t ORDER BY rowid")]


def _add_functions(database: sqlite3.Connection) -> None:
    """Give an SQLite that was built without mathematical functions those that exports use."""
    try:
        database.execute("SELECT exp(0)")
    except sqlite3.OperationalError:
        for name, count, function in (
            ("exp", 1, lambda z: math.exp(z) if z < 709.782712893384 else math.inf),
            ("ln", 1, math.log),
            ("sqrt", 1, math.sqrt),
            ("power", 2, math.pow),
            ("floor", 1, math.floor),
        ):
            database.create_function(name, count, lambda *given, f=function: None if None in given else f(*given))


def duckdb(model: Model, rows: Rows, language: str = "sql:duckdb") -> Results:
    module = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file, module.connect() as database:
        file.write(as_csv(_typed(model, rows)))
        file.flush()
        columns = ", ".join(
            f"{_literal(name)}: '{'VARCHAR' if name in model.known_texts else 'DOUBLE'}'"
            for name in ("row id", *rows[0])
        )
        table = f"read_csv('{file.name}', header=true, auto_detect=false, nullstr='{NULL}', columns={{{columns}}})"
        query = f'SELECT {EXPORTERS[language](model)} FROM {table} ORDER BY "row id"'
        return [value for (value,) in database.execute(query).fetchall()]


@contextlib.contextmanager
def postgres() -> Iterator[Callable[[str], str]]:
    """Start PostgreSQL in a temporary folder, on a Unix socket; give what runs a script of psql."""
    found = [shutil.which("initdb"), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")))]
    initdb = next((path for path in reversed(found) if path), None)
    if initdb is None or shutil.which("psql") is None:
        pytest.skip("PostgreSQL is not installed")
    # It does not run as root.
    user: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, **user)
        quiet: dict[str, Any] = {"cwd": name, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **user}
        command = [initdb, "-D", f"{name}/data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        subprocess.run(command, check=True, **quiet)
        server = [str(Path(initdb).with_name("postgres")), "-D", f"{name}/data", "-k", name, "-h", "", "-F"]

        def psql(script: str) -> str:
            command = [
                "psql",
                "-X",
                "-q",
                "-h",
                name,
                "-U",
                "tester",
                "-d",
                "postgres",
                "-v",
                "ON_ERROR_STOP=1",
                "-f",
                "-",
            ]
            return _ran(command, script)

        with _server(server, quiet, lambda: psql("SELECT 1")):
            yield psql


def postgres_run(psql: Callable[[str], str], model: Model, rows: Rows, language: str = "sql:postgres") -> Results:
    kinds = {name: "text" if name in model.known_texts else "float8" for name in ("row id", *rows[0])}
    columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in kinds.items())
    out = psql(
        f"CREATE TEMP TABLE t ({columns});\nCOPY t FROM STDIN WITH (FORMAT csv, HEADER, NULL '{NULL}');\n"
        f"{as_csv(_typed(model, rows))}\\.\n"
        f'COPY (SELECT {EXPORTERS[language](model)} FROM t ORDER BY "row id") TO STDOUT WITH (FORMAT csv);\n'
    )
    return [float(line) if line else None for line in out.splitlines()]


@contextlib.contextmanager
def mariadb() -> Iterator[Callable[[str], str]]:
    """Start MariaDB in a temporary folder, on a Unix socket; give what runs a script of its client."""
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    if found is None or shutil.which("mariadb-install-db") is None:
        pytest.skip("MariaDB is not installed")
    with tempfile.TemporaryDirectory() as name:
        quiet: dict[str, Any] = {"cwd": name, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        user = ["--user=root"] if os.geteuid() == 0 else []
        options = ["--no-defaults", f"--datadir={name}/data", "--innodb-log-file-size=4M", *user]
        subprocess.run(["mariadb-install-db", *options, "--skip-test-db"], check=True, **quiet)
        socket = f"--socket={name}/socket"
        server = [found, *options, socket, "--skip-networking", "--skip-grant-tables", f"--pid-file={name}/pid"]

        def client(script: str) -> str:
            command = ["mariadb", "--no-defaults", socket, "--batch", "--skip-column-names", "--local-infile=1"]
            return _ran([*command, "--default-character-set=utf8mb4"], script)

        with _server(server, quiet, lambda: client("CREATE DATABASE IF NOT EXISTS test")):
            yield client


def mariadb_run(client: Callable[[str], str], model: Model, rows: Rows, language: str = "sql:mysql") -> Results:
    names = ["row id", *rows[0]]
    columns = ", ".join(f"`{name.replace('`', '``')}` {'int' if name == 'row id' else 'text'}" for name in names)
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
        file.write(as_csv([{"row id": i, **row} for i, row in enumerate(rows)]))
        file.flush()
        out = client(
            f"USE test; CREATE TEMPORARY TABLE t ({columns}) CHARACTER SET utf8mb4;\n"
            f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE t CHARACTER SET utf8mb4"
            " FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' IGNORE 1 LINES;\n"
            f"SELECT {EXPORTERS[language](model)} FROM t ORDER BY `row id`;\n"
        )
    return [None if line == "NULL" else float(line) for line in out.splitlines()]


@contextlib.contextmanager
def _server(command: Sequence[str], settings: Mapping[str, Any], ready: Callable[[], object]) -> Iterator[None]:
    with subprocess.Popen(command, **settings) as server:
        SERVERS.add(server.pid)
        try:
            end = time.monotonic() + 30
            while True:
                with contextlib.suppress(EngineError):
                    ready()
                    break
                assert server.poll() is None, "the server has ended"
                assert time.monotonic() < end, "the server does not answer"
                time.sleep(0.1)
            yield
        finally:
            server.terminate()


class EngineError(Exception):
    """What an engine complains of."""


def _ran(command: Sequence[str], script: str) -> str:
    done = subprocess.run(command, input=script.encode(), capture_output=True, timeout=120)
    if done.returncode:
        raise EngineError(done.stderr.decode())
    return done.stdout.decode()


def _typed(model: Model, rows: Rows) -> list[dict[str, Any]]:
    typed = []
    for i, row in enumerate(rows):
        cells = {name: cell if name in model.known_texts else _number(str(cell)) for name, cell in row.items()}
        typed.append({"row id": i, **{name: NULL if cell is None else cell for name, cell in cells.items()}})
    return typed


def _number(cell: str) -> float | None:
    return float(cell) if NUMBER.fullmatch(cell.strip()) else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
