"""Names, syntax and defaults that help and checks need before NumPy is loaded."""

from typing import NamedTuple


class Entry(NamedTuple):
    """A name of a registry: ``word`` stands for its parameter, "" if it takes none, and ``meaning`` explains it."""

    name: str
    word: str
    meaning: str

    @property
    def form(self) -> str:
        """``huber[:DELTA] (DELTA in target units)``."""
        return f"{self.name}{f'[:{self.word}]' if self.word else ''}{f' ({self.meaning})' if self.meaning else ''}"


SQUARED = "squared"

LOSS_ENTRIES = (
    Entry(SQUARED, "", ""),
    Entry("huber", "DELTA", "DELTA in target units"),
    Entry("quantile", "TAU", "TAU between 0 and 1, 0.5 is the median"),
    Entry("logistic", "", "a target of two values"),
    Entry("poisson", "", "counts"),
    Entry("gamma", "", "numbers above 0"),
)

OPTIMIZER_ENTRIES = (
    Entry("gd", "", ""),
    Entry("momentum", "BETA", ""),
    Entry("nesterov", "BETA", ""),
    Entry("adagrad", "", ""),
    Entry("rmsprop", "", ""),
    Entry("adam", "", ""),
    Entry("adamw", "DECAY", ""),
    Entry("nadam", "", ""),
    Entry("newton", "", ""),
)

SCALES = ("standard", "minmax", "none")

ITERATIONS = 1000
