"""Names full of the shells' own signs: what stands on the line after a tab is the name, and nothing in it runs."""

import csv

import pytest

# What is typed before the tab, and the name.
NAMES = {
    "pr": "price`./x`",
    "a": "a`touch hacked` $(touch hacked)$HOME ${x} $((1)) $'x' $1",
    "b": "b;touch hacked|touch hacked&touch hacked>hacked<hacked",
    "c": "c*?[a]{a,b}~#%s^=~@(x) +,:größe <(touch hacked) =(touch hacked)(e:touch hacked:)",
    "d": "d\"' \\ \\' $(touch hacked) \" $(touch hacked) \\",
    "e": "e'",
    "f": 'f"',
    "g": "g!touch!!",
}
SIMILAR = ("h`touch hacked`1", "h`touch hacked`2")


@pytest.fixture(scope="module", autouse=True)
def files(folder):
    """A table with these names, and a script that must not run."""
    with open(folder / "hostile.csv", "w", newline="") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([[*NAMES.values(), *SIMILAR], range(10)])
    (folder / "x").write_text("#!/bin/sh\ntouch hacked\n")
    (folder / "x").chmod(0o755)


@pytest.fixture(autouse=True)
def nothing_runs(folder):
    """No command inside a name has run."""
    yield
    assert not (folder / "hacked").exists()


@pytest.mark.parametrize("before", ["-x ", "-x '", '-x "', "--feature="])
def test_a_column_is_completed_to_its_name_whatever_that_is(shell, before):
    words = shell.words_after("gdfit hostile.csv " + "".join(f"{before}{typed}\t" for typed in NAMES))
    option = "--feature=" if before.endswith("=") else ""
    assert [word for word in words[2:] if word != "-x"] == [option + name for name in NAMES.values()]


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_what_similar_names_have_in_common_is_completed_too(shell, quote):
    words = shell.words_after(f"gdfit hostile.csv -x {quote}h\t1{quote}")
    assert words == ["gdfit", "hostile.csv", "-x", SIMILAR[0]]
