"""The bowls as a fixture."""

import pytest

from tests.engine.bowls import BOWLS, Bowl


@pytest.fixture(params=BOWLS.values(), ids=BOWLS)
def any_bowl(request: pytest.FixtureRequest) -> Bowl:
    bowl: Bowl = request.param
    return bowl
