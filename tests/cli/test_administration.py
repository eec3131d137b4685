"""`fleetkeeper user|role|group|department|token`: what scripts and people at the terminal do."""

import json
import subprocess
from uuid import uuid4

import psycopg
import pytest

from tests.fixtures.product import PASSWORD, Product


@pytest.fixture
def mark() -> str:
    """A name that no other test has."""
    return f"t{uuid4().hex[:12]}"


def run(product: Product, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that must succeed."""
    outcome = product.command(*arguments)
    assert outcome.returncode == 0, outcome.stderr
    return outcome


def read(product: Product, *arguments: str):
    """What a command says to machines."""
    return json.loads(run(product, *arguments, "--json").stdout)


def refused(product: Product, *arguments: str) -> str:
    """Why a command failed: a sentence, no trace."""
    outcome = product.command(*arguments)
    assert outcome.returncode == 1, outcome.stdout
    assert "Traceback" not in outcome.stderr
    return outcome.stderr


def test_the_life_of_an_account(product, mark):
    run(product, "user", "create", mark, "--password", PASSWORD, "--email", f"{mark}@example.org")
    (listed,) = read(product, "user", "list", "--q", mark)
    assert (listed["username"], listed["enabled"]) == (mark, True)
    assert {"role": "viewer", "via": "direct"}.items() <= read(product, "user", "show", mark)["sources"][
        0
    ].items()
    run(product, "user", "grant", mark, "--role", "operator")
    assert "devices:write" in run(product, "user", "show", mark).stdout
    run(product, "user", "revoke", mark, "--role", "operator")
    assert "do not have the role" in refused(product, "user", "revoke", mark, "--role", "operator")
    run(product, "user", "set-password", mark, "--password", "another long password")
    run(product, "user", "sessions-end", mark)
    assert product.command("user", "disable", mark).returncode == 2  # without a reason
    run(product, "user", "disable", mark, "--reason", "left")
    assert read(product, "user", "list", "--q", mark)[0]["enabled"] is False
    run(product, "user", "enable", mark)
    run(product, "user", "delete", mark, "--reason", "left")
    assert read(product, "user", "list", "--q", mark) == []
    assert f"there is no user '{mark}'" in refused(product, "user", "show", mark)


def test_a_lost_second_factor(product, mark):
    run(product, "user", "create", mark, "--password", PASSWORD)
    with psycopg.connect(product.database_url) as connection:
        connection.execute(
            "INSERT INTO recovery_codes (id, user_id, code_hash, created_at)"
            " SELECT gen_random_uuid(), id, 'x', now() FROM users WHERE username = %s",
            (mark,),
        )
    assert product.command("user", "reset-second-factor", mark).returncode == 2  # without a reason
    run(product, "user", "reset-second-factor", mark, "--reason", "lost the phone")
    with psycopg.connect(product.database_url) as connection:
        left = connection.execute(
            "SELECT count(*) FROM recovery_codes r JOIN users u ON u.id = r.user_id WHERE username = %s",
            (mark,),
        ).fetchone()
        entry = connection.execute(
            "SELECT change_reason FROM audit_log WHERE action = 'user.second_factor_reset' AND record_name = %s",
            (mark,),
        ).fetchone()
    assert (left, entry) == ((0,), ("lost the phone",))


def test_a_group_of_a_provider(product, mark):
    with product.client(product.api_token()) as admin:
        body = {"slug": mark, "name": "X", "issuer": "https://login.example", "client_id": "fleet"}
        admin.post("/api/v1/identity-providers", json=body).raise_for_status()
    assert "no provider 'nobody'" in refused(product, "group", "create", mark, "--provider", "nobody")
    assert read(product, "group", "create", mark, "--provider", mark)["source"] == "oidc"
    run(product, "group", "grant", mark, "--role", "operator")


def test_a_token_for_an_identity_provider(product, mark):
    """As the guide says: a user who may do nothing but SCIM, and a token of it."""
    run(product, "role", "create", mark, "--permission", "scim:write")
    run(product, "user", "create", mark, "--role", mark, "--password", PASSWORD)
    token = run(product, "token", "create", "--user", mark, "--name", "Entra", "--days", "365").stdout.strip()
    with product.client(token) as client:
        assert client.get("/scim/v2/Users?count=1").status_code == 200
        assert client.get("/api/v1/users").status_code == 403


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        ((), "may do everything that admin may and never expires"),
        (("--days", "30"), "may do everything that admin may."),
        (("--preset", "administer", "--days", "30"), "may do everything that admin may."),
        (("--preset", "send_telemetry"), "never expires"),
        (("--preset", "send_telemetry", "--days", "90"), None),
    ],
)
def test_a_wide_token_says_so_beside_the_secret(product, mark, options, warning):
    outcome = run(product, "token", "create", "--user", "admin", "--name", mark, *options)
    assert outcome.stdout.startswith("fkt_")
    assert len(outcome.stdout.splitlines()) == 1
    assert (warning or "") in outcome.stderr
    assert bool(outcome.stderr) == bool(warning)


def test_the_last_administrator_stays(product):
    assert "somebody else" in refused(product, "user", "disable", "admin", "--reason", "x")
    assert "somebody else" in refused(product, "user", "revoke", "admin", "--role", "admin")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("user", "create", "a b", "--email", "x", "--password", PASSWORD), "email"),
        (("user", "create", "", "--password", PASSWORD), "username"),
        (("user", "create", "x", "--password", "short"), "password"),
        (("user", "create", "x", "--role", "boss"), "there is no role 'boss'"),
        (("user", "create", "x", "--password", PASSWORD, "--department", "Moon"), "department"),
        (("role", "create", " "), "name"),
        (("group", "create", ""), "name"),
        (("department", "create", ""), "name"),
        (("token", "create", "--user", "admin", "--name", "x", "--network", "moon"), "network"),
        (
            (
                "token",
                "create",
                "--user",
                "admin",
                "--name",
                "x",
                "--preset",
                "read",
                "--permission",
                "devices:read",
            ),
            "preset",
        ),
        (("token", "revoke", "no such token"), "token"),
    ],
)
def test_bad_input_names_the_option(product, arguments, word):
    assert word in refused(product, *arguments)


def test_departments(product, mark):
    top = read(product, "department", "create", mark)
    below = read(product, "department", "create", "Harbour", "--parent", mark)
    assert below["path"] == f"{mark}/Harbour"
    assert {top["path"], below["path"]} <= {one["path"] for one in read(product, "department", "list")}
    assert read(product, "department", "set-manager", mark, "admin")["manager"] == "admin"
    assert read(product, "department", "set-manager", mark)["manager"] is None
    assert "1 department" in refused(product, "department", "delete", mark)
    assert read(product, "department", "move", f"{mark}/Harbour")["parent_id"] is None
    run(product, "department", "move", "Harbour", "--parent", mark)
    user = f"{mark}-user"
    run(product, "user", "create", user, "--password", PASSWORD, "--department", f"{mark}/Harbour")
    (source,) = read(product, "user", "show", user)["sources"]
    assert source["department"] == f"{mark}/Harbour"
    run(product, "user", "delete", user, "--reason", "done")
    run(product, "department", "delete", f"{mark}/Harbour")
    run(product, "department", "delete", mark)


def test_roles_and_groups(product, mark):
    made = read(product, "role", "create", mark, "--permission", "audit:read", "--permission", "devices:read")
    assert made["permissions"] == ["audit:read", "devices:read"]
    assert read(product, "role", "update", mark, "--second-factor")["requires_second_factor"] is True
    assert read(product, "role", "update", mark, "--permission", "audit:read")["permissions"] == [
        "audit:read"
    ]
    assert read(product, "role", "show", mark)["description"] == ""
    assert mark in run(product, "role", "list").stdout
    read(product, "group", "create", mark)
    run(product, "group", "add", mark, "admin")
    assert [one["username"] for one in read(product, "group", "members", mark)] == ["admin"]
    run(product, "group", "grant", mark, "--role", mark)
    assert "once" in refused(product, "role", "delete", mark)
    run(product, "group", "revoke", mark, "--role", mark)
    run(product, "group", "remove", mark, "admin")
    assert mark in {one["name"] for one in read(product, "group", "list")}
    run(product, "group", "delete", mark)
    run(product, "role", "delete", mark)


def test_tokens(product, mark):
    place = read(product, "department", "create", mark)
    secret = run(
        product,
        *("token", "create", "--user", "admin", "--name", mark, "--permission", "devices:read"),
        *("--department", mark, "--network", "127.0.0.0/8", "--days", "1"),
    ).stdout.strip()
    (token,) = [one for one in read(product, "token", "list", "--user", "admin") if one["name"] == mark]
    assert (token["permissions"], token["departments"]) == (["devices:read"], [place["id"]])
    with product.client(secret) as client:
        assert client.get("/api/v1/devices").json()["count"] == 0
        assert client.get("/api/v1/config").status_code == 403
    newer = run(product, "token", "rotate", mark, "--overlap", "0").stdout.strip()
    with product.client(secret) as old, product.client(newer) as new:
        assert old.get("/api/v1/me").status_code == 401
        assert new.get("/api/v1/me").status_code == 200
        run(product, "token", "revoke", mark)
        assert new.get("/api/v1/me").status_code == 401
    enrolment = read(product, "token", "enroll", "--department", mark, "--network", "127.0.0.0/8")["token"]
    with product.client() as machine:
        body = {"token": enrolment, "hostname": mark, "identities": {}}
        device = machine.post("/api/v1/enroll", json=body).json()["device_id"]
    with product.client(product.api_token()) as client:
        assert client.get(f"/api/v1/devices/{device}").json()["department_id"] == place["id"]
    again = read(product, "token", "enroll", "--device", device)["token"]
    with product.client() as machine:
        body = {"token": again, "hostname": mark, "identities": {}}
        assert machine.post("/api/v1/enroll", json=body).json()["device_id"] == device
    assert "1 device" in refused(product, "department", "delete", mark)
