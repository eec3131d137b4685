"""When silences apply."""

from datetime import UTC, datetime

from fleetkeeper.alerts.silences.schedules import current_or_next, schedule_words, windows_of
from fleetkeeper.alerts.silences.schemas import AlertSilenceWrite


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def silence(**values):
    return AlertSilenceWrite(name="Patches", matchers="severity=warning", **values)


def weekly(**values):
    return silence(
        starts_at="2026-10-01T00:00:00Z",
        recurrence="FREQ=WEEKLY;BYDAY=SU",
        time_zone="Europe/Berlin",
        duration_seconds=7200,
        **values,
    )


def test_words_have_the_hours_on_the_silence_s_clock():
    assert schedule_words(weekly()) == "Every Sunday 02:00\N{EN DASH}04:00 Europe/Berlin"
    assert schedule_words(weekly().model_copy(update={"duration_seconds": 93_600})) == (
        "Every Sunday 02:00 for 1d2h Europe/Berlin"
    )
    custom = weekly().model_copy(update={"recurrence": "FREQ=WEEKLY;INTERVAL=2"})
    assert schedule_words(custom) == "FREQ=WEEKLY;INTERVAL=2 for 2h, Europe/Berlin"
    assert schedule_words(silence(starts_at="2026-10-01T00:00:00Z", ends_at="2026-10-02T00:00:00Z")) == ""


def test_windows_keep_their_hour_across_the_change_of_the_clock():
    found = windows_of(weekly(), at("2026-10-24"), at("2026-11-02"), 10)
    # In the night of October 25 the clock shows 02:00 twice: the first counts.
    assert found == [
        (at("2026-10-25T00:00"), at("2026-10-25T02:00")),
        (at("2026-11-01T01:00"), at("2026-11-01T03:00")),
    ]


def test_windows_end_with_the_silence_and_are_bounded():
    ending = weekly(ends_at="2026-10-11T01:00:00Z")
    found = windows_of(ending, at("2026-10-01"), at("2027-10-01"), 10)
    assert [stop for _, stop in found] == [at("2026-10-04T02:00"), at("2026-10-11T01:00")]
    assert len(windows_of(weekly(), at("2026-10-01"), at("2027-10-01"), 3)) == 3


def test_one_that_is_once_is_one_window():
    once = silence(starts_at="2026-10-01T00:00:00Z", ends_at="2026-10-02T00:00:00Z")
    assert windows_of(once, at("2026-09-01"), at("2026-11-01"), 10) == [(at("2026-10-01"), at("2026-10-02"))]
    assert windows_of(once, at("2026-10-01T12:00"), at("2026-11-01"), 10) == [
        (at("2026-10-01"), at("2026-10-02"))
    ]
    assert windows_of(once, at("2026-10-02"), at("2026-11-01"), 10) == []
    assert windows_of(once, at("2026-09-01"), at("2026-10-01"), 10) == []


def test_the_next_time_is_found():
    assert current_or_next(weekly(), at("2026-11-03")) == (at("2026-11-08T01:00"), at("2026-11-08T03:00"))
    assert current_or_next(weekly(), at("2026-11-08T02:00"))[0] == at("2026-11-08T01:00")
