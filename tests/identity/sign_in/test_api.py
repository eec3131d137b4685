"""`/api/v1/account/…` and the reset of somebody's second factor."""

import pytest
from sqlalchemy import select, text

from fleetkeeper.database.context import product_context
from fleetkeeper.identity.models import BrowserSession
from fleetkeeper.identity.permissions import Role
from tests.fixtures.client import PASSWORD

NEW = "another long enough password"
TEST = product_context("job", "test")
SOMEONE = "0198f6a0-0000-7000-8000-000000000001"


def fields_of(answer) -> set[str]:
    return {item["field"] for item in answer.json()["errors"]}


@pytest.fixture
async def maria(maria):
    await maria.sign_in()
    return maria


class TestPassword:
    async def change(self, person, current=PASSWORD, new=NEW):
        return await person.call(
            "POST", "/account/password", {"current_password": current, "new_password": new}
        )

    async def test_ends_the_other_sessions_and_keeps_this_one(self, maria):
        other = maria.elsewhere()
        await other.sign_in()
        answer = await self.change(maria)
        assert (answer.status_code, answer.json()) == (
            200,
            {"ended_sessions": 1, "remaining_tokens": ["test"]},
        )
        assert await maria.is_signed_in()
        assert not await other.is_signed_in()
        assert (await maria.elsewhere().enter()).status_code == 401
        assert (await maria.elsewhere().enter(NEW)).status_code == 303

    async def test_needs_the_current_one(self, maria, events):
        answer = await self.change(maria, current="wrong")
        assert (answer.status_code, fields_of(answer)) == (422, {"current_password"})
        (failed,) = await events("session.sign_in_failed")
        assert (failed.actor_name, failed.details) == ("maria", {"method": "confirmation:password"})
        assert (await maria.elsewhere().enter()).status_code == 303

    async def test_guessing_it_is_limited(self, maria):
        for _ in range(10):
            assert (await self.change(maria, current="wrong")).status_code == 422
        answer = await self.change(maria)
        assert answer.status_code == 429
        assert answer.headers["retry-after"]

    @pytest.mark.parametrize(
        "new", ["", "short", "x" * 300, "password123", "aaaaaaaaaaaa", "maria", PASSWORD]
    )
    async def test_new_one_must_be_good(self, maria, new):
        answer = await self.change(maria, new=new)
        assert (answer.status_code, fields_of(answer)) == (422, {"password"})

    async def test_is_in_the_log_without_its_hash(self, app, maria, events):
        await self.change(maria)
        entry = (await events("users.update"))[-1]
        assert entry.actor_name == "maria"
        assert entry.new_values["password_hash"] == "[secret]"

    async def test_account_without_one(self, app, maria):
        async with app.state.database.session(TEST) as session:
            await session.execute(text("UPDATE users SET password_hash = NULL"))
        assert (await self.change(maria)).status_code == 409


DOORS = [
    ("POST", "/account/password", {"current_password": "x", "new_password": NEW}),
    ("POST", "/account/confirmation", {"password": PASSWORD}),
    ("POST", "/account/confirmation/passkey-options", None),
    ("POST", "/account/totp", None),
    ("POST", "/account/totp/confirm", {"code": "123456"}),
    ("DELETE", "/account/totp", None),
    ("GET", "/account/passkeys", None),
    ("POST", "/account/passkeys/options", None),
    ("POST", "/account/passkeys", {"name": "x", "credential": {}}),
    ("PATCH", f"/account/passkeys/{SOMEONE}", {"name": "x"}),
    ("DELETE", f"/account/passkeys/{SOMEONE}", None),
    ("POST", "/account/recovery-codes", None),
]  # fmt: skip


class TestDoors:
    @pytest.mark.parametrize(("method", "path", "body"), DOORS)
    async def test_api_token_opens_none(self, shared, method, path, body):
        """A token that leaked must not become the account."""
        answer = await shared.viewer.request(method, f"/api/v1{path}", json=body)
        assert answer.status_code == 403, answer.text

    @pytest.mark.parametrize(("method", "path", "body"), DOORS)
    async def test_cookie_alone_changes_nothing(self, maria, method, path, body):
        if method != "GET":
            answer = await maria.client.request(method, f"/api/v1{path}", json=body)
            assert answer.status_code == 403
            assert "X-CSRF-Token" in answer.json()["detail"]

    async def test_somebody_else_s_passkey_is_not_there(self, maria, make_person):
        await maria.add_passkey()
        (passkey,) = (await maria.call("GET", "/account/passkeys")).json()["results"]
        otto = await make_person("otto")
        await otto.sign_in()
        assert (await otto.call("GET", "/account/passkeys")).json()["count"] == 0
        for method, body in (("PATCH", {"name": "mine"}), ("DELETE", None)):
            assert (await otto.call(method, f"/account/passkeys/{passkey['id']}", body)).status_code == 404


class TestFreshness:
    async def test_old_sign_in_is_not_enough(self, maria):
        await maria.age_session(11)
        for method, path, body in (
            ("POST", "/account/totp", None),
            ("POST", "/account/passkeys/options", None),
            ("POST", "/account/recovery-codes", None),
            ("DELETE", "/account/totp", None),
            ("DELETE", f"/account/passkeys/{SOMEONE}", None),
        ):
            answer = await maria.call(method, path, body)
            assert answer.status_code == 403, path
            assert "Confirm your identity" in answer.json()["detail"]

    async def test_password_confirms_for_ten_minutes(self, maria):
        await maria.age_session(11)
        assert (await maria.call("POST", "/account/confirmation", {"password": PASSWORD})).status_code == 204
        await maria.age_session(9)
        assert (await maria.call("POST", "/account/totp")).status_code == 201
        await maria.age_session(2)
        assert (await maria.call("POST", "/account/totp")).status_code == 403

    async def test_factors_confirm(self, maria):
        await maria.add_totp()
        await maria.age_session(11)
        answer = await maria.call("POST", "/account/confirmation", {"code": maria.next_code()})
        assert answer.status_code == 204
        passkey = await maria.add_passkey()
        await maria.age_session(11)
        asked = (await maria.call("POST", "/account/confirmation/passkey-options")).json()["public_key"]
        body = {"credential": passkey.get(asked)}
        assert (await maria.call("POST", "/account/confirmation", body)).status_code == 204
        assert (await maria.call("DELETE", "/account/totp")).status_code == 204
        # And once only.
        await maria.age_session(11)
        assert (await maria.call("POST", "/account/confirmation", body)).status_code == 422

    async def test_session_from_before_the_factor_must_show_it(self, maria):
        """Else a stolen session and the password would be enough to add a thief's own passkey."""
        old = maria.elsewhere()
        await old.sign_in()
        await maria.add_totp()
        old.totp, old.steps = maria.totp, maria.steps
        assert (await old.call("POST", "/account/passkeys/options")).status_code == 403
        answer = await old.call("POST", "/account/confirmation", {"password": PASSWORD})
        assert (answer.status_code, fields_of(answer)) == (422, {"code"})
        assert (await old.call("POST", "/account/passkeys/options")).status_code == 403
        assert (await old.call("POST", "/account/confirmation", {"code": old.next_code()})).status_code == 204
        assert (await old.call("POST", "/account/passkeys/options")).status_code == 200

    @pytest.mark.parametrize(
        "body", [{}, {"password": "a", "code": "1"}, {"code": None}, {"password": None}, {"other": "x"}]
    )
    async def test_exactly_one_proof(self, maria, body):
        assert (await maria.call("POST", "/account/confirmation", body)).status_code == 422

    async def test_wrong_proofs_are_limited(self, maria):
        for _ in range(10):
            answer = await maria.call("POST", "/account/confirmation", {"password": "wrong"})
            assert (answer.status_code, fields_of(answer)) == (422, {"password"})
        assert (await maria.call("POST", "/account/confirmation", {"password": PASSWORD})).status_code == 429


class TestTotp:
    async def test_counts_once_a_code_was_entered(self, maria):
        begun = (await maria.call("POST", "/account/totp")).json()
        assert begun["qr_code"].startswith("data:image/svg+xml")
        assert begun["secret"] in begun["uri"]
        assert (await maria.elsewhere().enter()).headers["location"] == "/"

    async def test_wrong_code_and_none_asked_for(self, maria):
        answer = await maria.call("POST", "/account/totp/confirm", {"code": "123456"})
        assert answer.status_code == 409
        await maria.call("POST", "/account/totp")
        answer = await maria.call("POST", "/account/totp/confirm", {"code": "12345"})
        assert (answer.status_code, fields_of(answer)) == (422, {"code"})

    async def test_first_factor_brings_recovery_codes_and_a_second_does_not(self, maria):
        assert len(await maria.add_totp()) == 10
        options = (await maria.call("POST", "/account/passkeys/options")).json()["public_key"]
        from tests.identity.sign_in.authenticator import Authenticator

        body = {"name": "key", "credential": Authenticator().create(options)}
        assert (await maria.call("POST", "/account/passkeys", body)).json()["recovery_codes"] == []

    async def test_there_is_one(self, maria):
        await maria.add_totp()
        assert (await maria.call("POST", "/account/totp")).status_code == 409

    async def test_last_factor_takes_the_codes_with_it(self, app, maria):
        await maria.add_totp()
        assert (await maria.call("DELETE", "/account/totp")).status_code == 204
        assert (await maria.call("DELETE", "/account/totp")).status_code == 404
        async with app.state.database.session(TEST) as session:
            assert await session.scalar(text("SELECT count(*) FROM recovery_codes")) == 0
        assert (await maria.elsewhere().enter()).headers["location"] == "/"

    async def test_secret_is_sealed_and_in_no_log(self, app, maria):
        await maria.add_totp()
        async with app.state.database.session(TEST) as session:
            sealed = await session.scalar(text("SELECT secret_sealed FROM totp_devices"))
            log = "\n".join((await session.execute(text("SELECT audit_log::text FROM audit_log"))).scalars())
        assert maria.totp.secret.encode() not in sealed
        assert "totp_devices.insert" in log
        assert maria.totp.secret not in log


class TestPasskeys:
    async def test_list_rename_remove(self, maria):
        await maria.add_passkey("laptop")
        (passkey,) = (await maria.call("GET", "/account/passkeys")).json()["results"]
        assert passkey["name"] == "laptop"
        path = f"/account/passkeys/{passkey['id']}"
        assert (await maria.call("PATCH", path, {"name": "old laptop"})).json()["name"] == "old laptop"
        assert (await maria.call("DELETE", path)).status_code == 204
        assert (await maria.call("GET", "/account/passkeys")).json()["count"] == 0

    async def test_answer_that_does_not_hold(self, maria):
        from tests.identity.sign_in.authenticator import USER_PRESENT, Authenticator

        for bent in (
            Authenticator(origin="https://evil.example"),
            Authenticator(rp_id="evil.example"),
            Authenticator(flags=USER_PRESENT),
        ):
            options = (await maria.call("POST", "/account/passkeys/options")).json()["public_key"]
            body = {"name": "x", "credential": bent.create(options)}
            answer = await maria.call("POST", "/account/passkeys", body)
            assert (answer.status_code, fields_of(answer)) == (422, {"credential"})
        answer = await maria.call("POST", "/account/passkeys", {"name": "x", "credential": {}})
        assert answer.status_code in {409, 422}
        assert (await maria.call("GET", "/account/passkeys")).json()["count"] == 0

    async def test_no_passkey_twice(self, maria):
        known = await maria.add_passkey()
        options = (await maria.call("POST", "/account/passkeys/options")).json()["public_key"]
        assert [item["id"] for item in options["excludeCredentials"]] == [known._answer({})["id"]]
        body = {"name": "again", "credential": known.create(options)}
        assert (await maria.call("POST", "/account/passkeys", body)).status_code == 409

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b"])
    async def test_name(self, maria, name):
        await maria.add_passkey()
        (passkey,) = (await maria.call("GET", "/account/passkeys")).json()["results"]
        answer = await maria.call("PATCH", f"/account/passkeys/{passkey['id']}", {"name": name})
        assert (answer.status_code, fields_of(answer)) == (422, {"name"})


class TestRecoveryCodes:
    async def test_need_a_factor(self, maria):
        assert (await maria.call("POST", "/account/recovery-codes")).status_code == 409

    async def test_new_ones(self, maria):
        old = await maria.add_totp()
        new = (await maria.call("POST", "/account/recovery-codes")).json()["recovery_codes"]
        assert len(new) == 10
        assert not set(old) & set(new)


class TestReset:
    REASON = {"X-Change-Reason": "The phone fell into the sea"}  # noqa: RUF012 - never changed

    async def user_id(self, app, name="maria"):
        async with app.state.database.session(TEST) as session:
            return await session.scalar(text("SELECT id FROM users WHERE username = :name"), {"name": name})

    async def test_removes_all_factors_and_sessions(self, app, admin, maria, events):
        await maria.add_totp()
        await maria.add_passkey()
        path = f"/api/v1/users/{await self.user_id(app)}/second-factor/reset"
        assert (await admin.post(path, headers=self.REASON)).status_code == 204
        assert not await maria.is_signed_in()
        assert (await maria.elsewhere().enter()).headers["location"] == "/"
        (entry,) = await events("user.second_factor_reset")
        assert (entry.actor_name, entry.record_name) == ("admin", "maria")
        assert entry.change_reason == "The phone fell into the sea"

    async def test_needs_a_reason_and_the_permission(self, app, admin, viewer, maria):
        path = f"/api/v1/users/{await self.user_id(app)}/second-factor/reset"
        assert (await admin.post(path)).status_code == 422
        assert (await viewer.post(path, headers=self.REASON)).status_code == 403
        someone = f"/api/v1/users/{SOMEONE}/second-factor/reset"
        assert (await admin.post(someone, headers=self.REASON)).status_code == 404

    async def test_not_of_somebody_who_may_do_more(self, app, admin, make_person):
        helpdesk = await make_person("helpdesk", Role.VIEWER)
        async with app.state.database.session(TEST) as session:
            await session.execute(
                text(
                    "INSERT INTO role_permissions (id, role_id, permission)"
                    " SELECT gen_random_uuid(), id, 'users:write' FROM roles WHERE name = 'viewer'"
                )
            )
        await helpdesk.sign_in()
        path = f"/api/v1/users/{await self.user_id(app, 'admin')}/second-factor/reset"
        headers = self.REASON | await helpdesk.csrf()
        assert (await helpdesk.client.post(path, headers=headers)).status_code == 403


async def test_confirmation_and_password_leave_the_session_s_secret(app, maria):
    async with app.state.database.session(TEST) as session:
        before = (await session.scalars(select(BrowserSession.secret_hash))).all()
    await maria.call("POST", "/account/confirmation", {"password": PASSWORD})
    async with app.state.database.session(TEST) as session:
        assert (await session.scalars(select(BrowserSession.secret_hash))).all() == before
