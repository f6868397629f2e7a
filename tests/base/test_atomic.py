"""What gdfit writes appears whole or not at all."""

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gdcli.base import atomic as files
from gdcli.base.atomic import check_writable, remove_unfinished, whole_file
from gdcli.base.errors import DataError, Interrupted
from gdcli.base.path_kinds import is_special, same_file

ROOT = Path(files.__file__).parents[1]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may write to, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def write_then_raise(path: Path, failure: type[BaseException]) -> None:
    with whole_file(path) as stream:
        stream.write("new" * 100_000)
        raise failure


def left_behind(path: Path) -> str:
    """Kill a process that writes a file, and return the name of its temporary file."""
    code = "import os, signal, sys; from gdcli.base.atomic import whole_file\n"
    code += "with whole_file(sys.argv[1]) as s: s.write('half'); s.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    before = set(names(path.parent))
    assert python(code, str(path)).returncode == -signal.SIGKILL
    [name] = set(names(path.parent)) - before
    return name


def python(code: str, *args: str, **settings: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, *args]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, **settings)  # type: ignore[call-overload,no-any-return]


def test_a_file_appears_when_the_block_ends_and_not_before(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.csv") as stream:
        stream.write("θ\n")
        stream.flush()
        assert "a.csv" not in names(tmp_path)
    assert names(tmp_path) == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == "θ\n".encode()


def test_newlines_stay_as_they_are_and_what_utf_8_cannot_hold_is_an_escape(tmp_path: Path) -> None:
    with whole_file(str(tmp_path / "a")) as stream:
        stream.write("a\r\nb\n\udcff")
    assert (tmp_path / "a").read_bytes() == b"a\r\nb\n\\udcff"


def test_bytes_can_be_written(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a", "wb") as stream:
        stream.write(b"\x00\xff")
    assert (tmp_path / "a").read_bytes() == b"\x00\xff"


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, Interrupted, SystemExit, DataError])
def test_after_an_exception_the_old_file_is_there_and_no_other(tmp_path: Path, failure: type[BaseException]) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(failure):
        write_then_raise(tmp_path / "a", failure)
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_new_file_has_the_mode_that_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with whole_file(tmp_path / "a"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_an_old_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(mode)
    with whole_file(tmp_path / "a") as stream:
        stream.write("new")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode
    assert (tmp_path / "a").read_text() == "new"


def test_symbolic_links_are_followed_and_stay(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a").write_text("old")
    (tmp_path / "middle").symlink_to("far/a")
    (tmp_path / "link").symlink_to(tmp_path / "middle")
    with whole_file(tmp_path / "link") as stream:
        stream.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "far" / "a").read_text() == "new"
    assert names(tmp_path / "far") == ["a"]


def test_a_link_to_a_file_that_is_not_there_yet_makes_that_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("later")
    with whole_file(tmp_path / "link") as stream:
        stream.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "later").read_text() == "new"


def test_a_folder_that_is_a_link_is_left_as_the_system_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/b")
    with whole_file(tmp_path / "link" / ".." / "x") as stream:
        stream.write("new")
    assert (tmp_path / "a" / "x").read_text() == "new"


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(DataError, match=r"cannot write '.*/a': too many levels of symbolic links"):
        check_writable(tmp_path / "a")


def test_dev_null_is_written_directly_and_stays(tmp_path: Path) -> None:
    with whole_file("/dev/null") as stream:
        stream.write("gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_fifo_is_written_directly(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()
    with whole_file(fifo) as stream:
        stream.write("through")
    reader.join(10)
    assert read == [b"through"]
    assert names(tmp_path) == ["fifo"]


def test_a_fifo_whose_reader_goes_is_a_broken_pipe(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: fifo.open("rb").close())
    reader.start()
    with pytest.raises(BrokenPipeError), whole_file(fifo) as stream:
        stream.write("x" * 1_000_000)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_dev_stdout_goes_on_where_the_shell_has_written(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    code = (
        "import sys; from gdcli.base.atomic import whole_file\nwith whole_file(sys.argv[1]) as s: s.write('second\\n')"
    )
    with out.open("w") as stream:
        stream.write("first\n")
        stream.flush()
        subprocess.run([sys.executable, "-c", code, name], stdout=stream, check=True, cwd=ROOT, timeout=60)
    assert out.read_text() == "first\nsecond\n"
    assert names(tmp_path) == ["out"]


def test_a_folder_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with (
        pytest.raises(DataError, match=r"cannot write '.*/no/a': no folder '.*/no'"),
        whole_file(tmp_path / "no" / "a"),
    ):
        pass


@pytest.mark.parametrize("name", ["", "folder", "folder/", "folder/new/"])
def test_what_is_no_name_of_a_file_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    path = str(tmp_path / "folder") + name.removeprefix("folder") if name else ""
    with pytest.raises(DataError, match="cannot write"), whole_file(path):
        pass
    assert names(tmp_path / "folder") == []


def test_a_folder_or_file_without_permission_is_an_error(open_folder: Path) -> None:
    closed, mine = open_folder / "closed", open_folder / "mine"
    closed.mkdir(mode=0o555)
    mine.write_text("mine")
    mine.chmod(0o444)
    code = (
        "import os, sys; from gdcli.base.errors import DataError; from gdcli.base.atomic import whole_file\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        with whole_file(path) as s: s.write('x')\n"
        "    except DataError as error: print(error)\n"
    )
    done = python(code, str(closed / "a"), str(mine))
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"cannot write '{closed}/a': the folder '{closed}' is not writable",
        f"cannot write '{mine}': the file is read-only",
    ]
    assert names(open_folder) == ["closed", "mine"]


def test_a_file_that_may_not_grow_is_an_error_that_names_it(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from gdcli.base.errors import DataError; from gdcli.base.atomic import whole_file\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    with whole_file(sys.argv[1]) as s: s.write('x' * 300_000)\n"
        "except DataError as error: print(error)\n"
    )
    (tmp_path / "a").write_text("old")
    done = python(code, str(tmp_path / "a"))
    assert (done.stdout, done.stderr) == (f"cannot write '{tmp_path}/a': file too large\n", "")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_a_full_device_is_an_error_that_names_it(size: int) -> None:
    with pytest.raises(DataError, match="cannot write '/dev/full': no space left"), whole_file("/dev/full") as stream:
        stream.write("x" * size)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_is_full_in_the_end_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(DataError, match=r"cannot write '.*/a': no space left"), whole_file(tmp_path / "a") as stream:
        stream.write("new")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_errors_of_other_files_in_the_block_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a"):
        (tmp_path / "other").read_text()
    assert names(tmp_path) == []


def test_what_a_killed_process_left_behind_is_removed_by_the_next_writer_of_that_file(tmp_path: Path) -> None:
    left_behind(tmp_path / "a")
    of_another = left_behind(tmp_path / "b")
    with whole_file(tmp_path / "a") as stream:
        stream.write("new")
    assert names(tmp_path) == sorted([of_another, "a"])


def test_two_writers_of_one_file_leave_each_other_alone_whatever_their_process_numbers(tmp_path: Path) -> None:
    # In two containers both may have the same number; in one process they certainly have.
    with whole_file(tmp_path / "a") as first:
        first.write("first")
        first.flush()
        with whole_file(tmp_path / "a") as second:
            second.write("second")
        assert (tmp_path / "a").read_text() == "second"
    assert (tmp_path / "a").read_text() == "first"
    assert names(tmp_path) == ["a"]


def test_the_temporary_file_of_a_living_process_is_not_removed(tmp_path: Path) -> None:
    code = "import sys; from gdcli.base.atomic import whole_file\n"
    code += "with whole_file(sys.argv[1]) as s: s.write('whole'); s.flush(); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(tmp_path / "a")]
    settings = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": ROOT}
    with subprocess.Popen(command, **settings) as writer:  # type: ignore[call-overload]
        assert writer.stdout.readline()
        [temporary] = names(tmp_path)
        with whole_file(tmp_path / "a") as stream:
            stream.write("mine")
        assert names(tmp_path) == sorted([temporary, "a"])
        writer.communicate(timeout=60)
    assert writer.returncode == 0
    assert (tmp_path / "a").read_text() == "whole"
    assert names(tmp_path) == ["a"]


def test_a_temporary_file_is_made_anew_if_somebody_removes_it_before_it_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, removed = files._create, []

    def create_and_lose(temporary: str, target: object) -> int:
        descriptor = create(temporary, target)  # type: ignore[arg-type]
        if not removed:
            removed.append(temporary)
            files._remove_unlocked(temporary)
        return descriptor

    monkeypatch.setattr(files, "_create", create_and_lose)
    with whole_file(tmp_path / "a") as stream:
        stream.write("new")
    assert removed
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "new"


def test_where_the_file_system_has_no_locks_files_are_written_and_none_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = left_behind(tmp_path / "a")

    def refuse(*args: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    with whole_file(tmp_path / "a") as stream:
        stream.write("new")
    assert names(tmp_path) == sorted([left, "a"])


def test_a_file_may_have_the_longest_name_there_is(tmp_path: Path) -> None:
    name = "ä" * 127
    with whole_file(tmp_path / name) as stream:
        stream.write("new")
    assert names(tmp_path) == [name]


def test_an_interruption_while_opening_leaves_nothing_after_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", interrupted)
        with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "a"):
            raise ValueError
    assert len(names(tmp_path)) == 1
    remove_unfinished()
    assert names(tmp_path) == []


def test_same_file_sees_through_links_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    (tmp_path / "link").symlink_to("a")
    os.link(tmp_path / "a", tmp_path / "hard")
    assert same_file(str(tmp_path / "a"), str(tmp_path / "link"))
    assert same_file(str(tmp_path / "a"), str(tmp_path / "hard"))
    assert same_file(str(tmp_path / "new"), str(tmp_path / "x" / ".." / "new"))
    assert not same_file(str(tmp_path / "a"), str(tmp_path / "new"))
    assert not same_file("/dev/null", "/dev/null")


def test_an_address_of_a_file_leads_where_its_path_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a").write_text("")
    for address in (f"file://{tmp_path}/a", "local://~/a", "simplecache::file://~/a"):
        assert same_file(address, str(tmp_path / "a")), address


def test_a_special_file_is_neither_regular_nor_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    found = [path for path in ("/dev/null", tmp_path, tmp_path / "a", tmp_path / "new") if is_special(str(path))]
    assert found == ["/dev/null"]


def test_check_writable_leaves_no_trace(tmp_path: Path) -> None:
    check_writable(tmp_path / "a")
    check_writable("/dev/null")
    with pytest.raises(DataError, match="no folder"):
        check_writable(tmp_path / "no" / "a")
    assert names(tmp_path) == []
