"""Going on from where a saved model stands."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from gdcli.base.errors import DataError, UsageError
from gdcli.base.names import listed, quoted
from gdcli.base.schema import json_number
from gdcli.data.csv.options import CSV_FIELDS, CsvOptions
from gdcli.engine import spectrum as spectra
from gdcli.engine.optimizers import PLAIN_DESCENT, OptimizerState, parse_optimizer
from gdcli.engine.schedules import CONSTANT, parse_schedule
from gdcli.fitting.options import FitOptions
from gdcli.fitting.problem import Problem
from gdcli.models.model import Model

# The same rows give the same means, deviations and cost up to the rounding of another machine.
_SAME = 1e-9


def options_from_model(model: Model, options: FitOptions) -> FitOptions:
    """Return the options with the model's target, columns, optimiser, schedule, rate and CSV where none are given.

    Raises UsageError for options that do not fit its state.
    """
    content = model.content
    scale, intercept = content["descent"]["scale"], content["intercept"] is not None
    if options.target not in (None, model.target):
        other = quoted(options.target or "")
        raise UsageError(f"the model predicts {quoted(model.target)}, so --resume cannot fit {other}")
    if options.scale != scale:
        raise UsageError(f"the model was fitted with --scale {scale}: give the same to --resume it")
    if options.intercept != intercept:
        raise UsageError(f"the model was fitted with{'' if intercept else 'out'} an intercept: --resume needs the same")
    if options.weights != model.state.weights:
        has = "without weights" if model.state.weights is None else f"with --weights {model.state.weights}"
        raise UsageError(f"the model was fitted {has}: give the same to --resume it")
    if "mean" in (options.missing, model.state.missing) and options.missing != model.state.missing:
        raise UsageError(f"the model was fitted with --missing {model.state.missing}: give the same to --resume it")
    features = options.features or tuple(dict.fromkeys([*model.columns, *content["left_out"]]))
    theirs: float | Literal["search"] = "search" if _searched(model) else _rate(model)
    rate = theirs if options.learning_rate is None else options.learning_rate
    optimizer = _same(
        "--optimizer", content["descent"].get("optimizer", PLAIN_DESCENT), options.optimizer, parse_optimizer
    )
    schedule = _same("--schedule", content["descent"].get("schedule", CONSTANT), options.schedule, parse_schedule)
    batch_size, seed = _same_batches(model, options)
    l2, l1 = (_same_penalty(name, model, getattr(options, name)) for name in ("l2", "l1"))
    loss = model.loss if model.parameter is None else f"{model.loss}:{model.parameter!r}"
    if options.loss is not None and options.loss not in (loss, model.loss):
        raise UsageError(f"the model was fitted with --loss {loss}: give the same, or none, to --resume it")
    event = None if model.classes is None else model.classes[1]
    if options.event not in (None, event):
        raise UsageError(f"the model was fitted with the event {quoted(event or '')}: --resume needs the same")
    csv = CsvOptions.of({name: getattr(options, name) for name in CSV_FIELDS}, model.csv)
    words: dict[str, Any] = {"na": tuple(sorted(model.missing_words - {""})), "keep_na": True}
    if options.na or options.keep_na:
        words = {}
    return replace(
        options,
        **{name: getattr(csv, name) for name in CSV_FIELDS},
        **words,
        loss=loss,
        event=event,
        target=model.target,
        features=features,
        dates=options.dates or tuple(f"{name}:{how}" for name, how in model.state.dates.items()),
        optimizer=optimizer,
        schedule=schedule,
        learning_rate=rate,
        batch_size=batch_size,
        seed=seed,
        l2=(l2,),
        l1=(l1,),
    )


def _same(option: str, theirs: Any, given: str | None, parse: Callable[[str], Any]) -> str:
    """Return the model's word. Raises UsageError where the one given means something else."""
    try:
        meant = parse(str(theirs))
    except UsageError as error:
        raise DataError(f"the model is damaged or was edited by hand: {error}") from None
    if given is not None and parse(given) != meant:
        raise UsageError(f"the model was fitted with {option} {theirs}: give the same, or none, to --resume it")
    return str(theirs)


def _same_batches(model: Model, options: FitOptions) -> tuple[int | None, int]:
    """Return the model's batch size, and the seed of its order. Raises UsageError where others are given."""
    theirs, seed = (model.content["descent"].get(name) for name in ("batch_size", "seed"))
    if theirs is None:
        if options.batch_size is not None:
            raise UsageError("the model was fitted without --batch-size: leave it out to --resume it")
        return None, options.seed
    for value, least in ((theirs, 1), (seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise DataError("the model is damaged or was edited by hand: it does not say how its rows were cut")
    if options.batch_size not in (None, theirs):
        raise UsageError(f"the model was fitted with --batch-size {theirs}: give the same, or none, to --resume it")
    if options.seed not in (0, seed):
        raise UsageError(f"the model was fitted with --seed {seed}, and its order goes on: give the same, or none")
    return theirs, seed


def _same_penalty(name: str, model: Model, given: tuple[float, ...]) -> float:
    """Return the model's A or B. Raises UsageError where another one is given."""
    theirs = json_number((model.content.get("penalty") or {}).get(name, 0.0), name)
    if given not in ((), (theirs,)):
        raise UsageError(f"the model was fitted with --{name} {theirs:g}: give the same, or none, to --resume it")
    return theirs


def _searched(model: Model) -> bool:
    return (model.content.get("learning_rate") or {}).get("searched") is True


def _rate(model: Model) -> float:
    rate = model.content["descent"].get("learning_rate")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= sys.float_info.max:
        shown = quoted(str(rate), 40)
        raise DataError(f"the model is damaged or was edited by hand: {shown} is no learning rate; give one with --lr")
    return float(rate)


def resume_from(model: Model, problem: Problem, options: FitOptions) -> Problem:
    """Return the problem with the model's parameters as its start. Raises DataError where the data are others."""
    state, scaling = model.state, problem.scaling
    terms = tuple((term.name, term.level) for term in problem.terms.columns)
    if terms != state.terms:
        odd = [name if level is None else f"{name}[{level}]" for name, level in set(terms) ^ set(state.terms)]
        which = listed(sorted(odd), 5) or "another order"
        raise DataError(f"--resume: the model has other terms than these data: {which}")
    ours = np.array([*scaling.center, *scaling.scale, scaling.target_scale])
    theirs = np.array([*state.center, *state.scale, state.target_scale])
    theta = np.array(state.theta)
    cost = float(problem.objective.value_and_gradient(theta)[0]) * problem.unit
    # A mean close to zero is judged against its deviation.
    slack = np.concatenate([scaling.scale, np.zeros(len(scaling.scale) + 1)])
    same_scaling = np.all(np.abs(ours - theirs) <= _SAME * (np.abs(theirs) + slack))
    if not same_scaling or abs(cost - float(model.content["cost"])) > _SAME * (problem.mean_square + cost):
        raise DataError("--resume: the model was fitted to other data; for new rows fit all of them again")
    distance = theta - problem.optimum.theta
    rank = len(problem.spectrum.eigenvalues)
    return replace(
        problem,
        start=theta,
        spectrum=spectra.spectrum(problem.quadratic, rank, distance),
        before=state.iteration,
        trial=_rate(model),  # it was accepted here, so a search accepts it again
        state=_memory(state.optimizer, options.optimizer_on().init(theta)),
    )


def _memory(rows: Sequence[Sequence[float]], like: OptimizerState) -> OptimizerState:
    """Return the optimiser's memory. Raises DataError where it has not the form that it begins with."""
    if [len(row) for row in rows] != [len(row) for row in like]:
        raise DataError("the model is damaged or was edited by hand: its optimizer's memory is not complete")
    return tuple(np.array(row) for row in rows)
