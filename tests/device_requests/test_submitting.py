"""Submitting requests: by devices and for them, once each, within bounds."""

import asyncio

import pytest

from tests.fixtures.client import enroll

BODY = {"type": "get_parts", "payload": {"slot": 1, "kind": "memory"}, "metadata": {"app_version": "2.1.0"}}


class TestByDevices:
    async def test_is_kept_with_its_metadata(self, desk):
        answer = await desk.device.client.post("/api/v1/requests", json=BODY)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert (made["status"], made["duplicate"], len(made["payload_hash"])) == ("pending", False, 64)
        found = await desk.get(made["id"])
        assert (found["device_id"], found["device_name"]) == (desk.device.id, "web-01")
        assert (found["payload"], found["metadata"]) == (BODY["payload"], BODY["metadata"])
        assert found["response"] is None

    async def test_the_same_again_is_the_first_one(self, desk):
        first = await desk.submit(slot=1, kind="memory")
        other = {"type": "get_parts", "payload": {"kind": "memory", "slot": 1.0}}
        answer = await desk.device.client.post("/api/v1/requests", json=other)
        assert answer.status_code == 200
        assert (answer.json()["id"], answer.json()["duplicate"]) == (first, True)
        assert await desk.submit(slot=2) != first
        assert await desk.submit("order_parts", slot=1, kind="memory") != first

    async def test_a_window_of_zero_turns_that_off(self, desk):
        await desk.configure(duplicate_window_seconds=0)
        assert await desk.submit(slot=1) != await desk.submit(slot=1)

    async def test_after_the_window_it_is_another(self, desk, connection):
        first = await desk.submit(slot=1)
        connection.execute("UPDATE device_requests SET created_at = now() - interval '6 minutes'")
        assert await desk.submit(slot=1) != first

    async def test_many_at_once_are_one(self, desk, connection):
        post = desk.device.client.post
        answers = await asyncio.gather(*(post("/api/v1/requests", json=BODY) for _ in range(6)))
        assert sorted(one.status_code for one in answers) == [200] * 5 + [201]
        assert len({one.json()["id"] for one in answers}) == 1
        assert connection.execute("SELECT count(*) FROM device_requests").fetchone() == (1,)

    async def test_another_device_s_is_another(self, desk):
        other = await enroll(desk.app, desk.admin, "web-02")
        async with other.client as client:
            answer = await client.post("/api/v1/requests", json=BODY)
        assert answer.status_code == 201
        first = await desk.device.client.post("/api/v1/requests", json=BODY)
        assert first.status_code == 201

    async def test_open_requests_are_bounded(self, desk):
        await desk.configure(max_open_per_device=2)
        first = await desk.submit(slot=1)
        await desk.submit(slot=2)
        answer = await desk.device.client.post("/api/v1/requests", json=BODY)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        # What is there already is told all the same, and what is closed makes room.
        assert await desk.submit(slot=1) == first
        await desk.admin.post(f"/api/v1/requests/{first}/cancel", json={})
        assert (await desk.device.client.post("/api/v1/requests", json=BODY)).status_code == 201

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"type": ""}, "type"),
            ({"type": "with blanks"}, "type"),
            ({"payload": [1]}, "payload"),
            ({"payload": {"a": "\x00"}}, "payload"),
            ({"metadata": {str(number): "x" for number in range(51)}}, "metadata"),
            ({"metadata": {"": "x"}}, "metadata"),
            ({"metadata": {"a": 1}}, "metadata.a"),
            ({"more": 1}, "more"),
        ],
    )
    async def test_wrong_fields_are_named(self, desk, wrong, field):
        answer = await desk.device.client.post("/api/v1/requests", json=BODY | wrong)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"].startswith(field), answer.text

    @pytest.mark.parametrize("length", [300_000, 600_000])
    async def test_large_ones_are_refused(self, desk, length):
        body = BODY | {"payload": {"text": "x" * length}}
        assert (await desk.device.client.post("/api/v1/requests", json=body)).status_code == 413

    async def test_needs_a_device_s_key(self, desk, anonymous):
        assert (await anonymous.post("/api/v1/requests", json=BODY)).status_code == 401
        assert (await desk.admin.post("/api/v1/requests", json=BODY)).status_code == 401


class TestByPeople:
    async def test_for_a_device(self, desk, viewer):
        path = f"/api/v1/devices/{desk.device.id}/requests"
        made = await desk.admin.post(path, json=BODY)
        assert made.status_code == 201, made.text
        assert (await desk.get(made.json()["id"]))["created_by"] is not None
        assert (await desk.admin.post(path, json=BODY)).status_code == 200
        assert (await viewer.post(path, json=BODY)).status_code == 403
        nobody = "/api/v1/devices/0198c0de-7c00-7a00-8000-000000000000/requests"
        assert (await desk.admin.post(nobody, json=BODY)).status_code == 404


class TestDocument:
    async def test_its_query_finds_requests_by_the_device_s_name_with_an_index(self, desk, connection):
        request = await desk.submit(slot=1)
        query = "SELECT * FROM requests WHERE device_id = 'web-01' AND status = 'pending' ORDER BY created_at DESC"
        (row,) = connection.execute(query).fetchall()
        assert str(row[0]) == request
        connection.execute(
            "INSERT INTO devices (id, name, hostname) "
            "SELECT gen_random_uuid(), 'n' || n, 'n' || n FROM generate_series(1, 500) n"
        )
        connection.execute(
            "INSERT INTO device_requests (id, device_id, request_type, status, created_at) "
            "SELECT gen_random_uuid(), d.id, 'x', 'pending', now() - make_interval(secs => n) "
            "FROM devices d, generate_series(1, 10) n"
        )
        connection.execute("ANALYZE devices, device_requests")
        plan = "\n".join(line for (line,) in connection.execute(f"EXPLAIN {query}").fetchall())
        assert "ix_device_requests_device_id_status_created_at" in plan
        assert "ix_devices_name" in plan
