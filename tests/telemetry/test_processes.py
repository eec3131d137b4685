"""Lists of top processes."""

import time

import pytest

PATH = "/api/v1/telemetry/processes"


def snapshot(ts: float, *names: str) -> dict:
    return {
        "ts": ts,
        "processes": [{"pid": n, "name": name, "cpu_percent": 1.5} for n, name in enumerate(names, 1)],
    }


async def names_at(admin, device, **at) -> list[str]:
    answer = await admin.get(PATH, params={"device": device.id} | at)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["processes"]]


class TestProcesses:
    async def test_list_of_a_moment(self, device, admin):
        now = time.time()
        body = {"snapshots": [snapshot(now - 60, "old"), snapshot(now - 30, "postgres", "<script>")]}
        assert (await device.client.post(PATH, json=body)).status_code == 204
        assert await names_at(admin, device) == ["postgres", "<script>"]
        assert await names_at(admin, device, at=now - 31) == ["old"]
        assert await names_at(admin, device, at=now - 61) == []
        assert await names_at(admin, device, at=now + 90_000) == []

    async def test_same_list_again_changes_nothing(self, device, connection):
        body = {"snapshots": [snapshot(time.time(), "a")]}
        for _ in range(2):
            assert (await device.client.post(PATH, json=body)).status_code == 204
        assert connection.execute("SELECT count(*) FROM process_snapshots").fetchone() == (1,)

    async def test_late_list_gets_its_partition(self, device, connection):
        body = {"snapshots": [snapshot(time.time() - 7 * 86_400, "a"), snapshot(time.time(), "b")]}
        assert (await device.client.post(PATH, json=body)).status_code == 204
        assert connection.execute("SELECT count(*) FROM process_snapshots").fetchone() == (2,)

    @pytest.mark.parametrize(
        ("item", "field"),
        [
            ({"ts": 4070908800, "processes": []}, "snapshots[1].ts"),
            ({"ts": 0, "processes": []}, "snapshots[1].ts"),
            ({"ts": "now", "processes": []}, "snapshots[1].ts"),
            ({"ts": 1e300, "processes": []}, "snapshots[1].ts"),
            ({"ts": 1, "processes": [{"pid": 1}]}, "snapshots[1].processes[0]"),
            ({"ts": 1, "processes": [{"pid": 1, "name": "x" * 301}]}, "snapshots[1].processes[0].name"),
            ({"ts": 1, "processes": [{"pid": 1, "name": "a\x00"}]}, "body"),
            ({"ts": 1, "processes": [{"pid": 1, "name": "a"}] * 101}, "snapshots[1].processes"),
        ],
    )
    async def test_wrong_report_is_refused_whole(self, device, connection, item, field):
        answer = await device.client.post(PATH, json={"snapshots": [snapshot(time.time(), "a"), item]})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
        assert connection.execute("SELECT count(*) FROM process_snapshots").fetchone() == (0,)

    @pytest.mark.parametrize("at", ["x", "nan", "2026-11-21", "9999-12-31T23:59:59-01:00"])
    async def test_wrong_moment(self, shared, at):
        answer = await shared.admin.get(PATH, params={"device": shared.device.id, "at": at})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "query.at"

    @pytest.mark.parametrize("at", ["0", "253402300799", "1970-01-01T00:00:00Z"])
    async def test_ends_of_time(self, shared, at):
        answer = await shared.admin.get(PATH, params={"device": shared.device.id, "at": at})
        assert answer.json()["ts"] is None
