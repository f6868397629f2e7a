"""`gdfit curve` as a process of its own, off a terminal and on one."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.models.handwritten import model_file
from tests.processes import Done
from tests.tables import noisy, table

__all__ = ["curve", "model_file", "noisy", "on_terminal", "started_curve", "table"]


@pytest.fixture
def started_curve(tmp_path: Path, started: Callable[..., Any]) -> Callable[..., "subprocess.Popen[str]"]:
    """Start it, stdin as given, without waiting for its end."""
    return lambda *args, **settings: started(tmp_path, "curve", *args, **settings)


@pytest.fixture
def run_here(gdfit: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run gdfit in an empty folder as ``program`` does, but in this process, where it starts at once."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return gdfit


@pytest.fixture
def curve(run_here: Callable[..., Done], program: Callable[..., Done]) -> Callable[..., Done]:
    """Run it in an empty folder, off a terminal; with changes of the environment as a process of its own."""

    def run(*args: str | Path, **changes: str) -> Done:
        if changes:
            return program("curve", *args, env={"NO_COLOR": "1", "LC_ALL": None, **changes})
        return run_here("curve", *args)

    return run


@pytest.fixture
def on_terminal(terminal: Callable[..., Any]) -> Callable[..., Done]:
    """Run it on a pseudo-terminal of a given width; stderr is a pipe."""

    def run(*args: str, columns: int = 80) -> Done:
        env = {"NO_COLOR": "1", "LC_ALL": None}
        code, screen, _, err = terminal("curve", *args, streams="stdin stdout", columns=columns, env=env)
        return Done(code, screen, err)

    return run
