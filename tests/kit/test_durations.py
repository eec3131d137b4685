"""Durations as people and Prometheus write them."""

import pytest

from fleetkeeper.kit.durations import duration_words, seconds_in


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        (" 1h 30M ", 5400),
        ("2d", 172_800),
        ("1w", 604_800),
    ],
)
def test_what_people_enter(text, seconds):
    assert seconds_in(text) == seconds


@pytest.mark.parametrize("text", ["", "-5m", "5 minutes", "1.5h", "500ms", "m", "30m1h", "²", "9" * 101])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match=r"\w"):
        seconds_in(text)


@pytest.mark.parametrize("seconds", [0, 1, 59, 90, 3600, 90_061, 604_800, 31_536_000])
def test_what_is_shown_is_entered_again(seconds):
    assert seconds_in(duration_words(seconds)) == seconds
