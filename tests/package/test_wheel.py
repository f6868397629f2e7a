"""The package as users get it: a wheel in an environment of its own, with nothing else in it."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from gdcli.cli.group import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment into which only the wheel and what it needs were installed."""
    folder = tmp_path_factory.mktemp("wheel")
    # From a copy: building leaves files behind, and picks up those of earlier builds.
    source = folder / "source"
    shutil.copytree(ROOT / "gdcli", source / "gdcli", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(source)], check=True, cwd=folder)
    wheel = next(folder.glob("gdfit-*.whl"))
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    python = str(environment / "bin" / "python")
    subprocess.run([python, *pip[1:], "install", str(wheel)], check=True, cwd=folder)
    return environment / "bin"


def test_the_wheel_fits_the_sample_data_in_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    housing = ROOT / "sample_data" / "housing.csv"
    done = subprocess.run(
        [installed / "gdfit", housing, "--target", "price", "--lr", "0.01"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "sqft" in done.stdout
    assert done.stderr == ""


def test_the_wheel_brings_only_the_four_packages_and_what_they_need(installed: Path) -> None:
    listed = subprocess.run(
        [installed / "python", "-m", "pip", "list", "--format", "freeze", "--disable-pip-version-check"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = {line.partition("==")[0].lower() for line in listed.stdout.splitlines()}
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
    for shell in ("bash", "zsh", "fish"):
        done = subprocess.run([installed / "gdfit", "completion", shell], capture_output=True, text=True, check=True)
        assert "_GDFIT_COMPLETE" in done.stdout
