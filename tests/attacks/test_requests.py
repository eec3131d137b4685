"""What hostile requests are made of: forged cookies, missing tokens, paths, headers."""

import logging
import re

import pytest
import structlog
from fastapi.routing import iter_route_contexts

from fleetkeeper.identity.access import CREDENTIAL_PARAMETERS, signed_in, signed_in_to_enrol
from fleetkeeper.kit.logging import configure_logging
from fleetkeeper.telemetry.senders.access import sending
from tests.console.conftest import sign_in
from tests.fixtures.client import PASSWORD


class TestCredentialInTheAddress:
    @pytest.mark.parametrize("name", sorted(CREDENTIAL_PARAMETERS))
    async def test_is_refused(self, shared, name):
        secret = shared.admin.headers["authorization"].split()[1]
        for client in (shared.anonymous, shared.admin):
            answer = await client.get("/api/v1/devices", params={name: secret})
            assert answer.status_code == 400
            assert secret not in answer.text


class TestCookies:
    @pytest.mark.parametrize(
        "change",
        [
            lambda secret: secret[:-1] + ("A" if secret[-1] != "A" else "B"),
            lambda secret: secret[4:],
            lambda secret: secret.upper(),
            lambda secret: "fks_" + "A" * 43,
            lambda secret: secret + "\x00",
            lambda secret: "",
            lambda secret: "' OR 1=1 --",
            lambda secret: "eyJhbGciOiJub25lIn0.eyJ1c2VyIjoiYWRtaW4ifQ.",
            lambda secret: "é" * 40,
        ],
    )
    async def test_forged_or_tampered_is_nobody(self, app, change):
        browser = await sign_in(app, "maria", "admin")
        name, secret = next(iter(browser.client.cookies.items()))
        forged = change(secret)
        async with app.client() as client:
            answer = await client.get("/api/v1/me", headers={"Cookie": f"{name}={forged}".encode()})
            assert answer.status_code == 401
            good = await client.get("/api/v1/me", headers={"Cookie": f"{name}={secret}"})
            assert good.status_code == 200

    async def test_a_session_that_an_attacker_chose_is_not_taken_up(self, app):
        """Fixation: whatever cookie a browser brings, signing in gives it a secret of its own, and ends the old one."""
        first = await sign_in(app, "maria", "admin")
        (name, planted) = next(iter(first.client.cookies.items()))
        async with app.client() as client:
            form = {"username": "maria", "password": PASSWORD}
            answer = await client.post("/sign-in", data=form, headers={"Cookie": f"{name}={planted}"})
            assert answer.status_code == 303
            assert client.cookies[name] != planted
            old = await client.get("/api/v1/me", headers={"Cookie": f"{name}={planted}"})
            assert old.status_code == 401

    async def test_cookie_is_out_of_reach_of_scripts_and_other_sites(self, app):
        await sign_in(app, "maria", "admin")
        async with app.client() as client:
            answer = await client.post("/sign-in", data={"username": "maria", "password": PASSWORD})
        (cookie,) = [
            value for value in answer.headers.get_list("set-cookie") if value.startswith("fleetkeeper=")
        ]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie.replace("Lax", "lax")
        assert "Domain" not in cookie


def changing_routes(app) -> list[tuple[str, str]]:
    """Method and path, with ids filled in, of every route that changes something for a signed-in browser."""
    from fleetkeeper.devices.access import calling_device
    from fleetkeeper.routes import callables_of

    found = []
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        calls = list(callables_of(dependant)) if dependant is not None else []
        methods = (getattr(route, "methods", None) or set()) - {"GET", "HEAD", "OPTIONS"}
        is_guarded = any(
            hasattr(call, "permission") or call in {signed_in, signed_in_to_enrol} for call in calls
        )
        # Senders' doors take no cookie, so nobody's browser can be made to knock there.
        if is_guarded and calling_device not in calls and sending not in calls:
            path = re.sub(r"\{[^}]*\}", "00000000-0000-7000-8000-000000000000", str(route.path))
            found += [(method, path) for method in methods]
    return sorted(set(found))


class TestForgedForms:
    async def test_every_change_needs_the_token(self, app):
        browser = await sign_in(app, "maria", "admin")
        fastapi = app.asgi.app.app
        routes = changing_routes(fastapi)
        assert len(routes) > 30
        for method, path in routes:
            for headers in ({}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": ""}):
                answer = await browser.client.request(method, path, headers=headers, json={})
                assert answer.status_code == 403, (method, path, answer.status_code, answer.text[:300])
        assert (await browser.client.get("/api/v1/me")).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ],
    )
    async def test_nobody_is_signed_in_by_another_site(self, app, headers):
        """Before a sign-in there is no token to ask for; a victim would work in the attacker's account."""
        await sign_in(app, "maria", "admin")
        async with app.client() as client:
            form = {"username": "maria", "password": PASSWORD}
            answer = await client.post("/sign-in", data=form, headers=headers)
            assert answer.status_code == 403
            assert not client.cookies

    async def test_the_token_of_another_session_is_wrong(self, app):
        first, second = await sign_in(app, "maria", "admin"), await sign_in(app, "otto", "admin")
        answer = await first.client.patch(
            "/api/v1/config/retention", json={"days": 30}, headers={"X-CSRF-Token": second.csrf_token}
        )
        assert answer.status_code == 403


class TestPaths:
    @pytest.mark.parametrize("prefix", ["/static/", "/agent/", "/api/v1/audit/archives/"])
    @pytest.mark.parametrize(
        "path",
        [
            "../../../../etc/passwd",
            "..%2f..%2f..%2fetc%2fpasswd",
            "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
            "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
            "....//....//etc/passwd",
            "/etc/passwd",
            "%2fetc%2fpasswd",
            "dist/..%00/../../secret-key",
            "..\\..\\secret-key",
            "dist/%00",
        ],
    )
    async def test_nothing_outside_is_served(self, shared, prefix, path):
        answer = await shared.admin.get(prefix + path)
        assert answer.status_code in {400, 404, 422}, answer.text
        assert "root:" not in answer.text


@pytest.fixture
def _logging_as_served(capfd):
    """Logs go where the test can read them, and back to where they went before."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    configure_logging("info", "json")
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


class TestAddresses:
    async def test_a_forwarded_address_is_believed_of_trusted_proxies_alone(self, app, admin, connection):
        headers = {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.8", "X-Request-ID": "spoof-1"}
        await admin.patch("/api/v1/config/retention", json={"days": 32}, headers=headers)
        kept = connection.execute(
            "SELECT host(ip_address) FROM audit_log WHERE request_id = 'spoof-1'"
        ).fetchall()
        assert kept
        assert {row[0] for row in kept} == {"127.0.0.1"}

    @pytest.mark.parametrize(
        "agent",
        ["x\r\nX-Evil: 1", "a\nINFO forged line", "\x1b[31mred", "\u2028line", "<script>alert(1)</script>"],
    )
    @pytest.mark.usefixtures("_logging_as_served")
    async def test_an_agent_string_makes_no_line_of_the_log(self, app, capfd, agent):
        async with app.client() as client:
            form = {"username": agent, "password": "wrong"}
            await client.post("/sign-in", data=form, headers={"User-Agent": agent.encode()})
            await client.get("/api/v1/devices", headers={"User-Agent": agent.encode()})
        written = capfd.readouterr()
        for line in (written.out + written.err).splitlines():
            assert not line.startswith("INFO forged")
            assert "\x1b" not in line


class TestGuessing:
    @pytest.mark.parametrize("username", ["maria", "nobody", "disabled", "without-password"])
    async def test_each_attempt_costs_one_hash(self, app, connection, monkeypatch, username):
        """An unknown user must take as long as a wrong password: the same work is done for both."""
        from fleetkeeper.identity.sign_in import passwords

        await sign_in(app, "maria", "admin")
        await sign_in(app, "disabled", "viewer")
        connection.execute("UPDATE users SET enabled = false WHERE username = 'disabled'")
        connection.execute("INSERT INTO users (id, username) VALUES (gen_random_uuid(), 'without-password')")
        passwords._hash_of_nobody()
        verified = []

        class Counting:
            def verify(self, stored: str, password: str) -> bool:
                verified.append(stored)
                return hasher.verify(stored, password)

        hasher = passwords._hasher
        monkeypatch.setattr(passwords, "_hasher", Counting())
        async with app.client() as client:
            answer = await client.post("/sign-in", data={"username": username, "password": "wrong"})
        assert answer.status_code == 401
        assert len(verified) == 1
        assert verified[0].startswith("$argon2id$")
