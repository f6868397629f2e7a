"""Names that people bring from other programs are understood, or answered with a command that works."""

import json
import shlex

import click
import pytest

from gdcli.base.names import did_you_mean
from gdcli.cli import foreign_names
from gdcli.cli.group import COMMANDS, group

FIT = "points.csv -t y -x x -n 5"


def options_of(name):
    command = group.get_command(click.Context(group), name)
    return {option for param in command.params for option in param.opts}


def all_options():
    return {option for name in COMMANDS for option in options_of(name)}


@pytest.mark.parametrize(
    ("foreign", "here"),
    [
        (
            "points.csv --y y --features x --learning_rate=0.2 --max-iter 7 --csv",
            "points.csv -t y -x x --lr 0.2 -n 7 --format csv",
        ),
        (f"{FIT} -lr 0.3 --json", f"{FIT} --lr 0.3 --format json"),
        (f"{FIT} --output-format=csv", f"{FIT} --format csv"),
        (f"{FIT} --Random-State 3 --test-size .25 --csv", f"{FIT} --seed 3 --holdout .25 --format csv"),
        ("--input points.csv -y y --drop x2 -d comma --tsv", "points.csv -t y --exclude x2 --sep , --format tsv"),
        (f"{FIT} --loss mse --solver gradient_descent --scale z-score --json", f"{FIT} --format json"),
        ("sweep points.csv --response y --delimiter , --csv", "sweep points.csv -t y --format csv"),
    ],
)
def test_a_synonym_does_the_same(run_here, points, foreign, here):
    points.with_name("points.csv").write_text("x,x2,y\n" + "".join(f"{i},{i * i % 7},{3 * i + 1}\n" for i in range(12)))
    assert run_here(*shlex.split(foreign)) == run_here(*shlex.split(here))
    assert run_here(*shlex.split(here)).code == 0


@pytest.mark.parametrize(
    ("given", "here"),
    [
        (f"{FIT} --momentum 0.8", f"{FIT} --optimizer momentum:0.8"),
        (f"{FIT} --ridge=2", f"{FIT} --l2 2"),
        (f"{FIT} --lasso", f"{FIT} --l1 0.1"),
        (f"{FIT} --penalty l1", f"{FIT} --l1 0.1"),
        (f"{FIT} --normal_equation", f"{FIT} --optimizer newton"),
        (f"{FIT} --standard-errors", f"{FIT} --inference"),
        (f"{FIT} --early-stopping 3", f"{FIT} --holdout 0.2 --patience 3"),
        (f"--standardize {FIT}", f"--scale standard {FIT}"),
        (f"{FIT} -v", f"{FIT} --every 1"),
        (f"{FIT} --family gaussian", f"{FIT} --loss squared"),
        (f"{FIT} --fit-intercept False", f"{FIT} --no-intercept"),
        (f"sweep {FIT} --ridge 1", f"sweep {FIT} --l2 1"),
    ],
)
def test_another_name_is_answered_with_the_command_that_works(run_here, points, given, here):
    done = run_here(*shlex.split(given))
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 2)
    pasted = done.err.splitlines()[1]
    assert pasted == f"  gdfit {here}"
    assert run_here(*shlex.split(pasted)[1:]).code == 0


def test_a_name_of_several_meanings_is_answered_with_all_of_them(run_here):
    done = run_here(*shlex.split(f"{FIT} --alpha 0.1"))
    assert done.code == 2
    for meaning in ("--lr 0.1 (the learning rate)", "--l2 0.1 (a ridge penalty)", "--l1 0.1 (a lasso penalty)"):
        assert meaning in done.err


def test_the_command_to_paste_keeps_no_second_name_for_one_option(run_here, points):
    done = run_here(*shlex.split("points.csv -t y -x x --learning-rate 0.001 --iters 5"))
    pasted = done.out.splitlines()[-1].split()
    assert pasted.count("--lr") == 1
    assert "--learning-rate" not in pasted
    assert run_here(*pasted[1:]).code == 0


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("--targt y", "Did you mean '--target'?"),
        ("--learnig-rate 1", "Did you mean '--lr'?"),
        ("--feat x", "Did you mean '--feature'?"),
        ("--zzzz", "No such option '--zzzz'."),
        ("sweep --trace t.csv", "No such option '--trace' of sweep; there is one of fit."),
    ],
)
def test_an_unknown_option_is_told_the_likeliest(run_here, line, told):
    done = run_here(*line.split())
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(f"{told}\n")


@pytest.mark.parametrize(
    ("given", "names", "told"),
    [
        ("prise", ["profit", "price", "prime rate"], " Did you mean 'price'?"),
        ("SQFT", ["sqft", "sqm"], " Did you mean 'sqft'?"),
        ("bed", ["bedrooms", "bath", "beds"], " Did you mean 'beds' or 'bedrooms'?"),
        ("x4", ["x1", "x2"], ""),
        ("no of beds", ["no. of beds"], " Did you mean 'no. of beds'?"),
        ("longtiude", ["latitude", "longitude", "altitude"], " Did you mean 'longitude'?"),
        ("", ["a"], ""),
        ("zzz", [], ""),
    ],
)
def test_one_name_stands_alone_where_it_is_likeliest_by_far(given, names, told):
    assert did_you_mean(given, names) == told


def test_every_entry_of_the_tables_leads_to_options_that_exist():
    known = all_options()
    written = [*foreign_names._SYNONYMS, *foreign_names._VALUES]
    written += [answer.written for answers in foreign_names._ANSWERS.values() for answer in answers]
    for text in written:
        words = [word for word in text.split() if word.startswith("--")]
        assert set(words) <= known, text


def test_no_entry_of_the_tables_hides_an_option_or_another_entry():
    names = [name for names in foreign_names._SYNONYMS.values() for name in names.split()]
    assert len(names) == len(set(names))
    assert not set(names) & set(foreign_names._ANSWERS)
    assert {name for name in names if f"--{name}" in options_of("fit")} <= {"lr"}  # -lr, with one dash


def test_a_value_that_looks_like_a_foreign_name_stays_a_value(run_here, points):
    points.with_name("named.csv").write_text("--json,y\n1,2\n2,4\n3,7\n")
    done = run_here("named.csv", "-t", "y", "-x", "--json", "-n", "0", "-q", "--format", "json")
    assert done.code == 0
    assert json.loads(done.out)["features"] == ["--json"]
