"""Run a command of gdfit again and again, each time with a fault at another moment of its writing, and report.

    python moments.py FAULT,FAULT… FOLDER FILE,FILE… WORD…

FAULT is the name of a signal, or ENOSPC; SIGINT/SIGTERM takes the one and the other in turn. A moment is just before or
just after one of the calls by which gdfit creates, writes, flushes, renames or removes files. Each run is a fork of
this process, in which everything is imported already. Prints one JSON object per run: the exit code (negative for a
signal), what the files hold then, and what else lies in the folder; the last run of each FAULT is one that had none.
"""

import errno
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

from gdcli.base import atomic as files
from gdcli.cli import main
from gdcli.report import plots

OLD = "old\n"


def plant(fault: str, moment: int) -> None:
    """Let the fault happen at the moment, counted from 0."""
    passed = 0

    def pass_moment() -> None:
        nonlocal passed
        passed += 1
        if passed != moment + 1:
            return
        Path("reached").touch()
        if fault == "ENOSPC":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.kill(os.getpid(), signal.Signals[fault])

    def around(holder: object, name: str) -> None:
        call = getattr(holder, name)

        def watched(*args, **settings):
            ours = name != "open" or (len(args) > 1 and args[1] & os.O_WRONLY)
            if ours:
                pass_moment()
            result = call(*args, **settings)
            if ours and fault != "ENOSPC":
                pass_moment()
            return result

        setattr(holder, name, watched)

    for name in ("open", "fsync", "replace", *(() if fault == "ENOSPC" else ("fchmod", "unlink"))):
        around(os, name)

    class Watched(files._Named):
        def write(self, data, /):
            if self.shown in names:
                try:
                    pass_moment()
                except OSError as error:
                    files._refuse(self.shown, error)
            return super().write(data)

    files._Named = Watched


def run(fault: str | None, moment: int) -> int:
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    if fault is not None:
        plant(fault, moment)
    os._exit(main(words))


def report(faults: str, code: int, fault: str | None) -> None:
    held = {name: Path(name).read_text() if os.path.exists(name) else None for name in names}
    rest = sorted(name for name in os.listdir(".") if name.endswith(".gdfit-tmp"))
    print(json.dumps({"faults": faults, "code": code, "files": held, "rest": rest, "fault": fault}))


def draw_once(draw, *picture):
    """The picture that was drawn before, as drawing it takes long, if there is one."""
    if not drawn:
        drawn.append(draw(*picture))
    return drawn[0]


def run_all(faults: str) -> None:
    """A run for each moment until none is left, with the faults in turn."""
    for moment in range(1000):
        for name in names:
            Path(name).write_text(OLD)
        Path("reached").unlink(missing_ok=True)
        fault = faults.split("/")[moment % len(faults.split("/"))]
        code = run(fault, moment)
        reached = os.path.exists("reached")
        report(faults, code, fault if reached else None)
        if not reached:
            return
        if fault == "SIGKILL":
            for name in names:
                Path(name).write_text(OLD)
            report(faults, run(None, 0), None)


if __name__ == "__main__":
    asked, folder, listed, *words = sys.argv[1:]
    names = listed.split(",")
    os.chdir(folder)
    sys.stdout.reconfigure(line_buffering=True)
    drawn = []
    plots._rendered = partial(draw_once, plots._rendered)
    main([*words, "-q"])  # to have everything imported, and the picture drawn
    for one in asked.split(","):
        run_all(one)
