"""Recurrences in words, and back."""

from datetime import datetime

import pytest

from fleetkeeper.alerts.silences.patterns import Pattern, Repeats, pattern_of

SUNDAY = datetime(2026, 11, 29, 2, 0)  # noqa: DTZ001 - on the silence's own clock


@pytest.mark.parametrize(
    ("rrule", "words"),
    [
        ("FREQ=DAILY", "Every day"),
        ("FREQ=WEEKLY", "Every Sunday"),
        ("FREQ=WEEKLY;BYDAY=SU", "Every Sunday"),
        ("FREQ=WEEKLY;BYDAY=FR,MO,WE", "Every Monday, Wednesday and Friday"),
        ("FREQ=MONTHLY", "On day 29 of every month"),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "On day 15 of every month"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "On the last day of every month"),
        ("FREQ=MONTHLY;BYDAY=1SU", "On the first Sunday of every month"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "On the last Friday of every month"),
    ],
)
def test_said_in_words_and_made_again(rrule, words):
    found = pattern_of(rrule, SUNDAY)
    assert found.words == words
    assert pattern_of(found.rrule, SUNDAY) == found


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=WEEKLY;INTERVAL=2",
        "FREQ=DAILY;COUNT=3",
        "FREQ=DAILY;BYHOUR=2,14",
        "FREQ=MONTHLY;BYDAY=SU",
        "FREQ=MONTHLY;BYDAY=1SU,3SU",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=MONTHLY;BYMONTHDAY=-2",
        "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
        "FREQ=YEARLY",
    ],
)
def test_what_has_no_plain_words_is_left(rrule):
    assert pattern_of(rrule, SUNDAY) is None


def test_what_never_repeats_has_no_rule():
    assert Pattern(Repeats.NEVER).rrule is None
