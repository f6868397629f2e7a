"""Plain descents at constant rates, straight to where they end: nobody looks at the steps before.

Along each eigenvector of a squared error an update multiplies the distance to the optimum by 1 − η·λ, so that k of them
multiply it by (1 − η·λ)ᵏ: as exact as k updates, and as soon done as one.
"""

import numpy as np

from gdcli.engine.arrays import Array, Mask
from gdcli.engine.descent import Step, Stopped, StopRule
from gdcli.engine.spectrum import AlongEigenvectors, Counts, first


def leap(objective: AlongEigenvectors, learning_rate: Array, iterations: int, stop_rules: tuple[StopRule, ...]) -> Step:
    """The last step of plain descents from u = 0, each at a rate (…): the same, but for rounding, as the last step of
    ``descend`` with ``stop_rules`` and ``after(iterations)``.

    A rule must hold on from the iteration at which it first does. A cost is a convex function of the iteration, so that
    it stays above what it has risen above; and at stable rates no gradient grows again.
    """

    def at(iteration: int | Counts) -> Step:
        return Step(0, *objective.at(objective.after(learning_rate, iteration)), None)

    def ending(iteration: Counts) -> Mask:
        step = at(iteration)
        ends: Mask = np.logical_or.reduce([iteration >= iterations, *(test(step) for _, test in stop_rules)])
        return ends

    ended = np.full(learning_rate.shape, iterations)
    start, last = at(0), at(iterations)
    for _, test in stop_rules:
        test(start)  # what a cost is measured against
    if any(test(last).any() for _, test in stop_rules):
        ended = first(ending, learning_rate.shape)
        last = at(ended)
    stopped = np.full(learning_rate.shape, Stopped.ITERATIONS, dtype=object)
    for reason, test in reversed(stop_rules):
        stopped[test(last)] = reason
    return last._replace(iteration=int(ended.max(initial=0)), stopped=stopped, ended=ended)
