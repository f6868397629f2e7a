"""The topics of ``gdfit help TOPIC`` and of the man pages in section 7: a page of Markdown each, beside this."""

from pathlib import Path

from gdcli.engine.catalog import LOSS_ENTRIES

TOPICS: dict[str, str] = {
    "tour": "What gdfit does, in two minutes and seven examples.",
    "recipes": "Pipelines, alarms, nightly refreshes by cron and systemd, a lesson.",
    "lesson": "A page to descend in by hand, in any browser.",
    "input": "CSV, JSON lines, Parquet, addresses: what is read, and how.",
    "terms": "Logarithms, powers, products, categories; formulas as in R.",
    "missing-cells": "Which cells are missing, and what happens to their rows.",
    "losses": f"Costs: {', '.join(entry.name for entry in LOSS_ENTRIES)}.",
    "penalties": "Ridge, lasso, elastic net; as scikit-learn writes them.",
    "optimizers": "Learning rates, optimizers, schedules, and when a descent ends.",
    "batches": "Stochastic descent on batches of rows.",
    "groups": "One fit for each group of rows.",
    "validation": "Holdout, cross-validation, standard errors, weights.",
    "models": "Saving, predicting, scoring, exporting, resuming.",
    "summaries": "A few kilobytes that stand for all rows, and merge.",
    "cluster": "Reading with a Dask cluster.",
    "output": "Formats, files, colors, and options from the environment.",
    "json": "The keys of a result in JSON.",
    "exit-codes": "What the exit code says.",
    "python": "Fitting from a Python program.",
    "how-it-works": "Why one pass over the rows is enough.",
    "benchmarks": "Times and memory, measured against other programs.",
    "changes": "What is new in each version.",
}
"""Each topic with what it explains in one line, in reading order."""

_FOLDER = Path(__file__).parent


def topic_text(name: str) -> str:
    """The page of a topic, in Markdown."""
    return (_FOLDER / f"{name}.md").read_text(encoding="utf-8")
