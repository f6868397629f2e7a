"""The rooms of gdcli, their floors, and the imports between them, read from the code.

``python tests/house.py`` prints the counts: rooms, floors, arrows, circles, lines of each package.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "gdcli"
MODULES = sorted(PACKAGE.rglob("*.py"))


class Import(NamedTuple):
    """A module that a file imports: ``at_top`` if as soon as the file is, ``typing`` if only for mypy."""

    module: str
    at_top: bool
    typing: bool
    names: tuple[str, ...]


@cache
def dotted(path: Path) -> str:
    """The module's name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The package that a module lies in; one that lies at the root is a room of its own."""
    parts = module.split(".")
    if (ROOT / "/".join(parts)).is_dir():
        return module
    return ".".join(parts[:-1]) if len(parts) > 2 else module


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """Every import of a file, those inside functions included."""
    found = []
    for node, inside, for_types in _statements(ast.parse(path.read_text(encoding="utf-8")).body):
        at_top = not inside and not for_types
        if isinstance(node, ast.Import):
            found += [Import(alias.name, at_top, for_types, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = (ROOT / whole.replace(".", "/")).with_suffix(".py").exists()
                is_package = (ROOT / whole.replace(".", "/") / "__init__.py").exists()
                module = whole if is_module or is_package else node.module or ""
                found.append(Import(module, at_top, for_types, (alias.name,)))
    return tuple(found)


def _statements(
    body: list[ast.stmt], inside: bool = False, for_types: bool = False
) -> Iterator[tuple[ast.stmt, bool, bool]]:
    """Each statement, those inside others included; whether it is in a function, and whether it is only for mypy."""
    for one in body:
        yield one, inside, for_types
        below = inside or isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        typing = for_types or (isinstance(one, ast.If) and "TYPE_CHECKING" in ast.dump(one.test))
        for field in ("body", "orelse", "handlers", "finalbody", "cases"):
            yield from _statements(getattr(one, field, []), below, typing)


@cache
def arrows(typing: bool = False) -> set[tuple[str, str]]:
    """Pairs (importing module, imported module) within gdcli; with ``typing`` those for mypy too."""
    found = {
        (dotted(path), module)
        for path in MODULES
        for one in imports(path)
        if one.module.split(".")[0] == "gdcli" and (typing or not one.typing)
        for module in (one.module, *_packages(one.module))
    }
    return {(a, b) for a, b in found if a != b and not b.startswith(f"{a}.")}


def _packages(module: str) -> list[str]:
    """The packages above a module, which run when it is imported; the root imports nothing then."""
    parts = module.split(".")
    return [".".join(parts[:k]) for k in range(2, len(parts))]


def circles(pairs: set[tuple[str, str]]) -> list[list[str]]:
    """Groups of two and more nodes that reach each other (Tarjan's strongly connected components)."""
    needs: dict[str, list[str]] = {}
    for one, other in sorted(pairs):
        needs.setdefault(one, []).append(other)
        needs.setdefault(other, [])
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in needs[node]:
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            group = [stack.pop()]
            while group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(needs):
        if node not in number:
            visit(node)
    return found


def room_arrows() -> set[tuple[str, str]]:
    """Pairs of rooms of which one imports from the other."""
    return {(room_of(a), room_of(b)) for a, b in arrows() if room_of(a) != room_of(b)}


def levels(pairs: set[tuple[str, str]]) -> int:
    """The number of import floors: the longest chain of rooms, circles taken as one room."""
    member = {node: tuple(group) for group in circles(pairs) for node in group}
    folded = {(member.get(a, (a,)), member.get(b, (b,))) for a, b in pairs}
    folded = {(a, b) for a, b in folded if a != b}

    @cache
    def depth(node: tuple[str, ...]) -> int:
        return 1 + max((depth(b) for a, b in folded if a == node), default=0)

    return max((depth(node) for pair in folded for node in pair), default=0)


def lines_by_room() -> Iterator[tuple[str, int, int]]:
    """Each room with its number of files and of lines."""
    for room in sorted({room_of(dotted(path)) for path in MODULES}):
        inside = [path for path in MODULES if room_of(dotted(path)) == room]
        yield room, len(inside), sum(len(path.read_text(encoding="utf-8").splitlines()) for path in inside)


def main() -> None:
    """Print the counts."""
    between = room_arrows()
    print(f"{'room':24}{'files':>7}{'lines':>8}")
    for room, files, lines in lines_by_room():
        print(f"{room:24}{files:7}{lines:8,}")
    rooms, loops = len(list(lines_by_room())), circles(arrows())
    print(f"rooms {rooms}, import floors {levels(between)}, arrows between rooms {len(between)}")
    print(f"circles of rooms {len(circles(between))}, circles of modules {len(loops)}")
    for circle in loops:
        print("  circle:", " ".join(circle))


if __name__ == "__main__":
    main()
