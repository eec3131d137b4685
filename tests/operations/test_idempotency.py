"""A POST that is sent again with its key is carried out once, whatever happens in between."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.models import Membership
from fleetkeeper.identity.permissions import Role
from fleetkeeper.operations.idempotency import front, queries
from tests.factories.identity import give, make_token, make_user
from tests.fixtures.client import TEST_CONTEXT

KEY = {"Idempotency-Key": "a9c1"}


def number_of_departments(connection):
    return connection.execute("SELECT count(*) FROM departments").fetchone()[0]


class TestRepetition:
    async def test_gets_the_first_answer_and_changes_nothing(self, admin, connection):
        first = await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        again = await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        assert first.status_code == again.status_code == 201
        assert again.json() == first.json()
        assert again.headers["Location" if "Location" in first.headers else "Content-Type"]
        assert "Idempotency-Replayed" not in first.headers
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
        assert number_of_departments(connection) == 1

    async def test_of_something_else_is_refused(self, admin, connection):
        await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        answer = await admin.post("/api/v1/departments", json={"name": "South"}, headers=KEY)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
        assert number_of_departments(connection) == 1

    async def test_keys_belong_to_a_caller_and_a_path(self, app, admin, connection):
        other = (await admin.post("/api/v1/tokens", json={"name": "another", "permissions": None})).json()
        async with app.client(other["token"]) as another:
            for client, path, body in (
                (admin, "/api/v1/departments", {"name": "North"}),
                (another, "/api/v1/departments", {"name": "South"}),
                (admin, "/api/v1/groups", {"name": "North"}),
            ):
                answer = await client.post(path, json=body, headers=KEY)
                assert answer.status_code == 201, answer.text
        assert number_of_departments(connection) == 2

    async def test_many_at_once_are_carried_out_once(self, admin, connection):
        answers = await asyncio.gather(
            *(admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY) for _ in range(6))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        assert number_of_departments(connection) == 1

    async def test_one_that_comes_before_the_answer_is_kept_waits_for_it(self, admin, monkeypatch):
        first = await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        find, looks = queries.find, []

        async def find_late(session, digest):
            known = await find(session, digest)
            looks.append(known)
            return replace(known, status=None, answer=None) if len(looks) == 1 else known

        monkeypatch.setattr(queries, "find", find_late)
        again = await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        assert (again.status_code, again.text) == (201, first.text)
        assert len(looks) == 2

    async def test_of_an_enrollment_makes_no_second_device(self, admin, anonymous, connection):
        token = (await admin.post("/api/v1/enrollment-tokens", json={"name": "x"})).json()["token"]
        body = {"token": token, "hostname": "web1", "identities": {}}
        first = await anonymous.post("/api/v1/enroll", json=body, headers=KEY)
        again = await anonymous.post("/api/v1/enroll", json=body, headers=KEY)
        assert again.json() == first.json()
        # Somebody else's request, with the same key, is another.
        stranger = await anonymous.post("/api/v1/enroll", json=body | {"token": "fke_x"}, headers=KEY)
        assert stranger.status_code == 401
        assert connection.execute("SELECT count(*) FROM devices").fetchone() == (1,)
        stored = connection.execute("SELECT answer FROM idempotency_keys WHERE answer IS NOT NULL").fetchall()
        assert all(first.json()["device_key"].encode() not in bytes(row[0]) for row in stored)


class TestWhatIsNotRepeated:
    async def test_what_was_refused_may_be_put_right(self, admin):
        refused = await admin.post("/api/v1/departments", json={"name": ""}, headers=KEY)
        assert refused.status_code == 422
        assert (
            await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        ).status_code == 201

    @pytest.mark.parametrize("key", ["", "with space", "x" * 256])
    async def test_a_key_that_is_none(self, admin, key):
        answer = await admin.post(
            "/api/v1/departments", json={"name": "North"}, headers={"Idempotency-Key": key}
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"

    async def test_a_day_later_it_is_a_new_request(self, admin, connection, app):
        await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        connection.execute("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'")
        answer = await admin.post("/api/v1/departments", json={"name": "South"}, headers=KEY)
        assert answer.status_code == 201
        connection.execute("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'")
        async with app.state.database.session() as session:
            await queries.forget_old(session)
        assert connection.execute("SELECT count(*) FROM idempotency_keys").fetchone() == (0,)

    async def test_a_caller_without_the_right_learns_nothing(self, admin, viewer):
        await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        answer = await viewer.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        assert answer.status_code == 403

    async def test_whose_rights_have_changed_gets_no_secret_again(self, app, admin):
        async with app.state.database.session(TEST_CONTEXT) as session:
            user = await make_user(session, "olga")
            membership = await give(session, user, Role.OPERATOR)
            token = await make_token(session, user)
        body, path = {"name": "rack 7"}, "/api/v1/enrollment-tokens"
        async with app.client(token) as olga:
            assert (await olga.post(path, json=body, headers=KEY)).status_code == 201
            assert (await olga.post(path, json=body, headers=KEY)).json()["token"]
            async with app.state.database.session(TEST_CONTEXT) as session:
                await give(session, user, Role.VIEWER)
                await session.delete(await session.get(Membership, membership.id))
            again = await olga.post(path, json=body, headers=KEY)
        assert again.status_code == 409
        assert "token" not in again.json()


class TestDeathInBetween:
    async def test_after_the_work_it_is_said_that_it_is_done(self, admin, connection, monkeypatch):
        """The answer was not kept, as when the process dies between its commit and its answer."""

        async def gone(*_: object) -> None:
            raise OperationalError("x", None, Exception("gone"))

        with monkeypatch.context() as patch:
            patch.setattr(queries, "store", gone)
            first = await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        assert first.status_code == 201
        monkeypatch.setattr(front, "LOOK_SECONDS", 0)
        again = await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        assert again.status_code == 409
        assert "was carried out before" in again.json()["detail"]
        assert number_of_departments(connection) == 1

    async def test_before_the_commit_nothing_is_claimed(self, admin, connection, monkeypatch):
        commit, request = AsyncSession.commit, asyncio.current_task()

        async def fail(session: AsyncSession) -> None:
            # What the application does beside the request goes on.
            if asyncio.current_task() is request:
                raise RuntimeError("on purpose")
            await commit(session)

        with monkeypatch.context() as patch:
            patch.setattr("sqlalchemy.ext.asyncio.AsyncSession.commit", fail)
            answer = await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
            assert answer.status_code == 500
        assert connection.execute("SELECT count(*) FROM idempotency_keys").fetchone() == (0,)
        assert (
            await admin.post("/api/v1/departments", json={"name": "North"}, headers=KEY)
        ).status_code == 201
