"""`/api/v1/alert-silences/occurrences`."""

from fleetkeeper.alerts.silences import occurrences as module

WEEKLY = {
    "name": "Sundays",
    "matchers": "severity=warning",
    "starts_at": "2026-10-01T00:00:00Z",
    "recurrence": "FREQ=WEEKLY;BYDAY=SU",
    "time_zone": "Europe/Berlin",
    "duration_seconds": 7200,
}
ONCE = {"name": "Move", "matchers": "severity=warning", "starts_at": "2026-10-20T00:00:00Z"}
URL = "/api/v1/alert-silences/occurrences"


async def test_each_recurrence_is_listed_by_itself(admin):
    for one in (WEEKLY, ONCE | {"ends_at": "2026-10-28T00:00:00Z"}):
        assert (await admin.post("/api/v1/alert-silences", json=one)).status_code == 201
    answer = await admin.get(URL, params={"start": "2026-10-24T00:00:00Z", "end": "2026-11-02T00:00:00Z"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [(one["name"], one["starts_at"], one["recurs"]) for one in found["results"]] == [
        ("Move", "2026-10-20T00:00:00Z", False),
        ("Sundays", "2026-10-25T00:00:00Z", True),
        ("Sundays", "2026-11-01T01:00:00Z", True),
    ]
    assert found["is_complete"]


async def test_span_is_bounded(admin):
    for end in ("2026-10-01T00:00:00Z", "2027-01-02T00:00:00Z"):
        answer = await admin.get(URL, params={"start": "2026-10-01T00:00:00Z", "end": end})
        assert answer.status_code == 422
        assert "at most 92 days" in answer.text


async def test_more_of_one_silence_than_are_listed_are_not_all(admin):
    frequent = WEEKLY | {"recurrence": "FREQ=HOURLY", "duration_seconds": 600}
    assert (await admin.post("/api/v1/alert-silences", json=frequent)).status_code == 201
    span = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-11T09:00:00Z"}
    found = (await admin.get(URL, params=span)).json()
    assert (len(found["results"]), found["is_complete"]) == (249, True)
    found = (await admin.get(URL, params=span | {"end": "2026-10-12T00:00:00Z"})).json()
    assert (len(found["results"]), found["is_complete"]) == (250, False)


async def test_number_is_bounded(admin, monkeypatch):
    monkeypatch.setattr(module, "MOST_OCCURRENCES", 8)
    await admin.post("/api/v1/alert-silences", json=WEEKLY | {"recurrence": "FREQ=DAILY"})
    for number in range(8):
        silence = ONCE | {"name": f"{number}", "ends_at": "2026-10-28T00:00:00Z"}
        await admin.post("/api/v1/alert-silences", json=silence)
    answer = await admin.get(URL, params={"start": "2026-10-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"})
    assert len(answer.json()["results"]) == 8
    assert not answer.json()["is_complete"]
