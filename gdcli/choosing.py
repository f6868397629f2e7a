"""Choosing between penalties by cross-validation: the folds are triangles of the one pass, for all that is tried."""

import math
from dataclasses import replace

from gdcli.engine.spectrum import Behaviour
from gdcli.listener import Listener
from gdcli.problem import learning_rate_of, prepare
from gdcli.reading import Reading
from gdcli.result import TriedPenalty
from gdcli.settings import FitOptions
from gdcli.validation import cross_validate


def choose_penalty(
    reading: Reading, options: FitOptions, listener: Listener
) -> tuple[FitOptions, tuple[TriedPenalty, ...]]:
    """Return the options with the penalty of the lowest mean validation cost at the last iteration, and all tried.

    That is the cost of the coefficients that such a fit gives, converged or not. The first of equals is chosen.
    """
    tried = tuple(_tried(reading, replace(options, l2=(one.l2,), l1=(one.l1,)), listener) for one in options.penalties)
    best = min(tried, key=lambda one: math.inf if one.mean is None else one.mean)
    return replace(options, l2=(best.l2,), l1=(best.l1,)), tried


def _tried(reading: Reading, options: FitOptions, listener: Listener) -> TriedPenalty:
    problem = prepare(reading, options, Listener())  # its notes come with the fit
    rate, penalty = learning_rate_of(problem, options), options.penalty
    if rate.behaviour is Behaviour.UNSTABLE:
        return TriedPenalty(penalty.l2, penalty.l1, None, None)
    found = cross_validate(reading, problem, rate.given, options, listener)
    return TriedPenalty(penalty.l2, penalty.l1, found.mean, found.standard_error)
