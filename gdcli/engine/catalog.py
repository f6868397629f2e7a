"""Names, syntax, meanings and defaults that help, completion and checks need before NumPy is loaded."""

from collections.abc import Sequence

from gdcli.base.errors import UsageError
from gdcli.base.names import did_you_mean
from gdcli.base.records import NamedTuple, record


@record
class Entry:
    """One entry of a registry: its ``name``, its one-line ``meaning`` and the ``suffix`` written behind the name.

    A suffix in brackets, such as ``[:BETA]``, may be left out. ``classes``: the loss needs a target with two values.
    """

    name: str
    meaning: str
    suffix: str = ""
    classes: bool = False

    @property
    def syntax(self) -> str:
        """The name with its suffix, such as ``huber[:DELTA]``."""
        return self.name + self.suffix


SQUARED = "squared"

LOSS_ENTRIES = (
    Entry(SQUARED, "the mean squared error"),
    Entry("huber", "DELTA in target units", "[:DELTA]"),
    Entry("quantile", "TAU between 0 and 1, 0.5 is the median", "[:TAU]"),
    Entry("logistic", "a target of two values", classes=True),
    Entry("poisson", "counts"),
    Entry("gamma", "numbers above 0"),
)

CLASS_LOSS = next(entry.name for entry in LOSS_ENTRIES if entry.classes)
"""The loss that is proposed for a target of two values."""

OPTIMIZER_ENTRIES = (
    Entry("gd", "the gradient"),
    Entry("momentum", "a running sum of gradients; BETA is 0.9 unless given", "[:BETA]"),
    Entry("nesterov", "momentum that looks ahead; BETA is 0.9 unless given", "[:BETA]"),
    Entry("adagrad", "the gradient over the root of all squares so far"),
    Entry("rmsprop", "the gradient over the root of its mean square"),
    Entry("adam", "the mean gradient over the root of its mean square"),
    Entry("adamw", "adam with weight decay; DECAY is 0.01 unless given", "[:DECAY]"),
    Entry("nadam", "adam that looks ahead"),
    Entry("newton", "the gradient through the inverse Hessian"),
)

SCHEDULE_ENTRIES = (
    Entry("constant", "lr"),
    Entry("inverse", "lr/(1+R·k)", ":R"),
    Entry("exponential", "lr·R^k", ":R"),
    Entry("step", "times R after each K iterations", ":R:K"),
    Entry("cosine", "to 0 at the end"),
)

ENTRIES: dict[str, Sequence[Entry]] = {
    "loss": LOSS_ENTRIES,
    "optimizer": OPTIMIZER_ENTRIES,
    "schedule": SCHEDULE_ENTRIES,
}
"""The entries of each registry, by what one of them is."""


def unknown(kind: str, name: str) -> UsageError:
    """The UsageError for an unknown ``name`` of a ``kind``; its message lists all names, the likeliest first."""
    from difflib import SequenceMatcher

    def likeness(entry: Entry) -> float:
        return SequenceMatcher(None, name.lower(), entry.name).ratio()

    ordered = sorted(ENTRIES[kind], key=likeness, reverse=True)
    meant = did_you_mean(name, [entry.name for entry in ordered])
    return UsageError(f"there is no {kind} {name!r}.{meant} There are {', '.join(one.syntax for one in ordered)}")


def choices(kind: str) -> str:
    """The entries of a kind, each with its meaning, as a list for a sentence: ``a (…), b (…) or c (…)``."""
    *others, last = (f"{entry.syntax} ({entry.meaning})" for entry in ENTRIES[kind])
    return f"{', '.join(others)} or {last}"


class DemandEntry(NamedTuple):
    """A limit that a score may have to keep: ``sense`` is max or min, ``key`` and ``label`` are the measure's."""

    sense: str
    word: str
    key: str
    label: str

    @property
    def name(self) -> str:
        """The limit's name, such as ``max_rmse``."""
        return f"{self.sense}_{self.word}"

    @property
    def option(self) -> str:
        """The limit's option, such as ``--max-rmse``."""
        return f"--{self.name.replace('_', '-')}"


DEMAND_ENTRIES = (
    DemandEntry("max", "rmse", "rmse", "RMSE"),
    DemandEntry("max", "mae", "mae", "MAE"),
    DemandEntry("min", "r2", "r2", "R²"),
    DemandEntry("max", "mean_error", "mean_error", "|mean error|"),
    DemandEntry("max", "cost", "cost", "cost"),
    DemandEntry("max", "log_loss", "log_loss", "log loss"),
    DemandEntry("min", "accuracy", "accuracy", "accuracy"),
    DemandEntry("min", "auc", "auc", "AUC"),
    DemandEntry("min", "coverage", "coverage", "coverage"),
    DemandEntry("max", "deviance", "mean_deviance", "deviance"),
)
"""The limits for every measure that a score shows."""

SCALES = ("standard", "minmax", "none")

ITERATIONS = 1000
