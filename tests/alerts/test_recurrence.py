"""Recurring windows: against python-dateutil's rules, on clocks that change, and with hostile texts."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from fleetkeeper.alerts.recurrence import MAX_WINDOWS, Recurrence
from fleetkeeper.alerts.recurrence_rules import MAX_RULE_LENGTH, RecurrenceError, parse_rule
from fleetkeeper.alerts.recurrence_steps import Steps

HOUR = timedelta(hours=1)
local = datetime.fromisoformat
START = local("2026-01-31T22:30")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def recurrence(rrule: str, zone: str = "UTC", start: datetime = START, duration: timedelta = HOUR):
    return Recurrence(rrule, zone, start, duration)


def some(least: int, most: int) -> st.SearchStrategy[str]:
    return st.lists(st.integers(least, most), min_size=1, max_size=4, unique=True).map(
        lambda numbers: ",".join(map(str, numbers))
    )


WEEK_DAYS = st.lists(
    st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, unique=True
).map(",".join)
NTH_DAYS = st.sampled_from(["1MO", "-1FR", "2TU,4TU", "-1SU,1SA", "5WE"])
SIGNED_DAYS = st.sampled_from(["1", "31", "-1", "15,-1", "1,8,-7", "29"])
COMMON = {
    "INTERVAL": st.integers(1, 5).map(str),
    "BYMONTH": some(1, 12),
    "BYHOUR": some(0, 23),
    "BYMINUTE": some(0, 59),
}


def rules() -> st.SearchStrategy[str]:
    def of(frequency: str, more: dict[str, st.SearchStrategy[str]]) -> st.SearchStrategy[str]:
        parts = st.fixed_dictionaries({"FREQ": st.just(frequency)}, optional=COMMON | more)
        return parts.map(lambda found: ";".join(f"{name}={value}" for name, value in found.items()))

    nth = {"BYDAY": WEEK_DAYS | NTH_DAYS, "BYMONTHDAY": SIGNED_DAYS}
    positions = {"BYSETPOS": st.sampled_from(["1", "-1", "2,3"])}
    return st.one_of(
        of("YEARLY", nth | positions | {"BYYEARDAY": st.sampled_from(["1", "-1", "100,200", "366"])}),
        of("MONTHLY", nth | positions),
        of("WEEKLY", {"BYDAY": WEEK_DAYS, "WKST": st.sampled_from(["MO", "SU", "TH"])}),
        of("DAILY", {"BYDAY": WEEK_DAYS, "BYMONTHDAY": SIGNED_DAYS}),
        of("HOURLY", {"BYDAY": WEEK_DAYS}),
    )


def made(rrule: str, start: datetime) -> Recurrence:
    try:
        return recurrence(rrule, start=start, duration=timedelta(minutes=1))
    except RecurrenceError:
        assume(False)
        raise


starts = st.datetimes(local("2020-01-01"), local("2030-01-01")).map(
    lambda moment: moment.replace(microsecond=0)
)


@given(rules(), starts, st.integers(0, 4000))
def test_windows_begin_when_dateutil_says(rrule, start, days):
    found = made(rrule, start)
    begin = start + timedelta(days=days)
    end = begin + timedelta(days=500)
    expected = list(
        islice(
            takewhile(
                lambda moment: moment < end,
                (
                    moment
                    for moment in rrulestr(rrule, dtstart=start)
                    if moment > begin - timedelta(minutes=1)
                ),
            ),
            20,
        )
    )
    windows = found.windows(begin.replace(tzinfo=UTC), end.replace(tzinfo=UTC), 20)
    assert [window[0].replace(tzinfo=None) for window in windows] == expected


@given(rules(), starts, st.integers(1, 20))
def test_count_ends_where_dateutil_ends(rrule, start, count):
    found = made(f"{rrule};COUNT={count}", start)
    expected = list(rrulestr(f"{rrule};COUNT={count}", dtstart=start))
    windows = found.windows(start.replace(tzinfo=UTC), utc("9000-01-01"), 100)
    assert [window[0].replace(tzinfo=None) for window in windows] == expected


@given(
    rules(),
    starts,
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
    st.timedeltas(timedelta(minutes=1), timedelta(days=3)),
    st.timedeltas(timedelta(0), timedelta(days=400)),
)
def test_a_moment_lies_in_the_window_that_is_listed(rrule, start, zone, duration, later):
    try:
        found = Recurrence(rrule, zone, start, duration)
    except RecurrenceError:
        assume(False)
    moment = start.replace(tzinfo=UTC) + later
    windows = found.windows(moment, moment + timedelta(microseconds=1), 500)
    assert all(window[0] <= moment < window[1] == window[0] + duration for window in windows)
    assert found.window_at(moment) == (windows[-1] if windows else None)


@given(
    st.text(max_size=60)
    | st.from_regex(r"FREQ=(YEARLY|DAILY|X)(;[A-Z]{3,9}=[-+0-9A-Z,]{1,9}){0,3}", fullmatch=True)
)
def test_any_text_is_a_rule_or_refused(text):
    try:
        recurrence(text).windows(utc("2026-01-01"), utc("2036-01-01"), 10)
    except RecurrenceError as error:
        refused = error
    else:
        return
    assert refused.message
    assert refused.field == "rrule"


class TestClockChanges:
    def test_a_time_that_does_not_exist_moves_forward(self):
        nightly = recurrence("FREQ=DAILY", "America/New_York", local("2026-03-07T02:30"))
        starts = [start for start, _ in nightly.windows(utc("2026-03-07"), utc("2026-03-10"), 9)]
        # 2:30 EST, then 3:30 EDT in the night without 2:30, then 2:30 EDT.
        assert starts == [utc("2026-03-07T07:30"), utc("2026-03-08T07:30"), utc("2026-03-09T06:30")]

    def test_of_a_time_that_comes_twice_the_first_counts(self):
        nightly = recurrence("FREQ=DAILY", "Europe/Berlin", local("2026-10-24T02:30"))
        starts = [start for start, _ in nightly.windows(utc("2026-10-24"), utc("2026-10-27"), 9)]
        assert starts == [utc("2026-10-24T00:30"), utc("2026-10-25T00:30"), utc("2026-10-26T01:30")]

    def test_a_window_keeps_its_length_over_a_change(self):
        nightly = recurrence("FREQ=DAILY", "Europe/Berlin", local("2026-03-28T01:00"), 4 * HOUR)
        assert nightly.window_at(utc("2026-03-29T03:59:59")) == (
            utc("2026-03-29T00:00"),
            utc("2026-03-29T04:00"),
        )
        assert nightly.window_at(utc("2026-03-29T04:00")) is None

    def test_hours_that_become_one_are_one_window(self):
        nightly = recurrence("FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0", "Europe/Berlin", local("2026-03-29"))
        assert nightly.windows(utc("2026-03-28T20:00"), utc("2026-03-29T20:00"), 9) == [
            (utc("2026-03-29T01:00"), utc("2026-03-29T02:00"))
        ]


class TestUntil:
    @pytest.mark.parametrize(
        ("until", "days"),
        [
            ("20260203", 3),
            ("20260202T223000", 3),
            ("20260202T222959", 2),
            ("20260203T033000Z", 3),
            ("20260203T032959Z", 2),
        ],
    )
    def test_includes_its_moment(self, until, days):
        found = recurrence(f"FREQ=DAILY;UNTIL={until}", "America/New_York", local("2026-01-31T22:30"))
        windows = found.windows(utc("2026-01-01"), utc("2027-01-01"), 99)
        # A date alone includes its whole day.
        assert len(windows) == days + (until == "20260203")


class TestBounds:
    @pytest.mark.parametrize(
        ("rrule", "words"),
        [
            ("", "NAME=value"),
            ("FREQ", "NAME=value"),
            ("BYDAY=MO", "FREQ is missing"),
            ("FREQ=SECONDLY", "FREQ is one of"),
            ("FREQ=MINUTELY", "FREQ is one of"),
            ("FREQ=DAILY;FREQ=WEEKLY", "FREQ is there twice"),
            ("FREQ=DAILY;BYSECOND=1", "BYSECOND is not supported"),
            ("FREQ=YEARLY;BYWEEKNO=1", "BYWEEKNO is not supported"),
            ("FREQ=DAILY;<b>=1", "A part of the rule is not supported"),
            ("FREQ=DAILY;INTERVAL=0", "INTERVAL is a number from 1"),
            ("FREQ=DAILY;INTERVAL=99999999999", "INTERVAL is a number"),
            ("FREQ=DAILY;COUNT=-1", "COUNT is a number"),
            ("FREQ=DAILY;COUNT=1;UNTIL=20270101", "not both"),
            ("FREQ=DAILY;UNTIL=20270231", "UNTIL is a date"),
            ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL is a date"),
            ("FREQ=DAILY;UNTIL=20200101", "never occurs"),
            ("FREQ=DAILY;BYDAY=1MO", "BYDAY takes numbers"),
            ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY lists days"),
            ("FREQ=WEEKLY;BYDAY=MO,", "BYDAY lists days"),
            ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY does not go"),
            ("FREQ=MONTHLY;BYYEARDAY=1", "BYYEARDAY goes with"),
            ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY lists numbers from 1 to 31 or -31 to -1"),
            ("FREQ=DAILY;BYHOUR=24", "BYHOUR lists"),
            ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS needs"),
            ("FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=" + ",".join(map(str, range(60))), "times a day"),
            ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "never occurs"),
            ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "never occurs"),
            ("FREQ=HOURLY;INTERVAL=24;BYHOUR=3", "never occurs"),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=1000", "COUNT is not reached"),
            ("FREQ=DAILY;" + "X" * MAX_RULE_LENGTH, "at most"),
        ],
    )
    def test_what_is_wrong_is_said(self, rrule, words):
        with pytest.raises(RecurrenceError, match=words) as caught:
            recurrence(rrule)
        assert caught.value.field == "rrule"

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"timezone": "Mars/Olympus"}, "timezone"),
            ({"timezone": "../../etc/passwd"}, "timezone"),
            ({"timezone": ""}, "timezone"),
            ({"timezone": "\0"}, "timezone"),
            ({"starts_at": utc("2026-01-01")}, "starts_at"),
            ({"starts_at": local("0001-01-01")}, "starts_at"),
            ({"starts_at": local("9999-01-01")}, "starts_at"),
            ({"duration": timedelta(0)}, "duration"),
            ({"duration": timedelta(days=400)}, "duration"),
        ],
    )
    def test_other_fields_are_checked(self, fields, field):
        usual = {"rrule": "FREQ=DAILY", "timezone": "UTC", "starts_at": START, "duration": HOUR}
        with pytest.raises(RecurrenceError) as caught:
            Recurrence(**(usual | fields))
        assert caught.value.field == field

    def test_lists_are_bounded(self):
        hourly = recurrence("FREQ=HOURLY")
        assert len(hourly.windows(utc("2027-01-01"), utc("9000-01-01"), 10**9)) == MAX_WINDOWS
        assert hourly.windows(utc("2027-01-01"), utc("9000-01-01"), 0) == []
        assert hourly.windows(utc("2027-01-02"), utc("2027-01-01"), 5) == []

    def test_a_moment_long_after_the_start_is_found(self):
        monthly = recurrence("RRULE:FREQ=MONTHLY;BYDAY=-1SU", start=local("1970-01-01T03:00"))
        assert monthly.window_at(utc("2499-12-27T03:30")) == (
            utc("2499-12-27T03:00"),
            utc("2499-12-27T04:00"),
        )

    def test_case_and_prefix_do_not_matter(self):
        assert parse_rule("rrule:freq=weekly;byday=mo") == parse_rule("FREQ=WEEKLY;BYDAY=MO")


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=3",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
        "FREQ=MONTHLY;BYMONTH=2;BYDAY=5MO",
    ],
)
def test_what_applies_years_from_now_costs_little_to_ask(rrule, monkeypatch):
    """It is asked twice a second for each silence, so it must not look for the next time."""
    rare = recurrence(rrule, "America/New_York", duration=31 * 24 * HOUR)
    looked = []
    takes = Steps._takes
    monkeypatch.setattr(Steps, "_takes", lambda self, day: looked.append(day) or takes(self, day))
    assert rare.window_at(utc("2026-11-28T23:50")) is None
    assert len(looked) < 100


def test_positions_among_many_moments_are_counted_once(monkeypatch):
    times = "BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=0,30"
    last = recurrence(f"FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR;{times};BYSETPOS=-1", duration=HOUR)
    assert last.window_at(utc("2026-12-31T23:40")) is not None
    monkeypatch.setattr(Steps, "_moments", None)
    assert last.window_at(utc("2026-12-30T12:00")) is None
