"""``gdfit fit --by``, and the model that predict and score apply."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROWS = [f"{2 * i + 1},{i},x,north" for i in range(6)] + [f"{-3 * i},{i},{'xy'[i % 2]},south" for i in range(6)]
TABLE = "\n".join(["y,a,t,region", *ROWS, "5,5,x,lonely"]) + "\n"


@pytest.fixture
def table(csv_file: Callable[..., str]) -> str:
    return csv_file(TABLE)


def test_the_table_has_a_row_per_group(gdfit: Callable, table: str) -> None:
    done = gdfit(table, "-t", "y", "--by", "region", "--lr", "auto")
    assert done.code == 0
    lines = [re.split(r"\s{2,}", line.strip()) for line in done.out.splitlines()[5:8]]
    assert lines[0] == ["lonely", "1", "? too few rows"]
    assert [lines[1][0], lines[1][1], lines[1][-1]] == ["north", "6", "✓ converged"]
    assert float(lines[1][2]) == pytest.approx(2.0)
    assert float(lines[2][2]) == pytest.approx(-3.0)
    assert "3 groups, 13 rows: 1 with too few rows and 2 converged." in done.out


def test_csv_has_a_row_per_group_and_term(gdfit: Callable, table: str) -> None:
    rows = list(csv.DictReader(gdfit(table, "-t", "y", "--by", "region", "--format", "csv").out.splitlines()))
    assert [(row["region"], row["term"]) for row in rows] == [
        (region, term) for region in ("lonely", "north", "south") for term in ("a", "t[y]", "(intercept)")
    ]
    optimum = {(row["region"], row["term"]): row["optimum"] for row in rows}
    assert optimum["lonely", "a"] == ""
    assert float(optimum["north", "a"]) == pytest.approx(2.0)
    assert float(optimum["south", "(intercept)"]) == pytest.approx(0.0, abs=1e-12)


def test_certainty_is_told_of_the_groups_that_have_it(gdfit: Callable, table: str) -> None:
    done = gdfit(table, "-t", "y", "-x", "a", "--by", "region", "--inference", "--format", "csv")
    errors = {(row["region"], row["term"]): row["std_error"] for row in csv.DictReader(done.out.splitlines())}
    # north is an exact line, and lonely has one row.
    assert errors["lonely", "a"] == ""
    assert float(errors["north", "a"]) == pytest.approx(0.0, abs=1e-12)


def test_tsv_and_markdown_have_the_same_rows(gdfit: Callable, table: str) -> None:
    tsv = gdfit(table, "-t", "y", "--by", "region", "--format", "tsv").out.splitlines()
    markdown = gdfit(table, "-t", "y", "--by", "region", "--format", "markdown").out.splitlines()
    assert tsv[0].split("\t")[:3] == ["region", "term", "coefficient"]
    assert (len(tsv), len(markdown)) == (10, 11)
    assert markdown[2].startswith("| lonely | a |")


def test_a_group_column_with_the_name_of_another_column_is_told_apart_in_every_format(
    gdfit: Callable, csv_file: Callable[..., str]
) -> None:
    rows = [f"{3 * i},{i},{'uv'[i % 2]},p,c{i % 2},0" for i in range(8)]
    path = csv_file("\n".join(["y,a,term,by[term],cost,iteration", *rows]) + "\n")
    words = (path, "-t", "y", "-x", "a", "--lr", "auto", "--by")
    by_both = (*words, "by[term]", "--by", "term", "--format")
    for name, separator in (("csv", ","), ("tsv", "\t"), ("markdown", " | ")):
        head = gdfit(*by_both, name).out.splitlines()[0].strip("| ").split(separator)
        assert head[:3] == ["by[term]", "by[by[term]]", "term"], name
        assert len({*head}) == len(head)
    assert "<th>by[term]</th><th>by[by[term]]</th><th>term</th>" in gdfit(*by_both, "html").out
    assert json.loads(gdfit(*by_both, "json").out.splitlines()[1])["group"] == {"by[term]": "p", "term": "v"}
    trace = gdfit(*words, "cost", "--by", "iteration", "-n", "1", "--trace", "-", "-q").out.splitlines()
    assert trace[0] == "by[cost],by[iteration],iteration,m,c,cost"
    sweep = gdfit("sweep", *words[:5], "--lr", "0.1", "--by", "cost", "--format", "csv").out.splitlines()
    assert sweep[0].startswith("by[cost],learning_rate,")
    assert [line.split(",")[0] for line in sweep[1:]] == ["c0", "c1"]


def test_an_unstable_group_is_exit_3_and_the_others_are_printed(gdfit: Callable, csv_file: Callable[..., str]) -> None:
    # Two columns that go together have λmax near 4 (limit 0.5); two that do not have 2 (limit near 1).
    rng = [(1, 1), (2, -1), (-1, -2), (-2, 2), (0, 0)]
    together = [f"{i},{i},{i + j / 100},tight" for i, j in rng]
    apart = [f"{i},{i},{j},loose" for i, j in rng]
    path = csv_file("\n".join(["y,a,b,g", *together, *apart]) + "\n")
    saved = Path(path).with_name("model.json")
    done = gdfit(path, "-t", "y", "--by", "g", "--lr", "0.8", "--format", "json", "--save", saved)
    loose, tight = map(json.loads, done.out.splitlines())
    assert done.code == 3
    assert "1 group: g=tight" in done.err
    assert "--lr auto" in done.err
    assert tight["coefficients"][0]["value"] is None
    assert tight["learning_rate"]["behaviour"] == "unstable"
    assert loose["coefficients"][0]["value"] == pytest.approx(1.0)
    assert not saved.exists()


def test_a_group_at_its_optimum_from_the_start_and_a_perfect_fit_have_their_numbers(
    gdfit: Callable, csv_file: Callable[..., str]
) -> None:
    # In p neither a nor the constant explains anything; q is a line, but for rounding.
    p, q = zip(range(1, 5), (1, -1, -1, 1), strict=True), ((i, i / 10) for i in range(1, 5))
    path = csv_file("a,y,g\n" + "".join(f"{a},{y},{g}\n" for g, rows in (("p", p), ("q", q)) for a, y in rows))
    found = [
        json.loads(line) for line in gdfit(path, "-t", "y", "--by", "g", "-n", 0, "--format", "json").out.splitlines()
    ]
    assert [one["descent"]["iterations"] for one in found] == [0, 0]
    assert found[0]["learning_rate"]["iterations_to_1_percent"] == 0
    assert found[1]["learning_rate"]["iterations_to_1_percent"] > 0
    assert found[0]["optimum"]["relative_gap"] == pytest.approx(0.0, abs=1e-15)
    assert found[1]["optimum"]["relative_gap"] is None


def test_strict_asks_every_fitted_group_to_converge(gdfit: Callable, table: str) -> None:
    done = gdfit(table, "-t", "y", "--by", "region", "--strict", "-n", "3", "-q")
    assert (done.code, done.err) == (4, "Error: --strict: 2 groups of 3 not converged\n")
    assert gdfit(table, "-t", "y", "--by", "region", "--strict", "--lr", "auto", "-q").code == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--by", "regoin"], 1, "Did you mean 'region'?"),
        (["--by", "y"], 2, "'y' is the target"),
        (["--by", "t", "-x", "t"], 2, "'t' is a --feature"),
        (["--by", "region", "--optimizer", "adam", "--lr", "auto"], 2, "--lr"),
    ],
)
def test_what_cannot_be_grouped_is_said(gdfit: Callable, table: str, words: list[str], code: int, message: str) -> None:
    done = gdfit(table, "-t", "y", *words)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_summary_has_no_rows_to_group(gdfit: Callable, table: str, tmp_path: Path) -> None:
    gdfit("summarize", table, "-o", tmp_path / "sum.json")
    done = gdfit(tmp_path / "sum.json", "-t", "y", "--by", "region")
    assert done.code == 1
    assert "is a summary and holds no rows, which groups are made of" in done.err


@pytest.fixture
def model(gdfit: Callable, table: str, tmp_path: Path) -> Path:
    path = tmp_path / "groups.json"
    assert gdfit(table, "-t", "y", "--by", "region", "--lr", "auto", "--save", path, "-q").code == 0
    return path


def test_predict_applies_the_coefficients_of_the_rows_group(
    gdfit: Callable, csv_file: Callable[..., str], model: Path
) -> None:
    new = csv_file("region,a,t\nnorth,10,x\nsouth,10,y\nsouth,1,x\n", "new.csv")
    done = gdfit("predict", model, new, "--only")
    assert [float(line) for line in done.out.splitlines()[1:]] == pytest.approx([21.0, -30.0, -3.0])
    assert done.err == ""


def test_a_row_that_no_group_or_level_fits_has_an_empty_prediction(
    gdfit: Callable, csv_file: Callable[..., str], model: Path
) -> None:
    new = csv_file("region,a,t\nwest,1,x\n,1,x\nlonely,1,x\nnorth,1,z\nnorth,,x\nnorth,1,y\n", "new.csv")
    done = gdfit("predict", model, new)
    predictions = [line.rpartition(",")[2] for line in done.out.splitlines()[1:]]
    assert predictions[:5] == [""] * 5
    assert float(predictions[5]) == pytest.approx(3.0)  # a level that north lacks adds nothing there
    assert "5 of 6 rows" in done.err
    assert "unknown: 'lonely', 'west'" in done.err


def test_score_measures_a_model_of_groups(gdfit: Callable, table: str, model: Path) -> None:
    found = json.loads(gdfit("score", model, table, "--format", "json").out)
    assert found["rows"]["used"] == 12
    assert found["rows"]["dropped_by_column"] == {"region": 1}
    assert found["r2"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"by": ["region"]', '"by": []'),
        ('"group": ["south"]', '"group": ["north"]'),
        ('"group": ["south"]', '"group": ["south", "east"]'),
        ('"level": "y"', '"level": "q"'),
        ('"coefficients": [', '"coefficients": [1.0, '),
        ('"loss": "squared"', '"loss": "cubed"'),
        ('"groups": [', '"sets": ['),
    ],
)
def test_a_damaged_model_is_an_error(gdfit: Callable, table: str, model: Path, before: str, after: str) -> None:
    text = model.read_text()
    assert before in text
    model.write_text(text.replace(before, after, 1))
    done = gdfit("predict", model, table)
    assert (done.code, done.out) == (1, "")
    assert "is damaged or was edited by hand" in done.err


def test_a_trace_has_the_columns_of_the_group_first_and_the_terms_of_all(
    gdfit: Callable, table: str, tmp_path: Path
) -> None:
    words = (table, "-t", "y", "--by", "region", "-n", "2", "-q")
    assert gdfit(*words, "--trace", tmp_path / "t.csv").code == 0
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert list(rows[0]) == ["region", "iteration", "m[a]", "m[t[y]]", "c", "cost"]
    assert [(row["region"], row["iteration"]) for row in rows] == [(g, k) for g in ("north", "south") for k in "012"]
    assert {row["m[t[y]]"] for row in rows if row["region"] == "north"} == {"0.0"}  # a level that north lacks
    assert gdfit(*words, "--trace", tmp_path / "t.jsonl").code == 0
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [one["group"]["region"] for one in lines] == [row["region"] for row in rows]
    assert [one["cost"] for one in lines] == [float(row["cost"]) for row in rows]
    fits = {
        one["group"]["region"]: one for one in map(json.loads, gdfit(*words[:-1], "--format", "json").out.splitlines())
    }
    assert [one["cost"] for one in lines if one["iteration"] == 2] == pytest.approx(
        [fits[region]["cost"] for region in ("north", "south")], rel=1e-12
    )


def test_at_most_twelve_groups_are_drawn_and_the_rest_is_counted(
    gdfit: Callable, csv_file: Callable[..., str], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    rows = [f"{i % 5 + g},{i % 5},g{g:02}" for g in range(15) for i in range(6)]
    path = csv_file("\n".join(["y,a,g", *rows]) + "\n")
    assert gdfit(path, "-t", "y", "--by", "g", "--plot", tmp_path / "p.svg", "-q").code == 0
    drawn = (tmp_path / "p.svg").read_text()
    names = [f"g{g:02}" for g in range(15)]
    assert [name for name in names if re.search(rf"\b{name}\b", drawn)] == names[:12]
    assert "3 groups more, not drawn" in drawn


def test_a_model_of_groups_with_another_loss_predicts_what_each_fit_would(
    gdfit: Callable, csv_file: Callable[..., str], tmp_path: Path
) -> None:
    rows = [f"{'no' if (7 * i + g) % 5 < 2 + i % 3 else 'yes'},{i},{'uv'[g]}" for g in range(2) for i in range(20)]
    path, words = csv_file("\n".join(["e,a,g", *rows]) + "\n"), ("-t", "e", "--loss", "logistic", "-n", "50", "-q")
    assert gdfit(path, *words, "--by", "g", "--save", tmp_path / "all.json").code == 0
    together = gdfit("predict", tmp_path / "all.json", path, "--only").out.splitlines()[1:]
    for g in range(2):
        one = csv_file("\n".join(["e,a,g", *rows[20 * g : 20 * g + 20]]) + "\n", "one.csv")
        assert gdfit(one, *words, "-x", "a", "--save", tmp_path / "one.json").code == 0
        alone = gdfit("predict", tmp_path / "one.json", one, "--only").out.splitlines()[1:]
        assert [float(p) for p in together[20 * g : 20 * g + 20]] == pytest.approx([float(p) for p in alone], rel=1e-9)
    score = json.loads(gdfit("score", tmp_path / "all.json", path, "--format", "json").out)
    assert score["rows"]["used"] == 40


def test_a_group_with_an_empty_fold_keeps_its_fit_and_says_why_it_has_no_validation(
    gdfit: Callable, csv_file: Callable[..., str]
) -> None:
    rows = [f"{i + i % 3},{i},big" for i in range(40)] + [f"{i},{i},small" for i in range(3)]
    path = csv_file("\n".join(["y,a,g", *rows]) + "\n")
    done = gdfit(path, "-t", "y", "--by", "g", "--cv", "10", "--lr", "auto")
    assert done.code == 0
    assert re.search(r"No validation for g=small: --cv 10 leaves fold \d+ without a row: make fewer folds\.", done.out)
    big, small = map(json.loads, gdfit(path, "-t", "y", "--by", "g", "--cv", "10", "--format", "json").out.splitlines())
    assert len(big["cross_validation"]["costs"]) == 10
    assert small["cross_validation"] is None
    assert small["coefficients"][0]["value"] is not None


@pytest.mark.parametrize(
    "options",
    [
        ["--lr", "auto"],
        ["--optimizer", "momentum"],
        ["--optimizer", "adam", "--lr", "0.1"],
        ["--l2", "0.1", "--schedule", "inverse:0.1"],
        ["--loss", "huber:1.5"],
        ["--batch-size", "3"],
    ],
    ids=" ".join,
)
def test_groups_that_are_resumed_end_where_they_would_have_ended_at_once(
    gdfit: Callable, csv_file: Callable[..., str], tmp_path: Path, options: list[str]
) -> None:
    rows = [f"{3 * i % 7 + g * i},{i % 5},{'xyx'[i % 3]},{'uv'[g]}" for g in range(2) for i in range(24)]
    path, saved = csv_file("\n".join(["y,a,t,g", *rows]) + "\n"), tmp_path / "m.json"
    length = ["--epochs", "2"] if "--batch-size" in options else ["-n", "20"]
    words, output = (path, "-t", "y", "--by", "g"), ("--format", "json")
    assert gdfit(*words, *options, *length, "--save", saved, "-q").code == 0
    gone_on = gdfit(*words, "--resume", saved, *length, *output)
    # With a model to save, which has the optimizer's memory; adam makes much of the rounding of a stack.
    at_once = gdfit(*words, *options, length[0], str(2 * int(length[1])), *output, "--save", tmp_path / "other.json")
    assert (gone_on.code, at_once.code) == (0, 0), gone_on.err
    for pair in zip(gone_on.out.splitlines(), at_once.out.splitlines(), strict=True):
        one, other = map(json.loads, pair)
        values = [[term["value"] for term in each["coefficients"]] for each in (one, other)]
        assert values[0] == pytest.approx(values[1], rel=1e-9)
        assert one["cost"] == pytest.approx(other["cost"], rel=1e-9)


def test_groups_of_other_data_or_columns_are_not_resumed(
    gdfit: Callable, csv_file: Callable[..., str], table: str, model: Path
) -> None:
    done = gdfit(table, "-t", "y", "--by", "t", "--resume", model)
    assert (done.code, done.out) == (2, "")
    assert "the model has groups by region" in done.err
    other = csv_file(TABLE.replace("5,2,x,north", "9,2,x,north"), "other.csv")
    done = gdfit(other, "-t", "y", "--by", "region", "--resume", model)
    assert (done.code, done.out) == (1, "")
    assert "region=north" in done.err
    assert "the model was fitted to other data" in done.err


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_a_sweep_of_groups_says_beside_its_csv_which_group_has_none(gdfit: Callable, table: str, quiet) -> None:
    done = gdfit("sweep", table, "-t", "y", "-x", "a", "--by", "region", "--lr", "0.1", "--format", "csv", *quiet)
    assert {row["region"] for row in csv.DictReader(done.out.splitlines())} == {"north", "south"}
    assert ("note: no sweep of lonely: " in done.err) == (not quiet)


def test_advice_on_a_row_without_a_group_is_to_leave_it_out(gdfit: Callable, csv_file: Callable[..., str]) -> None:
    path = csv_file("y,a,g\n1,2,u\n2,3,\n3,5,u\n")
    done = gdfit(path, "-t", "y", "-x", "a", "--by", "g", "--missing", "error")
    assert done.err.endswith("line 3, column 'g': the cell has no value; --missing drop leaves such rows out\n")


def test_a_model_of_groups_resumed_without_them_names_the_option(gdfit: Callable, table: str, tmp_path: Path) -> None:
    model = tmp_path / "m.json"
    assert gdfit(table, "-t", "y", "-x", "a", "--by", "region", "--save", model).code == 0
    done = gdfit(table, "-t", "y", "-x", "a", "--resume", model)
    assert (done.code, done.out) == (2, "")
    assert "the model has groups by region: give the same --by to --resume it" in done.err
    one = tmp_path / "one.json"
    assert gdfit(table, "-t", "y", "-x", "a", "--save", one).code == 0
    done = gdfit(table, "-t", "y", "-x", "a", "--by", "region", "--resume", one)
    assert (done.code, done.out) == (2, "")
    assert "the model has no groups: leave out --by to --resume it" in done.err


def test_the_heading_of_groups_tells_every_rate_that_was_chosen(gdfit: Callable, csv_file: Callable[..., str]) -> None:
    # In u the least rate wins, as the test rows are flat; in v the largest, as all rows are on a line.
    flat = [f"{(-1) ** (i // 2)},{i % 5},u" for i in range(30)]
    path = csv_file("\n".join(["y,a,g", *flat, *(f"{3 * i},{i},v" for i in range(30))]) + "\n")
    given = (path, "-t", "y", "-x", "a", "--by", "g", "-n", "20")
    assert " · lr 0.001 to 0.4 · " in gdfit(*given, "--lr", "0.001", "--lr", "0.4", "--cv", "3").out
    assert " · lr search · " in gdfit(*given, "--lr", "search").out


def test_groups_that_end_early_are_advised_the_automatic_rate_only_where_one_is_known(
    gdfit: Callable, table: str
) -> None:
    given = (table, "-t", "y", "-x", "a", "--by", "region", "-n", "3")
    assert "needs more iterations (-n), or --lr auto: each group's best rate." in gdfit(*given).out
    for other in (("--l1", "0.1"), ("--optimizer", "adam")):
        assert "needs more iterations (-n).\n" in gdfit(*given, "--lr", "0.01", *other).out
        assert gdfit(*given, "--lr", "auto", *other).code == 2


@pytest.mark.parametrize(("groups", "more"), [(5, ""), (6, " and 1 more")])
def test_up_to_five_groups_that_diverged_are_named(
    gdfit: Callable, csv_file: Callable[..., str], groups: int, more: str
) -> None:
    rows = [f"{i * i % 7},{i},g{g}" for g in range(groups) for i in range(5)]
    done = gdfit(csv_file("\n".join(["y,a,g", *rows]) + "\n"), "-t", "y", "--by", "g", "--lr", "9")
    named = ", ".join(f"g=g{g}" for g in range(5))
    assert f"The learning rate is too large for {groups} groups: {named}{more}." in " ".join(done.out.split())


def test_r2_of_groups_is_uncentered_without_an_intercept_and_none_of_a_constant_target(
    gdfit: Callable, csv_file: Callable[..., str]
) -> None:
    flat = csv_file(TABLE + "".join(f"7,{i},x,zero\n" for i in range(4)), "flat.csv")
    given = (flat, "-t", "y", "-x", "a", "--by", "region", "--format", "json")
    for more, uncentered in ((), [None, False, False, None]), (("--no-intercept",), [None, True, True, True]):
        found = [json.loads(line) for line in gdfit(*given, *more).out.splitlines()]
        assert [group["r2_uncentered"] for group in found] == uncentered
        assert [group["r2"] is None for group in found] == [one is None for one in uncentered]


def test_a_score_takes_each_groups_own_parameter_of_the_loss(
    gdfit: Callable, csv_file: Callable[..., str], tmp_path: Path
) -> None:
    # The residuals of v are a hundred times those of u, and so is its delta.
    rows = [
        f"{2 * i + size * ((7 * i) % 5 - 2 + 9 * (i == 4))},{i},{g}"
        for g, size in zip("uv", (1, 100), strict=True)
        for i in range(20)
    ]
    path, words = csv_file("\n".join(["y,a,g", *rows]) + "\n"), ("-t", "y", "--by", "g", "--loss", "huber", "-n", "50")
    saved = tmp_path / "m.json"
    fits = list(map(json.loads, gdfit(path, *words, "--save", saved, "--format", "json").out.splitlines()))
    assert fits[1]["delta"] > 50 * fits[0]["delta"]
    score = json.loads(gdfit("score", saved, path, "--format", "json").out)
    # Both groups have 20 rows: the cost of all is the mean of the costs of the fits.
    assert score["cost"] == pytest.approx((fits[0]["cost"] + fits[1]["cost"]) / 2, rel=1e-12)
    content = json.loads(saved.read_text())
    assert [one["parameter"] for one in content["groups"]] == [fit["delta"] for fit in fits]
    saved.write_text(json.dumps(content | {"groups": [{**one, "parameter": -1} for one in content["groups"]]}))
    assert "delta is not a number above 0" in gdfit("score", saved, path).err


def test_columns_that_say_nothing_in_any_group_are_noted_once_however_the_groups_descend(
    gdfit: Callable, csv_file: Callable[..., str]
) -> None:
    """``k`` is 5 in every row, ``z`` one text, ``s`` and ``n`` are the same within each group; the last has one row."""
    rows = [f"{g},{i},p,5,{g}{g},{n},{y}" for g, n in (("a", 1), ("b", 2)) for i, y in enumerate((2, 3, 4.5, 5))]
    path = csv_file("\n".join(["g,x,z,k,s,n,y", *rows, "c,1,p,5,cc,3,1"]) + "\n")
    everywhere = ["note: left out 'z': it is 'p' in every row", "note: left out 'k': it is 5 in every row"]
    within = [f"note: left out '{name}': it is the same in all rows of each group fitted" for name in "sn"]
    words = ("-t", "y", "--by", "g", "--lr", "0.1")
    for command in ((path, *words), (path, *words, "--l2", "0.1"), ("sweep", path, *words)):
        notes = gdfit(*command).err.splitlines()
        assert [line for line in notes if "left out" in line] == [*everywhere, *within], command
    kinds = csv_file("g,x,t,y\n" + "".join(f"{g},{i},{t},{i * i}\n" for i, t in enumerate("uvwuvw") for g in "ab"))
    for options in ((), ("--l2", "0.1")):
        assert gdfit(kinds, *words, *options).err.count("'t' is text: 3 levels") == 1


def test_too_few_rows_in_all_groups_are_told_in_words_that_fit_one_group_too(
    gdfit: Callable, csv_file: Callable[..., str]
) -> None:
    path = csv_file("g,x,y\na,1,2\n")
    for options in ((), ("--l2", "0.1")):
        done = gdfit(path, "-t", "y", "--by", "g", *options)
        assert done.code == 1
        assert "no group has enough rows: the largest has 1 row, and a fit needs one for each coefficient" in done.err


def test_rows_fitted_and_rows_held_out_are_counted_apart_also_of_a_group_without_a_fit(
    gdfit: Callable, csv_file: Callable[..., str]
) -> None:
    train = csv_file("g,x,y\n" + "".join(f"a,{i},{i * i}\n" for i in range(5)) + "b,1,1\n")
    test = csv_file("g,x,y\na,1,1\na,2,3\nb,2,2\n", "test.csv")
    lines = gdfit(train, "-t", "y", "--by", "g", "--lr", "auto", "--test", test).out.splitlines()
    table = [re.split(r"\s{2,}", line) for line in lines if re.match(r"[abg]  ", line)]
    assert [row[:3] for row in table] == [["g", "fitted", "held out"], ["a", "5", "2"], ["b", "1", "1"]]


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        (("--lr", "0.01"), "needs more iterations (-n), or --lr auto: each group's best rate."),
        (("--lr", "0.01", "--schedule", "cosine"), "needs more iterations (-n)."),
        (
            ("--lr", "0.1", "--tol", "1.5"),
            "Where --tol ended a descent that has not converged, a smaller one goes further.",
        ),
        (("--lr", "0.01", "--loss", "logistic", "-t", "late"), "needs more iterations (-n), or --lr auto"),
        (
            ("--lr", "9", "--loss", "huber"),
            "above the bound on stable rates in 2 groups: up to --lr 1.99 all are stable.",
        ),
        (("--lr", "0.01", "--batch-size", "4"), "More epochs (--epochs) bring it closer"),
    ],
)
def test_the_advice_on_groups_that_have_not_converged_is_about_what_ended_them(
    gdfit: Callable, csv_file: Callable[..., str], options: tuple[str, ...], advice: str
) -> None:
    rows = [f"{g},{x},{x * x % 7},{'yes' if x % 3 else 'no'}" for g in "ab" for x in range(12)]
    path = csv_file("\n".join(["g,x,y,late", *rows]) + "\n")
    target = () if "-t" in options else ("-t", "y")
    out = gdfit(path, *target, "-x", "x", "--by", "g", "-n", "20" if "--tol" in options else "2", *options).out
    assert advice in out
    assert ("needs more" in out) == ("needs more" in advice)
