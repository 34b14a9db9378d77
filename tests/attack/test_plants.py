"""Each planted fault changes what stands in the sources today."""

import pytest

from attack.plants import PLANTS, planted


@pytest.mark.parametrize("one", PLANTS, ids=lambda one: one.name)
def test_a_fault_can_be_planted(one, tmp_path):
    assert planted(one, tmp_path / "src") is None
