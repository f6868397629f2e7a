"""The build backend: setuptools, which installs with the package the man pages that are made here from the commands.

pyproject.toml names it (PEP 517, ``backend-path``); nothing in the program imports it.
"""

from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

from gdcli.cli.man_pages import write_pages

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

# Where pyproject.toml takes them from, in the folder of the sources.
PAGES = Path("man")

# What make run and make test need beside the package; pyproject.toml can say only what is installed.
MANIFEST = "include Makefile\ngraft sample_data\ngraft tests\nglobal-exclude *.py[cod]\n"


def build_wheel(directory: str, *settings: Any) -> str:
    """Make the pages and the wheel that holds them."""
    write_pages(PAGES)
    return str(build_meta.build_wheel(directory, *settings))


def build_sdist(directory: str, *settings: Any) -> str:
    """Make the pages and the archive of the sources, with the pages, the tests and the sample data in it."""
    write_pages(PAGES)
    manifest = Path("MANIFEST.in")
    if manifest.exists():  # in an unpacked archive
        return str(build_meta.build_sdist(directory, *settings))
    manifest.write_text(MANIFEST, encoding="utf-8")
    try:
        return str(build_meta.build_sdist(directory, *settings))
    finally:
        manifest.unlink()


def build_editable(directory: str, *settings: Any) -> str:
    """Make the pages and the editable wheel that holds them."""
    write_pages(PAGES)
    return str(build_meta.build_editable(directory, *settings))
