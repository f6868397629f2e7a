"""The man pages, made from the commands and installed with them; everything else stands in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup

sys.path.insert(0, str(Path(__file__).resolve().parent))

from gdcli.cli.manual import write_pages

setup(data_files=[("share/man/man1", [str(path) for path in write_pages(Path("build/man"))])])
