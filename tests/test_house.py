"""The house stands: floors, circles, sizes and names, read from the code itself."""

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.house import MODULES, PACKAGE, ROOT, arrows, circles, dotted, imports

# From the ground up: each package with the foreign packages that it may import, and those that it may when used.
FLOORS: dict[str, tuple[set[str], set[str]]] = {
    "base": (set(), set()),
    "engine": ({"numpy"}, {"scipy"}),
    "data": ({"numpy", "pandas"}, {"pyarrow", "zstandard", "compression", "fsspec"}),
    "ingest": ({"numpy"}, {"dask", "distributed", "pandas"}),
    "fitting": ({"numpy"}, {"scipy"}),
    "models": ({"numpy"}, {"pandas"}),
    "report": ({"numpy", "rich"}, {"matplotlib", "plotext"}),
    "api": (set(), set()),
    "cli": ({"click", "rich"}, {"pandas"}),
    "python": (set(), {"click", "numpy", "pandas", "rich"}),
}
ORDER = list(FLOORS)
# At the root of the package, above all floors.
ROOF = {"gdcli", "gdcli.__main__", "gdcli.build_backend"}
# What a report may know beside records: words and enums, no arithmetic.
RECORDS = {
    "gdcli.base", "gdcli.engine.arrays", "gdcli.engine.catalog", "gdcli.engine.descent", "gdcli.engine.spectrum",
    "gdcli.engine.losses", "gdcli.engine.optimizers", "gdcli.engine.polynomial", "gdcli.engine.schedules",
    "gdcli.ingest.description", "gdcli.models.scored_rows",
}  # fmt: skip
# Slots that every command has, and the two entry points.
SLOTS = {"EXAMPLES", "command", "main", "run"}
# Modules that draw are imported as a whole when a picture is asked for.
DRAWING = "gdcli.report.plots"
MOST_LINES = 400


def floor_of(module: str) -> int:
    """The number of a module's floor, from 0; the roof is above all."""
    parts = module.split(".")
    return ORDER.index(parts[1]) if len(parts) > 1 and parts[1] in ORDER else len(ORDER)


def test_every_module_has_a_floor() -> None:
    assert [module for module in map(dotted, MODULES) if floor_of(module) == len(ORDER) and module not in ROOF] == []


def test_a_module_imports_from_its_own_floor_or_below_even_inside_functions() -> None:
    up = {(a, b) for a, b in arrows(typing=True) if floor_of(b) > floor_of(a) and b != "gdcli"}
    assert {(a, b) for a, b in up if a != "gdcli"} == set()


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_takes_from_outside_only_what_its_floor_may(path: Path) -> None:
    module = dotted(path)
    at_once, used = FLOORS[module.split(".")[1]] if floor_of(module) < len(ORDER) else ({"setuptools"}, set())
    drawing = used if module.startswith(DRAWING) else set()
    own = {"gdcli", *sys.stdlib_module_names}
    outside = [(one.module.split(".")[0], one.at_top) for one in imports(path) if not one.typing]
    assert {name for name, top in outside if top} - own - at_once - drawing == set()
    assert {name for name, top in outside if not top} - own - at_once - used == set()


def test_drawing_is_imported_when_a_picture_is_asked_for() -> None:
    early = [
        dotted(path)
        for path in MODULES
        if not dotted(path).startswith(DRAWING)
        for one in imports(path)
        if one.at_top and one.module.startswith(DRAWING)
    ]
    assert early == []


def test_records_are_made_without_the_module_that_writes_code_for_each() -> None:
    every = [(dotted(path), one) for path in MODULES for one in imports(path)]
    assert [module for module, one in every if one.at_top and one.module == "dataclasses"] == []


def test_no_module_imports_itself_through_others() -> None:
    assert circles(arrows()) == []


def test_a_report_imports_records_and_words_only() -> None:
    allowed = {"gdcli.report", "gdcli.fitting", "gdcli.models.score", *RECORDS}
    others = {
        (a, b)
        for a, b in arrows()
        if a.startswith("gdcli.report") and not any(b == one or b.startswith(f"{one}.") for one in allowed)
    }
    assert others <= {
        (a, b) for a, b in others if b in ("gdcli.engine", "gdcli.ingest", "gdcli.models", "gdcli.fitting")
    }


def test_no_public_name_is_defined_in_two_modules() -> None:
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for path in MODULES:
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [statement.name] if isinstance(statement, ast.FunctionDef | ast.ClassDef) else []
            if isinstance(statement, ast.Assign):
                names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            for name in names:
                homes[name].add(dotted(path))
    twice = {
        name: sorted(found)
        for name, found in homes.items()
        if len(found) > 1 and not name.startswith("_") and name not in SLOTS and len(name) > 1
    }
    assert twice == {}


def test_no_file_is_longer_than_a_reader_keeps_in_mind() -> None:
    lines = {dotted(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_few_modules_lie_at_the_root() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "__main__", "api", "build_backend"}


def loaded_by(code: str) -> set[str]:
    code += "; import sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_neither_numpy_nor_pandas() -> None:
    assert loaded_by("import gdcli; gdcli.__version__").isdisjoint({"numpy", "pandas", "rich", "click", "scipy"})


def test_the_engine_loads_neither_pandas_nor_the_command_line() -> None:
    engine = ", ".join(dotted(path) for path in sorted((PACKAGE / "engine").glob("[a-z]*.py")))
    assert loaded_by(f"import {engine}").isdisjoint({"pandas", "rich", "click", "scipy"})


def test_names_of_columns_are_completed_without_numpy() -> None:
    code = "from gdcli.ingest.header import column_names; assert column_names('sample_data/penguins.csv')"
    assert loaded_by(code).isdisjoint({"numpy", "pandas", "rich", "click", "scipy", "pyarrow"})


@pytest.mark.parametrize("kind", ["loss", "optimizer", "schedule"])
def test_names_of_the_engine_are_completed_checked_and_corrected_without_numpy(kind: str) -> None:
    code = (
        "import click; from gdcli.cli.types import Word; "
        f"word = Word('{kind}'); names = [item.value for item in word.shell_complete(None, None, '')]; "
        "assert word.convert(names[0], None, None) == names[0]; "
        "assert isinstance(word.shell_complete(None, None, 'x'), list); "
        "from contextlib import suppress\n"
        "with suppress(click.BadParameter): word.convert('foo', None, None); raise SystemExit(1)\n"
    )
    assert loaded_by(code + "pass").isdisjoint({"numpy", "pandas", "rich", "scipy", "pyarrow"})


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    import gdcli

    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = gdcli.fitt


@pytest.mark.parametrize("form", ["json", "csv", "markdown"])
@pytest.mark.parametrize("words", [["curve", "--poly", "0,0,1"], ["sample_data/housing.csv", "-t", "price"]])
def test_rich_draws_for_people_only(form: str, words: list[str]) -> None:
    script = (
        "import sys; from gdcli.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "sys.stderr.write('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words, "--format", form], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout
    assert {"rich.console", "rich.text", "rich.table"}.isdisjoint(done.stderr.split())
