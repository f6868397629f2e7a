"""``gdfit help``: topics listed, shown and completed; the help of a command."""

import pytest

from gdcli.cli import main
from gdcli.cli.group import COMMANDS
from gdcli.cli.topics import TOPICS, topic_text


def test_help_alone_lists_every_topic_with_its_meaning(program):
    done = program("help")
    assert (done.code, done.err) == (0, "")
    assert all(f"  {name} " in done.out and meaning.split()[0] in done.out for name, meaning in TOPICS.items())


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_is_printed_as_it_is_where_stdout_is_no_terminal(program, name):
    assert program("help", name) == (0, topic_text(name), "")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_is_what_its_option_shows(program, name):
    assert program("help", name) == program(name, "--help")


def test_no_topic_is_called_like_a_command():
    assert not set(TOPICS) & set(COMMANDS)


def test_a_misspelt_topic_is_wrong_usage_and_the_right_one_is_named(program):
    done = program("help", "loses")
    assert (done.code, done.out) == (2, "")
    assert "'loses' is no topic. Did you mean 'losses'? 'gdfit help' lists them." in done.err
    assert program("help", "Missing_Cells").out == topic_text("missing-cells")


def test_a_terminal_gets_a_page_without_the_marks_of_markdown(terminal):
    done = terminal("help", "losses", columns=80)
    assert done.code == 0
    assert "squared" in done.screen
    assert not any(mark in done.screen for mark in ("```", "**", "| ---", "`--loss`"))


def test_topics_and_commands_complete_with_their_meanings(capsys, monkeypatch):
    monkeypatch.setenv("_GDFIT_COMPLETE", "fish")
    assert main(["help", "su"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[1] for line in lines] == ["summaries", "summarize"]
    assert all(line.split("\t")[2] for line in lines)
