"""Signing in: password, second factor, passkey; what is refused, and what the audit log keeps of it."""

import asyncio

import pytest
from sqlalchemy import select, text, update

from fleetkeeper.database.context import product_context
from fleetkeeper.identity.models import BrowserSession, User
from fleetkeeper.identity.permissions import Role
from fleetkeeper.identity.sign_in import passwords
from fleetkeeper.identity.sign_in.models import SignInChallenge
from fleetkeeper.identity.sign_in.throttle import ACCOUNT_FAILURES, FACTOR_FAILURES
from fleetkeeper.identity.users.service import create_user
from tests.fixtures.client import PASSWORD
from tests.identity.sign_in.authenticator import USER_PRESENT

WRONG = "The username or password is wrong."
TEST = product_context("job", "test")


async def change(app, statement, **values) -> None:
    async with app.state.database.session(TEST) as session:
        await session.execute(text(statement), values)


class TestPassword:
    async def test_opens_a_session(self, maria, events):
        await maria.sign_in()
        assert await maria.is_signed_in()
        (entry,) = await events("session.sign_in")
        assert (entry.actor_kind, entry.actor_name, entry.record_name) == ("user", "maria", "maria")
        assert entry.details == {"method": "password"}
        assert entry.request_id

    async def test_cookies_are_out_of_reach_of_scripts(self, maria):
        answer = await maria.enter()
        cookies = answer.headers.get_list("set-cookie")
        assert {cookie.partition("=")[0] for cookie in cookies} == {
            "fleetkeeper",
            "fleetkeeper_browser",
            "fleetkeeper_sign_in",
        }
        assert all("HttpOnly" in cookie and "SameSite=lax" in cookie for cookie in cookies)

    @pytest.mark.parametrize(
        ("name", "password"),
        [("maria", "wrong"), ("maria", ""), ("nobody", PASSWORD), ("", ""), ("maria\x00", PASSWORD)],
    )
    async def test_refusals_do_not_tell_which_was_wrong(self, maria, events, name, password):
        maria.name = name
        answer = await maria.enter(password)
        assert answer.status_code == 401
        assert WRONG in answer.text
        (entry,) = await events("session.sign_in_failed")
        assert (entry.actor_kind, entry.record_name) == ("anonymous", name.replace("\x00", ""))
        assert entry.details == {"method": "password"}

    async def test_password_is_nowhere_in_the_log(self, app, maria):
        await maria.enter("s3cr3t-that-leaks")
        async with app.state.database.session(TEST) as session:
            rows = (await session.execute(text("SELECT audit_log::text FROM audit_log"))).scalars().all()
        assert rows
        assert not [row for row in rows if "s3cr3t" in row or PASSWORD in row]

    @pytest.mark.parametrize("name", ["maria", "nobody", "disabled", "external", "maria\x00"])
    async def test_each_refusal_costs_one_verification(self, app, maria, monkeypatch, name):
        """Else the time of the answer would tell which accounts there are."""
        async with app.state.database.session(TEST) as session:
            await create_user(session, "disabled", PASSWORD)
            await create_user(session, "external", None)
            await session.execute(update(User).where(User.username == "disabled").values(enabled=False))
            real = await session.scalar(select(User.password_hash).where(User.username == "maria"))
        passwords._hash_of_nobody()
        verified = []
        verify = passwords._hasher.verify

        class CountingHasher:
            @staticmethod
            def verify(stored, password):
                verified.append(stored)
                return verify(stored, password)

        monkeypatch.setattr(passwords, "_hasher", CountingHasher)
        maria.name = name
        assert (await maria.enter(PASSWORD if name != "maria" else "wrong")).status_code == 401
        (stored,) = verified
        # The dummy costs what a real one costs.
        assert stored.split("$")[1:4] == real.split("$")[1:4]

    async def test_every_sign_in_has_a_secret_of_its_own_and_ends_the_one_before(self, app, maria):
        """Session fixation: a cookie that was there before does not become a session, and is none afterwards."""
        fields = {"username": "maria", "password": PASSWORD}
        planted = {"Cookie": "fleetkeeper=fks_chosen-by-somebody"}
        await maria.client.post("/sign-in", data=fields, headers=planted)
        first = maria.client.cookies["fleetkeeper"]
        assert first != "fks_chosen-by-somebody"
        assert (await maria.elsewhere().client.get("/api/v1/me", headers=planted)).status_code == 401
        await maria.sign_in()
        assert maria.client.cookies["fleetkeeper"] != first
        async with app.state.database.session(TEST) as session:
            assert len((await session.scalars(select(BrowserSession))).all()) == 1


class TestThrottle:
    async def test_address_has_so_many_attempts(self, maria, events):
        for _ in range(10):
            assert (await maria.enter("wrong")).status_code == 401
        answer = await maria.enter()
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert "try again in" in answer.text
        assert (await maria.enter()).status_code == 429
        assert len(await events("session.sign_in_failed")) == 10
        (refused,) = await events("session.sign_in_refused")
        assert refused.details == {"method": "password", "limit": "address"}

    async def test_parallel_guesses_do_not_slip_past(self, maria):
        answers = await asyncio.gather(*(maria.elsewhere().enter("wrong") for _ in range(20)))
        assert [answer.status_code for answer in answers].count(401) == 10
        assert [answer.status_code for answer in answers].count(429) == 10

    async def test_strangers_cannot_lock_the_owner_out(self, app, maria):
        await maria.sign_in()
        for _ in range(ACCOUNT_FAILURES):
            assert (await maria.elsewhere().enter("wrong")).status_code == 401
            # As from many addresses.
            await change(app, "DELETE FROM sign_in_failures WHERE bucket LIKE 'address:%'")
        assert (await maria.elsewhere().enter()).status_code == 429
        await maria.sign_in()

    async def test_strangers_at_the_same_address_cannot_lock_the_owner_out(self, maria):
        """As behind one gateway: a browser that the account knows is none of the address's failures."""
        await maria.sign_in()
        for _ in range(11):
            await maria.elsewhere().enter("wrong")
        assert (await maria.elsewhere().enter()).status_code == 429
        await maria.sign_in()

    async def test_nor_at_the_second_step(self, maria):
        await maria.sign_in()
        await maria.add_totp()
        for _ in range(11):
            await maria.elsewhere().enter("wrong")
        await maria.enter()
        answer = await maria.client.post("/sign-in/second-factor", data={"code": maria.next_code()})
        assert answer.status_code == 303

    async def test_nor_with_a_passkey(self, maria):
        await maria.sign_in()
        authenticator = await maria.add_passkey()
        for _ in range(11):
            await maria.elsewhere().enter("wrong")
        maria.client.cookies.delete("fleetkeeper")
        assert (await maria.use_passkey(authenticator)).status_code == 204

    async def test_nor_where_they_prove_it_again(self, maria):
        await maria.sign_in()
        for _ in range(11):
            await maria.elsewhere().enter("wrong")
        answer = await maria.call("POST", "/account/confirmation", {"password": PASSWORD})
        assert answer.status_code == 204

    async def test_one_address_does_not_use_up_the_attempts_of_all(self, app, maria):
        """Else anybody could keep the owner out of each new browser."""
        for _ in range(ACCOUNT_FAILURES):
            await maria.elsewhere().enter("wrong")
            # As minutes later.
            await change(app, "DELETE FROM sign_in_failures WHERE bucket = 'address:127.0.0.1'")
        assert (await maria.elsewhere().enter()).status_code == 429
        await change(app, "DELETE FROM sign_in_failures WHERE bucket LIKE 'address:%'")
        await maria.elsewhere().sign_in()

    async def test_account_that_is_none_is_limited_alike(self, app, maria):
        maria.name = "nobody"
        for _ in range(ACCOUNT_FAILURES):
            await maria.enter("wrong")
            await change(app, "DELETE FROM sign_in_failures WHERE bucket LIKE 'address:%'")
        assert (await maria.enter("wrong")).status_code == 429

    async def test_known_browser_has_limits_of_its_own(self, app, maria):
        await maria.sign_in()
        for _ in range(ACCOUNT_FAILURES):
            assert (await maria.enter("wrong")).status_code == 401
            await change(app, "DELETE FROM sign_in_failures WHERE bucket LIKE 'address:%'")
        assert (await maria.enter()).status_code == 429
        await maria.elsewhere().sign_in()

    async def test_browser_that_somebody_else_knows_is_a_stranger(self, app, maria, make_person):
        otto = await make_person("otto")
        await otto.sign_in()
        for _ in range(ACCOUNT_FAILURES):
            await maria.elsewhere().enter("wrong")
            await change(app, "DELETE FROM sign_in_failures WHERE bucket LIKE 'address:%'")
        answer = await otto.client.post("/sign-in", data={"username": "maria", "password": PASSWORD})
        assert answer.status_code == 429

    async def test_success_uses_up_nothing(self, maria):
        for _ in range(12):
            await maria.sign_in()


class TestSecondFactor:
    @pytest.fixture
    async def maria(self, maria):
        await maria.sign_in()
        maria.codes = await maria.add_totp()
        return maria

    async def test_password_alone_opens_nothing(self, maria):
        other = maria.elsewhere()
        answer = await other.enter(next="/devices?q=a")
        assert answer.headers["location"] == "/sign-in/second-factor"
        assert not await other.is_signed_in()
        assert "fleetkeeper" not in other.client.cookies
        assert (await other.client.get("/sign-in/second-factor")).status_code == 200
        answer = await other.client.post("/sign-in/second-factor", data={"code": other.next_code()})
        assert answer.headers["location"] == "/devices?q=a"
        assert await other.is_signed_in()

    async def test_session_counts_as_one_with_a_second_factor(self, app, maria, events):
        other = maria.elsewhere()
        await other.enter()
        await other.client.post("/sign-in/second-factor", data={"code": other.next_code()})
        async with app.state.database.session(TEST) as session:
            flags = (await session.scalars(select(BrowserSession.has_second_factor))).all()
        # The session in which it was set up has shown it, too.
        assert flags == [True, True]
        entry = (await events("session.sign_in"))[-1]
        assert entry.details == {"method": "password", "second_factor": "totp"}

    async def test_code_is_good_once(self, maria):
        first, second = maria.elsewhere(), maria.elsewhere()
        await first.enter()
        await second.enter()
        code = first.next_code()
        answers = [
            await person.client.post("/sign-in/second-factor", data={"code": code})
            for person in (first, second)
        ]
        assert [answer.status_code for answer in answers] == [303, 401]

    async def test_code_that_set_it_up_is_used_up(self, maria):
        other = maria.elsewhere()
        await other.enter()
        other.steps -= 1
        answer = await other.client.post("/sign-in/second-factor", data={"code": other.next_code()})
        assert answer.status_code == 401

    async def test_five_wrong_codes_end_the_attempt(self, maria, events):
        other = maria.elsewhere()
        await other.enter()
        for _ in range(5):
            answer = await other.client.post("/sign-in/second-factor", data={"code": "000000"})
            assert answer.status_code == 401
        answer = await other.client.post("/sign-in/second-factor", data={"code": other.next_code()})
        assert answer.status_code == 401
        assert not await other.is_signed_in()
        failed = await events("session.sign_in_failed")
        assert {entry.details["method"] for entry in failed} == {"totp"}
        assert {entry.record_name for entry in failed} == {"maria"}

    async def test_guessing_goes_on_with_no_new_attempt_either(self, app, maria):
        other = maria.elsewhere()
        for number in range(FACTOR_FAILURES):
            if number % 5 == 0:
                await other.enter()
            await other.client.post("/sign-in/second-factor", data={"code": "000000"})
            await change(app, "DELETE FROM sign_in_failures WHERE bucket LIKE 'address:%'")
        await other.enter()
        answer = await other.client.post("/sign-in/second-factor", data={"code": "000000"})
        assert answer.status_code == 429

    async def test_recovery_code_is_good_once(self, maria):
        answers = []
        for _ in range(2):
            other = maria.elsewhere()
            await other.enter()
            answer = await other.client.post(
                "/sign-in/second-factor", data={"recovery_code": maria.codes[0].lower()}
            )
            answers.append((answer.status_code, await other.is_signed_in()))
        assert answers == [(303, True), (401, False)]

    async def test_takes_no_more_than_five_minutes(self, app, maria):
        other = maria.elsewhere()
        await other.enter()
        await change(app, "UPDATE sign_in_challenges SET expires_at = now() - interval '1 second'")
        answer = await other.client.post("/sign-in/second-factor", data={"code": other.next_code()})
        assert answer.status_code == 401
        assert (await other.client.get("/sign-in/second-factor")).headers["location"] == "/sign-in"

    async def test_challenge_belongs_to_its_browser(self, app, maria):
        other = maria.elsewhere()
        await other.enter()
        stranger = maria.elsewhere()
        answer = await stranger.client.post("/sign-in/second-factor", data={"code": other.next_code()})
        assert answer.status_code == 401
        async with app.state.database.session(TEST) as session:
            challenge = await session.scalar(select(SignInChallenge))
        assert other.client.cookies["fleetkeeper_sign_in"].encode() not in challenge.secret_hash

    async def test_challenge_is_good_for_one_session(self, maria):
        other = maria.elsewhere()
        await other.enter()
        cookie = other.client.cookies["fleetkeeper_sign_in"]
        await other.client.post("/sign-in/second-factor", data={"code": other.next_code()})
        again = maria.elsewhere()
        again.client.cookies.set("fleetkeeper_sign_in", cookie)
        answer = await again.client.post("/sign-in/second-factor", data={"recovery_code": maria.codes[1]})
        assert answer.status_code == 401

    async def test_disabled_in_between(self, app, maria):
        other = maria.elsewhere()
        await other.enter()
        await change(app, "UPDATE users SET enabled = false")
        answer = await other.client.post("/sign-in/second-factor", data={"code": other.next_code()})
        assert answer.status_code == 401
        assert not await other.is_signed_in()

    @pytest.mark.parametrize(
        "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
    )
    async def test_form_of_another_site(self, maria, headers):
        other = maria.elsewhere()
        await other.enter()
        fields = {"code": other.next_code()}
        answer = await other.client.post("/sign-in/second-factor", data=fields, headers=headers)
        assert answer.status_code == 403


class TestPasskeys:
    @pytest.fixture
    async def maria(self, maria):
        await maria.sign_in()
        maria.passkey = await maria.add_passkey()
        return maria

    async def test_alone_is_both_factors(self, app, maria, events):
        other = maria.elsewhere()
        answer = await other.use_passkey(maria.passkey)
        assert answer.status_code == 204, answer.text
        assert (await other.client.get("/api/v1/me")).json()["username"] == "maria"
        entry = (await events("session.sign_in"))[-1]
        assert entry.details == {"method": "passkey", "second_factor": "passkey"}

    async def test_as_the_second_factor(self, maria, events):
        other = maria.elsewhere()
        assert (await other.enter()).headers["location"] == "/sign-in/second-factor"
        assert (await other.use_passkey(maria.passkey)).status_code == 204
        assert await other.is_signed_in()
        entry = (await events("session.sign_in"))[-1]
        assert entry.details == {"method": "password", "second_factor": "passkey"}

    async def test_somebody_else_s_is_no_second_factor(self, maria, make_person):
        otto = await make_person("otto")
        await otto.sign_in()
        theirs = await otto.add_passkey()
        other = maria.elsewhere()
        await other.enter()
        assert (await other.use_passkey(theirs)).status_code == 401
        assert not await other.is_signed_in()

    @pytest.mark.parametrize(
        ("attribute", "value"),
        [
            ("origin", "https://evil.example"),
            ("origin", "http://localhost:81"),
            ("rp_id", "evil.example"),
            ("flags", USER_PRESENT),
            ("flags", 0),
            ("count", -1),
            ("credential_id", b"another"),
            ("user_handle", b"somebody else"),
        ],
    )
    async def test_answer_that_does_not_hold(self, maria, attribute, value):
        setattr(maria.passkey, attribute, value)
        other = maria.elsewhere()
        # A count that went back is one of a copy.
        if attribute == "count":
            maria.passkey.count = 5
            assert (await other.use_passkey(maria.passkey)).status_code == 204
            maria.passkey.count = 3
            other = maria.elsewhere()
        assert (await other.use_passkey(maria.passkey)).status_code == 401
        assert not await other.is_signed_in()

    async def test_answer_is_good_once(self, maria):
        other = maria.elsewhere()
        options = (await other.client.post("/api/v1/sign-in/passkey/options")).json()["public_key"]
        cookie = other.client.cookies["fleetkeeper_sign_in"]
        body = {"credential": maria.passkey.get(options)}
        assert (await other.client.post("/api/v1/sign-in/passkey", json=body)).status_code == 204
        thief = maria.elsewhere()
        thief.client.cookies.set("fleetkeeper_sign_in", cookie)
        assert (await thief.client.post("/api/v1/sign-in/passkey", json=body)).status_code == 401

    async def test_answer_to_another_question(self, maria):
        other, another = maria.elsewhere(), maria.elsewhere()
        options = (await another.client.post("/api/v1/sign-in/passkey/options")).json()["public_key"]
        await other.client.post("/api/v1/sign-in/passkey/options")
        body = {"credential": maria.passkey.get(options)}
        assert (await other.client.post("/api/v1/sign-in/passkey", json=body)).status_code == 401

    @pytest.mark.parametrize(
        "credential", [{}, {"id": 1}, {"id": "a", "rawId": "a", "response": {}, "type": "x"}]
    )
    async def test_garbage(self, maria, credential):
        other = maria.elsewhere()
        await other.client.post("/api/v1/sign-in/passkey/options")
        answer = await other.client.post("/api/v1/sign-in/passkey", json={"credential": credential})
        assert answer.status_code == 401

    async def test_disabled_user(self, app, maria):
        await change(app, "UPDATE users SET enabled = false")
        assert (await maria.elsewhere().use_passkey(maria.passkey)).status_code == 401

    async def test_needs_a_host_name(self, app, maria):
        answer = await maria.client.post(
            "/api/v1/sign-in/passkey/options", headers={"Host": "127.0.0.1", "Origin": "http://127.0.0.1"}
        )
        assert answer.status_code in {400, 422}


class TestRequiredSecondFactor:
    @pytest.fixture
    async def maria(self, app, make_person):
        await change(app, "UPDATE roles SET requires_second_factor = true WHERE name = 'operator'")
        maria = await make_person("maria", Role.OPERATOR)
        await maria.sign_in()
        return maria

    @pytest.mark.parametrize("path", ["/", "/devices", "/settings", "/agents"])
    async def test_pages_lead_to_where_one_is_set_up(self, maria, path):
        answer = await maria.client.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/account/security"
        answer = await maria.client.get(path, headers={"HX-Request": "true"})
        assert answer.headers["hx-redirect"] == "/account/security"
        assert "Your role requires a second factor" in (await maria.client.get("/account/security")).text

    async def test_only_a_few_doors_are_open(self, maria):
        assert (await maria.call("GET", "/me")).json()["must_enrol_second_factor"] is True
        for path in ("/devices", "/account", "/account/tokens", "/account/sessions", "/enrollment-tokens"):
            answer = await maria.call("GET", path)
            assert answer.status_code in {403, 404, 405}, path
        assert (await maria.call("POST", "/enrollment-tokens", {"name": "x"})).status_code == 403
        answer = await maria.client.post("/sign-out", headers=await maria.csrf())
        assert answer.status_code == 303

    async def test_factor_opens_the_rest_at_once(self, maria):
        await maria.add_totp()
        assert (await maria.client.get("/devices")).status_code == 200
        assert (await maria.call("GET", "/me")).json()["must_enrol_second_factor"] is False

    async def test_token_made_before_does_not_help_to_enrol(self, app, admin, maria):
        assert (await admin.post("/api/v1/account/totp")).status_code == 403


class TestWayBack:
    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "//[",
            "x",
            "",
            "/sign-in",
        ],
    )
    async def test_leads_to_no_other_site(self, maria, target):
        answer = await maria.enter(next=target)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        page = await maria.client.get("/sign-in", params={"next": target})
        assert page.headers["location"] == "/"

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "", "localhost"])
    async def test_another_site_cannot_sign_anybody_in(self, maria, origin):
        fields = {"username": "maria", "password": PASSWORD}
        answer = await maria.client.post("/sign-in", data=fields, headers={"Origin": origin})
        assert answer.status_code == 403
        assert not await maria.is_signed_in()
        asked = await maria.client.post("/api/v1/sign-in/passkey/options", headers={"Origin": origin})
        assert asked.status_code == 403

    async def test_this_one_can(self, maria):
        fields = {"username": "maria", "password": PASSWORD}
        answer = await maria.client.post("/sign-in", data=fields, headers={"Origin": "http://LOCALHOST"})
        assert answer.status_code == 303
