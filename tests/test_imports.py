"""The floors, from the ground: a module imports only from floors below its own, or from its own."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "gdcli"

# From the ground. A name is a module or a folder of the package; what is not listed stands on the floor of fitting.
GROUND = ("cores", "errors", "text", "listener", "files", "jsonfile")
FLOORS = [GROUND, ("engine",), ("data",), (), ("report",), ("cli",), ("__main__", "packaging")]
FITTING = 3
# What each floor may take from outside the standard library; scipy is imported when used.
FOREIGN = {
    0: set(),
    1: {"numpy"},
    2: {"numpy", "pandas", "zstandard"},
    3: {"numpy", "pandas"},
    5: {"click", "rich"},
    6: {"setuptools"},
}
LAZY = {"scipy", "dask", "distributed", "fsspec", "matplotlib", "plotext", "pyarrow"}
# Modules that are imported as a whole when a picture is asked for.
DRAWING = "gdcli.report.plots"

MODULES = sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module: str) -> int:
    parts = module.split(".")
    if len(parts) == 1:
        return 0  # the package itself imports nothing of its own when it is imported
    return next((i for i, names in enumerate(FLOORS) if parts[1] in names), FITTING)


@cache
def imports(path: Path) -> list[tuple[str, bool]]:
    """Return the modules that a file imports, and whether at its top (and not for type checking only)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    types_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    inside = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    found: list[tuple[str, bool]] = []
    for node in ast.walk(tree):
        at_top = id(node) not in inside | types_only
        if isinstance(node, ast.Import):
            found += [(alias.name, at_top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = (ROOT / whole.replace(".", "/")).with_suffix(".py").exists()
                found.append((whole if is_module else node.module or "", at_top))
    return found


@pytest.mark.parametrize("path", [path for path in MODULES if dotted(path) != "gdcli"], ids=dotted)
def test_a_module_imports_only_from_its_own_floor_or_below(path: Path) -> None:
    own = floor_of(dotted(path))
    above = [name for name, _ in imports(path) if name.split(".")[0] == "gdcli" and floor_of(name) > own]
    assert above == []


@pytest.mark.parametrize("path", [path for path in MODULES if floor_of(dotted(path)) == 0], ids=dotted)
def test_the_ground_floor_stands_on_itself(path: Path) -> None:
    others = [name for name, top in imports(path) if name.startswith("gdcli.") and floor_of(name) > 0 and top]
    assert others == []


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_takes_from_outside_only_what_its_floor_may(path: Path) -> None:
    allowed = {"gdcli", *sys.stdlib_module_names, *LAZY, "compression"}  # that of Python 3.14
    for floor, names in FOREIGN.items():
        allowed |= names if floor <= floor_of(dotted(path)) or floor == 0 else set()
    if floor_of(dotted(path)) == 4:
        allowed |= {"rich"}
    outside = {name.split(".")[0] for name, _ in imports(path)} - allowed
    assert outside == set()


@pytest.mark.parametrize("path", [p for p in MODULES if floor_of(dotted(p)) == 1], ids=dotted)
def test_the_engine_knows_numpy_only(path: Path) -> None:
    outside = {name.split(".")[0] for name, top in imports(path) if top} - set(sys.stdlib_module_names)
    assert outside <= {"numpy", "gdcli"}
    assert all(floor_of(name) <= 1 for name, _ in imports(path) if name.startswith("gdcli"))


@pytest.mark.parametrize("path", [path for path in MODULES if not dotted(path).startswith(DRAWING)], ids=dotted)
def test_what_few_people_need_is_imported_when_used(path: Path) -> None:
    assert {name.split(".")[0] for name, top in imports(path) if top} & LAZY == set()


@pytest.mark.parametrize("path", [path for path in MODULES if not dotted(path).startswith(DRAWING)], ids=dotted)
def test_drawing_is_imported_when_a_picture_is_asked_for(path: Path) -> None:
    assert [name for name, top in imports(path) if top and name.startswith(DRAWING)] == []


def test_no_two_modules_import_each_other() -> None:
    needs = {
        dotted(path): {name for name, top in imports(path) if top and name.startswith("gdcli.")} for path in MODULES
    }
    done: set[str] = set()

    def visit(module: str, chain: tuple[str, ...]) -> None:
        assert module not in chain, " → ".join([*chain, module])
        if module not in done:
            for other in sorted(needs.get(module, ())):
                visit(other, (*chain, module))
            done.add(module)

    for module in needs:
        visit(module, ())


def loaded_by(code: str) -> set[str]:
    code += "; import sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_neither_numpy_nor_pandas() -> None:
    assert loaded_by("import gdcli; gdcli.__version__").isdisjoint({"numpy", "pandas", "rich", "click", "scipy"})


def test_the_engine_loads_neither_pandas_nor_the_command_line() -> None:
    modules = loaded_by(
        "import gdcli.engine.descent, gdcli.engine.spectrum, gdcli.engine.optimum, gdcli.engine.objective"
    )
    assert modules.isdisjoint({"pandas", "rich", "click", "scipy"})


def test_the_function_of_the_package_is_there_when_asked_for() -> None:
    import gdcli
    from gdcli.fitting import fit

    assert gdcli.fit is fit
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = gdcli.fitt
