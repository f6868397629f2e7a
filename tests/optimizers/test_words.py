"""The words of the command line: ``name:parameter``, read in one place each."""

import pytest

from gdcli.base.errors import UsageError
from gdcli.engine.catalog import OPTIMIZER_ENTRIES
from gdcli.engine.optimizers import OPTIMIZERS, Momentum, Nesterov, optimizer_of, parse_optimizer
from gdcli.engine.schedules import SCHEDULES, form, parse_schedule


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_name_alone_is_an_optimizer_of_that_name(name: str) -> None:
    assert optimizer_of(name).name == name


@pytest.mark.parametrize("kind", [Momentum, Nesterov])
def test_a_parameter_stands_behind_a_colon_and_is_0_9_without(kind: type[Momentum] | type[Nesterov]) -> None:
    for word, beta in [("", 0.9), (":0.9", 0.9), (":0", 0.0), (":.25", 0.25), (":0.999999", 0.999999)]:
        optimizer = optimizer_of(kind.name + word)
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
        optimizer_of(f"{name}:{text}")
    assert repr(text) in str(error.value)


@pytest.mark.parametrize("name", [name for name, one in OPTIMIZERS.items() if not one.parameters])
def test_an_optimizer_without_a_parameter_takes_none(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} takes no parameter, so leave out ':0.9'"):
        optimizer_of(f"{name}:0.9")


@pytest.mark.parametrize("word", ["sgd", "", ":0.9", "Adam", "adam ", "momentum=0.9"])
def test_an_unknown_optimizer_is_wrong_usage_that_lists_all(word: str) -> None:
    with pytest.raises(UsageError, match="gd, momentum, nesterov, adagrad, rmsprop, adam, adamw, nadam, newton"):
        optimizer_of(word)


@pytest.mark.parametrize("text", ["-0.1", "nan", "inf", "", "x", "0.1:0.2"])
def test_a_bad_weight_decay_is_wrong_usage_that_says_what_is_wanted(text: str) -> None:
    with pytest.raises(UsageError, match=r"adamw:DECAY takes a number of 0 or more, such as adamw:0\.01, not"):
        optimizer_of(f"adamw:{text}")


def test_help_knows_the_optimizers_that_there_are() -> None:
    words = [(name, *(parameter.name for parameter in one.parameters)) for name, one in OPTIMIZERS.items()]
    assert words == [(entry.name, *filter(None, [entry.word])) for entry in OPTIMIZER_ENTRIES]


@pytest.mark.parametrize("word", ["constant", "cosine", "inverse:0.01", "inverse:3", "exponential:1", "step:1e-3:1"])
def test_good_schedules_are_read(word: str) -> None:
    assert parse_schedule(word)[0] in SCHEDULES


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("linear", "constant, inverse:R, exponential:R, step:R:K, cosine"),
        ("", "constant, inverse:R"),
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


def test_a_schedule_is_written_with_its_parameters() -> None:
    assert [form(name) for name in SCHEDULES] == ["constant", "inverse:R", "exponential:R", "step:R:K", "cosine"]
