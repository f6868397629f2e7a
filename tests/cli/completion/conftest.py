"""bash, zsh and fish as a person uses them: on a pseudo-terminal, with keys typed into it."""

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_TIMEOUT = 60
_READY = "READY>"
# What a shell runs first: the completion, a plain prompt, and ``words``, which writes its arguments to a file.
_SET_UP = {
    "bash": f"""bind 'set enable-bracketed-paste off'; bind 'set bell-style none'
        words() {{ printf '%s\\n' "$@" > words.tmp; mv words.tmp words.txt; }}
        source <(gdfit completion bash); PS1='{_READY} '""",
    "zsh": f"""autoload -Uz compinit && compinit -u -D; unsetopt zle_bracketed_paste 2>/dev/null; bindkey -e
        unset zle_bracketed_paste; setopt no_beep
        words() {{ printf '%s\\n' "$@" > words.tmp; mv words.tmp words.txt; }}
        source <(gdfit completion zsh); PROMPT='{_READY} '; PROMPT_SP=""; setopt no_prompt_sp""",
    "fish": f"""function fish_greeting; end; function fish_prompt; echo -n '{_READY} '; end
        function words; printf '%s\\n' $argv > words.tmp; mv words.tmp words.txt; end
        gdfit completion fish | source""",
}
_START = {
    "bash": ["bash", "--noprofile", "--rcfile", "setup", "-i"],
    "zsh": ["zsh", "-d", "-i"],
    "fish": ["fish", "--no-config", "--init-command", "source setup"],
}
_LINE_START, _ENTER = "\x01", "\r"


class Shell:
    """A shell on a terminal of 100 columns; all that it shows is in ``screen``."""

    def __init__(self, name: str, folder: Path, programs: Path) -> None:
        home = folder / "home"
        home.mkdir(exist_ok=True)
        (home / ".zshrc").write_text(_SET_UP["zsh"] + "\n")
        (folder / "setup").write_text(_SET_UP[name] + "\n")
        self.folder, self.screen = folder, ""
        self.outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        environment = {
            "HOME": str(home), "ZDOTDIR": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8", "INPUTRC": os.devnull,
            "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        self.process = subprocess.Popen(
            _START[name], stdin=inner, stdout=inner, stderr=inner, cwd=folder, env=environment,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(inner)
        self.wait_for(lambda: _READY in self.screen)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Take what the shell shows until the condition holds."""
        end = time.monotonic() + _TIMEOUT
        while not condition():
            assert time.monotonic() < end, self.screen
            if select.select([self.outer], [], [], 0.02)[0]:
                self.screen += os.read(self.outer, 65536).decode(errors="replace")

    def type(self, keys: str) -> None:
        """Type keys."""
        os.write(self.outer, keys.encode())

    def words_after(self, keys: str) -> list[str]:
        """Type keys (a tab completes), and return the words that the shell makes of the line."""
        path = self.folder / "words.txt"
        path.unlink(missing_ok=True)
        self.type(keys + _LINE_START + "words " + _ENTER)
        self.wait_for(path.exists)
        before = self.screen.count(_READY)
        self.type(_ENTER)
        self.wait_for(lambda: self.screen.count(_READY) > before)
        return path.read_text().splitlines()

    def close(self) -> None:
        """End the shell."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.outer)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that are typed in the tests."""
    path = tmp_path_factory.mktemp("typed")
    (path / "housing.csv").write_text("price,sqft,beds\n1,2,3\n")
    (path / "odd names.csv").write_text('"it\'s 5"" wide",a b,x=y,$cost\n1,2,3,4\n')
    (path / "umlauts.csv").write_text("größe,preis\n1,2\n")
    (path / "sqft").mkdir()
    return path


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, folder: Path, forked: Path):
    """Each shell that is installed, with gdfit's completion."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    shell = Shell(request.param, folder, forked)
    yield shell
    shell.close()
