"""The package as users get it: a wheel in an environment of its own, with nothing else in it."""

import re
import shutil
import subprocess
import sys
import tarfile
import venv
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from gdcli.cli.group import COMMANDS
from gdcli.cli.topics import TOPICS, topic_text

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.timeout(300)  # it builds and installs

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
SHIPPED = ("gdcli", "tests", "sample_data", "pyproject.toml", "Makefile", "README.md")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the sources (sdist)."""
    # From a copy: building leaves files behind, and picks up those of earlier builds.
    folder = tmp_path_factory.mktemp("sources")
    for name in SHIPPED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    code = "from gdcli.build_backend import build_sdist; build_sdist('dist')"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    return next((folder / "dist").glob("gdfit-*.tar.gz"))


def needed(name: str, found: dict[str, metadata.Distribution]) -> dict[str, metadata.Distribution]:
    """A package that is installed here and, by name, all that it needs, whatever extra is not asked for."""
    if (key := canonical(name)) not in found:
        found[key] = metadata.distribution(name)
        for line in found[key].requires or []:
            asked = Requirement(line)
            if asked.marker is None or asked.marker.evaluate({"extra": ""}):
                needed(asked.name, found)
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def installed(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with nothing but a wheel made from the sources and what the wheel says it needs.

    What it needs is that of this environment, as links.
    """
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sources) as archive:
        archive.extractall(folder, filter="data")
    # That what pyproject.toml names is enough to build with, `make setup` shows.
    code = "from gdcli.build_backend import build_wheel; build_wheel('..')"
    unpacked = next(folder.glob("gdfit-*"))
    subprocess.run([sys.executable, "-c", code], check=True, cwd=unpacked, stdout=subprocess.DEVNULL)
    venv.create(folder / "environment")
    pip = [*PIP, "--quiet", "--python", str(folder / "environment" / "bin" / "python")]
    wheel = next(folder.glob("gdfit-*.whl"))
    # Not compiled: most of it is never imported here.
    subprocess.run([*pip, "install", "--no-deps", "--no-compile", str(wheel)], check=True, cwd=folder)
    [packages] = (folder / "environment").glob("lib/python*/site-packages")
    [ours] = metadata.distributions(name="gdfit", path=[str(packages)])
    for name in [asked.name for line in ours.requires or [] if not (asked := Requirement(line)).marker]:
        for package in needed(name, {}).values():
            for top in {path.parts[0] for path in package.files or [] if path.parts[0] not in ("..", "__pycache__")}:
                if not (packages / top).exists():
                    (packages / top).symlink_to(package.locate_file(top))
    return folder / "environment" / "bin"


def test_the_wheel_fits_the_sample_data_in_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    housing = ROOT / "sample_data" / "housing.csv"
    done = subprocess.run(
        [installed / "gdfit", housing, "--target", "price", "--lr", "0.01"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "sqft" in done.stdout
    assert done.stderr == "note: 'type' is text: 3 levels, compared with 'Condo'\n"


def test_the_wheel_needs_four_packages_and_no_other_is_there(installed: Path) -> None:
    packages = next(installed.parent.glob("lib/python*/site-packages"))
    there = list(metadata.distributions(path=[str(packages)]))
    [ours] = [found for found in there if found.name == "gdfit"]
    asked = [Requirement(line) for line in ours.requires or []]
    assert sorted(each.name for each in asked if each.marker is None) == ["click", "numpy", "pandas", "rich"]
    assert all("extra" in str(each.marker) for each in asked if each.marker is not None)
    names = {found.name.lower() for found in there}
    assert {"gdfit", "click", "numpy", "pandas", "rich"} <= names
    assert not names & {"pytest", "matplotlib", "scipy", "pyarrow", "dask", "zstandard"}


def test_the_module_runs_as_well_as_the_command(installed: Path) -> None:
    command = subprocess.run([installed / "gdfit", "--version"], capture_output=True, text=True, check=True)
    module = subprocess.run(
        [installed / "python", "-m", "gdcli", "--version"], capture_output=True, text=True, check=True
    )
    assert command.stdout == module.stdout


def test_the_wheel_brings_a_man_page_for_each_command_and_the_completion(installed: Path) -> None:
    pages = {path.name for path in (installed.parent / "share" / "man" / "man1").glob("gdfit*.1")}
    assert pages == {"gdfit.1", *(f"gdfit-{name}.1" for name in COMMANDS)}
    topics = {path.name for path in (installed.parent / "share" / "man" / "man7").glob("gdfit*.7")}
    assert topics == {f"gdfit-{name}.7" for name in TOPICS}
    for shell in ("bash", "zsh", "fish"):
        done = subprocess.run([installed / "gdfit", "completion", shell], capture_output=True, text=True, check=True)
        assert "_GDFIT_COMPLETE" in done.stdout


def test_the_wheel_explains_its_topics_and_says_that_it_is_typed(installed: Path) -> None:
    done = subprocess.run([installed / "gdfit", "help", "losses"], capture_output=True, text=True, check=True)
    assert done.stdout == topic_text("losses")
    assert list(installed.parent.glob("lib/python*/site-packages/gdcli/py.typed"))


def test_the_sources_hold_what_make_run_and_make_test_need_and_the_man_pages(sources: Path) -> None:
    with tarfile.open(sources) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    tests = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py") if ".bench" not in path.parts}
    samples = {f"sample_data/{path.name}" for path in (ROOT / "sample_data").iterdir()}
    assert {
        "Makefile",
        "README.md",
        "pyproject.toml",
        "tests/floors.txt",
        "tests/constraints.txt",
    } | tests | samples <= names
    assert {f"gdcli/cli/topics/{name}.md" for name in TOPICS} | {"gdcli/cli/topics/descent.svg"} <= names
    assert {f"gdcli/report/page/{name}" for name in ("main.js", "page.css", "page.html", "loader.js")} <= names
    assert {"man/gdfit.1", "man/gdfit-losses.7"} <= names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
