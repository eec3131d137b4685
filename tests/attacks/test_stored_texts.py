"""Stored XSS: every text that somebody can set is shown as text on every page."""

from html.parser import HTMLParser

import pytest

from tests.console.conftest import sign_in
from tests.fixtures.client import enroll

EVIL = "<xss-probe onload=alert(1)>\"'><img src=x onerror=alert(1)>{{7*7}}${7*7}"
SHORT = "<xss-probe>\"'><img src=x onerror=a()>"


# Lists that show what was stored; what they link to is followed.
HOLDING = {
    "/account",
    "/agents",
    "/audit",
    "/departments",
    "/devices",
    "/groups",
    "/notifications",
    "/notifications/inbox",
    "/roles",
    "/sessions",
    "/tokens",
    "/users",
}


class Probe(HTMLParser):
    """Finds what must not be there: our tags, and attributes that run something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.links: set[str] = set()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "xss-probe" or values.get("src") == "x":
            self.found.append(self.get_starttag_text() or tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"{tag} {name}={value}")
        if tag == "script" and not values.get("src") and values.get("type") != "application/json":
            self.found.append("inline script")
        if tag == "a" and (values.get("href") or "").startswith("/"):
            self.links.add(values["href"])


@pytest.fixture
async def infected(app, admin, connection):
    """The hostile text in every column of text that a person, an agent or a provider can fill."""
    device = await enroll(app, admin, SHORT)
    await admin.patch(f"/api/v1/devices/{device.id}", json={"name": EVIL, "location": EVIL})
    evil, short = EVIL, SHORT
    connection.execute(
        "UPDATE devices SET fqdn=%(e)s::text, domain=%(e)s::text, os_name=%(e)s::text, os_version=%(e)s::text, os_build=%(e)s::text, kernel=%(e)s::text, "
        "architecture=%(e)s::text, manufacturer=%(e)s::text, model=%(e)s::text, serial_number=%(e)s::text, virtualization=%(e)s::text, cpu_model=%(e)s::text, "
        "gpu_models=jsonb_build_array(%(e)s::text), capabilities=jsonb_build_object(%(e)s::text, %(e)s::text), "
        "interfaces=jsonb_build_array(jsonb_build_object('name', %(e)s::text, 'mac_address', %(e)s::text, "
        "'ip_addresses', jsonb_build_array(%(e)s::text)))",
        {"e": evil},
    )
    connection.execute(
        "UPDATE agents SET version = %(e)s::text, collectors = jsonb_build_array(jsonb_build_object('name', %(e)s::text, "
        "'status', %(e)s::text, 'reason', %(e)s::text))",
        {"e": evil},
    )
    connection.execute(
        "INSERT INTO user_sessions (session_id, device_id, username, terminal, host, login_time) "
        "SELECT gen_random_uuid(), id, %(e)s::text, %(e)s::text, %(e)s::text, now() FROM devices",
        {"e": evil},
    )
    await admin.post("/api/v1/enrollment-tokens", json={"name": short})
    statements = (
        "INSERT INTO departments (id, name, description) VALUES ('00000000-0000-7000-8000-0000000000d1', %(e)s::text, %(e)s::text)",
        "UPDATE devices SET department_id = '00000000-0000-7000-8000-0000000000d1'",
        "INSERT INTO roles (id, name, description) VALUES ('00000000-0000-7000-8000-0000000000a1', %(s)s::text, %(e)s::text)",
        "INSERT INTO groups (id, name, description) VALUES ('00000000-0000-7000-8000-0000000000b1', %(e)s::text, %(e)s::text)",
        "INSERT INTO users (id, username, name, email) VALUES ('00000000-0000-7000-8000-0000000000c1', %(s)s::text, %(e)s::text, %(e)s::text)",
        "INSERT INTO memberships (id, user_id, role_id, department_id) VALUES (gen_random_uuid(), "
        "'00000000-0000-7000-8000-0000000000c1', '00000000-0000-7000-8000-0000000000a1', "
        "'00000000-0000-7000-8000-0000000000d1')",
        "INSERT INTO group_members (group_id, user_id) VALUES ('00000000-0000-7000-8000-0000000000b1', "
        "'00000000-0000-7000-8000-0000000000c1')",
        "INSERT INTO api_tokens (id, user_id, name, secret_hash, created_at) SELECT gen_random_uuid(), id, %(s)s::text, "
        "sha256(id::text::bytea), now() FROM users",
        "INSERT INTO sessions (id, user_id, secret_hash, csrf_token, user_agent, created_at, last_used_at, expires_at) "
        "SELECT gen_random_uuid(), id, sha256(id::text::bytea), 'x', %(e)s::text, now(), now(), now() + interval '1 day' FROM users",
        "INSERT INTO identity_providers (id, slug, name, issuer, client_id, groups_claim) VALUES "
        "('00000000-0000-7000-8000-0000000000e1', 'evil', %(s)s::text, 'https://issuer.example', %(e)s::text, %(s)s::text)",
        "INSERT INTO passkeys (id, user_id, name, credential_id, public_key, created_at) SELECT gen_random_uuid(), id, "
        "%(s)s::text, sha256(id::text::bytea), 'x', now() FROM users",
        "INSERT INTO notification_channels (id, name, kind, url) VALUES ('00000000-0000-7000-8000-0000000000f1', %(s)s::text, "
        "'webhook', %(e)s::text)",
        "INSERT INTO notification_rules (id, name, events, channel_id, addresses) VALUES (gen_random_uuid(), %(s)s::text, "
        "ARRAY[%(s)s::text], '00000000-0000-7000-8000-0000000000f1', ARRAY[%(e)s::text])",
        "INSERT INTO notification_events (id, name, severity, title, body, occurred_at) VALUES "
        "('00000000-0000-7000-8000-0000000000f2', %(s)s::text, 'info', %(e)s::text, %(e)s::text, now())",
        "INSERT INTO notification_deliveries (id, event_id, channel_id, recipient, next_attempt_at, last_error) VALUES "
        "(gen_random_uuid(), '00000000-0000-7000-8000-0000000000f2', '00000000-0000-7000-8000-0000000000f1', %(e)s::text, "
        "now(), %(e)s::text)",
    )
    for statement in statements:
        connection.execute(statement, {"e": evil, "s": short})
    return device


async def test_no_page_runs_it(app, admin, infected, connection):
    """Follows every link of the console from its first page on."""
    browser = await sign_in(app, "maria", "admin")
    connection.execute(
        "INSERT INTO notification_inbox (id, user_id, event_id, name, severity, title, body, href, created_at) "
        "SELECT gen_random_uuid(), u.id, e.id, e.name, 'info', e.title, e.body, '/', now() "
        "FROM users u, notification_events e WHERE u.username = 'maria'"
    )
    headers = {"User-Agent": EVIL, "X-Change-Reason": EVIL, "X-CSRF-Token": browser.csrf_token}
    await browser.client.patch(
        f"/api/v1/devices/{infected.id}", json={"location": "x" + EVIL}, headers=headers
    )
    waiting, seen, holding = (
        {"/", "/sign-in", "/settings/providers", "/account/security", *HOLDING},
        set(),
        set(),
    )
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = await browser.client.get(path, headers={"User-Agent": EVIL})
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        assert answer.status_code < 500, path
        probe = Probe()
        probe.feed(answer.text)
        assert not probe.found, (path, probe.found[:3])
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        if "xss-probe" in answer.text:
            holding.add(path)
        waiting |= {
            link
            for link in probe.links
            if link not in seen and len(seen) + len(waiting) < 150 and "export" not in link
        }
    # Where the text does not show, nothing was tried.
    assert holding >= HOLDING, sorted(HOLDING - holding)
    assert len(holding) > len(HOLDING) + 5, sorted(holding)


async def test_problem_documents_are_no_pages(shared):
    """What an error repeats of a request is JSON, whatever it holds."""
    for path in (f"/api/v1/devices/{EVIL}", f"/api/v1/{EVIL}", f"/agent/{EVIL}", f"/api/v1/devices?{EVIL}=1"):
        answer = await shared.admin.get(path)
        assert answer.status_code in {404, 422}
        assert "html" not in answer.headers["content-type"]
        assert answer.headers["x-content-type-options"] == "nosniff"
