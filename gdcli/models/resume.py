"""Resuming the descent of a saved model."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from gdcli.base.errors import DataError, UsageError
from gdcli.base.names import quoted
from gdcli.base.schema import from_json, json_number
from gdcli.data.columns import POLICIES
from gdcli.data.csv.options import CSV_FIELDS, CsvOptions
from gdcli.data.group_keys import Key
from gdcli.engine.catalog import SCALES
from gdcli.engine.losses import parse_loss
from gdcli.engine.optimizers import PLAIN_DESCENT, parse_optimizer
from gdcli.engine.schedules import CONSTANT, parse_schedule
from gdcli.fitting.start import Start
from gdcli.models.model import Model
from gdcli.models.model_file import load_model
from gdcli.models.stored_model import StoredModel, groups_of


def resumed(path: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[Key, Start]]:
    """The fit's options completed from the model, and for each group the start of its further descent: its end.

    A fit of all rows is one group, with the key (). Raises UsageError for values that contradict the model, DataError
    for a model that cannot be read.
    """
    _check_beginning(values)
    model = load_model(path)
    if tuple(values.get("by") or ()) != model.by:
        groups = f"groups by {' and '.join(model.by)}: give the same --by" if model.by else "no groups: leave out --by"
        raise UsageError(f"the model has {groups} to --resume it")
    if "descent" not in model.content:
        raise DataError(f"{quoted(path)} does not say how its groups descended, or each has its own penalty: fit anew")
    merged = dict(values) | _merged(model, values)
    return merged, _starts(model, path, merged["learning_rate"])


def _starts(model: Model, path: str, given: object) -> dict[Key, Start]:
    """The end of each group's descent. ``given`` is the learning rate of a fit of all rows, if it is a number."""
    stored = from_json(StoredModel, model.content)
    one, starts = stored.state, {}
    scaling = () if one is None else (*one.center, *one.scale, one.target_scale)
    for group in groups_of(stored, model.content):
        rate = group.learning_rate if model.by else given if isinstance(given, float) else _rate(model)
        if rate is None or group.cost is None or not rate > 0:
            raise DataError(f"{quoted(path)} is damaged or was edited by hand: a group lacks the end of its descent")
        starts[group.group] = Start(
            model.terms, group.coefficients, group.intercept or 0.0, group.theta, scaling, group.optimizer,
            group.iterations, rate, group.cost,
        )  # fmt: skip
    return starts


def _check_beginning(values: Mapping[str, Any]) -> None:
    """Raise UsageError for options that say where descents begin."""
    if values.get("start"):
        raise UsageError("--resume goes on from where a model stands, so --start has no place")
    if values.get("cv") is not None:
        raise UsageError("--cv begins each fold's descent at the start, so --resume has no place")


def _merged(model: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """The option values that the model decides, and its values for options not given. Raises UsageError."""
    content, given = model.content, values.get
    target = given("target")
    if target not in (None, model.target):
        raise UsageError(f"the model predicts {quoted(model.target)}, so --resume cannot fit {quoted(target)}")
    _check_same_terms(model, values)
    searched = (content["descent"] if model.by else content.get("learning_rate") or {}).get("searched") is True
    rate = given("learning_rate")
    if rate is None:
        rate = "search" if searched else None if model.by else _rate(model)  # each group goes on with its own
    loss = _loss(model)
    if given("loss") not in (None, loss, model.loss):
        raise UsageError(f"the model was fitted with --loss {loss}: give the same, or none, to --resume it")
    event = None if model.classes is None else model.classes[1]
    if given("event") not in (None, event):
        raise UsageError(f"the model was fitted with the event {quoted(event or '')}: --resume needs the same")
    csv = CsvOptions.of({name: given(name) for name in CSV_FIELDS}, model.csv)
    dates = tuple(f"{name}:{how}" for name, how in model.dates.items())
    found = {name: getattr(csv, name) for name in CSV_FIELDS} | {
        "target": model.target,
        "features": given("features") or tuple(dict.fromkeys([*model.features, *content["left_out"]])),
        "dates": given("dates") or dates,
        "loss": loss,
        "event": event,
        "optimizer": _same("--optimizer", content["descent"].get("optimizer", PLAIN_DESCENT), given("optimizer")),
        "schedule": _same("--schedule", content["descent"].get("schedule", CONSTANT), given("schedule")),
        "learning_rate": rate,
        "l2": (_same_penalty("l2", model, given("l2", ())),),
        "l1": (_same_penalty("l1", model, given("l1", ())),),
    }
    found["batch_size"], found["seed"] = _same_batches(model, given("batch_size"), given("seed", 0))
    if not (given("na") or given("keep_na")):
        found |= {"na": tuple(sorted(model.missing_words - {""})), "keep_na": True}
    return found


def _check_same_terms(model: Model, values: Mapping[str, Any]) -> None:
    """Raise UsageError for values that make other terms, or scale them in another way."""
    scale, intercept = model.content["descent"]["scale"], model.has_intercept
    weights, missing = values.get("weights"), values.get("missing", POLICIES[0])
    before, policy = model.content["weights"], model.content["missing"]["policy"]
    if values.get("scale", SCALES[0]) != scale:
        raise UsageError(f"the model was fitted with --scale {scale}: give the same to --resume it")
    if values.get("intercept", True) != intercept:
        raise UsageError(f"the model was fitted with{'' if intercept else 'out'} an intercept: --resume needs the same")
    if weights != before:
        has = "without weights" if before is None else f"with --weights {before}"
        raise UsageError(f"the model was fitted {has}: give the same to --resume it")
    if "mean" in (missing, policy) and missing != policy:
        raise UsageError(f"the model was fitted with --missing {policy}: give the same to --resume it")


_PARSERS: dict[str, Callable[[str], Any]] = {"--optimizer": parse_optimizer, "--schedule": parse_schedule}


def _same(option: str, theirs: Any, given: str | None) -> str:
    """The value of an option in the model. Raises UsageError if the one given means something else."""
    parse = _PARSERS[option]
    try:
        meant = parse(str(theirs))
    except UsageError as error:
        raise DataError(f"the model is damaged or was edited by hand: {error}") from None
    if given is not None and parse(given) != meant:
        raise UsageError(f"the model was fitted with {option} {theirs}: give the same, or none, to --resume it")
    return str(theirs)


def _same_batches(model: Model, size: int | None, seed: int) -> tuple[int | None, int]:
    """The model's batch size, and the seed of its order. Raises UsageError if others are given."""
    theirs, before = (model.content["descent"].get(name) for name in ("batch_size", "seed"))
    if theirs is None:
        if size is not None:
            raise UsageError("the model was fitted without --batch-size: leave it out to --resume it")
        return None, seed
    for value, least in ((theirs, 1), (before, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise DataError("the model is damaged or was edited by hand: it does not say how its rows were cut")
    if size not in (None, theirs):
        raise UsageError(f"the model was fitted with --batch-size {theirs}: give the same, or none, to --resume it")
    if seed not in (0, before):
        raise UsageError(f"the model was fitted with --seed {before}, and its order goes on: give the same, or none")
    return theirs, before


def _same_penalty(name: str, model: Model, given: tuple[float, ...]) -> float:
    """The model's A or B. Raises UsageError if another one is given."""
    theirs = json_number((model.content.get("penalty") or {}).get(name, 0.0), name)
    if given not in ((), (theirs,)):
        raise UsageError(f"the model was fitted with --{name} {theirs:g}: give the same, or none, to --resume it")
    return theirs


def _loss(model: Model) -> str:
    """The loss as it was asked for: groups may each have had the parameter from their own data."""
    word = model.content["descent"].get("loss") if model.by else None
    if word is None:
        return model.loss if model.parameters is None else f"{model.loss}:{float(model.parameters[0])!r}"
    try:
        parse_loss(str(word))
    except UsageError as error:
        raise DataError(f"the model is damaged or was edited by hand: {error}") from None
    return str(word)


def _rate(model: Model) -> float:
    rate = model.content["descent"].get("learning_rate")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= sys.float_info.max:
        shown = quoted(str(rate), 40)
        raise DataError(f"the model is damaged or was edited by hand: {shown} is no learning rate; give one with --lr")
    return float(rate)
