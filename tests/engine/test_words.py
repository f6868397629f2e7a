"""The words of the command line: ``name:parameter``, read in one place each."""

import pytest

from gdcli.base.errors import UsageError
from gdcli.cli.topics import topic_text
from gdcli.engine.catalog import ENTRIES, OPTIMIZER_ENTRIES, SCHEDULE_ENTRIES
from gdcli.engine.losses import parse_loss
from gdcli.engine.optimizers import OPTIMIZERS, Momentum, Nesterov, parse_optimizer
from gdcli.engine.schedules import SCHEDULES, parse_schedule
from gdcli.fitting.choices import OptimizerChoice


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_name_alone_is_an_optimizer_of_that_name(name: str) -> None:
    assert OptimizerChoice.of(name).rule.name == name


@pytest.mark.parametrize("kind", [Momentum, Nesterov])
def test_a_parameter_stands_behind_a_colon_and_is_0_9_without(kind: type[Momentum] | type[Nesterov]) -> None:
    for word, beta in [("", 0.9), (":0.9", 0.9), (":0", 0.0), (":.25", 0.25), (":0.999999", 0.999999)]:
        optimizer = OptimizerChoice.of(kind.name + word).rule
        assert isinstance(optimizer, kind)
        assert optimizer.values == (beta,)


def test_the_same_optimizer_in_other_words_is_the_same() -> None:
    assert parse_optimizer("momentum") == parse_optimizer("momentum:0.90") == ("momentum", (0.9,))
    assert parse_optimizer("momentum") != parse_optimizer("momentum:0.8")
    assert parse_schedule("step:0.5:10") == parse_schedule("step:.5:010") == ("step", (0.5, 10))


@pytest.mark.parametrize("text", ["1", "-0.1", "1.5", "nan", "inf", "", "x", "0.9:0.9", "0,9"])
@pytest.mark.parametrize("name", ["momentum", "nesterov"])
def test_a_bad_beta_is_wrong_usage_that_says_what_is_wanted(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"{name}:BETA takes a number from 0 to below 1") as error:
        OptimizerChoice.of(f"{name}:{text}")
    assert repr(text) in str(error.value)


@pytest.mark.parametrize("name", [name for name, one in OPTIMIZERS.items() if not one.parameters])
def test_an_optimizer_without_a_parameter_takes_none(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} takes no parameter, so leave out ':0.9'"):
        OptimizerChoice.of(f"{name}:0.9")


@pytest.mark.parametrize("word", ["sgd", "", ":0.9", "Adam", "adam ", "momentum=0.9"])
def test_an_unknown_optimizer_is_wrong_usage_that_lists_all(word: str) -> None:
    with pytest.raises(UsageError) as error:
        OptimizerChoice.of(word)
    listed = str(error.value).rpartition("There are ")[2].split(", ")
    assert sorted(name.partition("[")[0] for name in listed) == sorted(OPTIMIZERS)


def test_the_names_that_are_likely_meant_come_first() -> None:
    with pytest.raises(UsageError, match=r"'adma'. Did you mean 'adam'\? There are adam, adamw\[:DECAY\], nadam, "):
        parse_optimizer("adma")
    with pytest.raises(UsageError, match=r"'cosin'. Did you mean 'cosine'\? There are cosine, constant, "):
        parse_schedule("cosin")
    with pytest.raises(UsageError, match=r"'Poison'. Did you mean 'poisson'\? There are poisson, "):
        parse_loss("Poison")


@pytest.mark.parametrize("text", ["-0.1", "nan", "inf", "", "x", "0.1:0.2"])
def test_a_bad_weight_decay_is_wrong_usage_that_says_what_is_wanted(text: str) -> None:
    with pytest.raises(UsageError, match=r"adamw:DECAY takes a number of 0 or more, such as adamw:0\.01, not"):
        OptimizerChoice.of(f"adamw:{text}")


def test_help_and_completion_know_the_optimizers_and_their_usual_parameters() -> None:
    written = {name: "".join(f"[:{one.name}]" for one in kind.parameters) for name, kind in OPTIMIZERS.items()}
    assert [(entry.name, entry.suffix) for entry in OPTIMIZER_ENTRIES] == list(written.items())
    meanings = {entry.name: entry.meaning for entry in OPTIMIZER_ENTRIES}
    usual = [
        (name, f"{one.name} is {one.default:g} unless") for name, kind in OPTIMIZERS.items() for one in kind.parameters
    ]
    assert [name for name, said in usual if said not in meanings[name]] == []


def test_help_and_completion_know_the_schedules() -> None:
    written = {name: "".join(f":{one.name}" for one in kind.parameters) for name, kind in SCHEDULES.items()}
    assert [(entry.name, entry.suffix) for entry in SCHEDULE_ENTRIES] == list(written.items())


@pytest.mark.parametrize("kind", ENTRIES)
def test_the_topics_have_a_line_for_each_name_in_the_same_order(kind: str) -> None:
    page = topic_text("losses" if kind == "loss" else "optimizers")
    for letter, word in [("δ", "DELTA"), ("τ", "TAU"), ("β", "BETA")]:
        page = page.replace(letter, word)
    named = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    syntax = [entry.syntax for entry in ENTRIES[kind]]
    assert [name for name in named if name in syntax] == syntax


@pytest.mark.parametrize("word", ["constant", "cosine", "inverse:0.01", "inverse:3", "exponential:1", "step:1e-3:1"])
def test_good_schedules_are_read(word: str) -> None:
    assert parse_schedule(word)[0] in SCHEDULES


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("linear", "There are inverse:R, "),
        ("", "There are constant, inverse:R, exponential:R, step:R:K, cosine"),
        ("exponential", "written exponential:R"),
        ("exponential:0.9:2", "written exponential:R"),
        ("cosine:1000", "written cosine"),
        ("constant:", "written constant"),
        ("step:0.5", "written step:R:K"),
        ("inverse:", "the R of inverse:R is a number above 0, not ''"),
        ("inverse:-1", "the R of inverse:R is a number above 0, not '-1'"),
        ("inverse:nan", "the R of inverse:R is a number above 0, not 'nan'"),
        ("inverse:inf", "the R of inverse:R is a number above 0, not 'inf'"),
        ("exponential:1.01", "the R of exponential:R is a number above 0 and at most 1, not '1.01'"),
        ("exponential:0", "the R of exponential:R is a number above 0 and at most 1, not '0'"),
        ("step:0.5:0", "the K of step:R:K is a whole number above 0, not '0'"),
        ("step:0.5:2.5", "the K of step:R:K is a whole number above 0, not '2.5'"),
        ("step:2:10", "the R of step:R:K is a number above 0 and at most 1, not '2'"),
    ],
)
def test_a_bad_schedule_is_wrong_usage_that_says_what_is_wanted(word: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_schedule(word)
    assert said in str(error.value)
