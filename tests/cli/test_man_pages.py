"""The man pages: what the commands' help says, in roff that man takes without a warning."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gdcli.base.errors import ExitCode
from gdcli.cli.group import COMMANDS, group
from gdcli.cli.help import Option
from gdcli.cli.man_pages import page, page_name, topic_page, write_pages
from gdcli.cli.roff import from_markdown
from gdcli.cli.topics import TOPICS, topic_text

NAMES = [None, *COMMANDS]
PAGES = {**{page_name(name): page(name) for name in NAMES}, **{page_name(name): topic_page(name) for name in TOPICS}}

WORDS = re.compile(r"[\w][\w.=-]*\w")


def plain(roff: str) -> str:
    """Return a page's text without roff's escapes."""
    return re.sub(" +", " ", re.sub(r"\\f[BR]|\\&", "", roff).replace("\\-", "-").replace("\\e", "\\"))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_every_option_and_every_example(name):
    text = plain(page(name))
    command = group.get_command(None, name or "fit")
    for param in command.params:
        if isinstance(param, Option):
            assert all(option in text for option in param.opts)
            assert " ".join(param.help.split()) in text
    for line, _ in command.examples:
        assert f"\n{line}\n" in text
    titles = re.findall(r"^\.SH (.*)$", page(name), re.MULTILINE)
    assert titles[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"]
    assert {"EXAMPLES", "OPTIONS", "EXIT STATUS", "SEE ALSO"} <= set(titles)


def test_the_first_page_lists_the_commands_the_variables_and_the_exit_codes():
    text = plain(page(None))
    assert all(f"{page_name(name)}(1)" in text for name in COMMANDS)
    assert "GDFIT_LR" in text
    assert all(re.search(rf"^(\d+, )*{int(code)}(, \d+)*$", text, re.MULTILINE) for code in ExitCode)


def test_no_line_of_a_text_is_taken_for_a_request():
    for text in PAGES.values():
        for line in text.splitlines():
            assert not line.startswith("'") or line.startswith("'\\\" -*- coding")
            assert not line.startswith(".") or re.match(r"\.(TH|SH|SS|TP|PP|RS|RE|nf|fi|br|IP)\b", line)


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_page_says_every_word_of_its_topic(name):
    text = plain(topic_page(name))
    body = re.sub(r"^\|.*\n\| ---.*\n", "", topic_text(name).partition("\n")[2], flags=re.MULTILINE)
    missing = set(WORDS.findall(body)) - set(WORDS.findall(text))
    assert missing - {"console", "crontab", "ini", "python", "sh"} == set()


def test_markdown_becomes_roff():
    page = "# T\n\nOf `a-b`, **c**\n.d [e](x.org).\n\n- one\n  more\n- two\n\n| h | i |\n| --- | --- |\n| a | b\\|c |\n"
    assert from_markdown(page) == [
        ".SH DESCRIPTION", ".PP", r"Of \fBa\-b\fR, \fBc\fR .d e <x.org>\&.",
        r".IP \(bu 2", "one more", r".IP \(bu 2", "two", ".TP", "a", "b|c",
    ]  # fmt: skip
    assert from_markdown("# T\n\n```sh\n'a\\n' -b\n```\n## Next")[1:] == [
        ".PP", ".RS 4", ".nf", r"\&'a\en' \-b", ".fi", ".RE", ".SH Next",
    ]  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_man_has_nothing_to_say_against_a_page(name, tmp_path: Path):
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    path = next(path for path in write_pages(tmp_path) if path.stem == name)
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-Tutf8", "-P", "cat", "-l", str(path)],
        capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{name} - " in re.sub(" +", " ", re.sub(r".\x08|\x1b\[[\d;]*m", "", done.stdout))
