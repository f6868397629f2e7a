"""The keys of every JSON document that gdfit writes are those on record: none goes, none is renamed unnoticed.

``python -m tests.promises.test_key_trees`` records them in key_trees.txt: the diff of that file is then the review.
"""

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gdcli.cli import main
from tests.processes import ROOT

RECORD = Path(__file__).with_name("key_trees.txt")
FILES = {
    "rows.csv": "x,kind,w,g,y,n,yes\n"
    + "".join(
        f"{i % 7},{'abc'[i % 3]},{1 + i % 2},{'pq'[i % 2]},{i % 5 + i},{i % 4},{i % 3 == 0}\n" for i in range(24)
    ),
    "gaps.csv": "x,g,y\n1,a,1\n,b,2\n3,a,3.5\n4,,4\n5,b,4.5\n6,a,6\n",
}
DOCUMENTS = {
    "a fit": "rows.csv -t y -x x -x kind",
    "a fit with inference": "rows.csv -t y -x x -x kind --inference",
    "a fit with weights, a holdout and patience": "rows.csv -t y -x x --weights w --holdout 0.3 --patience 3",
    "a fit of batches": "rows.csv -t y -x x --batch-size 8 --epochs 2",
    "a fit that diverges": "rows.csv -t y -x x --lr 9",
    "a fit with penalties to choose from": "rows.csv -t y -x x --cv 3 --l2 0.1 --l2 1",
    "a fit that fills gaps": "gaps.csv -t y --missing mean",
    "a logistic fit": "rows.csv -t yes -x x --loss logistic",
    "a fit with a schedule and Huber's loss": "rows.csv -t y -x x --loss huber:1 --schedule cosine",
    "a fit by group": "rows.csv -t y -x x --by g",
    "a fit by group with inference and folds": "rows.csv -t y -x x --by g --inference --cv 3",
    "a sweep": "sweep rows.csv -t y -x x",
    "a sweep by group": "sweep rows.csv -t y -x x --by g",
    "a sweep with folds": "sweep rows.csv -t y -x x --cv 3",
    "a model": "rows.csv -t y -x x -x kind --optimizer momentum -q --save {saved}",
    "a model of groups": "rows.csv -t y -x x --by g -q --save {saved}",
    "a summary": "summarize rows.csv -q -o {saved}",
    "predictions as JSON lines": "predict model.json rows.jsonl",
    "a score": "score model.json rows.csv",
    "a score of classes": "score classes.json rows.csv",
    "scores of several models": "score model.json other.json rows.csv",
    "a score of groups": "score groups.json rows.csv",
    "a description": "describe rows.csv -t y",
    "a description of gaps": "describe gaps.csv",
    "a curve": "curve --poly 0,0,1",
}
MODELS = (
    "rows.csv -t y -x x -x kind -q --save model.json",
    "rows.csv -t y -x x -q --save other.json",
    "rows.csv -t yes -x x --loss logistic -q --save classes.json",
    "rows.csv -t y -x x --by g -q --save groups.json",
)


def run(line: str) -> str:
    """What a command line prints; it ends as it should, or has diverged."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(line.split())
    assert code in (0, 3), (line, err.getvalue())
    return out.getvalue()


def documents(line: str) -> list[Any]:
    """The JSON documents that a command line prints or saves: several if it writes JSON lines."""
    if "{saved}" in line:
        run(line.format(saved="saved.json"))
        return [json.loads(Path("saved.json").read_text())]
    text = run(line if line.startswith("predict") else f"{line} --format json")
    return [json.loads(text)] if text.startswith("{\n") else [json.loads(each) for each in text.splitlines()]


def keys(values: list[Any], place: str) -> Iterator[str]:
    """A line for each object within some values at one place: where it is, and its keys; objects of a list are one."""
    found = dict.fromkeys(key for value in values if isinstance(value, dict) for key in value)
    if found:
        yield f"{place}: {' '.join(found)}"
    for key in found:
        inner = [value[key] for value in values if isinstance(value, dict) and key in value]
        yield from keys(inner, f"{place}.{key}".lstrip("."))
    items = [item for value in values if isinstance(value, list) for item in value]
    if items:
        yield from keys(items, f"{place}[]")


def trees() -> str:
    """The keys of all documents, made in an empty folder."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for name, content in FILES.items():
                Path(name).write_text(content)
            Path("rows.jsonl").write_text('{"x": 1, "kind": "a", "note": null}\n')
            for line in MODELS:
                run(line)
            parts = ["\n".join([f"# {name}", *keys(documents(line), "")]) for name, line in DOCUMENTS.items()]
        finally:
            os.chdir(before)
    return "\n\n".join(parts) + "\n"


def test_the_keys_of_each_json_document_are_those_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    found, recorded = (text.strip().split("\n\n") for text in (trees(), RECORD.read_text()))
    assert found == recorded


if __name__ == "__main__":
    os.chdir(ROOT)
    RECORD.write_text(trees())
