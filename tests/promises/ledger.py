"""What some hundred command lines print, to the byte: the ledger that a change of the structure must not change.

``python tests/promises/ledger.py`` compares with ``ledger.txt`` byte for byte (``--show``: and prints the differences;
``--close``: and allows for the last digits of other machines). ``--record`` writes it anew: the diff of that file is
then the review.
"""

import contextlib
import difflib
import io
import math
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEDGER = Path(__file__).with_name("ledger.txt")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
MARK = "\n════ "

FILES = {
    "line.csv": "x,y\n1,2.1\n2,3.9\n3,6.2\n4,7.8\n5,10.1\n",
    "classes.csv": "x,w,y\n1,1,no\n2,2,no\n3,1,yes\n4,1,no\n5,2,yes\n6,1,yes\n",
    "counts.csv": "x,y\n0,1\n1,1\n2,3\n3,4\n4,9\n5,14\n",
    "gaps.csv": "x,g,y\n1,a,1\n,b,2\n3,a,3.5\n4,,4\n5,b,4.5\n6,a,6\n",
    "german.csv": "x;y\n1,5;2\n2,5;3\n3,5;5\n4,5;6\n",
    "rows.jsonl": '{"x": 1, "y": 2.5}\n{"x": 2, "y": 4.0}\n{"x": 4, "y": 9.5}\n{"x": 5, "y": 11.0}\n',
    "bad.csv": "x,y\n1,2\n2\n3,7\n4,8\n",
    "outlier.csv": "x,y\n1,1.2\n2,1.9\n3,3.1\n4,4.2\n5,30\n6,5.9\n7,7.2\n8,7.9\n",
    "thousands.csv": 'x,y\n1,"1,000"\n2,"2,100"\n3,"2,900"\n4,"4,200"\n',
    "dates.csv": "day,y\n2016-01-15,1\n2016-01-16,2.5\n2016-01-18,4\n2016-01-19,6\n",
    "days.csv": "day,y\n15.01.2016,1\n16.01.2016,2.5\n18.01.2016,4\n19.01.2016,6\n",
    "comments.csv": "# made by hand\nx,y\n1,2\n# a note\n2,3.5\n3,6\n",
    "chf.csv": "cost,y\nCHF 70.00,1\nCHF 80.50,2\nCHF 90.00,3\nCHF 95.00,5\n",
    "odd [red].csv": '"a [b]","c\nd",y\n1,2,3\n2,1,5\n3,5,4\n4,4,9\n',
}

LINES = """
housing.csv --target price --lr 0.01
housing.csv -t price -x sqft --lr 0.1 -n 20 --every 5
housing.csv -t price -x sqft --lr auto
housing.csv -t price -x sqft --lr 1.2
housing.csv -t price -x sqft --lr 1.2 --format json
housing.csv -t price --lr auto --format json
housing.csv -t price --lr auto --format csv
housing.csv -t price --lr auto --format tsv
housing.csv -t price --lr auto --format markdown
housing.csv -t price --lr auto --format html
housing.csv -t price --lr 0.1 -n 5 --trace -
housing.csv -t price --lr 0.1 -n 5 --trace t.jsonl -q
housing.csv -t price --lr auto --inference
housing.csv -t price --lr auto --inference --format json
housing.csv -t price --lr auto --inference --format csv
housing.csv -t price --holdout 0.2 --patience 5
housing.csv -t price --cv 5
housing.csv -t price --cv 5 --l2 0.1 --l2 1 --format json
housing.csv -t price --l2 0.1
housing.csv -t price --l1 0.05 --lr 0.1
housing.csv -t price --optimizer momentum --lr auto
housing.csv -t price --optimizer nesterov:0.8 --lr 0.05
housing.csv -t price --optimizer adagrad
housing.csv -t price --optimizer rmsprop
housing.csv -t price --optimizer adam -n 50
housing.csv -t price --optimizer newton
housing.csv -t price --schedule exponential:0.99 --lr 0.3
housing.csv -t price --schedule inverse:0.01 --lr 0.3
housing.csv -t price --schedule step:0.5:100 --lr 0.3
housing.csv -t price --schedule cosine --lr 0.3
housing.csv -t price --lr search
housing.csv -t price --scale none --lr 1e-8 -n 10
housing.csv -t price --scale minmax --lr auto
housing.csv -t price --no-intercept --lr auto
housing.csv -t price --batch-size 64 --epochs 5
housing.csv -t price --explain -n 2
housing.csv -t price -x sqft --start m=100 --start c=5000 --lr 0.1
housing.csv -t price --exclude type --weights beds --lr auto
housing.csv -t price --by type --lr auto
housing.csv -t price --by type --lr auto --format json
housing.csv -t price --by type --lr auto --format csv
housing.csv -t price --by type --lr auto --format markdown
housing.csv -t price --digits 3 --lr auto
housing.csv -t price -q
housing.csv -t price --lr auto --strict -n 3
housing.csv -t price --lr auto --chart
housing.csv -t price --loss huber --lr auto
outlier.csv -t y --loss huber:1.5 --lr auto --format json
classes.csv -t y -x x --loss logistic --lr auto -n 200
classes.csv -t y -x x --loss logistic --event no --lr auto -n 200 --format json
classes.csv -t y -x x --weights w --loss logistic --optimizer newton -n 20
counts.csv -t y --loss poisson --lr search -n 100
counts.csv -t y --loss poisson --optimizer newton --format csv
gaps.csv -t y --lr auto
gaps.csv -t y --missing mean --lr auto --format json
gaps.csv -t y --missing error
german.csv -t y --lr auto
german.csv -t y --decimal , --lr auto --format csv
rows.jsonl -t y --lr auto --format csv
thousands.csv -t y --lr auto
thousands.csv -t y --thousands , --lr auto --format csv
dates.csv -t y --lr auto
days.csv -t y --lr auto
days.csv -t y --date day:%d.%m.%Y --lr auto --format csv
comments.csv -t y
comments.csv -t y --comment # --lr auto --format csv
chf.csv -t y --lr auto
bad.csv -t y
bad.csv -t y --on-bad-row skip --lr auto --format csv
odd%[red].csv -t y --lr auto
odd%[red].csv -t y --lr auto --format csv
odd%[red].csv -t y --lr auto --format html
line.csv line.csv -t y --lr auto --format csv
line.csv -t y --lr auto --save m.json -q
line.csv -t y --resume m.json -n 10
predict m.json line.csv
predict m.json rows.jsonl
predict m.json line.csv --only
score m.json line.csv
score m.json line.csv --format json
score m.json line.csv --format csv
score m.json line.csv --format markdown
score m.json line.csv --min-r2 0.9999
export m.json --to sql
export m.json --to python
export m.json --to mlr
classes.csv -t y -x x --loss logistic --lr auto -n 200 --save c.json -q
predict c.json classes.csv
score c.json classes.csv
export c.json --to sql
housing.csv -t price --by type --lr auto --save g.json -q
predict g.json housing.csv --only -o p.csv
score g.json housing.csv --format csv
describe housing.csv
describe housing.csv -t price --format json
summarize housing.csv -o s.json
describe s.json -t price --format csv
s.json -t price --lr auto --format csv
s.json -t beds -x sqft -x baths --lr auto
s.json -t price --loss logistic
sweep housing.csv -t price
sweep housing.csv -t price --lr 0.01 --lr 0.1 --lr 0.5 --format json
sweep housing.csv -t price --format csv
sweep housing.csv -t price --format markdown
sweep housing.csv -t price --format html
curve --poly 1,0,0 --start 3 --lr 0.1 --lr 0.4 --lr 2
curve --poly 1,0,-3,1 --format json -n 10
curve --poly 1,0,-3,1 --format csv -n 10
curve --poly 1,0,-3,1 --format markdown -n 10
housing.csv -t price --dask local:2 --lr auto --format csv
housing.csv -t prise
housing.csv
houses.csv -t price
housing.csv -t price --lr nan
housing.csv -t price --cv 1
housing.csv -t price --lr abc
housing.csv -t type --lr auto
line.csv -t y --optimizer adam --lr auto
line.csv -t y --trace t.txt
m.json -t y
predict s.json line.csv
score m.json classes.csv
--help
sweep --help
predict --help-all
"""


def command_lines() -> list[list[str]]:
    """The words of each command line; ``%[`` stands for a blank and a bracket."""
    return [[word.replace("%[", " [") for word in line.split()] for line in LINES.strip().splitlines()]


@contextlib.contextmanager
def folder_of_files() -> Iterator[Path]:
    """A folder with the sample data and small tables, which is the working directory meanwhile."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as name:
        shutil.copy(ROOT / "sample_data" / "housing.csv", name)
        for path, content in FILES.items():
            (Path(name) / path).write_text(content)
        os.chdir(name)
        try:
            yield Path(name)
        finally:
            os.chdir(before)


def outcomes() -> Iterator[tuple[str, str]]:
    """Each command line with its exit code, stdout and stderr, run one after the other in one folder."""
    from gdcli.cli import main

    os.environ["COLUMNS"] = "80"
    with folder_of_files():
        for words in command_lines():
            out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(words)
            texts = []
            for stream in (out, err):
                stream.flush()
                texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
            yield " ".join(words), f"exit {code}\n── stdout\n{texts[0]}── stderr\n{texts[1]}"


def stored() -> dict[str, str]:
    """The recorded outcomes by command line."""
    found = {}
    for part in LEDGER.read_text(encoding="utf-8").split(MARK)[1:]:
        line, _, outcome = part.partition("\n")
        found[line] = outcome
    return found


def is_close(known: str, found: str) -> bool:
    """Whether two outcomes are the same but for numbers, which agree to nine digits."""
    if NUMBER.sub("#", known) != NUMBER.sub("#", found):
        return False
    pairs = zip(NUMBER.findall(known), NUMBER.findall(found), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-9) for a, b in pairs)


def compare(close: bool, show: bool) -> int:
    """Print the command lines whose outcome differs; return how many."""
    known, differing = stored(), 0
    for line, outcome in outcomes():
        expected = known.get(line, "")
        if expected == outcome or (close and is_close(expected, outcome)):
            continue
        differing += 1
        print(f"DIFFERS: {line}")
        if show:
            print(*difflib.unified_diff(expected.splitlines(), outcome.splitlines(), lineterm=""), sep="\n")
    print(f"{differing} of {len(command_lines())} differ")
    return differing


def run() -> int:
    """Record, or compare."""
    if "--record" in sys.argv:
        LEDGER.write_text("".join(f"{MARK}{line}\n{outcome}" for line, outcome in outcomes()), encoding="utf-8")
        return 0
    return int(compare("--close" in sys.argv, "--show" in sys.argv) > 0)


if __name__ == "__main__":
    sys.exit(run())
