"""As many issues as there are errors, on every platform, however many events there are of each."""

from __future__ import annotations

import pytest

from tests.events import NAMES
from tests.grouping import corpus


@pytest.mark.parametrize("name", NAMES)
def test_every_error_is_one_issue_and_no_two_are_the_same(name: str) -> None:
    issues = corpus.found(name, 40)
    assert all(len(found) == 1 for found in issues.values()), issues
    assert len(set.union(*issues.values())) == corpus.ISSUES
