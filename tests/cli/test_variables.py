"""Options from the environment."""

import json

import pytest
from click.testing import CliRunner

from gdcli.cli import main
from gdcli.cli.environment import variables
from gdcli.cli.group import group
from gdcli.cli.help import Option


@pytest.fixture
def fit(points, monkeypatch, capsys):
    """Fit the points with variables set, and return exit code, the JSON, and stderr."""
    monkeypatch.chdir(points.parent)

    def run(*words, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = main(["points.csv", "-t", "y", *words])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out.startswith("{") else out, err

    return run


def test_a_variable_stands_for_its_option(fit):
    code, found, err = fit("-q", GDFIT_LR="0.05", GDFIT_ITERATIONS="7", GDFIT_FORMAT="json", GDFIT_SCALE="minmax")
    assert (code, err) == (0, "")
    assert found["descent"]["learning_rate"] == 0.05
    assert found["descent"]["iterations"] == 7
    assert found["descent"]["scale"] == "minmax"


def test_the_command_line_wins(fit):
    _, found, _ = fit("--lr", "0.2", "-n", "3", "--format", "json", GDFIT_LR="0.05", GDFIT_ITERATIONS="7")
    assert (found["descent"]["learning_rate"], found["descent"]["iterations"]) == (0.2, 3)


def test_the_command_line_hides_even_a_bad_value(fit):
    assert fit("--lr", "0.2", "-q", GDFIT_LR="fast") == (0, "", "")


def test_an_empty_variable_is_none(fit):
    _, found, _ = fit("--format", "json", GDFIT_LR="", GDFIT_ITERATIONS="")
    assert (found["descent"]["learning_rate"], found["descent"]["iterations"]) == (0.01, 1000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GDFIT_LR", "fast"), ("GDFIT_LR", "nan"), ("GDFIT_ITERATIONS", "-1"), ("GDFIT_FORMAT", "xml"),
        ("GDFIT_HOLDOUT", "2"), ("GDFIT_SEP", "abc"), ("GDFIT_ENCODING", "nonsense"), ("GDFIT_OPTIMIZER", "gdd"),
        ("GDFIT_TRACE", "trace.xls"), ("GDFIT_MISSING", "keep"),
    ],
)  # fmt: skip
def test_a_bad_value_names_the_variable(fit, name, value):
    code, out, err = fit(**{name: value})
    assert (code, out) == (2, "")
    assert name in err
    assert value in err


def test_options_that_do_not_go_together_say_which_came_from_the_environment(fit):
    code, _, err = fit("--cv", "3", GDFIT_HOLDOUT="0.2")
    assert code == 2
    assert err.splitlines()[1] == "From the environment: GDFIT_HOLDOUT=0.2"


def test_a_bad_value_on_the_command_line_names_the_option(fit):
    code, _, err = fit("--lr", "fast", GDFIT_ITERATIONS="3")
    assert code == 2
    assert "'--lr'" in err
    assert "GDFIT" not in err


def test_every_option_of_the_fit_that_takes_one_value_has_a_variable_in_help_all():
    command = group.get_command(None, "fit")
    single = [
        param for param in command.params
        if isinstance(param, Option) and not (param.is_flag or param.multiple or param.name in ("target", "formula"))
    ]  # fmt: skip
    names = {"GDFIT_" + max(param.opts, key=len)[2:].replace("-", "_").upper() for param in single} | {"GDFIT_LR"}
    assert {"GDFIT_LR", "GDFIT_ITERATIONS", "GDFIT_MAX_LEVELS"} <= names
    assert set(variables(command)) == names
    text = CliRunner().invoke(group, ["--help-all"]).stdout
    assert all(name in text for name in names)
    assert "GDFIT_" not in CliRunner().invoke(group, ["--help"]).stdout


@pytest.mark.parametrize("name", ["GDFIT_TARGET", "GDFIT_FILES", "GDFIT_FEATURE", "GDFIT_FEATURES", "GDFIT_EXCLUDE"])
def test_target_features_and_files_have_none(fit, name):
    assert fit("-q", **{name: "nonsense"}) == (0, "", "")
