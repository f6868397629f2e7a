"""The fits of all groups: frozen arrays of numbers, for others to word and save.

The first axis g is the group, the last one p the term. Units are the file's, costs in squared target units. A number
that does not exist is NaN, a count −1: those of a group with too few rows, and of a diverged descent.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

from gdcli.base.records import field, record
from gdcli.data.expressions.computed import Computed
from gdcli.data.group_keys import Key
from gdcli.engine.arrays import Array, NDArray
from gdcli.engine.catalog import SQUARED
from gdcli.engine.column import Column
from gdcli.engine.descent import Stopped
from gdcli.fitting.results import Fit
from gdcli.ingest.counts import RowCounts


class Verdict(Enum):
    """The outcome of a group's fit; the value is the word that the user reads."""

    CONVERGED = "converged"
    NOT_CONVERGED = "not converged"
    UNSTABLE = "unstable"
    DIVERGED = "diverged"
    TOO_FEW_ROWS = "too few rows"
    NO_FIT = "no fit"


@record(eq=False)
class GroupFits:
    """One fit per group of the columns ``by``. Fields that are no arrays are common to all groups.

    ``references`` are each group's reference levels by text column, ``levels`` all levels of all groups. ``count``
    (g,) are the rows of positive weight, ``held`` (g,) those among them that are held out, None without any.
    ``means`` (g, p) of the terms fill missing cells; None if these are not filled. ``stopped`` and ``behaviour``
    hold the words of a fit, None for a group without a fit. ``fits`` are the fits themselves if each descended by
    itself. ``reasons`` say why a group has no fit, or no validation, by the group's index. ``loss_word`` is the
    loss as it was asked for. ``parameter`` is the loss's, the median of the groups'. ``shown`` are the first fits
    with what was asked to be shown of them (a picture, the arithmetic, iterations), by the group's index; ``every``
    says that iterations were. ``asked`` is the number of iterations asked for, ``left``
    that of groups which a request to stop left out.
    """

    version: str
    files: tuple[str, ...]
    target: str
    by: tuple[str, ...]
    groups: tuple[Key, ...]
    features: tuple[str, ...]
    terms: tuple[Column, ...]
    levels: Mapping[str, tuple[str, ...]]
    references: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    intercept: bool
    rows: RowCounts
    count: NDArray[np.intp]
    optimizer: str
    schedule: str
    scale: str
    tolerance: float | None
    automatic: bool
    missing_words: tuple[str, ...]
    missing: str
    weights: str | None
    dates: Mapping[str, str]
    csv: Mapping[str, Any]
    computed: Mapping[str, Computed]
    means: Array | None
    slopes: Array
    intercepts: Array
    standardized: Array
    cost: Array
    gap: Array
    r2: Array
    optimal_slopes: Array
    optimal_intercepts: Array
    optimal_cost: Array
    gap_measure: Array
    perfect: NDArray[np.bool_]
    verdict: NDArray[np.object_]
    stopped: NDArray[np.object_]
    iterations: NDArray[np.int64]
    rate: Array
    behaviour: NDArray[np.object_]
    largest_stable: Array
    best: Array
    iterations_to_1_percent: NDArray[np.int64]
    fits: tuple[Fit | None, ...] = ()
    reasons: Mapping[int, str] = field(default_factory=dict)
    loss: str = SQUARED
    loss_word: str = SQUARED
    classes: tuple[str, str] | None = None
    parameter: float | None = None
    shown: Mapping[int, Fit] = field(default_factory=dict)
    every: bool = False
    held: NDArray[np.intp] | None = None
    asked: int = 0
    left: int = 0

    @property
    def interrupted(self) -> bool:
        """Whether a request to stop ended the job: what was done by then is here."""
        return self.left > 0 or Stopped.INTERRUPTED in self.stopped.tolist()

    def with_verdict(self, *verdicts: Verdict) -> list[int]:
        """The indices of the groups whose verdict is one of ``verdicts``."""
        return [i for i, verdict in enumerate(self.verdict) if verdict in verdicts]

    @property
    def diverged(self) -> list[int]:
        """The indices of the groups with a diverged descent or an unstable rate: the exit code is 3."""
        return self.with_verdict(Verdict.UNSTABLE, Verdict.DIVERGED)
