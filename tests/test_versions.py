"""The versions that the gate runs with: all of them pinned, and the oldest that are allowed."""

import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(name: str) -> dict[str, str]:
    """The exact version of each package in a list of requirements."""
    lines = (ROOT / "tests" / name).read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in wanted}


def needed() -> set[str]:
    """The packages that ``make setup`` installs, those that others need included."""
    found: set[str] = set()
    extras = PROJECT["optional-dependencies"]
    waiting = [Requirement(line) for lines in (PROJECT["dependencies"], *extras.values()) for line in lines]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name == "gdfit" or (one.marker is not None and not one.marker.evaluate({"extra": ""})):
            continue
        for extra in ("", *one.extras):
            if (key := f"{name}[{extra}]") not in found:
                found.add(key)
                waiting += [below for below in map(Requirement, _requires(name)) if _holds(below, extra)]
    return {key.partition("[")[0] for key in found}


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:  # only with the extra url, which no test needs
        return []


def _holds(one: Requirement, extra: str) -> bool:
    return one.marker is None or one.marker.evaluate({"extra": extra})


def test_every_package_that_the_gate_installs_is_pinned() -> None:
    not_for_tests = {canonicalize_name(Requirement(line).name) for line in PROJECT["optional-dependencies"]["url"]}
    assert needed() - {*pins("constraints.txt")} <= not_for_tests


def test_the_oldest_packages_of_the_floors_are_those_that_the_project_allows() -> None:
    floors = pins("floors.txt")
    extras = PROJECT["optional-dependencies"]
    lines = [
        *PROJECT["dependencies"],
        *(line for name in ("zstd", "parquet", "dask", "plot", "stats") for line in extras[name]),
    ]
    for one in map(Requirement, lines):
        [least] = [bound.version for bound in one.specifier if bound.operator == ">="]
        pinned = floors[canonicalize_name(one.name)]
        assert Version(pinned) == Version(least), one.name
        assert one.specifier.contains(pinned), one.name
