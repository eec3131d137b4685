"""Slowing down guesses."""

import pytest

from fleetkeeper.console.sign_in_limit import MAX_ADDRESSES, WINDOW_SECONDS, SignInLimit
from fleetkeeper.errors import OverloadedError


def test_refuses_after_so_many_failures_and_forgets_them():
    limit = SignInLimit()
    for second in range(3):
        limit.check("a", second, attempts=3)
        limit.note_failure("a", second)
    with pytest.raises(OverloadedError) as error:
        limit.check("a", 10, attempts=3)
    assert error.value.retry_after_seconds == 50
    limit.check("b", 10, attempts=3)
    limit.check("a", WINDOW_SECONDS, attempts=3)


def test_keeps_a_bounded_number_of_addresses():
    limit = SignInLimit()
    for number in range(MAX_ADDRESSES + 10):
        limit.note_failure(str(number), 0.0)
    limit.check("0", 0.0, attempts=1)
    with pytest.raises(OverloadedError):
        limit.check(str(MAX_ADDRESSES + 9), 0.0, attempts=1)
