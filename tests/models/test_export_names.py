"""Any name of a column comes back from an expression's quotes as it was."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gdcli.base.errors import GdfitError
from gdcli.models.model_file import model_of
from tests.models.engines import Run, python, sqlite
from tests.models.handwritten import model_content

# Characters that quote, escape or end something somewhere, and any others.
ODD = st.sampled_from("'\"`\\$%{}[]()-; \n\tab")
NAMES = st.text(ODD | st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=9)


@pytest.mark.parametrize("run", [python, sqlite], ids=["python", "sqlite"])
@settings(derandomize=True, max_examples=150, deadline=None)
@given(name=NAMES, level=NAMES)
def test_a_name_and_a_level_come_back_from_their_quotes(run: Run, name: str, level: str) -> None:
    assume(name.casefold() != "kind" and level != "base" and level.strip() == level)
    content = model_content({name: 2.0, "kind": {"base": 0.0, level: 5.0}}, intercept=1.0)
    try:
        found = run(model_of(content, "m.json"), [{name: 3.0, "kind": level}, {name: 0.5, "kind": "base"}])
    except GdfitError:  # a name that the language, or a model, cannot hold
        assume(False)
    assert found == [12.0, 2.0]
