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


def build_wheel(directory: str, *settings: Any) -> str:
    """Make the pages and the wheel that holds them."""
    write_pages(PAGES)
    return str(build_meta.build_wheel(directory, *settings))


def build_sdist(directory: str, *settings: Any) -> str:
    """Make the pages and the archive of the sources, with the pages in it."""
    write_pages(PAGES)
    return str(build_meta.build_sdist(directory, *settings))


def build_editable(directory: str, *settings: Any) -> str:
    """Make the pages and the editable wheel that holds them."""
    write_pages(PAGES)
    return str(build_meta.build_editable(directory, *settings))
