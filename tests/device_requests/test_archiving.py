"""Requests that ended long ago go into files, and nothing else does; they are found and read there."""

import pytest

from fleetkeeper.device_requests.archiving import queries, service
from tests.factories.devices import neighbors

ARCHIVED = "/api/v1/archived-requests"


def make_old(connection, *ids: str, days: int = 91) -> None:
    connection.execute(
        "UPDATE device_requests SET created_at = created_at - make_interval(days => %s) WHERE id = ANY (%s::uuid[])",
        (days, list(ids)),
    )


@pytest.fixture
async def ended(desk, connection) -> str:
    """An old request whose response the device took, with a decision and a verdict."""
    await desk.handler()
    request = await desk.submit(slot=1)
    await desk.lease()
    await desk.decide(request, 0.9, reasoning={"why": "fits"})
    assert (await desk.answer(request, content={"part": "A1"}, ai_processed=True)).status_code == 200
    await desk.poll(request)
    acknowledged = await desk.device.client.post(f"/api/v1/requests/{request}/response/ack")
    assert acknowledged.status_code == 200
    make_old(connection, request)
    return request


async def test_an_old_one_is_read_as_it_was(desk, ended, connection):
    before = await desk.get(ended)
    await desk.run("archive")
    assert (await desk.admin.get(f"/api/v1/requests/{ended}")).status_code == 404
    (listed,) = (await desk.admin.get(ARCHIVED)).json()["results"]
    assert (listed["id"], listed["device_name"], listed["status"]) == (ended, "web-01", "completed")
    one = (await desk.admin.get(f"{ARCHIVED}/{ended}")).json()
    document = one["document"]
    assert (document["payload"], document["payload_hash"]) == (before["payload"], before["payload_hash"])
    assert document["response"]["content"] == {"part": "A1"}
    (decision,) = document["decisions"]
    assert (decision["agent_name"], decision["reasoning"]) == ("Finder", {"why": "fits"})
    assert connection.execute("SELECT count(*) FROM agent_decisions").fetchone() == (0,)
    found = (await desk.admin.get("/api/v1/search", params={"q": ended})).json()["results"]
    assert [one["kind"] for one in found] == ["archived request"]


async def test_what_is_young_open_or_awaited_stays(desk, ended, connection):
    young = await desk.submit(slot=2)
    await desk.lease()
    await desk.decide(young, 0.9)
    await desk.answer(young)
    make_old(connection, young, days=89)
    is_open, untaken = await desk.submit(slot=3), await desk.submit(slot=4)
    for one in await desk.lease(limit=2):
        if one["id"] == untaken:
            await desk.decide(untaken, 0.9)
            await desk.answer(untaken)
    make_old(connection, is_open, untaken)
    await desk.run("archive")
    left = {one["id"] for one in (await desk.admin.get("/api/v1/requests")).json()["results"]}
    assert left == {young, is_open, untaken}
    assert [one["id"] for one in (await desk.admin.get(ARCHIVED)).json()["results"]] == [ended]


async def test_what_changed_while_the_file_was_written_stays(desk, ended, connection, monkeypatch):
    hand_over = queries.hand_over

    async def change_first(session, archive, rows):
        connection.execute("UPDATE device_requests SET version = version + 1 WHERE id = %s", (ended,))
        return await hand_over(session, archive, rows)

    monkeypatch.setattr(queries, "hand_over", change_first)
    assert await service.archive_next(desk.app.state.database, desk.settings) == 0
    assert (await desk.get(ended))["status"] == "completed"
    assert (await desk.admin.get(ARCHIVED)).json()["count"] == 0


async def test_several_groups_keep_their_places(desk, ended, connection, monkeypatch):
    monkeypatch.setattr(service, "ROWS_PER_GROUP", 2)
    monkeypatch.setattr("fleetkeeper.device_requests.archiving.files.ROWS_PER_GROUP", 2)
    more = [await desk.submit(slot=number) for number in range(10, 15)]
    for one in more:
        cancelled = await desk.admin.post(f"/api/v1/requests/{one}/cancel", json={"reason": "Sold"})
        assert cancelled.status_code == 200
    make_old(connection, *more)
    await desk.run("archive")
    for number, one in enumerate(more, start=10):
        document = (await desk.admin.get(f"{ARCHIVED}/{one}")).json()["document"]
        assert (document["id"], document["payload"]) == (one, {"slot": number})


async def test_a_file_that_is_gone_or_damaged_is_told(desk, ended):
    await desk.run("archive")
    (path,) = (desk.settings.home / "archive").glob("requests=*/*.parquet")
    path.write_bytes(path.read_bytes()[:50])
    answer = await desk.admin.get(f"{ARCHIVED}/{ended}")
    assert answer.status_code == 503
    assert "cannot be read" in answer.json()["detail"]
    path.unlink()
    answer = await desk.admin.get(f"{ARCHIVED}/{ended}")
    assert "not in the archive any more" in answer.json()["detail"]


async def test_a_file_whose_writer_died_is_removed(desk, ended, connection, monkeypatch):
    async def die(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(queries, "hand_over", die)
        with pytest.raises(RuntimeError):
            await service.archive_next(desk.app.state.database, desk.settings)
    assert (await desk.get(ended))["status"] == "completed"
    connection.execute("UPDATE request_archives SET created_at = now() - interval '1 day'")
    await desk.run("archive")
    assert len(list((desk.settings.home / "archive").glob("requests=*/*.parquet"))) == 1
    assert connection.execute("SELECT state FROM request_archives").fetchall() == [("live",)]
    assert (await desk.admin.get(f"{ARCHIVED}/{ended}")).status_code == 200


async def test_nothing_of_another_department(app, desk, ended):
    await desk.run("archive")
    async with neighbors(app) as both:
        assert (await both.south.get(ARCHIVED)).json()["count"] == 0
        assert (await both.south.get(f"{ARCHIVED}/{ended}")).status_code == 404
