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
def curve(program: Callable[..., Done]) -> Callable[..., Done]:
    """Run it in an empty folder, all streams pipes."""
    return lambda *args, **changes: program("curve", *args, env={"NO_COLOR": "1", "LC_ALL": None, **changes})


@pytest.fixture
def on_terminal(terminal: Callable[..., Any]) -> Callable[..., Done]:
    """Run it on a pseudo-terminal of a given width; stderr is a pipe."""

    def run(*args: str, columns: int = 80) -> Done:
        env = {"NO_COLOR": "1", "LC_ALL": None}
        code, screen, _, err = terminal("curve", *args, streams="stdin stdout", columns=columns, env=env)
        return Done(code, screen, err)

    return run
