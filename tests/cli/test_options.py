"""What is typed reaches the fit, checked once."""

import pytest
from click.testing import CliRunner

import gdcli.api
from gdcli.base.errors import DataError
from gdcli.cli.group import group
from gdcli.fitting.choices import RateRule
from gdcli.fitting.options import OPTION_NAMES, FitOptions


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Return the files and the options that a command line asks for, without a fit."""

    def ask(*args):
        seen = []

        def run_fit(files, options, recorders=(), listener=None, resume=None):
            seen.extend([files, options])
            raise DataError("seen")

        monkeypatch.setattr(gdcli.api, "run_fit", run_fit)
        monkeypatch.chdir(tmp_path)
        done = CliRunner().invoke(group, args)
        assert isinstance(done.exception, DataError), done.output
        return seen

    return ask


def test_without_options_the_defaults_of_the_fit_hold(asked):
    files, options = asked("a.csv", "-t", "y")
    assert files == ("a.csv",)
    assert options == FitOptions.of(target="y")


def test_the_defaults_of_both_are_the_same_without_a_target(asked):
    assert asked("a.csv") == [("a.csv",), FitOptions.of(target=None)]


def test_several_files_stay_in_order_and_stdin_may_be_among_them(asked):
    assert asked("b.csv", "-", "a.csv")[0] == ("b.csv", "-", "a.csv")
    assert asked()[0] == ("-",)


@pytest.mark.parametrize(
    ("args", "name", "value"),
    [
        (["--target", "price"], "target", "price"),
        (["-x", "a", "--feature", "b"], "features", ("a", "b")),
        (["--exclude", "a", "--exclude", "b"], "exclude", ("a", "b")),
        (["--categorical", "zip"], "categorical", ("zip",)),
        (["--max-levels", "7"], "max_levels", 7),
        (["--weights", "w"], "weights", "w"),
        (["--no-intercept"], "intercept", False),
        (["--lr", "0.5"], "learning_rate", 0.5),
        (["--lr", "1e-3"], "learning_rate", 0.001),
        (["--lr", "auto"], "learning_rate", RateRule.AUTO),
        (["--lr", "search"], "learning_rate", RateRule.SEARCH),
        (["--memory", "2M"], "memory", 2_000_000),
        (["-n", "0"], "iterations", 0),
        (["--iterations", "12"], "iterations", 12),
        (["--tol", "1e-9"], "tolerance", 1e-9),
        (["--scale", "none"], "scale", "none"),
        (
            ["--start", "x=1.5", "--start", "type[a=b]=-2", "--start", "c=3"],
            "start",
            {"x": 1.5, "type[a=b]": -2, "c": 3},
        ),
        (["--na", "?", "--na", ""], "na", ("?", "")),
        (["--missing", "error"], "missing", "error"),
        (["--sep", "tab"], "separator", "\t"),
        (["--sep", ";"], "separator", ";"),
        (["--encoding", "latin-1"], "encoding", "latin-1"),
        (["--jobs", "3"], "jobs", 3),
        (["--holdout", "0.2"], "holdout", 0.2),
        (["--holdout", "0.2", "--patience", "5"], "patience", 5),
        (["--test", "b.csv"], "test", "b.csv"),
        (["--cv", "5"], "cv", 5),
        (["--seed", "7"], "seed", 7),
        (["--inference"], "inference", True),
        (["--every", "10"], "every", 10),
        (["--every", "1", "-n", "1001"], "every", None),  # as plain lines, while they come
        (["--every", "1", "-n", "1001", "--format", "json"], "every", 1),
    ],
)
def test_every_option_reaches_the_fit(asked, args, name, value):
    _, options = asked("a.csv", *args)
    records = (
        options.columns,
        options.csv,
        options.machine,
        options.model,
        options.descent,
        options.checks,
        options.show,
    )
    (found,) = [getattr(record, name) for record in records if hasattr(record, name)]
    assert found == value


def test_the_fit_knows_every_option_that_is_not_about_output():
    asked = [
        param.name for param in group.get_command(None, "fit").params if getattr(param, "group", "Output") != "Output"
    ]
    assert {"resume"} == set(asked) - OPTION_NAMES
